"""How much a fixed amount buys (rule 6)."""

from __future__ import annotations

from decimal import Decimal

from grid.instrument import Instrument


def steps_for(amount: Decimal, price: int, instrument: Instrument) -> int:
    """Return the largest whole number of steps whose notional is at most `amount`; never rounded up."""
    return int(amount // (instrument.price(price) * instrument.step))


def is_valid_opening(quantity: int, price: int, instrument: Instrument) -> bool:
    """Whether the venue takes an opening order of this size at this price."""
    if not instrument.quantity_min <= quantity <= instrument.quantity_max:
        return False
    return instrument.notional(price, quantity) >= instrument.notional_min


def entry_quantity(amount: Decimal, price: int, instrument: Instrument) -> int:
    """Return q(i) in steps, or 0 where the amount buys no order that the venue takes (`amount_too_small`)."""
    quantity = steps_for(amount, price, instrument)
    return quantity if is_valid_opening(quantity, price, instrument) else 0


def smallest_amount(price: int, instrument: Instrument) -> Decimal:
    """Return the smallest fixed amount that gives a valid order at the price, in quote currency."""
    per_step = instrument.notional(price, 1)
    whole, rest = divmod(instrument.notional_min, per_step)
    steps = max(instrument.quantity_min, int(whole) + (1 if rest else 0), 1)
    return per_step * steps
