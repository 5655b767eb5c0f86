"""One client's WebSocket: a bounded queue out, pings, and the ways in which a socket can go bad."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

FRAMES_MAX = 20_000


class Health(Enum):
    OPEN = "open"
    HALF_OPEN = "half_open"
    """Nothing goes out, nothing is read, nothing is closed: as after a lost route."""
    CLOSED = "closed"


@dataclass(order=True, slots=True)
class _Due:
    at: float
    order: int
    frame: bytes = field(compare=False)


class Connection:
    """A socket of a client. Frames leave in the order of their due time, frames due together in the order pushed.

    A client that lets `FRAMES_MAX` frames pile up is cut, as the venue does.
    """

    def __init__(self, socket: web.WebSocketResponse, request: web.Request, *, path: str) -> None:
        self.socket = socket
        self.path = path
        self.peer = request.remote or "127.0.0.1"
        self.health = Health.OPEN
        self.opened_at = asyncio.get_running_loop().time()
        self.last_pong_at = self.opened_at
        self._transport = request.transport
        self._due: list[_Due] = []
        self._pushed = 0
        self._last_in_line = 0.0
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, *, ping_interval_s: float, pong_wait_s: float, lifetime_s: float) -> None:
        self._tasks = [
            asyncio.create_task(self._write()),
            asyncio.create_task(self._watch(ping_interval_s, pong_wait_s, lifetime_s)),
        ]

    def push(self, frame: bytes, *, delay_s: float = 0.0, is_in_line: bool = True) -> None:
        """Queue a frame. One that is in line never leaves before those pushed in line earlier."""
        if self.health is not Health.OPEN:
            return
        if len(self._due) >= FRAMES_MAX:
            self.cut()
            return
        at = asyncio.get_running_loop().time() + delay_s if delay_s > 0 else 0.0
        if is_in_line:
            at = self._last_in_line = max(self._last_in_line, at)
        self._pushed += 1
        heapq.heappush(self._due, _Due(at, self._pushed, frame))
        self._wake.set()

    def go_half_open(self) -> None:
        if self.health is Health.OPEN and self._transport is not None:
            self.health = Health.HALF_OPEN
            self._due.clear()
            if isinstance(self._transport, asyncio.ReadTransport):
                self._transport.pause_reading()

    def cut(self) -> None:
        """Drop the TCP connection without a closing handshake."""
        if self.health is not Health.CLOSED and self._transport is not None:
            self.health = Health.CLOSED
            self._wake.set()
            if isinstance(self._transport, asyncio.WriteTransport):
                self._transport.abort()

    async def close(self, code: int = WSCloseCode.OK, reason: bytes = b"") -> None:
        if self.health is Health.HALF_OPEN:
            self.cut()
        elif self.health is Health.OPEN:
            self.health = Health.CLOSED
            self._wake.set()
            now = asyncio.get_running_loop().time()
            with contextlib.suppress(ConnectionError):
                while self._due and self._due[0].at <= now:
                    await self.write(heapq.heappop(self._due).frame)
            await self.socket.close(code=code, message=reason)

    async def write(self, frame: bytes) -> None:
        """Write a frame to the socket now: the moment at which it leaves the venue."""
        await self.socket.send_frame(frame, WSMsgType.TEXT)

    async def serve(self, receive: Callable[[str], Awaitable[None]]) -> None:
        """Read until the socket ends; `receive` gets each text frame."""
        try:
            while not self.socket.closed:
                message: WSMessage = await self.socket.receive()
                if message.type is WSMsgType.TEXT:
                    await receive(message.data)
                elif message.type is WSMsgType.PING:
                    await self.socket.pong(message.data)
                elif message.type is WSMsgType.PONG:
                    self.last_pong_at = asyncio.get_running_loop().time()
                else:
                    break
        except ConnectionError:
            pass  # the peer went away between two frames: the same end as a close frame
        finally:
            await self._end()

    async def _end(self) -> None:
        self.health = Health.CLOSED
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self.health is not Health.CLOSED:
            if not self._due:
                self._wake.clear()
                await self._wake.wait()
                continue
            wait_s = self._due[0].at - loop.time()
            if wait_s > 0:
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), wait_s)
                continue
            frame = heapq.heappop(self._due).frame
            try:
                await self.write(frame)
            except ConnectionError:
                self.cut()

    async def _watch(self, ping_interval_s: float, pong_wait_s: float, lifetime_s: float) -> None:
        loop = asyncio.get_running_loop()
        while self.health is not Health.CLOSED:
            left_s = self.opened_at + lifetime_s - loop.time()
            if left_s <= 0:
                await self.close(WSCloseCode.GOING_AWAY)
                return
            await asyncio.sleep(min(ping_interval_s, left_s))
            if self.health is not Health.OPEN:
                continue
            if loop.time() - self.last_pong_at > pong_wait_s:
                self.cut()
                return
            with contextlib.suppress(ConnectionError):
                await self.socket.ping(str(round(loop.time() * 1000)).encode())
