"""Contracts of the simulated venue: how many steps of the engine each holds, and whether its parts are traded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from exchanges.sim.gate.errors import ApiError, wrong_parameter
from exchanges.sim.instrument import SimInstrument

IN_PARTS = {"ETHUSDT": 10}
"""Steps in one contract of a symbol that trades in parts; of every other, a step is a contract."""
PARTS_MIN = 2
PRICE_MAX = Decimal(10) ** 9


@dataclass(frozen=True, slots=True, kw_only=True)
class SimContract:
    """A symbol as the venue counts it."""

    instrument: SimInstrument
    steps: int

    @property
    def name(self) -> str:
        return contract_name(self.instrument.symbol)

    @property
    def in_parts(self) -> bool:
        return self.steps > 1

    @property
    def multiplier(self) -> Decimal:
        return self.instrument.step * self.steps

    def size(self, steps: int) -> Decimal:
        """Return steps of the engine as contracts."""
        return Decimal(steps) / self.steps

    def quantity(self, size: Decimal) -> Decimal:
        """Return contracts in base currency, for the engine to judge."""
        return abs(size) * self.multiplier


def contract_name(symbol: str) -> str:
    return f"{symbol.removesuffix('USDT')}_USDT"


def symbol_of(name: str) -> str:
    """Return the engine's symbol; raises for what is no contract of this venue."""
    if not name.endswith("_USDT"):
        raise ApiError(400, "CONTRACT_NOT_FOUND", f"contract {name} not found")
    return name.replace("_", "")


def contract_of(instrument: SimInstrument) -> SimContract:
    return SimContract(instrument=instrument, steps=IN_PARTS.get(instrument.symbol, 1))


def under_own_filters(instrument: SimInstrument) -> SimInstrument:
    """Return a symbol as this venue limits it: by size alone, and by no notional."""
    smallest = PARTS_MIN if instrument.symbol in IN_PARTS else 1
    return replace(instrument, notional_min=Decimal(0), quantity_min=max(instrument.quantity_min, smallest))


def read_size(value: object) -> Decimal:
    """Return a size as written: a whole number, or text."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise wrong_parameter("size")
    try:
        size = Decimal(str(value))
    except ArithmeticError:
        raise wrong_parameter("size") from None
    if not size.is_finite():
        raise wrong_parameter("size")
    return size
