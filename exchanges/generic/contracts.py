"""The one place where ccxt's contracts become base currency: one step of ours is its smallest amount."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any

from exchanges import wire
from exchanges.errors import BadReply, Refusal, VenueRefused
from exchanges.rulebook import merge
from grid.instrument import Instrument

DECIMAL_PLACES, TICK_SIZE = 2, 4
"""ccxt's two ways to say a precision that we can use."""
UNIT_MIN = Decimal("1e-18")
LARGEST = Decimal("1e12")
"""Where the venue states no bound of price or quantity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A linear swap. ccxt counts contracts in multiples of `lot`; a step of `instrument` is `lot` times `value`."""

    instrument: Instrument
    unified: str
    """ccxt's name of it (`ETH/USDT:USDT`)."""
    lot: Decimal
    value: Decimal
    """Base currency in one contract."""
    maker: Decimal | None = None
    taker: Decimal | None = None

    @property
    def symbol(self) -> str:
        """Return our name of it."""
        return self.instrument.symbol

    def contracts(self, steps: int) -> Decimal:
        """Return so many steps in contracts."""
        return self.lot * steps

    def steps(self, value: Any, where: str) -> int:
        """Return a number of contracts as steps; one between two lots is a wrong message."""
        number = wire.exact(value, where)
        try:
            count, rest = divmod(number, self.lot)
        except InvalidOperation:
            raise BadReply(f"{where}: {number} is too large to count") from None
        if rest:
            raise BadReply(f"{where}: {self.unified}: {number} contracts are no whole number of {self.lot}")
        return int(count)

    def amount(self, value: Any, where: str) -> int:
        """Return a quantity in steps that has no sign of its own."""
        found = self.steps(value, where)
        if found < 0:
            raise BadReply(f"{where}: expected 0 or more, got {wire.shown(value)}")
        return found

    def ticks(self, value: Any, where: str) -> int:
        """Return a price in ticks; one between two is a wrong message."""
        return wire.ticks(self.instrument, {"price": value}, "price", where)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contracts:
    """Every linear swap of the venue, by our symbol and by ccxt's."""

    by_symbol: Mapping[str, Contract] = field(default_factory=dict)
    by_unified: Mapping[str, Contract] = field(default_factory=dict)
    changes: Mapping[str, str] = field(default_factory=dict)

    @property
    def instruments(self) -> dict[str, Instrument]:
        """Return the rules by symbol."""
        return {symbol: contract.instrument for symbol, contract in self.by_symbol.items()}

    def renewed(self, read: Mapping[str, Contract]) -> Contracts:
        """Take over a new reading; tick and step keep their meaning while we run."""
        merged = merge(self.instruments, {symbol: one.instrument for symbol, one in read.items()})
        found = {}
        for symbol, instrument in merged.instruments.items():
            contract = self.by_symbol.get(symbol) or read[symbol]
            found[symbol] = replace(contract, instrument=instrument)
        return Contracts(
            by_symbol=found, by_unified={one.unified: one for one in found.values()}, changes=merged.changes
        )

    def of_symbol(self, symbol: str) -> Contract:
        """Return the swap of our symbol; raises `VenueRefused` where there is none such."""
        found = self.by_symbol.get(symbol)
        if found is None:
            raise VenueRefused("", f"no linear perpetual {symbol}", Refusal.SYMBOL_CLOSED)
        return found

    def of_row(self, row: wire.Row, where: str) -> Contract:
        """Return the swap that a unified row names."""
        name = wire.text(row, "symbol", where)
        found = self.by_unified.get(name)
        if found is None:
            raise wire.UnknownSymbol(f"{where}.symbol: no linear swap {name}")
        return found


def contracts(markets: Mapping[str, Any], precision_mode: int) -> dict[str, Contract]:
    """Return the linear swaps of ccxt's markets by our symbol; one without its sizes is left out until it has them."""
    found: dict[str, Contract] = {}
    for market in markets.values():
        if not (market.get("swap") and market.get("linear")) or market.get("settle") != market.get("quote"):
            continue
        precision = market.get("precision") or {}
        if precision.get("price") is None or precision.get("amount") is None or not market.get("contractSize"):
            continue
        one = contract(market, precision_mode)
        found[one.symbol] = one
    return found


def contract(market: wire.Row, precision_mode: int) -> Contract:
    """Return one swap's rules, in base currency."""
    name = wire.text(market, "symbol", "market")
    precision, limits = market["precision"], market.get("limits") or {}
    tick = _unit(precision["price"], precision_mode, f"{name}.precision.price")
    lot = _unit(precision["amount"], precision_mode, f"{name}.precision.amount")
    value = wire.decimal(market, "contractSize", name)
    if value <= 0:
        raise BadReply(f"{name}.contractSize: expected more than 0, got {value}")
    base, quote = wire.text(market, "base", name), wire.text(market, "quote", name)
    return Contract(
        instrument=Instrument(
            symbol=f"{base}{quote}",
            base=base,
            quote=quote,
            tick=tick,
            step=lot * value,
            price_min=max(1, _count(_limit(limits, "price", "min") or tick, tick, ROUND_CEILING)),
            price_max=_count(_limit(limits, "price", "max") or LARGEST, tick, ROUND_FLOOR),
            quantity_min=max(1, _count(_limit(limits, "amount", "min") or lot, lot, ROUND_CEILING)),
            quantity_max=_count(_limit(limits, "amount", "max") or LARGEST, lot, ROUND_FLOOR),
            notional_min=_limit(limits, "cost", "min") or Decimal(0),
            closing_exempt=False,
            trading=market.get("active") is not False,
        ),
        unified=name,
        lot=lot,
        value=value,
        maker=_told(market, "maker"),
        taker=_told(market, "taker"),
    )


def _unit(told: Any, precision_mode: int, where: str) -> Decimal:
    number = wire.exact(told, where)
    if precision_mode == DECIMAL_PLACES:
        number = Decimal(1).scaleb(-int(number))
    elif precision_mode != TICK_SIZE:
        raise BadReply(f"{where}: {number} significant digits are no step")
    if number < UNIT_MIN:
        raise BadReply(f"{where}: expected at least {UNIT_MIN:f}, got {number}")
    return number


def _limit(limits: wire.Row, kind: str, bound: str) -> Decimal | None:
    told = (limits.get(kind) or {}).get(bound)
    number = wire.exact(told, f"limits.{kind}.{bound}") if told is not None else Decimal(0)
    return number if number > 0 else None


def _told(row: wire.Row, key: str) -> Decimal | None:
    return wire.decimal(row, key, "market") if row.get(key) is not None else None


def _count(number: Decimal, unit: Decimal, rounding: str) -> int:
    return int((number / unit).to_integral_value(rounding=rounding))
