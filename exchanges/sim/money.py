"""Whole units of 1e-8 inside, decimals at the edge."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from exchanges.sim.instrument import MONEY_SCALE

FINEST = Decimal("1e-8")


def decimal_of(units: int) -> Decimal:
    """Return so many 1e-8 as a decimal."""
    return Decimal(units).scaleb(-8)


def units_of(amount: Decimal) -> int:
    """Return an amount in 1e-8, rounded half to even beyond that."""
    return int((amount * MONEY_SCALE).to_integral_value(ROUND_HALF_EVEN))


def share(units: int, rate_units: int) -> int:
    """Return `units` times a rate given in 1e-8, rounded to the nearest unit (halves up)."""
    return (units * rate_units + MONEY_SCALE // 2) // MONEY_SCALE
