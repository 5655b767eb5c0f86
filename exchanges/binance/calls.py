"""How a call reaches the venue: orders over the socket or, while it is down, over REST; the rest over REST."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from exchanges import wire
from exchanges.binance import requests
from exchanges.binance.rest import PRIVATE, PUBLIC, RestClient
from exchanges.binance.settings import Endpoints
from exchanges.binance.tongue import BinanceHttp, BinanceOrders
from exchanges.errors import Refusal, VenueError, VenueRefused
from exchanges.outcome import Effect
from exchanges.port import UsedQuota
from exchanges.session.clock_offset import ClockOffset, ClockReading, offset_of
from exchanges.session.http import HttpClient
from exchanges.session.reader import Reader, ReaderTimes
from exchanges.session.request_socket import NotConnected, RequestSocket
from exchanges.session.settings import AdapterSettings, required

SOCKET_WAIT_S = 2.0


class Calls:
    """Every request of the private half. Knows venue time; measures it again when the venue refuses ours."""

    def __init__(self, settings: AdapterSettings, on_quota: Callable[[UsedQuota], None]) -> None:
        self._settings = settings
        self.endpoints = Endpoints.of(settings)
        self.policy = self.endpoints.policy()
        self._credentials = required(settings.credentials)
        self._http = HttpClient(self.policy, BinanceHttp(), settings.monotonic_ns, settings.connect_timeout_s)
        self._http.on_quota = on_quota
        self._rest = RestClient(self._credentials, self.endpoints.rest, self._http, self.venue_now_ms)
        self._entry = RequestSocket(
            url=self.endpoints.orders,
            tongue=BinanceOrders(),
            policy=self.policy,
            times=settings.socket_times,
            in_flight_max=settings.in_flight_max,
            monotonic_ns=settings.monotonic_ns,
            on_quota=on_quota,
        )
        self._entry_task: asyncio.Task[None] | None = None
        self.clock = ClockOffset()
        self._fence: Callable[[], None] = lambda: None

    def fence_by(self, fence: Callable[[], None]) -> None:
        """Have `fence` raise where nothing may be written.

        A request that passed it carries an older time stamp, so that one which is held up between there and the wire is
        refused by the venue once its window is over.
        """
        self._fence = self._rest.fence = fence

    @property
    def is_socket_up(self) -> bool:
        """Whether orders go over the socket now."""
        return self._entry.is_up

    def addresses(self) -> dict[str, str]:
        """Return every REST address that a call could go to."""
        return self._rest.addresses()

    def venue_now_ms(self) -> int:
        """Return the venue's time as we know it."""
        return self._settings.now_ms() + self.clock.offset_ms

    async def open_socket(self) -> None:
        """Start the order socket and give it a moment; orders go over REST until it is up."""
        if self._entry_task is None:
            settings = self._settings
            times = ReaderTimes(life_s=settings.connection_life_s, backoff=settings.backoff)
            reader = Reader(self._entry, times, settings.random, settings.monotonic_ns)
            self._entry_task = asyncio.create_task(reader.run())
        await self._entry.wait_up(SOCKET_WAIT_S)

    async def measure_clock(self) -> ClockOffset:
        """Measure the offset anew; the old one stays where the venue does not answer."""
        readings = []
        for _ in range(self._settings.time_probes):
            sent_ms = self._settings.now_ms()
            reply = wire.mapping(await self.public("time"), "time")
            venue_ms = wire.integer(reply, "serverTime", "time")
            readings.append(ClockReading(sent_ms=sent_ms, venue_ms=venue_ms, received_ms=self._settings.now_ms()))
        self.clock = offset_of(readings)
        return self.clock

    async def public(self, path: str) -> Any:
        """Read without a signature."""
        return await self._rest.call(
            PUBLIC, "GET", path, {}, effect=Effect.READ, timeout_s=self._settings.read_timeout_s
        )

    async def read(self, path: str, params: dict[str, Any], section: str = PRIVATE) -> Any:
        """Read with a signature. Never `OutcomeUnknown`."""
        return await self._signed(section, "GET", path, params, Effect.READ, self._settings.read_timeout_s)

    async def write(self, method: str, path: str, params: dict[str, Any]) -> Any:
        """Change something over REST; sent once."""
        return await self._signed(PRIVATE, method, path, params, Effect.WRITE, self._settings.order_timeout_s)

    async def listen_key(self, method: str) -> str:
        """Create (POST) or renew (PUT) the account's listen key. Both may be repeated freely: they are reads to us."""
        timeout_s = self._settings.read_timeout_s
        reply = await self._rest.call(PRIVATE, method, "listenKey", {}, effect=Effect.READ, timeout_s=timeout_s)
        return wire.text(wire.mapping(reply, "listenKey"), "listenKey", "listenKey")

    def order(self, ws_method: str, rest_method: str, params: requests.Params) -> Awaitable[Any]:
        """Place or cancel one order: written to the socket before this returns, or over REST while it is down."""
        self._raise_bug()
        signed = requests.signed(params, self._credentials, self.venue_now_ms())
        self._fence()
        try:
            answer = self._entry.send(ws_method, signed, Effect.WRITE, self._settings.order_timeout_s)
        except NotConnected:
            return self.write(rest_method, "order", dict(params))
        return self._minding_clock(answer)

    async def _minding_clock(self, answer: Awaitable[Any]) -> Any:
        try:
            return await answer
        except VenueRefused as refusal:
            await self._mind_clock(refusal)
            raise

    async def close(self) -> None:
        """Close every connection."""
        if self._entry_task is not None:
            self._entry_task.cancel()
            await asyncio.wait([self._entry_task])
            self._entry_task = None
        await self._http.close()

    async def _signed(
        self, section: str, method: str, path: str, params: dict[str, Any], effect: Effect, timeout_s: float
    ) -> Any:
        whole = {**params, "recvWindow": params.get("recvWindow", self._settings.recv_window_ms)}
        try:
            return await self._rest.call(section, method, path, whole, effect=effect, timeout_s=timeout_s)
        except VenueRefused as refusal:
            await self._mind_clock(refusal)
            raise

    async def _mind_clock(self, refusal: VenueRefused) -> None:
        if refusal.refusal is Refusal.CLOCK:
            with suppress(VenueError):
                await self.measure_clock()

    def _raise_bug(self) -> None:
        """A reader that broke by our own mistake must not hide behind the fallback."""
        task = self._entry_task
        if task is not None and task.done() and not task.cancelled():
            failure = task.exception()
            if failure is not None:
                raise failure
