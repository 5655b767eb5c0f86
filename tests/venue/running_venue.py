"""A simulated venue in a thread of its own, for clients that bring their own loop or none."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import urlencode

import aiohttp

from exchanges.sim.binance.venue import Venue
from exchanges.sim.catalogue import demo_instruments
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.market import BookTop, MarketEvent, Trade
from exchanges.sim.server.faults import FaultRule
from exchanges.sim.server.market_source import ListedMarket
from exchanges.sim.server.options import DEMO_KEY, DEMO_SECRET, Behaviour, SimAccount, VenueOptions, demo_account
from exchanges.sim.server.server import SimVenue
from exchanges.sim.server.wall_clock import wall_clock_ms
from exchanges.sim.server.windows import BanRule, Window
from grid.order import Side

T = TypeVar("T")


def binance(server: SimVenue) -> Venue:
    """Return what only a venue that speaks Binance's language has."""
    assert isinstance(server.venue, Venue)
    return server.venue


INSTRUMENTS: dict[str, SimInstrument] = {held.symbol: held for held in demo_instruments()}
OPENING = (("BTCUSDT", "60000", "60000.1"), ("ETHUSDT", "3000", "3000.01"), ("XRPUSDT", "0.5", "0.5001"))


def quote(symbol: str, bid: str, ask: str, *, at_ms: int = 0, size: str = "500") -> BookTop:
    instrument = INSTRUMENTS[symbol]
    return BookTop(
        symbol=symbol,
        time_ms=at_ms,
        bid=instrument.ticks(Decimal(bid)),
        bid_quantity=instrument.steps(Decimal(size)),
        ask=instrument.ticks(Decimal(ask)),
        ask_quantity=instrument.steps(Decimal(size)),
    )


def trade(symbol: str, price: str, quantity: str, side: Side, *, at_ms: int = 0) -> Trade:
    instrument = INSTRUMENTS[symbol]
    return Trade(
        symbol=symbol,
        time_ms=at_ms,
        price=instrument.ticks(Decimal(price)),
        quantity=instrument.steps(Decimal(quantity)),
        aggressor=side,
    )


def still_market() -> ListedMarket:
    """A market with quotes and no trades: it moves when the test says so."""
    opening: list[MarketEvent] = []
    for symbol, bid, ask in OPENING:
        opening.append(trade(symbol, bid, "1", Side.SELL))
        opening.append(quote(symbol, bid, ask))
    return ListedMarket(known=tuple(INSTRUMENTS.values()), listed=tuple(opening))


SPOKEN: ContextVar[str] = ContextVar("spoken", default="binanceusdm")
"""The language of venues that a test starts without naming one."""


def still_options(
    *,
    protocol: str = "",
    behaviour: Behaviour | None = None,
    faults: Sequence[FaultRule] = (),
    windows: tuple[Window, ...] | None = None,
    ban: BanRule | None = None,
    accounts: tuple[SimAccount, ...] | None = None,
    tls: ssl.SSLContext | None = None,
) -> VenueOptions:
    return VenueOptions(
        protocol=protocol or SPOKEN.get(),
        market=still_market(),
        behaviour=behaviour or Behaviour(),
        faults=tuple(faults),
        windows=windows,
        ban=ban or BanRule(),
        accounts=accounts or (demo_account(deposit=Decimal(100_000)),),
        tls=tls,
    )


@dataclass(frozen=True, slots=True)
class RunningVenue:
    """A started venue; `within` runs a function in its loop and gives the result."""

    server: SimVenue
    loop: asyncio.AbstractEventLoop

    @property
    def rest_url(self) -> str:
        return self.server.rest_url

    @property
    def ws_url(self) -> str:
        return self.server.ws_url

    def within(self, act: Callable[[SimVenue], T]) -> T:
        async def run() -> T:
            return act(self.server)

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(60)

    def play(self, *events: MarketEvent) -> None:
        def run(server: SimVenue) -> None:
            for event in events:
                server.tape.play(_now(event, server.venue.now_ms()))

        self.within(run)

    def fault(self, rule: FaultRule) -> None:
        self.within(lambda server: server.venue.plan.add(rule, server.venue.now_ms()))

    def heal(self) -> None:
        """Take every fault away and cancel what rests, so that the next test starts from nothing."""

        def run(server: SimVenue) -> None:
            server.venue.plan.clear()
            server.venue.lift("127.0.0.1")
            now_ms = server.venue.now_ms()
            for account in server.venue.engine.read.accounts():
                for symbol in INSTRUMENTS:
                    server.venue.tell(server.venue.engine.cancel_all(account, symbol, now_ms))
                    server.venue.tell(server.venue.engine.cancel_all_algos(account, symbol, now_ms))

        self.within(run)

    def orders(self, client_id: str) -> list[Any]:
        """Return the venue's own record of every order with this client id."""
        return self.within(
            lambda server: [
                order for order in server.venue.engine.read.every_order("main") if order.client_id == client_id
            ]
        )


def _now(event: MarketEvent, now_ms: int) -> MarketEvent:
    return replace(event, time_ms=now_ms) if isinstance(event, BookTop | Trade) else event


@contextmanager
def running(options: VenueOptions, wall_ms: Callable[[], int] = wall_clock_ms) -> Iterator[RunningVenue]:
    """Start a venue in a thread; everything of it is gone at the end."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="simulated venue", daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(_made(options, wall_ms), loop).result(60)
    try:
        yield RunningVenue(server, loop)
        failure = asyncio.run_coroutine_threadsafe(_failure(server), loop).result(60)
        if failure is not None:
            raise failure
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(60)
        asyncio.run_coroutine_threadsafe(_let_go(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
        loop.close()


async def _made(options: VenueOptions, wall_ms: Callable[[], int]) -> SimVenue:
    server = SimVenue(options, wall_ms)
    await server.start()
    return server


async def _let_go() -> None:
    """End what still waits, as `asyncio.run` does where a venue is a process."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


async def _failure(server: SimVenue) -> BaseException | None:
    return server.failure()


def signed(params: dict[str, Any], *, at_ms: int | None = None, secret: str = DEMO_SECRET) -> str:
    """Return the signed query string of a request made now, or at a time that the test chooses."""
    stamped = {**params, "timestamp": at_ms if at_ms is not None else time.time_ns() // 1_000_000}
    query = urlencode(stamped)
    return query + "&signature=" + hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()


class PlainClient:
    """The least client there is: one signed request, its status, headers and parsed body."""

    def __init__(self, session: aiohttp.ClientSession, rest_url: str) -> None:
        self._session = session
        self._rest_url = rest_url
        self.headers: dict[str, str] = {}

    async def ask(
        self, method: str, path: str, *, at_ms: int | None = None, sign: bool = True, **params: Any
    ) -> tuple[int, Any]:
        query = signed(params, at_ms=at_ms) if sign else urlencode(params)
        url = f"{self._rest_url}{path}?{query}"
        async with self._session.request(method, url, headers={"X-MBX-APIKEY": DEMO_KEY}) as reply:
            self.headers = dict(reply.headers)
            return reply.status, await reply.json(content_type=None)

    async def place(self, client_id: str, **changes: Any) -> tuple[int, Any]:
        order = {
            "symbol": "ETHUSDT",
            "side": "BUY",
            "type": "LIMIT",
            "timeInForce": "GTX",
            "quantity": "0.01",
            "price": "2900",
            "newClientOrderId": client_id,
        }
        return await self.ask("POST", "/fapi/v1/order", **{**order, **changes})

    async def listen_key(self) -> str:
        _, reply = await self.ask("POST", "/fapi/v1/listenKey", sign=False)
        return str(reply["listenKey"])
