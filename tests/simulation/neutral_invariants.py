"""What must hold of a neutral grid: one side works at a time, and no order or lot ever belongs to both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from actors.virtual.settings import GridPlan
from actors.virtual.world import World
from grid.holds import HoldCause
from grid.ladder import GridSide
from grid.symbol_book import SymbolBook
from tests.simulation.truth import Truth


def facing(plan: GridPlan, book: SymbolBook) -> GridPlan:
    """Return the plan as that of a grid which has only the side that works."""
    if plan.short is None:
        return plan
    side = book.generation.side
    return replace(plan, side=side, short=None, policy=plan.policy if side is GridSide.LONG else plan.short)


def no_orders_of_both_sides_rest(world: World, truth: Truth) -> Iterator[str]:
    """In one-way mode exits of both sides would wait for each other: at no moment may orders of both ladders live."""
    if world.gateway is None:
        return
    late = world.venue.late
    for plan in world.settings.grids:
        book = world.book.symbols.get(plan.symbol)
        if plan.short is None or book is None:
            continue
        resting = [c for c, order in truth.open.items() if order.symbol == plan.symbol and c not in late]
        coming = [
            client_id
            for client_id, request in world.venue.on_the_way.items()
            if request.symbol == plan.symbol and not _is_overdue(world, client_id)
        ]
        sides: dict[GridSide, str] = {}
        for client_id in (*resting, *coming):
            identity = truth.identity(client_id, plan.symbol)
            if identity is not None and identity.purpose.is_of_slot:
                sides[book.generations[identity.generation].side] = client_id
        if len(sides) > 1:
            yield f"{plan.symbol}: orders of both sides are live: {sorted(sides.values())}"


def lots_are_of_one_side(world: World, truth: Truth) -> Iterator[str]:
    """A long and a short lot are one position at the venue: the book must not hold both."""
    if world.gateway is None:
        return
    for plan in world.settings.grids:
        book = world.book.symbols.get(plan.symbol)
        if plan.short is None or book is None:
            continue
        sides = {book.generations[key.generation].side for key, _ in book.lots()}
        if len(sides) > 1:
            yield f"{plan.symbol}: lots of both sides are held"


def the_side_that_should_works(world: World, truth: Truth) -> Iterator[str]:
    """At rest the lots are of the side that works; without any, the price is on it, or half a step beyond at most."""
    for plan in world.settings.grids:
        if plan.short is None:
            continue
        book = world.book.symbol(plan.symbol)
        others = [hold for hold in world.book.holds.against(plan.symbol) if hold.cause is not HoldCause.TURN]
        if others:
            continue
        if book.lot_steps():
            if book.held_sign != book.sign:
                yield f"{plan.symbol}: the grid is {book.generation.side.value} and holds lots of the other side"
            continue
        top, ladder, sign = world.venue.engine.read.book(plan.symbol), book.ladder, book.sign
        price = top.bid if sign > 0 else -top.ask
        end = facing(plan, book).policy.highest_level
        assert end is not None
        if price >= ladder.at(end + 1) + -(-ladder.gap(end) // 2) and book.stop is None:
            yield f"{plan.symbol}: the grid is {book.generation.side.value} at {top.bid}/{top.ask}"


SIDES = (no_orders_of_both_sides_rest, lots_are_of_one_side)
"""What holds of both sides after every step."""


def _is_overdue(world: World, client_id: str) -> bool:
    return world.agenda.now_ms - world.venue.sent_ms.get(client_id, 0) >= world.settings.desk.absent_after_ms
