"""What OKX does otherwise than others: late refusals, orders that end each other, limits, idle and upgraded sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from exchanges.errors import Refusal, VenueRefused, VenueUnreachable
from exchanges.port import StreamDown, StreamUp
from exchanges.sim.server.faults import Delay, FaultKind, FaultRule, Scope
from exchanges.sim.server.options import Behaviour
from grid.order import OrderStatus, OrderUpdate, Side, TimeInForce
from tests.venue.adapter_rig import approved, of, settings, trading, until
from tests.venue.running_venue import RunningVenue, running, still_options


@pytest.fixture(scope="module")
def venue() -> Iterator[RunningVenue]:
    options = still_options(protocol="okx", windows=(), behaviour=Behaviour(recv_window_at_matching=True))
    with running(options) as started:
        yield started


@pytest.fixture(autouse=True)
def healed(venue: RunningVenue) -> Iterator[None]:
    yield
    venue.heal()


async def test_a_post_only_order_that_would_take_is_acknowledged_and_then_ended_for_that(venue: RunningVenue) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name="okx") as desk:
        events = desk.private_events()
        await until(events, of(StreamUp))
        placed = await desk.place(approved("crosses", 310000))
        seen = await until(events, lambda one: isinstance(one, OrderUpdate) and one.report.status.is_terminal)
        read = await desk.order("ETHUSDT", "crosses")
        await events.aclose()

    assert placed.status is OrderStatus.NEW
    ended = seen[-1].report
    assert (ended.client_id, ended.status, ended.expiry_reason) == ("crosses", OrderStatus.EXPIRED, "post_only")
    assert (read.status, read.expiry_reason, read.filled) == (OrderStatus.EXPIRED, "post_only", 0)


async def test_a_better_exit_ends_the_worse_one_that_no_longer_fits_the_position(venue: RunningVenue) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name="okx") as desk:
        await desk.place(approved("in", 310000, time_in_force=TimeInForce.IOC))
        await desk.place(approved("far", 310000, Side.SELL, closing=True))
        await desk.place(approved("near", 305000, Side.SELL, closing=True))
        resting = await desk.open_orders("ETHUSDT")
        far = await desk.order("ETHUSDT", "far")
        await desk.cancel("ETHUSDT", "near")
        sold = await desk.place(approved("out", 290000, Side.SELL, closing=True, time_in_force=TimeInForce.IOC))

    assert [one.client_id for one in resting] == ["near"]
    assert (far.status, far.expiry_reason) == (OrderStatus.EXPIRED, "reduce_only")
    assert (sold.status, sold.filled) == (OrderStatus.FILLED, 10)


async def test_an_order_that_is_held_up_beyond_its_time_is_refused(venue: RunningVenue) -> None:
    rule = FaultRule(
        name="slow",
        kind=FaultKind.REQUEST_LATENCY,
        scope=Scope(endpoint="order.place"),
        delay=Delay(low_ms=600),
    )
    for over_socket in (True, False):
        async with trading(settings(venue.rest_url, venue.ws_url), name="okx", over_socket=over_socket) as desk:
            venue.fault(rule)
            with pytest.raises(VenueRefused) as caught:
                await desk.place(approved("late", recv_window_ms=300))
            venue.heal()
        assert (caught.value.code, caught.value.refusal) == ("50037", Refusal.CLOCK)
    assert venue.orders("late") == []


async def test_the_dead_mans_switch_is_one_for_all_symbols(venue: RunningVenue) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name="okx") as desk:
        await desk.set_countdown("ETHUSDT", 60_000)
        assert venue.within(lambda server: server.venue.engine.read.countdown("main", "BTCUSDT")) is not None
        await desk.set_countdown("ETHUSDT", 0)
        assert venue.within(lambda server: server.venue.engine.read.countdown("main", "BTCUSDT")) is None


async def test_an_announced_upgrade_ends_the_stream_at_once(venue: RunningVenue) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name="okx") as desk:
        events = desk.private_events()
        await until(events, of(StreamUp))
        venue.within(lambda server: server.venue.expire_session("main"))
        seen = await until(events, of(StreamDown))
        await until(events, of(StreamUp))
        await events.aclose()

    assert "64008" in seen[-1].reason


async def test_the_61st_order_within_two_seconds_is_too_many() -> None:
    begun_ms = time.time_ns() // 1_000_000
    with running(still_options(protocol="okx"), lambda: begun_ms) as strict:  # its clock stands still
        async with trading(settings(strict.rest_url, strict.ws_url), name="okx") as desk:
            answers = await desk.place_batch([approved(f"burst{n}", 280000 + n) for n in range(61)])

    refused = [one for one in answers if isinstance(one, VenueUnreachable)]
    assert len(refused) == 1
    assert refused[0].banned


async def test_history_is_paged_to_its_end(venue: RunningVenue) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name="okx", over_socket=False) as desk:
        since_ms = settings(venue.rest_url, venue.ws_url).now_ms() - 1000
        names = [f"page{number}" for number in range(130)]
        await desk.place_batch([approved(name, 270000 + number) for number, name in enumerate(names)])
        open_names = [one.client_id for one in await desk.open_orders()]
        await asyncio.gather(*(desk.cancel("ETHUSDT", name) for name in names[:110]))
        every = [one.client_id for one in await desk.orders_since("ETHUSDT", since_ms)]

    assert sorted(open_names) == sorted(names)
    assert [name for name in every if name.startswith("page")] == names
