"""The position that a new grid begins with: the lots of the levels over the price, bought by bounded orders.

Each lot is bought by an order of its own level, so that it is booked at its true cost and sold by its own exit. In a
short grid these are the levels under the price, and they are sold.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from grid.instrument import Instrument
from grid.ladder import Ladder
from grid.policy import GridPolicy
from grid.sizing import entry_quantity, is_valid_opening


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningRule:
    """`levels` None: all that a grid with an end has over the price. `slippage` as a fraction of the mark price."""

    levels: int | None
    slippage: Decimal

    def limit(self, mark: Decimal, instrument: Instrument, sign: int) -> int:
        """Return the worst price in plain ticks at which anything may be bought (sold, in a short grid)."""
        bound = mark * (1 + sign * self.slippage)
        return instrument.ticks_floor(bound) if sign > 0 else instrument.ticks_ceil(bound)


def levels_to_open(
    rule: OpeningRule, ladder: Ladder, policy: GridPolicy, instrument: Instrument, reference: int, lots: int
) -> tuple[int, ...]:
    """Return the levels over the oriented price that a new grid buys, nearest first, so many lots being held."""
    first, highest = ladder.floor(reference) + 1, policy.highest_level
    count = policy.max_lots - lots
    if rule.levels is not None:
        count = min(count, rule.levels)
    if highest is not None:
        count = min(count, highest - first + 1)
    elif rule.levels is None:
        return ()
    found = range(first, first + max(0, count))
    return tuple(level for level in found if policy.has(level) and _is_sellable(level, ladder, instrument))


def order_of(
    level: int, ladder: Ladder, policy: GridPolicy, instrument: Instrument, limit: int
) -> tuple[int, int] | None:
    """Return price (plain ticks) and quantity of the order that opens the level; None where the venue takes none.

    It never pays more than the level's own price, so that its lot earns at least what the level earns.
    """
    sign = ladder.side.sign
    price = sign * min(sign * limit, ladder.at(level))
    # The dearer of the two: what a short grid sells over its level's price may be worth no more than the amount either.
    quantity = entry_quantity(policy.amount, max(price, ladder.price(level)), instrument)
    return (price, quantity) if is_valid_opening(quantity, price, instrument) else None


def _is_sellable(level: int, ladder: Ladder, instrument: Instrument) -> bool:
    ends = (ladder.price(level), ladder.price(level + 1))
    return instrument.price_min <= min(ends) and max(ends) <= instrument.price_max
