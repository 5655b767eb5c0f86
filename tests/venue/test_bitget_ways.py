"""What is special about Bitget, against its simulated venue: acknowledgements, room for exits, lists, logins."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import aiohttp
import pytest

from exchanges.bitget.trading import BitgetTrading
from exchanges.errors import NotSupported, OutcomeUnknown, Refusal, VenueRefused, VenueUnreachable
from exchanges.port import Position, StreamDown, StreamUp
from exchanges.session.settings import Credentials
from exchanges.sim.server.faults import FaultKind, FaultRule, Scope
from exchanges.sim.server.options import DEMO_KEY, DEMO_SECRET, demo_account
from exchanges.sim.server.server import SimVenue
from grid.order import OrderStatus, OrderUpdate, Side, TimeInForce
from tests.venue.adapter_rig import approved, of, settings, trading, until
from tests.venue.running_venue import RunningVenue, running, still_options

NAME = "bitget"


@pytest.fixture
def venue() -> Iterator[RunningVenue]:
    with running(still_options(protocol=NAME, windows=())) as started:
        yield started


def hold(venue: RunningVenue, steps: int) -> None:
    """Give the account a position by another hand."""

    def run(server: SimVenue) -> None:
        inner = server.venue
        inner.tell(inner.engine.foreign.move_position("main", "ETHUSDT", steps, inner.now_ms()))

    venue.within(run)


async def test_a_post_only_order_that_would_take_is_accepted_and_taken_back_with_its_reason(
    venue: RunningVenue,
) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=NAME) as desk:
        events = desk.private_events()
        await until(events, of(StreamUp))
        placed = await desk.place(approved("taker", 310000))
        seen = await until(events, lambda one: isinstance(one, OrderUpdate) and one.report.status.is_terminal)
        read = await desk.order("ETHUSDT", "taker")
        await events.aclose()

    assert placed.status is OrderStatus.NEW
    assert (seen[-1].report.status, seen[-1].report.expiry_reason) == (OrderStatus.CANCELED, "post_only")
    assert (read.expiry_reason, read.filled) == ("post_only", 0)


@pytest.mark.parametrize("over_socket", [True, False])
async def test_an_exit_over_the_position_ends_the_oldest_and_is_acknowledged_without_an_id(
    venue: RunningVenue, over_socket: bool
) -> None:
    hold(venue, 100)
    chosen = settings(venue.rest_url, venue.ws_url)
    async with trading(chosen, name=NAME, over_socket=over_socket) as desk:
        for number, price in enumerate((310000, 320000)):
            await desk.place(approved(f"exit{number}", price, Side.SELL, quantity=50, closing=True))
        last = await desk.place(approved("exit2", 330000, Side.SELL, quantity=40, closing=True))
        resting = {report.client_id: report for report in await desk.open_orders("ETHUSDT")}
        gone = await desk.order("ETHUSDT", "exit0")

    assert set(resting) == {"exit1", "exit2"}
    assert last.order_id == resting["exit2"].order_id != ""
    assert (last.status, gone.status) == (OrderStatus.NEW, OrderStatus.CANCELED)


async def test_an_exit_acknowledged_without_an_id_that_can_not_be_read_is_unknown(venue: RunningVenue) -> None:
    hold(venue, 100)
    async with trading(settings(venue.rest_url, venue.ws_url), name=NAME) as desk:
        await desk.place(approved("exit0", 310000, Side.SELL, quantity=100, closing=True))
        venue.fault(FaultRule(name="blind", kind=FaultKind.BAD_GATEWAY, scope=Scope(endpoint="order.status")))
        with pytest.raises(OutcomeUnknown, match="without an id"):
            await desk.place(approved("exit1", 320000, Side.SELL, quantity=100, closing=True))


async def test_a_cancel_whose_end_can_not_be_read_is_unknown(venue: RunningVenue) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=NAME) as desk:
        await desk.place(approved("gone"))
        venue.fault(FaultRule(name="blind", kind=FaultKind.BAD_GATEWAY, scope=Scope(endpoint="order.status")))
        with pytest.raises(OutcomeUnknown, match="taken"):
            await desk.cancel("ETHUSDT", "gone")
        venue.heal()
        assert (await desk.order("ETHUSDT", "gone")).status is OrderStatus.CANCELED


async def test_an_id_is_never_taken_twice(venue: RunningVenue) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=NAME) as desk:
        await desk.place(approved("once"))
        await desk.cancel("ETHUSDT", "once")
        with pytest.raises(VenueRefused) as caught:
            await desk.place(approved("once"))

    assert caught.value.refusal is Refusal.DUPLICATE_ID


async def test_one_list_without_a_held_position_is_not_believed(venue: RunningVenue) -> None:
    hold(venue, 50)
    async with trading(settings(venue.rest_url, venue.ws_url), name=NAME) as desk:
        assert [held.quantity for held in await desk.positions()] == [50]
        venue.fault(FaultRule(name="empty", kind=FaultKind.EMPTY_POSITIONS, count=1))
        assert [held.quantity for held in await desk.positions()] == [50]
        hold(venue, -50)
        assert [held.quantity for held in await desk.positions()] == [0]


async def test_a_closed_position_is_told_by_the_stream(venue: RunningVenue) -> None:
    hold(venue, 50)
    async with trading(settings(venue.rest_url, venue.ws_url), name=NAME) as desk:
        events = desk.private_events()
        await until(events, of(Position))
        hold(venue, -50)
        seen = await until(events, lambda one: isinstance(one, Position) and one.quantity == 0)
        await events.aclose()

    assert seen[-1].symbol == "ETHUSDT"


async def test_an_account_in_hedge_mode_is_told_and_its_orders_are_refused() -> None:
    hedged = demo_account()
    accounts = (replace(hedged, spec=replace(hedged.spec, hedge_mode=True)),)
    with running(still_options(protocol=NAME, accounts=accounts)) as venue:
        async with trading(settings(venue.rest_url, venue.ws_url), name=NAME) as desk:
            assert not (await desk.account()).is_one_way
            with pytest.raises(VenueRefused) as caught:
                await desk.place(approved("hedged"))

    assert caught.value.refusal is Refusal.POSITION_MODE


async def test_a_wrong_passphrase_is_a_matter_of_credentials_for_requests_and_sockets(venue: RunningVenue) -> None:
    keys = Credentials(api_key=DEMO_KEY, api_secret=DEMO_SECRET, passphrase="another")
    chosen = settings(venue.rest_url, venue.ws_url, credentials=keys)
    async with trading(chosen, name=NAME, over_socket=False) as desk:
        with pytest.raises(VenueRefused) as caught:
            await desk.account()
        events = desk.private_events()
        down = await anext(events)
        await events.aclose()

    assert caught.value.refusal is Refusal.CREDENTIALS
    assert isinstance(down, StreamDown)
    assert "login refused" in down.reason


async def test_the_eleventh_order_of_a_second_is_not_taken() -> None:
    with running(still_options(protocol=NAME)) as venue:
        async with trading(settings(venue.rest_url, venue.ws_url), name=NAME) as desk:
            sent = [desk.place(approved(f"many{number}", 280000 + number)) for number in range(25)]
            answers = await asyncio.gather(*sent, return_exceptions=True)

    late = [answer for answer in answers if isinstance(answer, VenueUnreachable)]
    assert len(late) >= 5
    assert all("429" in str(answer) for answer in late)


async def test_margin_is_changed_where_it_differs_and_orders_name_it(venue: RunningVenue) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=NAME) as desk:
        await desk.set_margin_type("ETHUSDT", "ISOLATED")
        placed = await desk.place(approved("alone"))
        await desk.set_margin_type("ETHUSDT", "ISOLATED")  # with an order at rest the venue would refuse a change
        (held,) = await desk.positions()

    assert (placed.status, held.is_isolated) == (OrderStatus.NEW, True)


async def test_what_the_venue_has_not_is_refused_by_name(venue: RunningVenue) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name=NAME) as desk:
        await desk.set_countdown("ETHUSDT", 0)
        with pytest.raises(NotSupported, match="countdown"):
            await desk.set_countdown("ETHUSDT", 30_000)
        assert await desk.open_stops() == []


async def test_pages_lead_to_the_first_fill(venue: RunningVenue) -> None:
    chosen = settings(venue.rest_url, venue.ws_url)
    since_ms = chosen.now_ms() - 60_000
    async with trading(chosen, name=NAME) as desk:
        assert isinstance(desk, BitgetTrading)
        for number in range(120):
            side = (Side.BUY, Side.SELL)[number % 2]
            await desk.place(
                approved(f"page{number}", 310000 if side is Side.BUY else 290000, side, time_in_force=TimeInForce.IOC)
            )
        fills = await desk.fills_since("ETHUSDT", since_ms)
        orders = await desk.orders_since("ETHUSDT", since_ms)
        income = await desk.income_since(since_ms)

    assert len({fill.key for fill in fills}) == len(fills) >= 120
    assert [fill.venue_ms for fill in fills] == sorted(fill.venue_ms for fill in fills)
    assert [report.client_id for report in orders] == [f"page{number}" for number in range(120)]
    assert -sum(row.amount for row in income if row.kind == "COMMISSION") == sum(fill.fee for fill in fills)


async def test_a_socket_that_asks_too_often_is_cut(venue: RunningVenue) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{venue.ws_url}/v2/ws/public") as socket,
    ):
        await socket.send_str("ping")
        assert (await socket.receive_str(timeout=60)) == "pong"
        for _ in range(12):
            await socket.send_str('{"op":"subscribe","args":[]}')
        message = await socket.receive(timeout=60)

    assert message.type is aiohttp.WSMsgType.CLOSE
