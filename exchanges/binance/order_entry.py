"""Order entry over the venue's WebSocket: one connection, many requests in flight, each answered by its number."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from exchanges.binance import quota, wire
from exchanges.binance.codes import CODES
from exchanges.binance.http import PAUSE_S_MAX, refusal_in
from exchanges.errors import BadReply, OutcomeUnknown, VenueUnreachable
from exchanges.hosts import HostPolicy
from exchanges.outcome import Effect, Reply, judge
from exchanges.port import UsedQuota
from exchanges.websocket import SocketTimes, open_websocket

BUSY_PAUSE_S = 0.05


class NotConnected(VenueUnreachable):
    """The socket is down and nothing was sent: the caller may use REST at once."""


class OrderEntry:
    """Handler of the order connection and the place where requests wait for their answers.

    A request whose answer does not come (time-out, connection lost after sending, an answer that can't be read) is
    `OutcomeUnknown`. Nothing is ever sent twice.
    """

    def __init__(
        self,
        *,
        url: str,
        policy: HostPolicy,
        times: SocketTimes,
        in_flight_max: int,
        monotonic_ns: Callable[[], int],
        on_quota: Callable[[UsedQuota], None],
    ) -> None:
        self._url = url
        self._policy = policy
        self._times = times
        self._in_flight_max = in_flight_max
        self._monotonic_ns = monotonic_ns
        self._on_quota = on_quota
        self._connection: ClientConnection | None = None
        """Where requests go now; None while there is none, or while it is doubted."""
        self._opened: ClientConnection | None = None
        self._proof: asyncio.Task[None] | None = None
        self._waiting: dict[str, asyncio.Future[wire.Row]] = {}
        self._sent = 0
        self._came_up = asyncio.Event()
        self.late_replies = 0
        """Answers to requests that had already been given up."""

    @property
    def is_up(self) -> bool:
        """Whether a request sent now would go over the socket."""
        return self._connection is not None and self._connection.state is State.OPEN

    async def wait_up(self, timeout_s: float) -> bool:
        """Wait for the first connection; return whether it came in time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._came_up.wait()
        except TimeoutError:
            return False
        return self.is_up

    async def request(self, method: str, params: wire.Row, effect: Effect, timeout_s: float) -> Any:
        """Send one signed request and return its result. Raises `NotConnected` where nothing was sent."""
        connection = self._connection
        if connection is None or connection.state is not State.OPEN:
            raise NotConnected("the order socket is down")
        if len(self._waiting) >= self._in_flight_max:
            raise VenueUnreachable(f"{self._in_flight_max} requests in flight", retry_after_s=BUSY_PAUSE_S)
        self._sent += 1
        number = str(self._sent)
        answer: asyncio.Future[wire.Row] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            async with asyncio.timeout(timeout_s):
                frame = orjson.dumps({"id": number, "method": method, "params": params})
                await connection.send(frame, text=True)
                reply = await answer
            return self._result(reply)
        except _Lost as lost:
            words = f"the order socket was lost before the answer: {lost}"
            raise (OutcomeUnknown(words) if effect is Effect.WRITE else VenueUnreachable(words)) from None
        except TimeoutError as failure:
            self._doubt(connection)
            raise judge(failure, effect, CODES) from None
        except (ConnectionClosed, BadReply) as failure:
            raise judge(failure, effect, CODES) from None
        except _Refused as refused:
            raise judge(refused.reply, effect, CODES) from None
        finally:
            self._waiting.pop(number, None)

    async def open(self) -> ClientConnection:
        connection = await open_websocket(self._url, self._policy, self._times)
        self._connection = self._opened = connection
        return connection

    async def up(self) -> None:
        self._came_up.set()

    async def message(self, raw: str | bytes) -> None:
        reply = wire.mapping(wire.decode(raw, "ws-fapi"), "ws-fapi")
        answer = self._waiting.get(str(reply.get("id")))
        if answer is None or answer.done():
            self.late_replies += 1
            return
        answer.set_result(reply)

    def retire(self) -> bool:
        self._connection = self._opened = None
        return not self._waiting

    async def down(self, reason: str) -> None:
        self._connection = self._opened = None
        if self._proof is not None:
            self._proof.cancel()
            await asyncio.wait([self._proof])
            self._proof = None
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(_Lost(reason))

    def _doubt(self, connection: ClientConnection) -> None:
        """Send nothing more over a connection that left a request unanswered, until it has answered a ping."""
        if self._connection is connection:
            self._connection = None
            self._proof = asyncio.create_task(self._prove(connection))

    async def _prove(self, connection: ClientConnection) -> None:
        try:
            async with asyncio.timeout(self._times.open_timeout_s):
                await (await connection.ping())
        except (TimeoutError, ConnectionClosed):
            await connection.close(reason="half open")
            return
        if self._opened is connection:
            self._connection = connection

    def _result(self, reply: wire.Row) -> Any:
        used = quota.from_reply(reply.get("rateLimits"), self._monotonic_ns())
        if used is not None:
            self._on_quota(used)
        status = wire.integer(reply, "status", "ws-fapi")
        if status == 200:
            if "result" not in reply:
                raise BadReply("ws-fapi.result: missing")
            return reply["result"]
        raise _Refused(_reply(reply, status))


class _Lost(Exception):
    """The connection went while an answer was awaited."""


class _Refused(Exception):
    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.message)
        self.reply = reply


def _reply(reply: wire.Row, status: int) -> Reply:
    error = reply.get("error")
    found = refusal_in(error, status, _pause_s(error))
    return found or Reply(status=status, code=None, message="no error in the reply")


def _pause_s(error: Any) -> float | None:
    """Return how long the venue bans us: it tells its own time now and the time when the ban ends."""
    told = error.get("data") if isinstance(error, dict) else None
    if not isinstance(told, dict):
        return None
    now_ms, until_ms = told.get("serverTime"), told.get("retryAfter")
    if not isinstance(now_ms, int) or not isinstance(until_ms, int):
        return None
    return min(max(0.0, (until_ms - now_ms) / 1000), PAUSE_S_MAX)
