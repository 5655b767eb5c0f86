"""A second reading of the specification: which orders should rest, from the price, the lots and nothing else.

Written without the program's own decisions on purpose. Everything is in oriented ticks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from actors.virtual.settings import ACCOUNT, GridPlan
from actors.virtual.world import World
from exchanges.sim.orders import OrderView
from exchanges.sim.venue_events import PublishedBook
from grid.instrument import Instrument
from grid.ladder import Spacing
from grid.lot import Lot
from grid.order import Purpose
from grid.records import GenerationStarted
from grid.slot import SlotKey
from risk.limits import VENUE_RESERVE
from tests.simulation.truth import Truth


def level_at(ladder: GenerationStarted, level: int) -> int:
    """Return L(i) of a ladder: whole intervals from the anchor, or the anchor times a power of the ratio."""
    sign = ladder.side.sign
    if ladder.spacing is Spacing.ARITHMETIC:
        return sign * ladder.anchor + level * ladder.interval
    exact = Fraction(ladder.anchor) * Fraction(ladder.ratio) ** (sign * level)
    return math.floor(exact) if sign > 0 else -math.ceil(exact)


def gap_at(ladder: GenerationStarted, level: int) -> int:
    """Return d(i)."""
    return level_at(ladder, level + 1) - level_at(ladder, level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One symbol at rest. `price` is p of the specification; `entries` and `exits` by level."""

    plan: GridPlan
    price: int
    generation: int
    older: dict[int, GenerationStarted]
    lots: dict[SlotKey, Lot]
    entries: dict[SlotKey, OrderView]
    exits: dict[SlotKey, OrderView]
    position: int
    """Oriented: what of the venue's position closing orders can reduce."""
    orders_max: int
    notional_left: Decimal
    """How much more the account may commit."""
    instrument: Instrument
    """The venue's rules as the desk knows them: what rests was placed by them."""

    @property
    def sign(self) -> int:
        """Return +1 for a long grid."""
        return self.plan.side.sign

    def key(self, level: int) -> SlotKey:
        """Return the slot of a level of the present ladder."""
        return SlotKey(symbol=self.plan.symbol, generation=self.generation, level=level)

    @property
    def ladder(self) -> GenerationStarted:
        """Return the present ladder."""
        return self.older[self.generation]

    def at(self, level: int) -> int:
        """Return L(i)."""
        return level_at(self.ladder, level)

    def bought_at(self, key: SlotKey) -> int:
        """Return L(i) of the slot's own ladder."""
        return level_at(self.older[key.generation], key.level)

    def is_taken(self, level: int) -> bool:
        """Whether an older lot was bought inside this level and the next (rule 9)."""
        found = (self.bought_at(key) for key in self.lots if key.generation != self.generation)
        return any(self.at(level) <= price < self.at(level + 1) for price in found)

    @property
    def is_full(self) -> bool:
        """Whether the order cap lets no entry rest beside orders and exits that wait for a place."""
        waiting = sum(1 for key in self.lots if key not in self.exits and key not in self.entries)
        return len(self.entries) + len(self.exits) + waiting >= self.orders_max

    @property
    def floor(self) -> int:
        """Return f."""
        level = 0
        while self.at(level) > self.price:
            level -= 1
        while self.at(level + 1) <= self.price:
            level += 1
        return level

    @property
    def top(self) -> int:
        """Return c."""
        level, highest = self.floor, self.plan.policy.highest_level
        if self.at(level) > self.price - max(1, -(-gap_at(self.ladder, level) // 10)):
            level -= 1
        return level if highest is None else min(level, highest)

    def is_open(self, level: int) -> bool:
        """Whether the grid has the level (one without bounds has every level), and no older lot was bought there."""
        lowest, highest = self.plan.policy.lowest_level, self.plan.policy.highest_level
        is_beyond = (lowest is not None and level < lowest) or (highest is not None and level > highest)
        return not is_beyond and not self.is_taken(level)


def what_should_rest(
    plan: GridPlan, world: World, top: PublishedBook, orders: Sequence[OrderView], truth: Truth
) -> Iterator[str]:
    """Yield every difference between what rests and what rule 8 wants."""
    book = world.book.symbol(plan.symbol)
    entries: dict[SlotKey, OrderView] = {}
    exits: dict[SlotKey, OrderView] = {}
    for order in orders:
        identity = truth.identity(order.client_id, plan.symbol)
        assert identity is not None
        key = SlotKey(symbol=plan.symbol, generation=identity.generation, level=identity.level)
        (entries if identity.purpose is Purpose.ENTRY else exits)[key] = order
    assert world.gateway is not None
    picture = Picture(
        plan=plan,
        price=top.bid if plan.side.sign > 0 else -top.ask,
        generation=book.generation.generation,
        older=dict(book.generations),
        lots=dict(book.lots()),
        entries=entries,
        exits=exits,
        position=plan.side.sign * truth.positions[plan.symbol],
        orders_max=min(world.settings.desk.orders_max, plan.venue.orders_max - VENUE_RESERVE - _foreign(world, plan)),
        notional_left=world.settings.desk.notional_max - committed(world),
        instrument=world.gateway.desk.instrument(plan.symbol),
    )
    for difference in (*_entries(picture), *_exits(picture)):
        yield f"{plan.symbol} at {top.bid}/{top.ask}: {difference}"


def committed(world: World) -> Decimal:
    """Return what lots at cost and entries at their price commit, of all symbols."""
    total = Decimal(0)
    for grid in world.settings.grids:
        total += sum((lot.cost for _, lot in world.book.symbol(grid.symbol).lots()), Decimal(0))
        for order in world.venue.engine.read.open_orders(ACCOUNT, grid.symbol):
            if not order.reduce_only and order.client_id.startswith("g"):
                total += grid.venue.price(order.price) * grid.venue.quantity(order.left)
    return total


def _foreign(world: World, plan: GridPlan) -> int:
    orders = world.venue.engine.read.open_orders(ACCOUNT, plan.symbol)
    return sum(1 for order in orders if not order.client_id.startswith("g"))


def _entries(picture: Picture) -> Iterator[str]:
    policy, venue = picture.plan.policy, picture.plan.venue
    lowest_open = picture.top - policy.buy_window + 1
    held = len(picture.lots.keys() | picture.entries.keys())
    for level in range(lowest_open, picture.top + 1):
        key, price = picture.key(level), picture.sign * picture.at(level)
        order = picture.entries.get(key)
        wanted = int(policy.amount // (venue.price(price) * venue.step))
        notional = venue.price(price) * venue.quantity(wanted)
        is_allowed = notional >= picture.instrument.notional_min and picture.is_open(level)
        if key in picture.lots:
            continue
        if order is not None:
            if (order.price, order.quantity, order.filled) != (price, wanted, 0):
                yield f"level {level} has {order.quantity} at {order.price}, wanted {wanted} at {price}"
        elif is_allowed and not (held >= policy.max_lots or picture.is_full or notional > picture.notional_left):
            yield f"level {level} should have an entry at {price}"
        elif is_allowed and (farther := [k for k in picture.entries if k.level < level]):
            yield f"level {level} has no entry at {price} and {farther} farther from the price have"
    for key in picture.entries:
        if key.generation != picture.generation:
            yield f"{key} has an entry of an older ladder"
        elif key.level < lowest_open - policy.entry_slack:
            yield f"level {key.level} has an entry below the window and its slack ({lowest_open})"
        elif not picture.is_open(key.level):
            yield f"level {key.level} has an entry outside the range, or where an older lot was bought"
        if key in picture.lots and not picture.entries[key].filled:
            yield f"{key} has an entry and holds a lot"


def _exits(picture: Picture) -> Iterator[str]:
    policy = picture.plan.policy
    for key, lot in picture.lots.items():
        order = picture.exits.get(key)
        gap = max(gap_at(picture.ladder, picture.floor), gap_at(picture.older[key.generation], key.level))
        half = -(-gap // 2)
        target = picture.sign * lot.target
        entry = picture.entries.get(key)
        if order is None:
            is_growing = entry is not None and entry.filled > 0 and picture.price < picture.bought_at(key) + half
            is_deferred = policy.sell_window is not None and target > picture.at(picture.floor + policy.sell_window)
            # In one-way mode others' quantity the other way leaves no room for a reduce-only order.
            has_no_room = sum(o.left for o in picture.exits.values()) + lot.quantity > picture.position
            if is_growing or is_deferred or has_no_room:
                continue
            if len(picture.exits) + len(picture.entries) < picture.orders_max:
                yield f"{key} holds {lot.quantity} without an exit"
            elif picture.entries:
                yield f"{key} has no exit and entries rest in its place"
            elif any(picture.sign * other.price > max(target, picture.price + 1) for other in picture.exits.values()):
                yield f"{key} has no exit and one that is farther from the price rests in its place"
            continue
        resting = picture.sign * order.price
        if order.left != lot.quantity:
            yield f"{key} holds {lot.quantity}, its exit is for {order.left}"
        if resting < target:
            yield f"{key} has its exit at {order.price}, before its target {lot.target}"
        if resting > target and resting - max(target, picture.price + 1) >= half:
            yield f"{key} has its exit at {order.price}, far beyond {lot.target}"
    for key in picture.exits.keys() - picture.lots.keys():
        yield f"{key} has an exit and no lot"
