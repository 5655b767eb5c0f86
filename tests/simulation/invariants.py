"""The design's invariants as claims about a world, each judged by the venue's truth against the book.

Each yields a sentence for every breach. `EVERY_STEP` holds at all times; `AT_REST` once faults have stopped and time
has passed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal

from actors.virtual.agenda import EPOCH_MS
from actors.virtual.settings import ACCOUNT
from actors.virtual.world import World
from grid.book import Book
from grid.holds import HoldCause
from grid.order import Purpose
from grid.records import from_body
from grid.slot import Phase, SlotKey
from risk.breakers import BreakerKind
from tests.simulation.kind_invariants import (
    an_opening_buys_each_level_once,
    an_opening_leaves_nothing_that_it_could_buy,
    an_opening_pays_no_more_than_it_may,
    lots_keep_their_targets,
    no_entry_leaves_before_the_trigger,
    waits_for_its_price,
)
from tests.simulation.neutral_invariants import SIDES, facing, the_side_that_should_works
from tests.simulation.oracle import what_should_rest
from tests.simulation.stop_invariants import lots_are_covered, one_stop_a_symbol
from tests.simulation.truth import Truth
from tests.simulation.watchfulness import (
    a_closed_symbol_gets_no_entries,
    a_deaf_stream_is_noticed,
    a_frozen_price_is_noticed,
    a_shock_stops_entries,
    a_silent_supervisor_is_a_no,
    the_days_loss_is_stopped,
    the_loss_is_stopped,
    the_operators_word_stands,
)

Invariant = Callable[[World, Truth], Iterator[str]]
GO_EXPIRES_MS = 3_000
STEP_LATE_MS = 1_000
STEP_FAR_MS = 91_000
"""The longest that anything waits for: an order in a lane of the limiter."""
UNEXPLAINED_MAX = Decimal("1e-8")
"""The venue's own finest unit of money."""


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


def every_live_order_is_in_the_book(world: World, truth: Truth) -> Iterator[str]:
    """1: what rests at the venue is not over in the book: somebody owns it at every moment."""
    if world.gateway is None:
        return
    late, known = world.venue.late, world.book.orders
    for client_id in truth.open:
        entry = known.get(client_id)
        if client_id not in late and (entry is None or entry.is_over):
            yield f"{client_id} rests and is {'over' if entry is not None else 'unknown'} in the book"


def every_order_was_intended(world: World, truth: Truth) -> Iterator[str]:
    """1 and 4: no order leaves, and none is at the venue, whose intent is not in the journal."""
    for request in truth.sent:
        if request.client_id not in truth.intended:
            yield f"{request.client_id} was sent before its intent was committed"
    for client_id in truth.open:
        if client_id not in truth.intended:
            yield f"{client_id} rests and the journal does not know it"


def entries_leave_only_without_holds(world: World, truth: Truth) -> Iterator[str]:
    """5, 7 and 8: an entry leaves only without a hold, after a comparison, and a go that is not old."""
    gateway = world.gateway
    for request in truth.sent:
        if request.closing or gateway is None:
            continue
        if not gateway.desk.is_ready:
            yield f"entry {request.client_id} left though book and venue were not compared since the start"
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
        coming = [
            client_id
            for client_id, request in world.venue.on_the_way.items()
            if scope in ("", request.symbol) and not _is_overdue(world, client_id)
        ]
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


def money_at_work_stays_within_its_maximum(world: World, truth: Truth) -> Iterator[str]:
    """11: lots at cost and entries at their price never exceed account.max_notional."""
    if world.gateway is None:
        return
    late, committed = world.venue.late, Decimal(0)
    for grid in world.settings.grids:
        committed += sum((lot.cost for _, lot in world.book.symbol(grid.symbol).lots()), Decimal(0))
        for client_id, order in truth.open.items():
            if order.symbol == grid.symbol and not order.reduce_only and client_id not in late:
                # What the venue has filled and the book has not booked yet stands at the same price in both.
                entry = world.book.orders[client_id]
                left = order.quantity - entry.booked
                committed += grid.venue.price(order.price) * grid.venue.quantity(left)
    if committed > world.settings.desk.notional_max:
        yield f"{committed} is at work, account.max_notional is {world.settings.desk.notional_max}"


def orders_stay_under_their_cap(world: World, truth: Truth) -> Iterator[str]:
    """Trading rule 11: no more orders of ours rest on a symbol than the configuration allows."""
    late, cap = world.venue.late, world.settings.desk.orders_max
    for symbol, count in Counter(o.symbol for c, o in truth.open.items() if c not in late).items():
        if count > cap:
            yield f"{symbol}: {count} orders of ours rest, the cap is {cap}"


def closing_orders_fit_the_position(world: World, truth: Truth) -> Iterator[str]:
    """Trading rule 8: what we have resting to close never exceeds the position."""
    for grid in world.settings.grids:
        closing = sum(o.left for o in truth.open.values() if o.reduce_only and o.symbol == grid.symbol)
        if closing > abs(truth.positions[grid.symbol]):
            yield f"{grid.symbol}: {closing} steps rest to close a position of {truth.positions[grid.symbol]}"


def every_wait_has_a_next_step(world: World, truth: Truth) -> Iterator[str]:
    """6: a slot that waits for something names the next step and when, and that is not long away, nor long past."""
    if world.gateway is None:
        return
    desk, now_ms = world.gateway.desk, world.agenda.now_ms
    for book in world.book.symbols.values():
        for slot in book.slots.values():
            if slot.phase in (Phase.FREE, Phase.LOCKED):
                continue
            step = desk.next_step(slot.key)
            if step is None:
                yield f"{slot.key} is {slot.phase.value} and nothing is planned for it"
            elif step.at_ms is None:
                if world.stream.is_up and slot.phase is not Phase.BLOCKED:
                    yield f"{slot.key} is {slot.phase.value} and waits for {step.what} without a time"
            elif not now_ms - STEP_LATE_MS <= step.at_ms <= now_ms + STEP_FAR_MS:
                yield f"{slot.key} is {slot.phase.value}, its next step ({step.what}) is due at {step.at_ms}"


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
        cash = truth.own_cash(grid.symbol)
        if ledger.cash - ledger.funding != cash:
            yield f"{grid.symbol}: the book's cash is {ledger.cash}, the venue's {cash}"
        if ledger.realised - book.held_sign * cost != cash:
            yield f"{grid.symbol}: realised {ledger.realised} less lots at {cost} is not the cash of {cash}"
        for asset in (grid.venue.quote, "BNB"):
            fees = truth.own_fees(grid.symbol, asset)
            if ledger.fees_in(asset) != fees:
                yield f"{grid.symbol}: the book paid {ledger.fees_in(asset)} {asset} in fees, the venue took {fees}"


def equity_ties(world: World, truth: Truth) -> Iterator[str]:
    """9: whatever happened to the account, the book explains it to the last digit."""
    if world.gateway is None or not world.settings.account_ms:
        return
    tie = world.gateway.desk.accounting.tie
    if tie is None or EPOCH_MS + world.agenda.now_ms - tie.at_ms > 10 * world.settings.account_ms:
        yield f"equity was last tied at {tie.at_ms - EPOCH_MS if tie is not None else 'no time'}"
    elif abs(tie.unexplained) > UNEXPLAINED_MAX:
        yield f"{tie.unexplained} of equity is unexplained: the venue says {tie.venue}, the book {tie.ours}"


def every_decree_is_answered(world: World, truth: Truth) -> Iterator[str]:
    """Trading rule 16: a liquidation or deleveraging holds entries until an operator has looked."""
    for symbol in truth.unanswered:
        yield f"{symbol}: the venue closed something by force and nothing was held"


def the_rules_are_known(world: World, truth: Truth) -> Iterator[str]:
    """Trading rule 12: where a filter has refused, the rules were read again."""
    if world.gateway is None:
        return
    for symbol in {name for name, at_ms in truth.filter_refusals if at_ms >= truth.ruled_ms.get(name, 0)}:
        known, real = world.gateway.desk.instrument(symbol), world.venue.instrument(symbol)
        if known.notional_min != real.notional_min:
            yield f"{symbol}: the desk trades by a minimum of {known.notional_min}, the venue's is {real.notional_min}"


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
    """5: each hold was lifted by its own rule; one of a breaker stands as long as the lots are too many."""
    for hold in world.book.holds.holds:
        if hold.cause is HoldCause.STOP_LOSS and _is_due_to_how_things_stand(world, truth, hold.symbol):
            continue
        if hold.cause is HoldCause.TRIGGER and waits_for_its_price(world, truth, hold.symbol):
            continue
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
        day = world.book.account.day
        if world.book.holds.against(grid.symbol) or (day is not None and day.tripped_at is not None):
            continue
        top = world.venue.engine.read.book(grid.symbol)
        yield from what_should_rest(facing(grid, world.book.symbol(grid.symbol)), world, top, own, truth)


EVERY_STEP: tuple[Invariant, ...] = (
    nothing_contradicts_the_record,
    one_order_a_slot,
    every_order_was_intended,
    entries_leave_only_without_holds,
    no_entry_leaves_before_the_trigger,
    an_opening_pays_no_more_than_it_may,
    gone_is_gone,
    positions_tie,
    every_live_order_is_in_the_book,
    money_at_work_stays_within_its_maximum,
    orders_stay_under_their_cap,
    lots_stay_within_their_maximum,
    closing_orders_fit_the_position,
    every_wait_has_a_next_step,
    a_deaf_stream_is_noticed,
    a_frozen_price_is_noticed,
    a_shock_stops_entries,
    a_silent_supervisor_is_a_no,
    a_closed_symbol_gets_no_entries,
    the_loss_is_stopped,
    the_days_loss_is_stopped,
    the_operators_word_stands,
    one_stop_a_symbol,
    *SIDES,
)
AT_REST: tuple[Invariant, ...] = (
    *EVERY_STEP,
    every_fill_is_booked,
    no_slot_is_stuck,
    no_hold_is_left,
    every_own_order_has_an_owner,
    what_rests_is_what_should,
    money_ties,
    equity_ties,
    lots_keep_their_targets,
    an_opening_buys_each_level_once,
    an_opening_leaves_nothing_that_it_could_buy,
    lots_are_covered,
    the_side_that_should_works,
    every_decree_is_answered,
    the_rules_are_known,
    readings_go_on,
    the_journal_gives_the_same_book,
)


def _is_due_to_how_things_stand(world: World, truth: Truth, scope: str) -> bool:
    """Whether the lots are too many, or the mark is at an end of the grid: it trips again whoever clears it."""
    kept = world.book.account.breakers.get(scope)
    if kept is None or kept.kind == BreakerKind.LAYERS.value:
        return kept is not None
    plan = next((grid for grid in world.settings.grids if grid.symbol == scope), None)
    return plan is not None and plan.breakers is not None and truth.is_at_an_end(plan, plan.breakers.rules)


def _is_overdue(world: World, client_id: str) -> bool:
    """Whether a placement is on its way for longer than one may be."""
    sent_ms = world.venue.sent_ms.get(client_id, 0)
    return world.agenda.now_ms - sent_ms >= world.settings.desk.absent_after_ms


def _symbol_of(world: World, truth: Truth, client_id: str) -> str:
    order = truth.open.get(client_id)
    return order.symbol if order is not None else world.venue.on_the_way[client_id].symbol
