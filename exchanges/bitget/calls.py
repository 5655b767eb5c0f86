"""How a call reaches the venue: orders over the socket or, while it is down, over REST; the rest over REST."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from exchanges import wire
from exchanges.bitget import requests
from exchanges.bitget.codes import NO_SOCKET_RIGHT
from exchanges.bitget.settings import Endpoints
from exchanges.bitget.tongue import CANCEL, PLACE, BitgetHttp, BitgetOrders, data_of
from exchanges.errors import Refusal, VenueError, VenueRefused
from exchanges.outcome import Effect
from exchanges.port import UsedQuota
from exchanges.session.clock_offset import ClockOffset, ClockReading, offset_of
from exchanges.session.http import HttpClient
from exchanges.session.reader import Reader, ReaderTimes
from exchanges.session.request_socket import NotConnected, RequestSocket
from exchanges.session.settings import AdapterSettings, required

SOCKET_WAIT_S = 2.0
DEMO = {"PAPTRADING": "1"}
PATHS = {PLACE: "order/place-order", CANCEL: "order/cancel-order"}


class Calls:
    """Every request of the private half. Knows venue time; measures it again when the venue refuses ours."""

    def __init__(self, settings: AdapterSettings, on_quota: Callable[[UsedQuota], None]) -> None:
        self._settings = settings
        self.endpoints = Endpoints.of(settings)
        self.policy = self.endpoints.policy()
        self.credentials = required(settings.credentials)
        self._http = HttpClient(self.policy, BitgetHttp(), settings.monotonic_ns, settings.connect_timeout_s)
        self._entry = RequestSocket(
            url=self.endpoints.private,
            tongue=BitgetOrders(self.credentials, self.venue_now_ms, f"{settings.random.getrandbits(64):016x}"),
            policy=self.policy,
            times=settings.socket_times,
            in_flight_max=settings.in_flight_max,
            monotonic_ns=settings.monotonic_ns,
            on_quota=on_quota,
        )
        self._entry_task: asyncio.Task[None] | None = None
        self._may_use_socket = True
        self.clock = ClockOffset()
        self._fence: Callable[[], None] = lambda: None

    def fence_by(self, fence: Callable[[], None]) -> None:
        """Have `fence` raise where nothing may be written."""
        self._fence = fence

    @property
    def is_socket_up(self) -> bool:
        """Whether orders go over the socket now."""
        return self._may_use_socket and self._entry.is_up

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
            told = wire.mapping(await self.public("/api/v2/public/time", {}), "time")
            venue_ms = wire.integer(told, "serverTime", "time")
            readings.append(ClockReading(sent_ms=sent_ms, venue_ms=venue_ms, received_ms=self._settings.now_ms()))
        self.clock = offset_of(readings)
        return self.clock

    async def public(self, path: str, query: Mapping[str, Any]) -> Any:
        """Read without a signature; the data without its envelope."""
        target = _target(path, query)
        timeout_s = self._settings.read_timeout_s
        reply = await self._http.send(
            "GET", self.endpoints.rest + target, effect=Effect.READ, timeout_s=timeout_s, headers=self._demo() or None
        )
        return data_of(reply, path)

    async def read(self, path: str, query: Mapping[str, Any]) -> Any:
        """Read with a signature; the data without its envelope. Never `OutcomeUnknown`."""
        return data_of(await self._signed("GET", _target(path, query), "", Effect.READ), path)

    async def futures(self, path: str, query: Mapping[str, Any]) -> Any:
        """Read of the futures account."""
        return await self.read(f"/api/v2/mix/{path}", {**query, "productType": requests.PRODUCT})

    async def write(self, path: str, body: requests.Body) -> Any:
        """Change something over REST, once; the data of the reply, which may still be unreadable."""
        reply = await self._signed("POST", f"/api/v2/mix/{path}", requests.encoded(body), Effect.WRITE)
        return reply.get("data") if isinstance(reply, dict) else None

    def order(self, channel: str, symbol: str, params: requests.Body, body: requests.Body) -> Awaitable[Any]:
        """Place or cancel one order: written to the socket before this returns, or over REST while it is down.

        `params` is what the socket is told, `body` what REST is.
        """
        self._raise_bug()
        path = PATHS[channel]
        if not self._may_use_socket:
            return self.write(path, body)
        self._fence()
        told = {"instId": symbol, "params": params}
        try:
            answer = self._entry.send(channel, told, Effect.WRITE, self._settings.order_timeout_s)
        except NotConnected:
            return self.write(path, body)
        return self._by_socket(answer, path, body)

    async def close(self) -> None:
        """Close every connection."""
        if self._entry_task is not None:
            self._entry_task.cancel()
            await asyncio.wait([self._entry_task])
            self._entry_task = None
        await self._http.close()

    async def _by_socket(self, answer: Awaitable[Any], path: str, body: requests.Body) -> Any:
        try:
            return await answer
        except VenueRefused as refusal:
            if refusal.code not in NO_SOCKET_RIGHT:
                await self._mind_clock(refusal)
                raise
            # refused for the way it came, so nothing happened, and nothing would on that way later
            self._may_use_socket = False
        return await self.write(path, body)

    async def _signed(self, method: str, target: str, body: str, effect: Effect) -> Any:
        settings = self._settings
        headers = requests.headers(self.credentials, self.venue_now_ms(), method, target, body)
        is_write = effect is Effect.WRITE
        if is_write:
            self._fence()
        try:
            return await self._http.send(
                method,
                self.endpoints.rest + target,
                effect=effect,
                timeout_s=settings.order_timeout_s if is_write else settings.read_timeout_s,
                headers={**headers, **self._demo()},
                body=body or None,
            )
        except VenueRefused as refusal:
            await self._mind_clock(refusal)
            raise

    def _demo(self) -> dict[str, str]:
        return DEMO if self._settings.is_testnet else {}

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


def _target(path: str, query: Mapping[str, Any]) -> str:
    return f"{path}?{requests.query_of(query)}" if query else path
