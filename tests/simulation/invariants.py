"""The design's invariants as claims about a world, each judged by the venue's truth against the book.

Each yields a sentence for every breach. `EVERY_STEP` holds at all times; `AT_REST` once faults have stopped and time
has passed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from actors.virtual.agenda import EPOCH_MS
from actors.virtual.settings import ACCOUNT
from actors.virtual.world import GATEWAY, World
from grid.book import Book
from grid.holds import HoldCause
from grid.order import Purpose
from grid.records import from_body
from grid.slot import Phase, SlotKey
from tests.simulation.oracle import what_should_rest
from tests.simulation.truth import Truth

Invariant = Callable[[World, Truth], Iterator[str]]
GO_EXPIRES_MS = 3_000
ECHO_OVERDUE_MS = 10_000
"""Waiting for the limiter, the slowest reply, the time for an echo, and a tick."""
FROZEN_OVERDUE_MS = 14_000
"""Age, probe with its time-out, grace, and the slowest message."""
SHOCK_OVERDUE_MS = 9_000
"""The slowest message with a go, the lease, a tick and a candle."""


def one_order_a_slot(world: World, truth: Truth) -> Iterator[str]:
    """1: at most one live or possibly live order per slot; one that came after the bound is counted, not forbidden."""
    late = world.venue.late
    live: Counter[SlotKey] = Counter()
    for client_id, order in truth.open.items():
        key = truth.key_of(client_id, order.symbol)
        if key is not None and client_id not in late:
            live[key] += 1
    for client_id, request in world.venue.on_the_way.items():
        key = truth.key_of(client_id, request.symbol)
        if key is not None and not _is_overdue(world, client_id):
            live[key] += 1
    for key, count in live.items():
        if count > 1:
            yield f"{key} has {count} live or possibly live orders"


def every_order_was_intended(world: World, truth: Truth) -> Iterator[str]:
    """1 and 4: no order leaves, and none is at the venue, whose intent is not in the journal."""
    for request in truth.sent:
        if request.client_id not in truth.intended:
            yield f"{request.client_id} was sent before its intent was committed"
    for client_id in truth.open:
        if client_id not in truth.intended:
            yield f"{client_id} rests and the journal does not know it"


def entries_leave_only_without_holds(world: World, truth: Truth) -> Iterator[str]:
    """5 and 8: an entry leaves only if the set of holds is empty and the supervisor has said go not long ago."""
    gateway = world.gateway
    for request in truth.sent:
        if request.closing or gateway is None:
            continue
        holds = world.book.holds.against(request.symbol)
        if holds:
            yield f"entry {request.client_id} left in spite of {[hold.cause.value for hold in holds]}"
        if world.agenda.now_ms - gateway.go_ms >= GO_EXPIRES_MS:
            yield f"entry {request.client_id} left {world.agenda.now_ms - gateway.go_ms} ms after the last go"


def gone_is_gone(world: World, truth: Truth) -> Iterator[str]:
    """5: where entries are said to be verified gone, none rests and none can still arrive in time."""
    if world.gateway is None or not world.book.holds.holds:
        return
    late = world.venue.late
    for scope in world.gateway.desk.entries_gone:
        if not world.book.holds.against(scope):
            continue
        resting = [c for c, order in truth.open.items() if scope in ("", order.symbol) and c not in late]
        coming = [c for c in world.venue.on_the_way if not _is_overdue(world, c)]
        for client_id in (*resting, *coming):
            identity = truth.identity(client_id, _symbol_of(world, truth, client_id))
            if identity is not None and identity.purpose is Purpose.ENTRY:
                yield f"entries of {scope or 'the account'} are said to be gone, {client_id} is not"


def positions_tie(world: World, truth: Truth) -> Iterator[str]:
    """2: lots plus foreign plus the fills not booked yet are the venue's position, at every moment."""
    if world.gateway is None:
        return
    unbooked: Counter[str] = Counter()
    for (symbol, _, _), signed in truth.unbooked.items():
        unbooked[symbol] += signed
    for grid in world.settings.grids:
        book = world.book.symbols.get(grid.symbol)
        if book is None:
            continue
        expected = book.expected_position() + unbooked[grid.symbol]
        if expected != truth.positions[grid.symbol]:
            yield (
                f"{grid.symbol}: the venue holds {truth.positions[grid.symbol]}, the book {book.expected_position()} "
                f"(foreign {book.foreign}) and {unbooked[grid.symbol]} in fills not booked"
            )


def nothing_contradicts_the_record(world: World, truth: Truth) -> Iterator[str]:
    """3 and 10: each fill is booked once and for its owner, ids are never reused, foreign orders never cancelled."""
    yield from truth.complaints
    truth.complaints.clear()


def lots_stay_within_their_maximum(world: World, truth: Truth) -> Iterator[str]:
    """11: lots and live entries never exceed max_lots; foreign money never makes a lot."""
    if world.gateway is None:
        return
    for grid in world.settings.grids:
        book = world.book.symbol(grid.symbol)
        held = {key for key, _ in book.lots()}
        entries = {
            key
            for client_id, order in truth.open.items()
            if not order.reduce_only
            and client_id not in world.venue.late
            and (key := truth.key_of(client_id, order.symbol)) is not None
            and order.symbol == grid.symbol
        }
        if len(held | entries) > grid.policy.max_lots:
            yield f"{grid.symbol}: {len(held)} lots and {len(entries)} entries of max_lots {grid.policy.max_lots}"


def closing_orders_fit_the_position(world: World, truth: Truth) -> Iterator[str]:
    """Trading rule 8: what we have resting to close never exceeds the position."""
    for grid in world.settings.grids:
        closing = sum(o.left for o in truth.open.values() if o.reduce_only and o.symbol == grid.symbol)
        if closing > abs(truth.positions[grid.symbol]):
            yield f"{grid.symbol}: {closing} steps rest to close a position of {truth.positions[grid.symbol]}"


def every_wait_has_a_next_step(world: World, truth: Truth) -> Iterator[str]:
    """6: a slot that waits for something names the next step and when."""
    if world.gateway is None:
        return
    desk = world.gateway.desk
    for book in world.book.symbols.values():
        for slot in book.slots.values():
            if slot.phase not in (Phase.FREE, Phase.LOCKED) and desk.next_step(slot.key) is None:
                yield f"{slot.key} is {slot.phase.value} and nothing is planned for it"


def a_deaf_stream_is_noticed(world: World, truth: Truth) -> Iterator[str]:
    """Trading rule 19: an acknowledged order that is not echoed is the stream's silence, and entries stop."""
    mute_ms = world.venue.stream.mute_since_ms
    if world.gateway is None or mute_ms is None or world.book.holds.find(HoldCause.ORDER_STREAM, "") is not None:
        return
    for order in world.book.live_orders():
        intended_ms = order.at_ms - EPOCH_MS
        is_overdue = world.agenda.now_ms - intended_ms > ECHO_OVERDUE_MS
        if order.order_id and mute_ms <= intended_ms and world.gateway.started_ms <= intended_ms and is_overdue:
            yield f"{order.client_id} was placed on a stream mute since {mute_ms} and nobody has noticed"


def a_frozen_price_is_noticed(world: World, truth: Truth) -> Iterator[str]:
    """Rule 20: no entry leaves on a price that does not come any more."""
    for request in truth.sent:
        frozen_ms = truth.frozen_ms.get(request.symbol)
        if frozen_ms is not None and not request.closing and world.agenda.now_ms - frozen_ms > FROZEN_OVERDUE_MS:
            yield f"entry {request.client_id} left on a price frozen since {frozen_ms}"
    for symbol, frozen_ms in truth.frozen_ms.items():
        heard = world.feeds[symbol].last_bid
        has_moved = heard is not None and heard != world.venue.engine.read.book(symbol).bid
        is_overdue = world.agenda.now_ms - frozen_ms > FROZEN_OVERDUE_MS + 4_000
        if not is_overdue or not has_moved or not truth.is_same_life(GATEWAY, f"feed/{symbol}"):
            continue
        if world.book.holds.find(HoldCause.PRICE, symbol) is None:
            yield f"{symbol} is frozen since {frozen_ms} and nobody has noticed"


def a_shock_stops_entries(world: World, truth: Truth) -> Iterator[str]:
    """8: while every watched coin falls no entry leaves, once the slowest word has come."""
    now_ms = world.agenda.now_ms
    for start_ms, end_ms in truth.shocks:
        if start_ms + SHOCK_OVERDUE_MS <= now_ms < end_ms:
            for request in truth.sent:
                if not request.closing:
                    yield f"entry {request.client_id} left in a shock that began at {start_ms}"


def the_operators_word_stands(world: World, truth: Truth) -> Iterator[str]:
    """Trading rule 20: a hold is lifted only by its own cause."""
    holds = truth.operator_holds and world.gateway is not None
    if holds and world.book.holds.find(HoldCause.OPERATOR, "") is None:
        yield "the operator's hold is gone and he has not lifted it"


def readings_go_on(world: World, truth: Truth) -> Iterator[str]:
    """7 and 15: book and venue were compared within the last two periods."""
    if world.gateway is None:
        return
    age_ms = world.agenda.now_ms - world.gateway.desk.compared_ms
    if age_ms > 2 * world.settings.reconcile_ms:
        yield f"book and venue were last compared {age_ms} ms ago"


def the_journal_gives_the_same_book(world: World, truth: Truth) -> Iterator[str]:
    """9: what a restart rebuilds is what was there."""
    from grid.snapshot import to_snapshot

    if world.gateway is None:
        yield "the gateway is dead"
        return
    book = Book()
    book.replay(from_body(kind, body) for kind, _, body in world.journal)
    if to_snapshot(book) != to_snapshot(world.book):
        yield "replaying the journal gives another book"


def money_ties(world: World, truth: Truth) -> Iterator[str]:
    """9: lots cost exactly what the venue's fills cost; nothing is earned or paid that the venue does not know."""
    if world.gateway is None or truth.has_foreign_fills:
        return
    for grid in world.settings.grids:
        book = world.book.symbol(grid.symbol)
        ledger, cost = book.ledger, sum((lot.cost for _, lot in book.lots()), start=grid.venue.tick * 0)
        cash, fees = truth.own_cash(grid.symbol), truth.own_fees(grid.symbol)
        if ledger.cash - ledger.funding != cash:
            yield f"{grid.symbol}: the book's cash is {ledger.cash}, the venue's {cash}"
        if ledger.realised - book.sign * cost != cash:
            yield f"{grid.symbol}: realised {ledger.realised} less lots at {cost} is not the cash of {cash}"
        if ledger.fees_in(grid.venue.quote) != fees:
            yield f"{grid.symbol}: the book paid {ledger.fees_in(grid.venue.quote)} in fees, the venue took {fees}"


def every_fill_is_booked(world: World, truth: Truth) -> Iterator[str]:
    """3: nothing is lost."""
    for key in truth.unbooked:
        yield f"fill {key} of {truth.fills[key][1] or 'others'} was never booked"


def no_slot_is_stuck(world: World, truth: Truth) -> Iterator[str]:
    """6: with no fault left, every slot rests or is free."""
    for book in world.book.symbols.values():
        for slot in book.slots.values():
            if slot.phase not in (Phase.FREE, Phase.LOCKED):
                yield f"{slot.key} is still {slot.phase.value} ({slot.order})"


def no_hold_is_left(world: World, truth: Truth) -> Iterator[str]:
    """5: each hold was lifted by its own rule."""
    for hold in world.book.holds.holds:
        yield f"hold {hold.cause.value} on {hold.symbol or 'the account'} is still in force: {hold.reason}"


def every_own_order_has_an_owner(world: World, truth: Truth) -> Iterator[str]:
    """1: each order of ours at the venue is the order of its slot in the book, and the other way round."""
    owned = {slot.order.client_id for book in world.book.symbols.values() for slot in book.slots.values() if slot.order}
    for client_id in truth.open.keys() - owned:
        yield f"{client_id} rests and no slot owns it"
    for client_id in owned - truth.open.keys():
        yield f"{client_id} is its slot's order in the book and does not rest"


def what_rests_is_what_should(world: World, truth: Truth) -> Iterator[str]:
    """Rule 8: level by level, by a second reading of the specification."""
    for grid in world.settings.grids:
        orders = world.venue.engine.read.open_orders(ACCOUNT, grid.symbol)
        own = [order for order in orders if truth.identity(order.client_id, grid.symbol) is not None]
        top = world.venue.engine.read.book(grid.symbol)
        yield from what_should_rest(grid, world.book.symbol(grid.symbol), top, own, truth)


EVERY_STEP: tuple[Invariant, ...] = (
    nothing_contradicts_the_record,
    one_order_a_slot,
    every_order_was_intended,
    entries_leave_only_without_holds,
    gone_is_gone,
    positions_tie,
    lots_stay_within_their_maximum,
    closing_orders_fit_the_position,
    every_wait_has_a_next_step,
    a_deaf_stream_is_noticed,
    a_frozen_price_is_noticed,
    a_shock_stops_entries,
    the_operators_word_stands,
)
AT_REST: tuple[Invariant, ...] = (
    *EVERY_STEP,
    every_fill_is_booked,
    no_slot_is_stuck,
    no_hold_is_left,
    every_own_order_has_an_owner,
    what_rests_is_what_should,
    money_ties,
    readings_go_on,
    the_journal_gives_the_same_book,
)


def _is_overdue(world: World, client_id: str) -> bool:
    """Whether a placement is on its way for longer than one may be."""
    sent_ms = world.venue.sent_ms.get(client_id, 0)
    return world.agenda.now_ms - sent_ms >= world.settings.desk.absent_after_ms


def _symbol_of(world: World, truth: Truth, client_id: str) -> str:
    order = truth.open.get(client_id)
    return order.symbol if order is not None else world.venue.on_the_way[client_id].symbol
