"""How a call reaches the venue: orders over the socket or, while it is down, over REST; the rest over REST."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from exchanges import wire
from exchanges.bybit import requests
from exchanges.bybit.settings import Endpoints
from exchanges.bybit.tongue import COUNTED, BybitHttp, BybitOrders, result_of
from exchanges.errors import Refusal, VenueError, VenueRefused
from exchanges.outcome import Effect
from exchanges.port import UsedQuota
from exchanges.session.clock_offset import ClockOffset, ClockReading, offset_of
from exchanges.session.http import HttpClient
from exchanges.session.reader import Reader, ReaderTimes
from exchanges.session.request_socket import NotConnected, RequestSocket
from exchanges.session.settings import AdapterSettings, required

SOCKET_WAIT_S = 2.0
ADDRESSES = {
    "order.create": "order/create",
    "order.cancel": "order/cancel",
}


class Calls:
    """Every request of the private half. Knows venue time; measures it again when the venue refuses ours."""

    def __init__(self, settings: AdapterSettings, on_quota: Callable[[UsedQuota], None]) -> None:
        self._settings = settings
        self.endpoints = Endpoints.of(settings)
        self.policy = self.endpoints.policy()
        self.credentials = required(settings.credentials)
        self._http = HttpClient(self.policy, BybitHttp(), settings.monotonic_ns, settings.connect_timeout_s)
        self._http.on_quota = on_quota
        self._counting = {name: BybitHttp(counted) for name, counted in COUNTED.items()}
        life = f"{settings.random.getrandbits(64):016x}"
        self._entry = RequestSocket(
            url=self.endpoints.orders,
            tongue=BybitOrders(self.credentials, self.venue_now_ms, life),
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
            result = await self.public("market/time", {})
            venue_ms = wire.integer(result, "timeNano", "time") // 1_000_000
            readings.append(ClockReading(sent_ms=sent_ms, venue_ms=venue_ms, received_ms=self._settings.now_ms()))
        self.clock = offset_of(readings)
        return self.clock

    async def public(self, path: str, query: Mapping[str, str | int]) -> wire.Row:
        """Read without a signature; the result without its envelope."""
        url = f"{self.endpoints.rest}/v5/{path}" + (f"?{urlencode(query)}" if query else "")
        reply = await self._http.send("GET", url, effect=Effect.READ, timeout_s=self._settings.read_timeout_s)
        return result_of(reply, path)

    async def read(self, path: str, query: Mapping[str, str | int]) -> wire.Row:
        """Read with a signature; the result without its envelope. Never `OutcomeUnknown`."""
        payload = urlencode(query)
        url = f"{self.endpoints.rest}/v5/{path}?{payload}"
        return result_of(await self._signed("GET", url, payload, Effect.READ), path)

    async def write(self, path: str, body: requests.Body, window_ms: int | None = None) -> wire.Row:
        """Change something over REST, once; the whole reply."""
        url, payload = f"{self.endpoints.rest}/v5/{path}", requests.encoded(body)
        return wire.mapping(await self._signed("POST", url, payload, Effect.WRITE, window_ms), path)

    def order(self, name: str, body: requests.Body, window_ms: int) -> Awaitable[wire.Row]:
        """Place or cancel one order: written to the socket before this returns, or over REST while it is down.

        Gives the acknowledgement with the venue's `time`.
        """
        self._raise_bug()
        head = {"X-BAPI-TIMESTAMP": str(self.venue_now_ms()), "X-BAPI-RECV-WINDOW": str(window_ms)}
        self._fence()
        try:
            params = {"header": head, "args": [body]}
            answer = self._entry.send(name, params, Effect.WRITE, self._settings.order_timeout_s)
        except NotConnected:
            return self._order_by_rest(name, body, window_ms)
        return self._minding_clock(answer)

    async def close(self) -> None:
        """Close every connection."""
        if self._entry_task is not None:
            self._entry_task.cancel()
            await asyncio.wait([self._entry_task])
            self._entry_task = None
        await self._http.close()

    async def _order_by_rest(self, name: str, body: requests.Body, window_ms: int) -> wire.Row:
        path = ADDRESSES[name]
        url, payload = f"{self.endpoints.rest}/v5/{path}", requests.encoded(body)
        reply = await self._signed("POST", url, payload, Effect.WRITE, window_ms, self._counting[name])
        whole = wire.mapping(reply, path)
        return {**result_of(whole, path), "time": whole.get("time")}

    async def _signed(
        self,
        method: str,
        url: str,
        payload: str,
        effect: Effect,
        window_ms: int | None = None,
        tongue: BybitHttp | None = None,
    ) -> Any:
        settings = self._settings
        window_ms = settings.recv_window_ms if window_ms is None else window_ms
        headers = requests.headers(payload, self.credentials, self.venue_now_ms(), window_ms)
        is_write = effect is Effect.WRITE
        if is_write:
            self._fence()
        try:
            return await self._http.send(
                method,
                url,
                effect=effect,
                timeout_s=settings.order_timeout_s if is_write else settings.read_timeout_s,
                headers=headers,
                body=payload if method == "POST" else None,
                tongue=tongue,
            )
        except VenueRefused as refusal:
            await self._mind_clock(refusal)
            raise

    async def _minding_clock(self, answer: Awaitable[Any]) -> wire.Row:
        try:
            acknowledged: wire.Row = await answer
        except VenueRefused as refusal:
            await self._mind_clock(refusal)
            raise
        return acknowledged

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
