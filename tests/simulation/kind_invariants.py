"""What must hold of grids that are bounded, wait for a price, or follow a ratio."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from actors.virtual.settings import GridPlan
from actors.virtual.world import World
from exchanges.sim.orders import OrderView
from grid.order import OrderRequest, Purpose, TimeInForce
from grid.slot import SlotKey
from tests.simulation.oracle import committed, level_at
from tests.simulation.truth import Truth


def lots_keep_their_targets(world: World, truth: Truth) -> Iterator[str]:
    """Rule 14: the target of a lot is the next level of the ladder that it was bought on, whatever came after."""
    if world.gateway is None:
        return
    for book in world.book.symbols.values():
        for key, lot in book.lots():
            ladder = book.generations[key.generation]
            target = ladder.side.sign * level_at(ladder, key.level + 1)
            if lot.target != target:
                yield f"{key} has the target {lot.target}, it was bought for {target}"


def no_entry_leaves_before_the_trigger(world: World, truth: Truth) -> Iterator[str]:
    """A grid that waits for a price opens nothing before the venue's mark has come there."""
    waiting = {grid.symbol for grid in world.settings.grids if grid.trigger is not None} - truth.begun
    for request in truth.sent:
        if not request.closing and request.symbol in waiting:
            yield f"entry {request.client_id} left before the mark came to the price that its grid waits for"


def waits_for_its_price(world: World, truth: Truth, symbol: str) -> bool:
    """Whether the grid has not begun, and the mark stands where it need not begin."""
    plan = next(grid for grid in world.settings.grids if grid.symbol == symbol)
    kept = world.book.symbol(symbol).trigger
    return (kept is None or not kept.is_fired) and not truth.is_beyond_trigger(plan)


def an_opening_pays_no_more_than_it_may(world: World, truth: Truth) -> Iterator[str]:
    """What takes to open is bounded by the level's own price, by the journalled limit, and by the mark."""
    for request in truth.sent:
        identity = truth.identity(request.client_id, request.symbol)
        if request.closing or identity is None:
            continue
        if request.time_in_force is not TimeInForce.POST_ONLY and identity.purpose is not Purpose.OPEN:
            yield f"entry {request.client_id} may take"
        if identity.purpose is Purpose.OPEN:
            grid = next(one for one in world.settings.grids if one.symbol == request.symbol)
            yield from _overpaid(world, grid, request, identity.generation, identity.level)


def _overpaid(world: World, grid: GridPlan, request: OrderRequest, generation: int, level: int) -> Iterator[str]:
    book, sign = world.book.symbol(grid.symbol), grid.side.sign
    paid = sign * request.price
    if paid > level_at(book.generations[generation], level):
        yield f"{request.client_id} pays {request.price}, more than its level's price"
    if book.opening is None or paid > sign * book.opening.limit:
        yield f"{request.client_id} pays {request.price}, the limit is {book.opening}"
    known = world.gateway.desk.mark(grid.symbol, world.agenda.instant()) if world.gateway is not None else None
    assert grid.opening is not None
    if known is not None and sign * (grid.venue.price(request.price) / known - 1) > grid.opening.slippage:
        yield f"{request.client_id} pays {request.price} at a mark of {known}"


def an_opening_buys_each_level_once(world: World, truth: Truth) -> Iterator[str]:
    """Whatever dies in between: of the orders that open a level one alone is ever filled."""
    filled: defaultdict[SlotKey, set[str]] = defaultdict(set)
    for (symbol, _, _), (_, client_id) in truth.fills.items():
        identity = truth.identity(client_id, symbol) if client_id else None
        if identity is not None and identity.purpose is Purpose.OPEN and client_id not in world.venue.late:
            filled[SlotKey(symbol=symbol, generation=identity.generation, level=identity.level)].add(client_id)
    for key, orders in filled.items():
        if len(orders) > 1:
            yield f"{key} was opened by {len(orders)} orders: {sorted(orders)}"


def an_opening_leaves_nothing_that_it_could_buy(world: World, truth: Truth) -> Iterator[str]:
    """What is still to be bought is dearer than it may be, or the limits of inventory and money are in the way."""
    day = world.book.account.day
    for grid in world.settings.grids if day is None or day.tripped_at is None else ():
        book = world.book.symbol(grid.symbol)
        if book.opening is None or world.book.holds.against(grid.symbol) or not book.opening.levels:
            continue
        top, sign = world.venue.engine.read.book(grid.symbol), grid.side.sign
        mark = world.venue.engine.read.premium_index(grid.symbol).mark_price
        assert grid.opening is not None
        bound = sign * mark * (1 + sign * grid.opening.slippage) / grid.venue.tick
        asked, reference = (top.ask, top.bid) if sign > 0 else (-top.bid, -top.ask)
        lots = sum(1 for _ in book.lots())
        own = [sign * o.price for o in truth.open.values() if o.symbol == grid.symbol and o.reduce_only]
        if min(own, default=asked + 1) <= asked:
            continue  # what is offered is our own
        assert world.gateway is not None
        least = world.gateway.desk.instrument(grid.symbol).notional_min
        for level in book.opening.levels:
            price = min(Decimal(sign * book.opening.limit), Decimal(level_at(book.generation, level)), bound)
            at = grid.venue.price(sign * int(price))
            worth = grid.policy.amount // (at * grid.venue.step) * grid.venue.step * at
            is_worth_it = least + at * grid.venue.step <= worth
            nearer, farther = _entries_beside(truth, grid, reference, int(price))
            has_room = lots + len(nearer) < grid.policy.max_lots and worth <= _money_left(world, grid, farther)
            if not book.opening.is_planned or (asked <= price and is_worth_it and has_room and _has_place(world, grid)):
                yield f"{grid.symbol}: level {level} is not opened at {asked}, up to {price} is allowed"


def _entries_beside(
    truth: Truth, grid: GridPlan, reference: int, price: int
) -> tuple[list[OrderView], list[OrderView]]:
    """Return the entries as near to rule 1's price as this one, which keep their place, and the farther ones."""
    entries = [o for o in truth.open.values() if o.symbol == grid.symbol and not o.reduce_only]
    entries.sort(key=lambda order: abs(grid.side.sign * order.price - reference))
    near = sum(1 for o in entries if abs(grid.side.sign * o.price - reference) <= abs(price - reference))
    return entries[:near], entries[near:]


def _money_left(world: World, grid: GridPlan, farther: list[OrderView]) -> Decimal:
    """Return what may still be committed once the farthest entry has made room; other symbols' make room for nobody."""
    left = world.settings.desk.notional_max - committed(world)
    for order in farther[-1:]:
        left += grid.venue.price(order.price) * grid.venue.quantity(order.left)
    return left


def _has_place(world: World, grid: GridPlan) -> bool:
    return world.settings.desk.orders_max > 10 and grid.venue.trading
