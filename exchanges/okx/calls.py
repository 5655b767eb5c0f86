"""How a call reaches the venue: orders over the private socket or, while it is down, over REST; the rest over REST."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection

from exchanges import wire
from exchanges.errors import BadReply, Refusal, VenueError, VenueRefused
from exchanges.okx import requests, wire_rules
from exchanges.okx.codes import CODES
from exchanges.okx.contracts import Contract
from exchanges.okx.rest import Body, RestClient
from exchanges.okx.settings import Endpoints
from exchanges.okx.tongue import OkxHttp, OkxOrders, item_refusal, log_in
from exchanges.outcome import Effect, judge
from exchanges.port import UsedQuota
from exchanges.session.clock_offset import ClockOffset, ClockReading, offset_of
from exchanges.session.http import HttpClient
from exchanges.session.reader import Reader, ReaderTimes
from exchanges.session.request_socket import NotConnected, RequestSocket
from exchanges.session.settings import AdapterSettings, required

SOCKET_WAIT_S = 2.0
PATHS = {"order": "trade/order", "cancel-order": "trade/cancel-order"}
"""What is asked over the socket, and where the same is asked over REST."""


class Calls:
    """Every request of the private half. Knows venue time; measures it again when the venue refuses ours."""

    def __init__(self, settings: AdapterSettings, on_quota: Callable[[UsedQuota], None]) -> None:
        self._settings = settings
        self.endpoints = Endpoints.of(settings)
        self.policy = self.endpoints.policy()
        self._credentials = required(settings.credentials)
        self._http = HttpClient(self.policy, OkxHttp(), settings.monotonic_ns, settings.connect_timeout_s)
        self._rest = RestClient(
            self._credentials, self.endpoints.rest, self._http, self.venue_now_ms, is_demo=self.endpoints.is_demo
        )
        self._public = RestClient(
            None, self.endpoints.rest, self._http, self.venue_now_ms, is_demo=self.endpoints.is_demo
        )
        self._entry = RequestSocket(
            url=self.endpoints.private,
            tongue=OkxOrders(self.log_in),
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
        """Have `fence` raise where nothing may be written; it is asked after the time that bounds a late arrival."""
        self._fence = self._rest.fence = fence

    @property
    def is_socket_up(self) -> bool:
        """Whether orders go over the socket now."""
        return self._entry.is_up

    def venue_now_ms(self) -> int:
        """Return the venue's time as we know it."""
        return self._settings.now_ms() + self.clock.offset_ms

    async def log_in(self, connection: ClientConnection) -> None:
        """Log a socket in, with venue time; a refusal of the time has it measured for the next attempt."""
        try:
            await log_in(connection, requests.login(self._credentials, self.venue_now_ms()))
        except VenueRefused as refusal:
            await self._mind_clock(refusal)
            raise

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
            venue_ms = wire.integer(wire_rules.only_row(await self.public("public/time"), "time"), "ts", "time")
            readings.append(ClockReading(sent_ms=sent_ms, venue_ms=venue_ms, received_ms=self._settings.now_ms()))
        self.clock = offset_of(readings)
        return self.clock

    async def public(self, path: str, **query: str | int) -> Any:
        """Read without a signature."""
        return await self._public.get(path, query, self._settings.read_timeout_s)

    async def read(self, path: str, query: Mapping[str, str | int] | None = None) -> Any:
        """Read with a signature. Never `OutcomeUnknown`."""
        try:
            return await self._rest.get(path, query or {}, self._settings.read_timeout_s)
        except VenueRefused as refusal:
            await self._mind_clock(refusal)
            raise

    async def write(self, path: str, body: Body, *, good_for_ms: int | None = None) -> Any:
        """Change something over REST; sent once. The reply's items are still to be judged."""
        try:
            return await self._rest.post(path, body, self._settings.order_timeout_s, good_for_ms=good_for_ms)
        except VenueRefused as refusal:
            await self._mind_clock(refusal)
            raise

    def order(
        self, op: str, row: wire.Row, contract: Contract, *, good_for_ms: int | None = None
    ) -> Awaitable[wire.Row]:
        """Place or cancel one order: written to the socket before this returns, or over REST while it is down."""
        self._raise_bug()
        params: wire.Row = {"args": [requests.for_socket(row, contract)]}
        if good_for_ms is not None:
            params["expTime"] = str(self.venue_now_ms() + good_for_ms)
        self._fence()
        try:
            answer = self._entry.send(op, params, Effect.WRITE, self._settings.order_timeout_s)
        except NotConnected:
            answer = self.write(PATHS[op], row, good_for_ms=good_for_ms)
        return self._done(answer)

    async def done(self, answer: Awaitable[Any], count: int) -> Sequence[wire.Row | VenueError]:
        """Return each item of a list of operations, or the error that the venue gives for it."""
        items = _items(await answer, count)
        return [row if (refused := item_refusal(row)) is None else judge(refused, Effect.WRITE, CODES) for row in items]

    async def _done(self, answer: Awaitable[Any]) -> wire.Row:
        try:
            (item,) = await self.done(answer, 1)
            if isinstance(item, VenueError):
                raise item
        except VenueRefused as refusal:
            await self._mind_clock(refusal)
            raise
        return item

    async def close(self) -> None:
        """Close every connection."""
        if self._entry_task is not None:
            self._entry_task.cancel()
            await asyncio.wait([self._entry_task])
            self._entry_task = None
        await self._http.close()

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


def _items(reply: Any, count: int) -> list[wire.Row]:
    """Return the items of a reply; one that has not as many as were asked for leaves their outcome unknown."""
    try:
        items = wire_rules.rows(reply, "items")
        if len(items) != count:
            raise BadReply(f"items: asked for {count}, answered {len(items)}")
        for row in items:
            wire.text(row, "sCode", "items")
    except BadReply as failure:
        raise judge(failure, Effect.WRITE, CODES) from None
    return items
