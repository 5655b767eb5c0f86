"""How a call reaches the venue: orders over the socket or, while it is down, over REST; the rest over REST."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

from exchanges import wire
from exchanges.errors import Refusal, VenueError, VenueRefused
from exchanges.gate import requests
from exchanges.gate.settings import PREFIX, Endpoints
from exchanges.gate.tongue import ORDER_CANCEL, ORDER_PLACE, GateHttp, GateOrders
from exchanges.outcome import Effect
from exchanges.port import UsedQuota
from exchanges.session.clock_offset import ClockOffset, ClockReading, offset_of
from exchanges.session.http import HttpClient
from exchanges.session.reader import Reader, ReaderTimes
from exchanges.session.request_socket import NotConnected, RequestSocket
from exchanges.session.settings import AdapterSettings, required

SOCKET_WAIT_S = 2.0
FUTURES = "futures/usdt"
CLOCK = "spot/time"
"""The one clock that the venue publishes."""

Query = Mapping[str, str | int]


class Calls:
    """Every request of the private half. Knows venue time; measures it again when the venue refuses ours."""

    def __init__(self, settings: AdapterSettings, on_quota: Callable[[UsedQuota], None]) -> None:
        self._settings = settings
        self.endpoints = Endpoints.of(settings)
        self.policy = self.endpoints.policy()
        self.credentials = required(settings.credentials)
        self._http = HttpClient(self.policy, GateHttp(), settings.monotonic_ns, settings.connect_timeout_s)
        self._http.on_quota = on_quota
        self._placing = GateHttp(counts_orders=True)
        self._entry = RequestSocket(
            url=self.endpoints.socket,
            tongue=GateOrders(self.credentials, self.venue_now_ms),
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

        An order that passed it carries its expiry, so that one which is held up between there and the wire is refused
        by the venue once its window is over. Other writes carry their second, which the venue takes for a minute.
        """
        self._fence = fence

    @property
    def is_socket_up(self) -> bool:
        """Whether orders go over the socket now."""
        return self._entry.is_up

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
            reply = wire.mapping(await self._public(CLOCK), "time")
            venue_ms = wire.integer(reply, "server_time", "time")
            readings.append(ClockReading(sent_ms=sent_ms, venue_ms=venue_ms, received_ms=self._settings.now_ms()))
        self.clock = offset_of(readings)
        return self.clock

    async def public(self, path: str, query: Query | None = None) -> Any:
        """Read of the futures without a signature."""
        return await self._public(f"{FUTURES}/{path}", query)

    async def read(self, path: str, query: Query | None = None) -> Any:
        """Read of the account's futures. Never `OutcomeUnknown`."""
        return await self._signed("GET", path, query, None, Effect.READ)

    async def write(
        self, method: str, path: str, query: Query | None = None, body: requests.SentBody = None, window_ms: int = 0
    ) -> Any:
        """Change something over REST, once; with a window it is refused by the venue where it arrives later."""
        return await self._signed(method, path, query, body, Effect.WRITE, window_ms=window_ms)

    def place(self, body: requests.Body, window_ms: int) -> Awaitable[Any]:
        """Place one order: written to the socket before this returns, or over REST while it is down."""
        return self._order(ORDER_PLACE, body, window_ms, lambda: self._place_by_rest(body, window_ms))

    def cancel(self, client_id: str, window_ms: int) -> Awaitable[Any]:
        """Cancel one order, likewise."""
        name = requests.text(client_id)

        def by_rest() -> Awaitable[Any]:
            return self.write("DELETE", f"orders/{quote(name)}", window_ms=window_ms)

        return self._order(ORDER_CANCEL, {"order_id": name}, window_ms, by_rest)

    async def close(self) -> None:
        """Close every connection."""
        if self._entry_task is not None:
            self._entry_task.cancel()
            await asyncio.wait([self._entry_task])
            self._entry_task = None
        await self._http.close()

    def _order(
        self, channel: str, body: requests.Body, window_ms: int, by_rest: Callable[[], Awaitable[Any]]
    ) -> Awaitable[Any]:
        self._raise_bug()
        now_ms = self.venue_now_ms()
        head = {requests.EXPIRES.lower(): str(now_ms + window_ms), requests.SIZES.lower(): "1"}
        payload = {"req_param": body, "req_header": head}
        self._fence()
        try:
            params = {"time": now_ms // 1000, "payload": payload}
            answer = self._entry.send(channel, params, Effect.WRITE, self._settings.order_timeout_s)
        except NotConnected:
            return by_rest()
        return self._minding_clock(answer)

    def _place_by_rest(self, body: requests.Body, window_ms: int) -> Awaitable[Any]:
        return self._signed("POST", "orders", None, body, Effect.WRITE, window_ms=window_ms, tongue=self._placing)

    async def _public(self, path: str, query: Query | None = None) -> Any:
        url = f"{self.endpoints.rest}{PREFIX}/{path}" + (f"?{urlencode(query)}" if query else "")
        timeout_s = self._settings.read_timeout_s
        return await self._http.send(
            "GET", url, effect=Effect.READ, timeout_s=timeout_s, headers=requests.PLAIN_HEADERS
        )

    async def _signed(
        self,
        method: str,
        path: str,
        query: Query | None,
        body: requests.SentBody,
        effect: Effect,
        *,
        window_ms: int = 0,
        tongue: GateHttp | None = None,
    ) -> Any:
        settings = self._settings
        whole, asked, payload = f"{PREFIX}/{FUTURES}/{path}", urlencode(query or {}), requests.encoded(body)
        now_ms = self.venue_now_ms()
        headers = requests.headers(method, whole, asked, payload, self.credentials, now_ms)
        if window_ms:
            headers[requests.EXPIRES] = str(now_ms + window_ms)
        is_write = effect is Effect.WRITE
        if is_write:
            self._fence()
        try:
            return await self._http.send(
                method,
                f"{self.endpoints.rest}{whole}" + (f"?{asked}" if asked else ""),
                effect=effect,
                timeout_s=settings.order_timeout_s if is_write else settings.read_timeout_s,
                headers=headers,
                body=payload or None,
                tongue=tongue,
            )
        except VenueRefused as refusal:
            await self._mind_clock(refusal)
            raise

    async def _minding_clock(self, answer: Awaitable[Any]) -> Any:
        try:
            return await answer
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
