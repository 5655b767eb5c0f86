"""OKX's conditional orders as the adapter has them: found by our id while they wait, and as the order they become."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from exchanges.errors import Refusal, VenueRefused
from exchanges.port import StreamUp
from grid.order import OrderStatus, OrderUpdate, Purpose, Side, TimeInForce
from grid.stop import StopRequest, StopStatus, WorkingType
from risk.veto import ApprovedStop
from tests.venue.adapter_rig import approved, of, settings, trading, until
from tests.venue.running_venue import RunningVenue, quote, running, still_options, trade
from tests.venue.trading_account import own_id

OURS = own_id("ETHUSDT", 1, Purpose.STOP)


@pytest.fixture
def venue() -> Iterator[RunningVenue]:
    with running(still_options(protocol="okx", windows=())) as started:
        yield started


def stop(client_id: str = OURS) -> ApprovedStop:
    request = StopRequest(
        symbol="ETHUSDT", client_id=client_id, side=Side.SELL, trigger=290000, working_type=WorkingType.LAST
    )
    return ApprovedStop(request=request)


async def test_it_waits_apart_from_orders_and_the_order_it_becomes_is_found_by_its_id(venue: RunningVenue) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name="okx") as desk:
        events = desk.private_events()
        await until(events, of(StreamUp))
        await desk.place(approved("lot", 310000, time_in_force=TimeInForce.IOC))
        placed = await desk.place_stop(stop())
        waiting, orders = await desk.open_stops(), await desk.open_orders()
        with pytest.raises(VenueRefused) as early:
            await desk.order("ETHUSDT", OURS)
        venue.play(quote("ETHUSDT", "2895.00", "2895.01"), trade("ETHUSDT", "2895.00", "1", Side.SELL))
        seen = await until(events, lambda one: isinstance(one, OrderUpdate) and one.report.side is Side.SELL)
        after, became = await desk.stop("ETHUSDT", OURS), await desk.order("ETHUSDT", OURS)
        left = await desk.open_stops()
        await events.aclose()

    assert (placed.status, placed.closes_position, placed.trigger) == (StopStatus.WAITING, True, 290000)
    assert ([one.client_id for one in waiting], orders, left) == ([OURS], [], [])
    assert early.value.refusal is Refusal.UNKNOWN_ORDER
    assert seen[-1].report.client_id == OURS
    assert (after.status, after.order_id) == (StopStatus.TRIGGERED, became.order_id)
    assert (became.client_id, became.status, became.filled) == (OURS, OrderStatus.FILLED, 10)


async def test_it_can_be_taken_away_once(venue: RunningVenue) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name="okx") as desk:
        await desk.place(approved("lot", 310000, time_in_force=TimeInForce.IOC))
        await desk.place_stop(stop())
        await desk.cancel_stop("ETHUSDT", OURS)
        read, left = await desk.stop("ETHUSDT", OURS), await desk.open_stops()
        with pytest.raises(VenueRefused) as again:
            await desk.cancel_stop("ETHUSDT", OURS)
        with pytest.raises(VenueRefused) as never:
            await desk.stop("ETHUSDT", own_id("ETHUSDT", 2, Purpose.STOP))

    assert (read.status, left) == (StopStatus.ENDED, [])
    assert (again.value.refusal, never.value.refusal) == (Refusal.UNKNOWN_ORDER, Refusal.UNKNOWN_ORDER)


async def test_one_of_another_hand_is_listed(venue: RunningVenue) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url), name="okx") as desk:
        await desk.place(approved("lot", 310000, time_in_force=TimeInForce.IOC))
        await desk.place_stop(stop("byHand"))
        listed = await desk.open_stops()

    assert [(one.client_id, one.trigger) for one in listed] == [("byHand", 290000)]
