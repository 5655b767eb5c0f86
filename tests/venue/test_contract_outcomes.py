"""Each way in which an order can fail on the wire: what the caller is told, and what is true at the venue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from exchanges import adapters
from exchanges.errors import OutcomeUnknown, VenueError, VenueUnreachable
from exchanges.sim.server.faults import Delay, FaultKind, FaultRule, Loss, Scope
from exchanges.sim.server.options import Behaviour
from exchanges.sim.server.server import SimVenue
from tests.venue.adapter_rig import approved, eventually, settings, trading
from tests.venue.contract import VENUES, VenueUnderTest
from tests.venue.running_venue import RunningVenue, running, still_options

SOCKET, REST = "socket", "rest"

Row = tuple[FaultKind, Loss, type[VenueError], bool]
ROWS: list[Row] = [
    (FaultKind.REPLY_LOST, Loss.CLOSE, OutcomeUnknown, True),
    (FaultKind.REPLY_LOST, Loss.HANG, OutcomeUnknown, True),
    (FaultKind.REPLY_TRUNCATED, Loss.CLOSE, OutcomeUnknown, True),
    (FaultKind.BAD_GATEWAY, Loss.CLOSE, OutcomeUnknown, True),
    (FaultKind.UNKNOWN_ERROR, Loss.CLOSE, OutcomeUnknown, True),
    (FaultKind.UNEXPECTED_RESPONSE, Loss.CLOSE, OutcomeUnknown, True),
    (FaultKind.BACKEND_TIMEOUT, Loss.CLOSE, OutcomeUnknown, True),
    (FaultKind.REQUEST_LOST, Loss.CLOSE, OutcomeUnknown, False),
    (FaultKind.SERVICE_UNAVAILABLE, Loss.CLOSE, VenueUnreachable, False),
    (FaultKind.OVERLOADED, Loss.CLOSE, VenueUnreachable, False),
    (FaultKind.RATE_LIMITED, Loss.CLOSE, VenueUnreachable, False),
    (FaultKind.BANNED, Loss.CLOSE, VenueUnreachable, False),
]
IDS = [f"{kind.value}-{loss.value}" for kind, loss, _, _ in ROWS]


@pytest.fixture(scope="module", params=VENUES, ids=str)
def kind(request: pytest.FixtureRequest) -> VenueUnderTest:
    chosen: VenueUnderTest = request.param
    return chosen


@pytest.fixture(scope="module")
def venue(kind: VenueUnderTest) -> Iterator[RunningVenue]:
    with running(
        still_options(protocol=kind.language, windows=kind.windows, behaviour=Behaviour(hang_s=3.0))
    ) as started:
        yield started


@pytest.fixture(autouse=True)
def healed(venue: RunningVenue) -> Iterator[None]:
    yield
    venue.heal()


@pytest.mark.parametrize("door", [SOCKET, REST])
@pytest.mark.parametrize(("fault", "loss", "told", "is_live"), ROWS, ids=IDS)
async def test_a_failed_order_is_told_as_what_it_may_be(
    venue: RunningVenue,
    kind: VenueUnderTest,
    door: str,
    fault: FaultKind,
    loss: Loss,
    told: type[VenueError],
    is_live: bool,
) -> None:
    if fault in kind.lacks or (door == SOCKET and not kind.order_path):
        pytest.skip(f"{kind} has no such thing")
    client_id = f"{fault.value.replace('_', '')[:16]}{loss.value}{len(door)}"
    rule = FaultRule(name="it", kind=fault, scope=Scope(endpoint="order.place"), loss=loss, delay=Delay(low_ms=1000))
    chosen = settings(venue.rest_url, venue.ws_url, order_timeout_s=1.0 if loss is Loss.HANG else 30.0)
    async with trading(chosen, name=kind.name, over_socket=door == SOCKET) as desk:
        venue.fault(rule)
        with pytest.raises(VenueError) as caught:
            await desk.place(approved(client_id))

        assert type(caught.value) is (OutcomeUnknown if fault in kind.doubts else told)
        await eventually(lambda: struck(venue) >= 1 and len(venue.orders(client_id)) >= int(is_live))
        assert struck(venue) == 1, "it was sent more than once"
        assert len(venue.orders(client_id)) == int(is_live)


def struck(venue: RunningVenue) -> int:
    return venue.within(lambda server: sum(strikes for _, _, strikes in server.venue.plan.standing()))


async def test_a_ban_says_that_it_is_one(venue: RunningVenue, kind: VenueUnderTest) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=kind.name, over_socket=False) as desk:
        venue.fault(FaultRule(name="ban", kind=FaultKind.BANNED, delay=Delay(low_ms=30_000)))
        with pytest.raises(VenueUnreachable) as caught:
            await desk.place(approved("ban1"))

    assert caught.value.banned
    assert caught.value.retry_after_s >= 1.0


async def test_a_cancel_with_a_lost_reply_is_unknown_and_sent_once(venue: RunningVenue, kind: VenueUnderTest) -> None:
    """The HTTP library would send a DELETE again after a lost connection and hear "unknown order"."""
    async with trading(settings(venue.rest_url, venue.ws_url), name=kind.name, over_socket=False) as desk:
        await desk.place(approved("once"))
        rule = FaultRule(name="lost", kind=FaultKind.REPLY_LOST, scope=Scope(endpoint="order.cancel"))
        venue.fault(replace(rule, count=1))
        with pytest.raises(OutcomeUnknown):
            await desk.cancel("ETHUSDT", "once")

        assert venue.within(lambda server: [matches for _, matches, _ in server.venue.plan.standing()]) == [1]
        assert await desk.open_orders() == []


async def test_a_read_over_a_broken_line_is_unreachable_and_never_empty(
    venue: RunningVenue, kind: VenueUnderTest
) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=kind.name, over_socket=False) as desk:
        for fault in (FaultKind.REPLY_LOST, FaultKind.BAD_GATEWAY, FaultKind.UNKNOWN_ERROR):
            venue.fault(FaultRule(name="it", kind=fault, scope=Scope(endpoint="orders.open")))
            with pytest.raises(VenueUnreachable):
                await desk.open_orders()


async def test_a_batch_with_a_lost_reply_leaves_each_order_unknown(venue: RunningVenue, kind: VenueUnderTest) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=kind.name, over_socket=False) as desk:
        rule = FaultRule(name="lost", kind=FaultKind.REPLY_LOST, scope=Scope(endpoint=kind.batch_call))
        venue.fault(rule)
        answers = await desk.place_batch([approved(f"many{n}", 290000 - n) for n in range(3)])

    assert [type(answer) for answer in answers] == [OutcomeUnknown] * 3
    assert all(len(venue.orders(f"many{n}")) == 1 for n in range(3))


async def test_a_cut_socket_leaves_what_was_under_way_unknown_and_the_next_order_goes_over_rest(
    venue: RunningVenue, kind: VenueUnderTest
) -> None:
    if not kind.order_path:
        pytest.skip(f"{kind} takes orders over REST only")
    async with trading(settings(venue.rest_url, venue.ws_url), name=kind.name) as desk:
        venue.fault(FaultRule(name="lost", kind=FaultKind.REPLY_LOST, scope=Scope(endpoint="order.place"), count=1))
        with pytest.raises(OutcomeUnknown, match="lost before the answer"):
            await desk.place(approved("cut1"))
        placed = await desk.place(approved("cut2"))
        await eventually(lambda: desk.orders_by_socket)

        assert placed.client_id == "cut2"
        assert (await desk.order("ETHUSDT", "cut1")).client_id == "cut1"


async def test_an_answer_that_comes_too_late_confuses_nobody(venue: RunningVenue, kind: VenueUnderTest) -> None:
    if not kind.order_path:
        pytest.skip(f"{kind} takes orders over REST only")
    async with trading(settings(venue.rest_url, venue.ws_url, order_timeout_s=3.0), name=kind.name) as desk:
        slow = FaultRule(name="slow", kind=FaultKind.REPLY_LATENCY, scope=Scope(endpoint="order.place"))
        venue.fault(replace(slow, until_healed=True, count=1))
        with pytest.raises(OutcomeUnknown):
            await desk.place(approved("slow1"))
        venue.within(lambda server: server.venue.plan.clear())
        placed = await desk.place(approved("slow2"))
        found = await desk.order("ETHUSDT", "slow1")

    assert (placed.client_id, found.client_id) == ("slow2", "slow1")


async def test_a_half_open_order_socket_costs_one_order_and_no_more(venue: RunningVenue, kind: VenueUnderTest) -> None:
    """Without a doubt about it, every order until the next ping would be of unknown outcome."""
    if not kind.order_path:
        pytest.skip(f"{kind} takes orders over REST only")

    def deafen(server: SimVenue) -> int:
        found = server.connections(kind.order_path)
        for connection in found:
            connection.go_half_open()
        return len(found)

    chosen = settings(venue.rest_url, venue.ws_url, order_timeout_s=3.0, connect_timeout_s=5.0)
    async with trading(chosen, name=kind.name) as desk:
        assert venue.within(deafen) >= 1
        with pytest.raises(OutcomeUnknown):
            await desk.place(approved("deaf1"))
        placed = [await desk.place(approved(f"deaf{number}", 280000 + number)) for number in range(2, 6)]
        await eventually(lambda: desk.orders_by_socket)
        later = await desk.place(approved("deaf9", 270000))

    assert [report.client_id for report in placed] == [f"deaf{number}" for number in range(2, 6)]
    assert later.client_id == "deaf9"


async def test_nobody_home_means_not_sent(kind: VenueUnderTest) -> None:
    desk = adapters.trading_venue(kind.name, settings("http://127.0.0.1:9", "ws://127.0.0.1:9"))
    try:
        with pytest.raises(VenueUnreachable, match="not sent"):
            await desk.connect()
    finally:
        await desk.close()
