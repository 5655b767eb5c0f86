"""The one place where contracts become base currency: a step of ours is a lot of the venue, whatever it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation

from exchanges import wire
from exchanges.errors import BadReply, Refusal, VenueRefused
from exchanges.rulebook import merge
from grid.instrument import Instrument


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A swap. The venue counts contracts in multiples of `lot`; one of `instrument`'s steps is `lot` times `value`."""

    instrument: Instrument
    inst_id: str
    code: int | None
    """What names it over the order socket; None at a venue that does not tell one."""
    family: str
    fee_group: str
    lot: Decimal
    value: Decimal
    """Base currency in one contract."""

    @property
    def symbol(self) -> str:
        """Return our name of it."""
        return self.instrument.symbol

    def contracts(self, steps: int) -> Decimal:
        """Return so many steps in contracts."""
        return self.lot * steps

    def steps(self, row: wire.Row, key: str, where: str) -> int:
        """Return a field in contracts as steps; a quantity between two lots is a wrong message."""
        number = wire.decimal(row, key, where)
        try:
            count, rest = divmod(number, self.lot)
        except InvalidOperation:
            raise BadReply(f"{where}.{key}: {number} is too large to count") from None
        if rest:
            raise BadReply(f"{where}.{key}: {self.inst_id}: {number} contracts are no whole number of {self.lot}")
        return int(count)

    def amount(self, row: wire.Row, key: str, where: str) -> int:
        """Return a quantity in steps that has no sign of its own."""
        found = self.steps(row, key, where)
        if found < 0:
            raise BadReply(f"{where}.{key}: expected 0 or more, got {wire.shown(row[key])}")
        return found

    def notional(self, contracts: Decimal, price: Decimal) -> Decimal:
        """Return what so many contracts are worth."""
        return contracts * self.value * price


@dataclass(frozen=True, slots=True, kw_only=True)
class Contracts:
    """The swaps as last read, by our symbol and by the venue's id."""

    by_symbol: Mapping[str, Contract] = field(default_factory=dict)
    by_id: Mapping[str, Contract] = field(default_factory=dict)
    changes: Mapping[str, str] = field(default_factory=dict)
    others: frozenset[str] = frozenset()
    """Swaps that are margined in their own coin: somebody's orders and positions in them are no matter of ours."""

    @classmethod
    def of(
        cls,
        found: Mapping[str, Contract],
        changes: Mapping[str, str] | None = None,
        others: frozenset[str] = frozenset(),
    ) -> Contracts:
        """Return the book of these contracts."""
        by_id = {contract.inst_id: contract for contract in found.values()}
        return cls(by_symbol=dict(found), by_id=by_id, changes=changes or {}, others=others)

    @property
    def instruments(self) -> wire.Instruments:
        """Return the instruments by symbol."""
        return {symbol: contract.instrument for symbol, contract in self.by_symbol.items()}

    def renewed(self, read: Contracts) -> Contracts:
        """Return the book after a new reading: units stay as they are, and what changed of them stops trading."""
        merged = merge(self.instruments, read.instruments)
        found: dict[str, Contract] = {}
        for symbol, instrument in merged.instruments.items():
            new, old = read.by_symbol.get(symbol), self.by_symbol.get(symbol)
            is_same = new is not None and (instrument.tick, instrument.step) == (
                new.instrument.tick,
                new.instrument.step,
            )
            chosen = new if is_same or old is None else old
            assert chosen is not None
            found[symbol] = replace(chosen, instrument=instrument)
        return Contracts.of(found, merged.changes, read.others)

    def of_symbol(self, symbol: str) -> Contract:
        """Return the contract of our symbol. Raises `VenueRefused` where the venue lists none."""
        found = self.by_symbol.get(symbol)
        if found is None:
            raise VenueRefused("51001", f"no symbol {symbol}", Refusal.SYMBOL_CLOSED)
        return found

    def of_row(self, row: wire.Row, where: str) -> Contract:
        """Return the contract that a row names. Raises `UnknownSymbol`."""
        inst_id = wire.text(row, "instId", where)
        found = self.by_id.get(inst_id)
        if found is None:
            raise wire.UnknownSymbol(f"{where}.instId: no instrument {inst_id}")
        return found
