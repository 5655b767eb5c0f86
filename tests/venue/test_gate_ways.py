"""What only Gate does: it forgets our ids, takes contracts in parts, and tells orders without their trades."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from exchanges.errors import Refusal, VenueRefused, VenueUnreachable
from exchanges.port import StreamUp
from exchanges.sim.gate import trade_calls
from exchanges.sim.server.faults import Delay, FaultKind, FaultRule, Scope
from grid.order import OrderStatus, OrderUpdate, Side, TimeInForce
from tests.venue.adapter_rig import approved, of, settings, trading, until
from tests.venue.running_venue import RunningVenue, running, still_options, trade


@pytest.fixture
def venue() -> Iterator[RunningVenue]:
    with running(still_options(protocol="gate")) as started:
        yield started


async def test_an_order_is_found_after_its_id_was_forgotten(
    venue: RunningVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trade_calls, "NAMED_FOR_MS", -1)
    async with trading(settings(venue.rest_url, venue.ws_url), name="gate") as desk:
        placed = await desk.place(approved("late1", 310000, time_in_force=TimeInForce.IOC))
        found = await desk.order("ETHUSDT", "late1")
        with pytest.raises(VenueRefused) as caught:
            await desk.order("ETHUSDT", "never")

    assert (found.order_id, found.status, found.filled) == (placed.order_id, OrderStatus.FILLED, 10)
    assert caught.value.refusal is Refusal.UNKNOWN_ORDER


async def test_parts_of_a_contract_are_traded_exactly(venue: RunningVenue) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name="gate") as desk:
        placed = await desk.place(approved("part1", quantity=7))

    (order,) = venue.orders("part1")
    assert (placed.quantity, order.quantity) == (7, 7)


@pytest.mark.parametrize("channel", ["futures.usertrades", "futures.orders"])
async def test_a_fill_is_told_though_one_of_the_channels_loses_it(venue: RunningVenue, channel: str) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name="gate") as desk:
        events = desk.private_events()
        await until(events, of(StreamUp))
        await desk.place(approved("half1", 299900))
        await until(events, of(OrderUpdate))
        venue.fault(FaultRule(name="lost", kind=FaultKind.EVENT_DROPPED, scope=Scope(stream=channel)))
        venue.play(trade("ETHUSDT", "2998.00", "1", Side.SELL))
        seen = await until(events, lambda one: isinstance(one, OrderUpdate) and one.report.filled == 10)
        await events.aclose()

    assert seen[-1].report.status is OrderStatus.FILLED
    assert (seen[-1].fill is not None) == (channel == "futures.orders")


@pytest.mark.parametrize("over_socket", [True, False])
async def test_a_limit_that_was_met_is_waited_out_as_long_as_it_lasts(venue: RunningVenue, over_socket: bool) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name="gate", over_socket=over_socket) as desk:
        venue.fault(FaultRule(name="ban", kind=FaultKind.BANNED, delay=Delay(low_ms=60_000)))
        with pytest.raises(VenueUnreachable) as placed:
            await desk.place(approved("met1"))
        with pytest.raises(VenueUnreachable) as read:
            await desk.open_orders()

    for told in (placed.value, read.value):
        assert told.banned
        assert 20.0 < told.retry_after_s <= 62.0  # the venue tells it in whole seconds, and we may be slow to ask
