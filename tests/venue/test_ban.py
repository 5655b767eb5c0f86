"""The venue bans the address: whoever hears of it sends nothing before the ban is over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from exchanges.errors import VenueUnreachable
from exchanges.sim.server.faults import Delay, FaultKind, FaultRule
from tests.venue.adapter_rig import market, settings, trading
from tests.venue.running_venue import running, still_options


async def test_nothing_is_sent_under_a_ban() -> None:
    with running(still_options()) as venue:
        rest = settings(venue.rest_url, venue.ws_url)
        async with trading(rest, over_socket=False) as desk, market(rest) as quotes:
            await quotes.quote("ETHUSDT")
            venue.fault(FaultRule(name="ban", kind=FaultKind.BANNED, delay=Delay(low_ms=6_000)))
            calls: list[Callable[[], Awaitable[object]]] = [desk.positions, partial(quotes.quote, "ETHUSDT")]
            bans = [await _ban_of(call) for call in calls for _ in range(3)]
            asked = venue.within(lambda server: [matches for _, matches, _ in server.venue.plan.standing()])

            assert [ban.banned for ban in bans] == [True] * 6
            assert all(0 < ban.retry_after_s <= 7 for ban in bans)
            assert asked[0] <= 2, "a client that knew of the ban asked on"
            venue.heal()
            await asyncio.sleep(max(ban.retry_after_s for ban in bans) + 0.1)
            assert (await quotes.quote("ETHUSDT")).bid


async def _ban_of(call: Callable[[], Awaitable[object]]) -> VenueUnreachable:
    with pytest.raises(VenueUnreachable) as caught:
        await call()
    return caught.value
