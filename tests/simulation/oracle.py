"""A second reading of the specification: which orders should rest, from the price, the lots and nothing else.

Written without the program's own decisions on purpose. Everything is in oriented ticks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from actors.virtual.settings import GridPlan
from exchanges.sim.orders import OrderView
from exchanges.sim.venue_events import PublishedBook
from grid.lot import Lot
from grid.order import Purpose
from grid.symbol_book import SymbolBook
from tests.simulation.truth import Truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One symbol at rest. `price` is p of the specification; `entries` and `exits` by level."""

    plan: GridPlan
    anchor: int
    price: int
    lots: dict[int, Lot]
    entries: dict[int, OrderView]
    exits: dict[int, OrderView]
    position: int
    """Oriented: what of the venue's position closing orders can reduce."""

    @property
    def sign(self) -> int:
        """Return +1 for a long grid."""
        return self.plan.side.sign

    def at(self, level: int) -> int:
        """Return L(i)."""
        return self.sign * self.anchor + level * self.plan.interval

    @property
    def guard(self) -> int:
        """Return the guard of rule 5."""
        return max(1, -(-self.plan.interval // 10))

    @property
    def floor(self) -> int:
        """Return f."""
        return (self.price - self.sign * self.anchor) // self.plan.interval

    @property
    def top(self) -> int:
        """Return c."""
        return (self.price - self.guard - self.sign * self.anchor) // self.plan.interval


def what_should_rest(
    plan: GridPlan, book: SymbolBook, top: PublishedBook, orders: Sequence[OrderView], truth: Truth
) -> Iterator[str]:
    """Yield every difference between what rests and what rule 8 wants."""
    entries: dict[int, OrderView] = {}
    exits: dict[int, OrderView] = {}
    for order in orders:
        identity = truth.identity(order.client_id, plan.symbol)
        assert identity is not None
        (entries if identity.purpose is Purpose.ENTRY else exits)[identity.level] = order
    picture = Picture(
        plan=plan,
        anchor=book.generation.anchor,
        price=top.bid if plan.side.sign > 0 else -top.ask,
        lots={key.level: lot for key, lot in book.lots()},
        entries=entries,
        exits=exits,
        position=plan.side.sign * truth.positions[plan.symbol],
    )
    for difference in (*_entries(picture), *_exits(picture)):
        yield f"{plan.symbol} at {top.bid}/{top.ask}: {difference}"


def _entries(picture: Picture) -> Iterator[str]:
    policy = picture.plan.policy
    lowest_open = picture.top - policy.buy_window + 1
    held = len(picture.lots.keys() | picture.entries.keys())
    for level in range(lowest_open, picture.top + 1):
        price = picture.sign * picture.at(level)
        if level in picture.lots or held >= policy.max_lots:
            continue
        wanted = int(policy.amount // (picture.plan.venue.price(price) * picture.plan.venue.step))
        order = picture.entries.get(level)
        if order is None:
            yield f"level {level} should have an entry at {price}"
        elif (order.price, order.quantity, order.filled) != (price, wanted, 0):
            yield f"level {level} has {order.quantity} at {order.price}, wanted {wanted} at {price}"
    for level in picture.entries:
        if level < lowest_open - policy.entry_slack:
            yield f"level {level} has an entry below the window and its slack ({lowest_open})"
        if level in picture.lots and not picture.entries[level].filled:
            yield f"level {level} has an entry and holds a lot"


def _exits(picture: Picture) -> Iterator[str]:
    plan, policy = picture.plan, picture.plan.policy
    half = -(-plan.interval // 2)
    for level, lot in picture.lots.items():
        order = picture.exits.get(level)
        target = picture.sign * lot.target
        entry = picture.entries.get(level)
        if target != picture.at(level + 1):
            yield f"level {level} has the target {lot.target}"
        if order is None:
            is_growing = entry is not None and entry.filled > 0 and picture.price < picture.at(level) + half
            is_deferred = policy.sell_window is not None and target > picture.at(picture.floor + policy.sell_window)
            # In one-way mode others' quantity the other way leaves no room for a reduce-only order.
            has_no_room = sum(o.left for o in picture.exits.values()) + lot.quantity > picture.position
            if not is_growing and not is_deferred and not has_no_room:
                yield f"level {level} holds {lot.quantity} without an exit"
            continue
        resting = picture.sign * order.price
        if order.left != lot.quantity:
            yield f"level {level} holds {lot.quantity}, its exit is for {order.left}"
        if resting < target:
            yield f"level {level} has its exit at {order.price}, before its target {lot.target}"
        if resting > target and resting - max(target, picture.price + 1) >= half:
            yield f"level {level} has its exit at {order.price}, far beyond {lot.target}"
    for level in picture.exits.keys() - picture.lots.keys():
        yield f"level {level} has an exit and no lot"
