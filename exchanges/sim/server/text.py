"""Numbers as the venue writes them: plain decimals in text, never an exponent."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from exchanges.sim.instrument import SimInstrument

_EIGHT = Decimal("0.00000001")


def plain(value: Decimal) -> str:
    return format(value, "f")


def money(value: Decimal) -> str:
    """Write an amount with the venue's eight decimals."""
    return format(value.quantize(_EIGHT, rounding=ROUND_HALF_EVEN), "f")


def price_text(instrument: SimInstrument, ticks: int) -> str:
    return format(instrument.price(ticks), "f") if ticks else "0"


def quantity_text(instrument: SimInstrument, steps: int) -> str:
    return format(instrument.quantity(steps), "f")


def average_text(instrument: SimInstrument, average: Decimal) -> str:
    """Write an average price with three digits more than the symbol's own precision, as the venue does."""
    exponent = Decimal(1).scaleb(-(instrument.price_precision + 3))
    return format(average.quantize(exponent, rounding=ROUND_HALF_EVEN), "f")
