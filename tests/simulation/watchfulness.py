"""Invariants of noticing: silence, frozen prices, falling markets, losses and the operator's word stop entries."""

from __future__ import annotations

from collections.abc import Iterator

from actors.virtual.agenda import EPOCH_MS
from actors.virtual.world import GATEWAY, World
from grid.holds import HoldCause
from tests.simulation.truth import Truth

ECHO_OVERDUE_MS = 10_000
"""Waiting for the limiter, the slowest reply, the time for an echo, and a tick."""
FROZEN_OVERDUE_MS = 14_000
"""Age, probe with its time-out, grace, and the slowest message."""
SHOCK_OVERDUE_MS = 9_000
"""The slowest message with a go, the lease, a tick and a candle."""
LEASE_LATE_MS = 1_000
CALL_LATE_MS = 1_500
DAY_LATE_MS = 12_000
"""Readings of the account are seconds apart, one may fail, and the ledger is read before a loss is believed."""


def a_deaf_stream_is_noticed(world: World, truth: Truth) -> Iterator[str]:
    """Trading rule 19: an acknowledged order that is not echoed is the stream's silence, and entries stop."""
    mute_ms = world.stream.mute_since_ms
    if world.gateway is None or mute_ms is None or world.book.holds.find(HoldCause.ORDER_STREAM, "") is not None:
        return
    for order in world.book.live_orders():
        intended_ms = order.at_ms - EPOCH_MS
        is_overdue = world.agenda.now_ms - intended_ms > ECHO_OVERDUE_MS
        if order.order_id and mute_ms <= intended_ms and world.gateway.started_ms <= intended_ms and is_overdue:
            yield f"{order.client_id} was placed on a stream mute since {mute_ms} and nobody has noticed"


def a_frozen_price_is_noticed(world: World, truth: Truth) -> Iterator[str]:
    """Rule 20: no entry leaves on a price that is another by now and does not come any more.

    Trading rule 19: quiet is not stale. As long as the price is the one that was last heard, a probe proves it.
    """
    for request in truth.sent:
        unheard_ms = truth.unheard_ms.get(request.symbol)
        if unheard_ms is not None and not request.closing and world.agenda.now_ms - unheard_ms > FROZEN_OVERDUE_MS:
            yield f"entry {request.client_id} left on a price frozen since {unheard_ms}"
    for symbol, unheard_ms in truth.unheard_ms.items():
        feed = world.feeds.get(symbol)
        was_heard = feed is not None and symbol in feed.last_bids
        is_overdue = world.agenda.now_ms - unheard_ms > FROZEN_OVERDUE_MS + 4_000
        if not is_overdue or not was_heard or not truth.is_same_life(GATEWAY, world.settings.feeds[symbol]):
            continue
        if world.book.holds.find(HoldCause.PRICE, symbol) is None:
            yield f"{symbol} is frozen since {unheard_ms} and nobody has noticed"


def a_shock_stops_entries(world: World, truth: Truth) -> Iterator[str]:
    """8: while every watched coin falls no entry leaves, once the slowest word has come."""
    now_ms = world.agenda.now_ms
    for start_ms, end_ms in truth.shocks:
        if start_ms + SHOCK_OVERDUE_MS <= now_ms < end_ms:
            for request in truth.sent:
                if not request.closing:
                    yield f"entry {request.client_id} left in a shock that began at {start_ms}"


def a_silent_supervisor_is_a_no(world: World, truth: Truth) -> Iterator[str]:
    """8: where no go has come for long, hold `lease` stands."""
    gateway, desk = world.gateway, world.settings.desk
    if gateway is None or not gateway.desk.is_ready:
        return
    silent_ms = world.agenda.now_ms - max(gateway.go_ms, gateway.started_ms)
    if silent_ms > desk.go_hold_ms + LEASE_LATE_MS and world.book.holds.find(HoldCause.LEASE, "") is None:
        yield f"the supervisor is silent for {silent_ms} ms and nothing is held"


def a_closed_symbol_gets_no_entries(world: World, truth: Truth) -> Iterator[str]:
    """Trading rule 13: once the venue has refused an order because the symbol is closed, no entry follows."""
    for request in truth.sent:
        closed_ms = truth.closed_ms.get(request.symbol)
        refused_ms = truth.refused_ms(request.symbol)
        if request.closing or closed_ms is None or refused_ms is None or world.gateway is None:
            continue
        if refused_ms < world.gateway.started_ms:
            continue  # it may have died before it heard
        if closed_ms <= refused_ms < world.agenda.now_ms - CALL_LATE_MS:
            yield f"entry {request.client_id} left for a symbol that is closed since {closed_ms}"


def the_loss_is_stopped(world: World, truth: Truth) -> Iterator[str]:
    """11 and trading rule 6: beyond a breaker's limit no entry leaves, by our own fills at the venue's mark."""
    if world.gateway is None or truth.has_foreign_fills or truth.were_breakers_cleared:
        return
    for scope, breakers in truth.breakers():
        word = truth.is_beyond(scope, breakers.rules)
        for request in truth.sent if word else ():
            if scope in ("", request.symbol) and not request.closing:
                yield f"entry {request.client_id} left though {scope or 'the account'} {word}"


def the_days_loss_is_stopped(world: World, truth: Truth) -> Iterator[str]:
    """11 and trading rule 6: beyond the day's limit no entry leaves, by the venue's own equity."""
    day, limit = world.book.account.day if world.gateway is not None else None, world.settings.desk.daily_loss
    if day is None or limit is None:
        return
    since_ms = truth.day_lost_since_ms(day.opening - limit)
    for request in truth.sent:
        if not request.closing and day.tripped_at is not None:
            yield f"entry {request.client_id} left after the day's loss had reached its limit"
        elif not request.closing and since_ms is not None and world.agenda.now_ms - since_ms > DAY_LATE_MS:
            yield f"entry {request.client_id} left, the day's loss is over its limit since {since_ms}"


def the_operators_word_stands(world: World, truth: Truth) -> Iterator[str]:
    """Trading rule 20: a hold is lifted only by its own cause."""
    holds = truth.operator_holds and world.gateway is not None
    if holds and world.book.holds.find(HoldCause.OPERATOR, "") is None:
        yield "the operator's hold is gone and he has not lifted it"
