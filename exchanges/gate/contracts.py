"""The venue counts contracts, we count steps of base currency: here, and nowhere else, one becomes the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from exchanges import wire
from exchanges.errors import BadReply
from exchanges.rulebook import merge
from exchanges.wire import Instruments
from grid.instrument import Instrument

QUOTE = "USDT"
SEPARATOR = "_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A contract by the venue's name. `unit` is how many contracts make one step of our instrument: 1, or 0.1."""

    name: str
    instrument: Instrument
    unit: Decimal

    def size(self, steps: int) -> Decimal:
        """Return so many steps in contracts."""
        return self.unit * steps

    def steps(self, size: Decimal, where: str) -> int:
        """Return a size in steps, negative where it is; raises `BadReply` where it lies between two."""
        try:
            count, rest = divmod(size, self.unit)
        except InvalidOperation:
            raise BadReply(f"{where}: {size} is too large to count") from None
        if rest:
            raise BadReply(f"{where}: {size} contracts of {self.name} are no whole number of {self.unit}")
        return int(count)


Contracts = dict[str, Contract]
"""By the venue's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """The contracts after a new reading; `changes` in words by symbol."""

    contracts: Contracts
    changes: dict[str, str]

    @property
    def instruments(self) -> Instruments:
        """Return the instruments by our symbol."""
        return instruments_of(self.contracts)


def contract_name(symbol: str) -> str:
    """Return the venue's name of a symbol of ours: `ETH_USDT` for `ETHUSDT`."""
    return f"{symbol.removesuffix(QUOTE)}{SEPARATOR}{QUOTE}"


def symbol_of(name: str) -> str:
    """Return our symbol for the venue's name."""
    return name.replace(SEPARATOR, "")


def instruments_of(contracts: Contracts) -> Instruments:
    """Return the instruments by our symbol."""
    return {one.instrument.symbol: one.instrument for one in contracts.values()}


def renewed(known: Contracts, read: Contracts) -> Renewed:
    """Take over a new reading; units stay as they were, as `exchanges.rulebook` says."""
    merged = merge(instruments_of(known), instruments_of(read))
    units = {**{name: one.unit for name, one in read.items()}, **{name: one.unit for name, one in known.items()}}
    contracts: Contracts = {}
    changes = dict(merged.changes)
    for name, unit in units.items():
        instrument = merged.instruments[symbol_of(name)]
        if name in read and read[name].unit != unit:
            instrument = replace(instrument, trading=False)
            changes.setdefault(instrument.symbol, f"{instrument.symbol} has another contract size: restart")
        contracts[name] = Contract(name=name, instrument=instrument, unit=unit)
    return Renewed(contracts=contracts, changes=changes)


def contract_of(contracts: Contracts, row: wire.Row, key: str, where: str) -> Contract:
    """Return the contract that the row names."""
    name = wire.text(row, key, where)
    found = contracts.get(name)
    if found is None:
        raise wire.UnknownSymbol(f"{where}.{key}: no contract {name}")
    return found


def steps_of(contract: Contract, row: wire.Row, key: str, where: str) -> int:
    """Return a size field in steps, negative for sells."""
    return contract.steps(wire.decimal(row, key, where), f"{where}.{key}")
