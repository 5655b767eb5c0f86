"""An adapter as tests hold it: real clocks, short times, a seeded jitter."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from actors.clock import SystemClock
from exchanges import adapters
from exchanges.port import MarketVenue, TradingVenue
from exchanges.reconnect import BackoffRule
from exchanges.session.settings import AdapterSettings, Credentials
from exchanges.sim.server.options import DEMO_KEY, DEMO_PASSPHRASE, DEMO_SECRET
from grid.order import OrderRequest, Side, TimeInForce
from risk.veto import Approved
from tests.venue.running_venue import RunningVenue

E = TypeVar("E")
PATIENCE_S = 60.0


def settings(rest_url: str, ws_url: str, **changes: Any) -> AdapterSettings:
    """Settings for a loopback venue: times short enough for a test, long enough for a busy machine."""
    chosen: dict[str, Any] = {
        "now_ms": lambda: time.time_ns() // 1_000_000,
        "monotonic_ns": time.monotonic_ns,
        "random": random.Random(1),
        "credentials": Credentials(api_key=DEMO_KEY, api_secret=DEMO_SECRET, passphrase=DEMO_PASSPHRASE),
        "rest_url": rest_url,
        "ws_url": ws_url,
        "symbols": ("ETHUSDT",),
        "order_timeout_s": 6.0,
        "connect_timeout_s": 10.0,
        "time_probes": 3,
        "backoff": BackoffRule(first_s=0.02, longest_s=0.2),
    }
    return AdapterSettings(**{**chosen, **changes})


def watching(venue: RunningVenue, clock: SystemClock) -> AdapterSettings:
    """Settings of an actor that only looks at the venue: its own times, no keys."""
    return AdapterSettings(
        now_ms=clock.now_ms,
        monotonic_ns=clock.monotonic_ns,
        random=random.Random(1),
        rest_url=venue.rest_url,
        ws_url=venue.ws_url,
    )


@asynccontextmanager
async def trading(
    chosen: AdapterSettings, *, name: str = "binanceusdm", over_socket: bool = True
) -> AsyncIterator[TradingVenue]:
    """A connected trading half; without its socket, orders go over REST."""
    venue = adapters.trading_venue(name, chosen)
    try:
        if over_socket:
            await venue.connect()
        else:
            await venue.rules()
            await venue.measure_clock()
        yield venue
    finally:
        await venue.close()


@asynccontextmanager
async def market(chosen: AdapterSettings, *, name: str = "binanceusdm") -> AsyncIterator[MarketVenue]:
    """A public half."""
    venue = adapters.market_venue(name, chosen)
    try:
        yield venue
    finally:
        await venue.close()


def approved(client_id: str, price: int = 290000, side: Side = Side.BUY, **changes: Any) -> Approved:
    """A post-only order for 0.010 ETHUSDT, far below the market of 3000."""
    order: dict[str, Any] = {
        "symbol": "ETHUSDT",
        "client_id": client_id,
        "side": side,
        "price": price,
        "quantity": 10,
        "closing": False,
        "time_in_force": TimeInForce.POST_ONLY,
    }
    return Approved(request=OrderRequest(**{**order, **changes}))


async def until(events: AsyncIterator[Any], wanted: Callable[[Any], bool]) -> list[Any]:
    """Read events up to the wanted one, and return them all."""
    seen: list[Any] = []
    async with asyncio.timeout(PATIENCE_S):
        while not (seen and wanted(seen[-1])):
            seen.append(await anext(events))
    return seen


def of(kind: type[E]) -> Callable[[Any], bool]:
    """Whether an event is of a kind."""
    return lambda event: isinstance(event, kind)


async def eventually(claim: Callable[[], bool]) -> None:
    """Wait until the claim holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not claim():  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # the claims are about several objects, which have no event in common
