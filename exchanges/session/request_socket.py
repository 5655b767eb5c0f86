"""Requests over a venue's WebSocket: one connection, many in flight, each answered by its number."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from exchanges import wire
from exchanges.errors import BadReply, OutcomeUnknown, VenueUnreachable
from exchanges.hosts import HostPolicy
from exchanges.outcome import CodeTable, Effect, Reply, judge
from exchanges.port import UsedQuota
from exchanges.session.keep_alive import KeepAlive, Keeper
from exchanges.websocket import SocketTimes, open_websocket

BUSY_PAUSE_S = 0.05


class NotConnected(VenueUnreachable):
    """The socket is down and nothing was sent: the caller may use REST at once."""


class Unsuccessful(Exception):
    """A reply that is an error of the venue."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.message)
        self.reply = reply


class RequestTongue(Protocol):
    """How a venue takes requests over a socket and answers them."""

    keep_alive: KeepAlive | None

    @property
    def codes(self) -> CodeTable: ...

    async def log_in(self, connection: ClientConnection) -> None:
        """Do what a new connection needs before its first request. What it raises is a failed attempt."""
        ...

    def frame(self, number: str, method: str, params: wire.Row) -> bytes:
        """Return a request as it is sent."""
        ...

    def number(self, reply: wire.Row) -> str | None:
        """Return which request a reply answers; None for a mere acknowledgement or something else."""
        ...

    def used(self, reply: wire.Row, at_ns: int) -> UsedQuota | None:
        """Return what the reply counts as used, or None."""
        ...

    def result(self, reply: wire.Row) -> Any:
        """Return the result of a reply. Raises `Unsuccessful` or `BadReply`."""
        ...


class RequestSocket:
    """Handler of the order connection and the place where requests wait for their answers.

    A request whose answer does not come (time-out, connection lost after sending, an answer that can't be read) is
    `OutcomeUnknown`. Nothing is ever sent twice.
    """

    def __init__(
        self,
        *,
        url: str,
        tongue: RequestTongue,
        policy: HostPolicy,
        times: SocketTimes,
        in_flight_max: int,
        monotonic_ns: Callable[[], int],
        on_quota: Callable[[UsedQuota], None],
    ) -> None:
        self._url = url
        self._tongue = tongue
        self._keeper = Keeper(tongue.keep_alive)
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
        return await self.send(method, params, effect, timeout_s)

    def send(self, method: str, params: wire.Row, effect: Effect, timeout_s: float) -> Awaitable[Any]:
        """Write one signed request before this returns, and return what gives its result.

        Raises `NotConnected` where nothing was sent. What else goes wrong is raised here or by the awaitable.
        """
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
            _write(connection, self._tongue.frame(number, method, params))
        except ConnectionClosed as failure:
            del self._waiting[number]
            raise judge(failure, effect, self._tongue.codes) from None
        return self._answered(number, answer, connection, effect, timeout_s)

    async def _answered(
        self,
        number: str,
        answer: asyncio.Future[wire.Row],
        connection: ClientConnection,
        effect: Effect,
        timeout_s: float,
    ) -> Any:
        try:
            async with asyncio.timeout(timeout_s):
                reply = await answer
            return self._result(reply)
        except _Lost as lost:
            words = f"the order socket was lost before the answer: {lost}"
            raise (OutcomeUnknown(words) if effect is Effect.WRITE else VenueUnreachable(words)) from None
        except TimeoutError as failure:
            self._doubt(connection)
            raise judge(failure, effect, self._tongue.codes) from None
        except BadReply as failure:
            raise judge(failure, effect, self._tongue.codes) from None
        except Unsuccessful as refused:
            raise judge(refused.reply, effect, self._tongue.codes) from None
        finally:
            self._waiting.pop(number, None)

    async def open(self) -> ClientConnection:
        connection = await open_websocket(self._url, self._policy, self._times)
        try:
            async with asyncio.timeout(self._times.open_timeout_s):
                await self._tongue.log_in(connection)
        except BaseException:
            await connection.close()
            raise
        self._keeper.start(connection)
        self._connection = self._opened = connection
        return connection

    async def up(self) -> None:
        self._came_up.set()

    async def message(self, raw: str | bytes) -> None:
        if raw in (b"pong", "pong"):
            return
        reply = wire.mapping(wire.decode(raw, "order socket"), "order socket")
        number = self._tongue.number(reply)
        if number is None:
            return
        answer = self._waiting.get(number)
        if answer is None or answer.done():
            self.late_replies += 1
            return
        answer.set_result(reply)

    def retire(self) -> bool:
        self._connection = self._opened = None
        return not self._waiting

    async def down(self, reason: str) -> None:
        self._connection = self._opened = None
        await self._keeper.stop()
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
        used = self._tongue.used(reply, self._monotonic_ns())
        if used is not None:
            self._on_quota(used)
        return self._tongue.result(reply)


class _Lost(Exception):
    """The connection went while an answer was awaited."""


def _write(connection: ClientConnection, frame: bytes) -> None:
    """Hand a frame to the socket now, without a turn of the loop in between.

    Sending to an open connection waits for nothing but a full buffer, and then the frame is in it already: how much
    that may be is bounded by the requests in flight.
    """
    sending = connection.send(frame, text=True)
    try:
        sending.send(None)
    except StopIteration:
        return
    sending.close()
