"""What only Binance's private stream has: listen keys, and an account update that may come first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from exchanges.port import Position, StreamDown, StreamUp
from exchanges.sim.server.faults import FaultKind, FaultRule
from exchanges.sim.server.options import Behaviour
from exchanges.sim.server.server import SimVenue
from grid.order import OrderUpdate, TimeInForce
from tests.venue.adapter_rig import approved, of, settings, trading, until
from tests.venue.running_venue import RunningVenue, binance, running, still_options


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
    short = replace(still_options(), behaviour=Behaviour(listen_key_validity_ms=4_000))
    with running(short) as venue:
        async with trading(settings(venue.rest_url, venue.ws_url, keep_alive_s=0.3)) as desk:
            events = desk.private_events()
            await until(events, of(StreamUp))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(6.0):
                    await anext(events)
            await events.aclose()

        def key_of(server: SimVenue) -> str | None:
            inner = binance(server)
            return inner.listen_keys.key_of("main", inner.now_ms())

        assert venue.within(key_of) is not None


async def test_a_lapsed_key_without_keep_alive_is_noticed_and_replaced() -> None:
    short = replace(still_options(), behaviour=Behaviour(listen_key_validity_ms=700))
    with running(short) as venue:
        async with trading(settings(venue.rest_url, venue.ws_url, keep_alive_s=1.2)) as desk:
            events = desk.private_events()
            await until(events, of(StreamUp))
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
