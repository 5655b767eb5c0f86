"""The fence is the last thing before the wire, over the socket and over REST, for everything that writes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from actors.ownership.errors import Fenced
from exchanges.errors import Refusal, VenueRefused
from exchanges.port import TradingVenue
from tests.venue.adapter_rig import approved, settings, trading
from tests.venue.running_venue import RunningVenue, running, still_options

SOCKET, REST = "socket", "rest"
WINDOW_MS = 500


@pytest.fixture(scope="module")
def venue() -> Iterator[RunningVenue]:
    with running(still_options()) as started:
        yield started


@pytest.fixture(params=[SOCKET, REST])
async def desk(request: pytest.FixtureRequest, venue: RunningVenue) -> AsyncIterator[TradingVenue]:
    async with trading(settings(venue.rest_url, venue.ws_url), over_socket=request.param == SOCKET) as connected:
        yield connected


@pytest.fixture(params=[SOCKET, REST])
async def hasty_desk(request: pytest.FixtureRequest, venue: RunningVenue) -> AsyncIterator[TradingVenue]:
    """One whose every request is soon too old."""
    chosen = settings(venue.rest_url, venue.ws_url, recv_window_ms=WINDOW_MS)
    async with trading(chosen, over_socket=request.param == SOCKET) as connected:
        yield connected


def closed() -> None:
    raise Fenced


async def test_nothing_that_writes_passes_a_closed_fence_and_reading_does(desk: TradingVenue) -> None:
    resting = await desk.place(approved("before"))
    desk.fence_by(closed)
    writes: list[Callable[[], Awaitable[object]]] = [
        lambda: desk.place(approved("after")),
        lambda: desk.cancel("ETHUSDT", "before"),
        lambda: desk.cancel_stop("ETHUSDT", "none"),
        lambda: desk.set_countdown("ETHUSDT", 60_000),
        lambda: desk.set_leverage("ETHUSDT", 7),
        lambda: desk.set_margin_type("ETHUSDT", "ISOLATED"),
    ]
    for write in writes:
        with pytest.raises(Fenced):
            await write()
    batch = await desk.place_batch([approved("batch1"), approved("batch2")]) if desk.orders_by_socket else [Fenced()]

    assert all(isinstance(answer, Fenced) for answer in batch)
    assert [report.order_id for report in await desk.open_orders("ETHUSDT")] == [resting.order_id]
    desk.fence_by(lambda: None)
    await desk.cancel("ETHUSDT", "before")


async def test_a_writer_that_stands_still_behind_the_fence_is_refused_by_the_venue(
    venue: RunningVenue, hasty_desk: TradingVenue
) -> None:
    """Its time stamp is older than the fence's word, so that the window ends whatever slept between the two."""
    hasty_desk.fence_by(lambda: time.sleep(3 * WINDOW_MS / 1000))
    with pytest.raises(VenueRefused) as placed:
        await hasty_desk.place(approved("slept", recv_window_ms=WINDOW_MS))
    with pytest.raises(VenueRefused) as cancelled:
        await hasty_desk.cancel("ETHUSDT", "none")

    assert [placed.value.refusal, cancelled.value.refusal] == [Refusal.CLOCK] * 2
    assert venue.orders("slept") == []
