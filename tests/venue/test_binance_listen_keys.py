"""What only Binance's private stream has: listen keys, and an account update that may come first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from exchanges.port import Position, StreamDown, StreamUp
from exchanges.sim.server.faults import FaultKind, FaultRule, Scope
from exchanges.sim.server.options import Behaviour
from exchanges.sim.server.server import SimVenue
from grid.order import OrderUpdate, TimeInForce
from tests.venue.adapter_rig import approved, eventually, of, settings, trading, until
from tests.venue.running_venue import RunningVenue, binance, running, still_options

VALIDITY_MS = 600_000
VALID_FOR_A_WHILE = replace(still_options(), behaviour=Behaviour(listen_key_validity_ms=VALIDITY_MS))
RENEWAL = Scope(endpoint="PUT /fapi/v1/listenKey")


class VenueClock:
    """The venue's clock, which may be put forward."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead_ms


def renewals(venue: RunningVenue) -> int:
    return venue.within(lambda server: sum(strikes for _, _, strikes in server.venue.plan.standing()))


@pytest.fixture(scope="module")
def venue() -> Iterator[RunningVenue]:
    with running(still_options()) as started:
        yield started


async def test_an_expired_listen_key_is_replaced(venue: RunningVenue) -> None:
    async with trading(settings(venue.rest_url, venue.ws_url)) as desk:
        events = desk.private_events()
        await until(events, of(StreamUp))
        venue.fault(FaultRule(name="key", kind=FaultKind.LISTEN_KEY_EXPIRED, count=1))
        seen = await until(events, of(StreamUp))
        await desk.place(approved("newkey"))
        told = await until(events, of(OrderUpdate))
        await events.aclose()

    assert isinstance(seen[0], StreamDown)
    assert "listen key" in seen[0].reason
    assert told[-1].report.client_id == "newkey"


async def test_a_key_is_kept_alive_and_survives_us() -> None:
    clock = VenueClock()
    with running(VALID_FOR_A_WHILE, clock) as venue:
        venue.fault(FaultRule(name="counts", kind=FaultKind.REQUEST_LATENCY, scope=RENEWAL))
        async with trading(settings(venue.rest_url, venue.ws_url, keep_alive_s=0.1)) as desk:
            events = desk.private_events()
            await until(events, of(StreamUp))
            news = asyncio.ensure_future(anext(events))
            for _ in range(4):
                # Two: one of them was asked for after the jump before.
                known = renewals(venue)
                await eventually(lambda known=known: renewals(venue) >= known + 2)  # type: ignore[misc]
                clock.ahead_ms += VALIDITY_MS // 2
            assert not news.done(), "it outlived its validity"
            news.cancel()
            await asyncio.wait([news])

        def key_of(server: SimVenue) -> str | None:
            inner = binance(server)
            return inner.listen_keys.key_of("main", inner.now_ms())

        assert venue.within(key_of) is not None


async def test_a_lapsed_key_without_keep_alive_is_noticed_and_replaced() -> None:
    clock = VenueClock()
    with running(VALID_FOR_A_WHILE, clock) as venue:
        async with trading(settings(venue.rest_url, venue.ws_url, keep_alive_s=600)) as desk:
            events = desk.private_events()
            await until(events, of(StreamUp))
            clock.ahead_ms += 2 * VALIDITY_MS
            seen = await until(events, of(StreamUp))
            await events.aclose()

    assert isinstance(seen[0], StreamDown)
    assert "listen key" in seen[0].reason


async def test_an_account_update_may_come_first() -> None:
    first = replace(still_options(), behaviour=Behaviour(account_update_first=True))
    with running(first) as venue:
        async with trading(settings(venue.rest_url, venue.ws_url)) as desk:
            events = desk.private_events()
            await until(events, of(StreamUp))
            await desk.place(approved("first1", 310000, time_in_force=TimeInForce.IOC))
            seen = await until(events, lambda one: isinstance(one, OrderUpdate) and one.fill is not None)
            await events.aclose()

    assert any(isinstance(one, Position) for one in seen)
