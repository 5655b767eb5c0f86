"""What tests through ccxt's own clients of simulated venues share: a client with exact numbers, and patience."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import ccxt.pro

from exchanges.sim.server.options import DEMO_KEY, DEMO_SECRET
from tests.venue.running_venue import RunningVenue
from tests.venue.test_ccxt import rewritten

SYMBOL = "ETH/USDT:USDT"
PATIENCE_S = 30.0


def made_client(venue: RunningVenue, exchange: str, **more: Any) -> Any:
    """Return ccxt.pro's client of an exchange, told to speak to the venue; numbers stay as they are told."""
    keys = {"apiKey": DEMO_KEY, "secret": DEMO_SECRET, **more}
    made = getattr(ccxt.pro, exchange)({**keys, "enableRateLimit": False, "maxRetriesOnFailure": 0, "number": str})
    made.urls["api"] = rewritten(made.urls["api"], venue)
    return made


@asynccontextmanager
async def loaded(made: Any) -> AsyncIterator[Any]:
    """Give the client with its markets, and close it at the end."""
    try:
        await made.load_markets()
        yield made
    finally:
        await made.close()


def exact(told: str) -> Any:
    """Return a number as it was told, every digit of it."""
    return Decimal(told)


async def limit(client: Any, side: str, contracts: int, price: str, **params: Any) -> Any:
    """Place a limit order."""
    order = {"symbol": SYMBOL, "type": "limit", "side": side, "amount": contracts, "price": price}
    return await client.create_order(*order.values(), params)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for what is to happen."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def collect(client: Any, changes: list[Any]) -> None:
    """Copy what each wait gives: the client changes its own rows afterwards."""
    while True:
        changes += [dict(row) for row in await client.watch_orders(SYMBOL)]


def listens(venue: RunningVenue, topic: str) -> Callable[[], bool]:
    """Return whether somebody listens to a topic by now."""
    return lambda: venue.within(lambda server: topic in server.venue.listeners.wanted())  # type: ignore[attr-defined]
