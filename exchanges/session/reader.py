"""One connection and the task that reads it: connects, confirms, reads, says when it is lost, connects again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Literal, Protocol

from websockets.exceptions import ConnectionClosed, WebSocketException

from exchanges.errors import VenueError, VenueUnreachable
from exchanges.reconnect import Backoff, BackoffRule

NS = 1_000_000_000
RENEWAL = "renewed before the venue cuts it"
RETIRE_S = 5.0
"""How long an old connection may wait for answers under way."""


class Link(Protocol):
    """What is read: a socket, or what stands for one."""

    async def recv(self, *, decode: Literal[False]) -> Any:
        """Return the next message, or raise what ended the connection."""
        ...

    async def close(self) -> None: ...


class Handler(Protocol):
    """What a reader reads for. Each method may raise `VenueError`, which ends the connection, not the reader."""

    async def open(self) -> Link:
        """Connect and subscribe; return once the venue has confirmed."""
        ...

    async def up(self) -> None:
        """Announce the stream."""
        ...

    async def message(self, raw: Any) -> None:
        """Take one message."""
        ...

    def retire(self) -> bool:
        """Start nothing new on the old connection; whether nothing on it is waited for any more."""
        ...

    async def down(self, reason: str) -> None:
        """Announce the loss. Called after each connection that was up, and after each attempt that failed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderTimes:
    """Planned age of a connection, and the pauses between attempts."""

    life_s: float
    backoff: BackoffRule


class Reader:
    """Runs a handler's connection for ever. A bug of ours ends `run` and reaches the consumer: no silent death."""

    def __init__(self, handler: Handler, times: ReaderTimes, random: Random, monotonic_ns: Callable[[], int]) -> None:
        self._handler = handler
        self._times = times
        self._random = random
        self._monotonic_ns = monotonic_ns
        self._backoff = Backoff(times.backoff, random)

    async def run(self) -> None:
        """Connect and read until cancelled."""
        while True:
            began_ns = self._monotonic_ns()
            reason, pause_s = await self._life()
            lived_s = (self._monotonic_ns() - began_ns) / NS
            await self._handler.down(reason)
            if reason != RENEWAL:
                await asyncio.sleep(max(pause_s, self._backoff.failed(lived_s)))

    async def _life(self) -> tuple[str, float]:
        """Live one connection; return why it ended, and the pause that the venue asked for."""
        connection: Link | None = None
        try:
            connection = await self._handler.open()
            await self._handler.up()
            await self._read_until_old(connection)
            return RENEWAL, 0.0
        except TimeoutError:
            return "no answer in time", 0.0
        except VenueUnreachable as error:
            return str(error), error.retry_after_s
        except VenueError as error:
            return str(error), 0.0
        except ConnectionClosed as error:
            return _close_words(error), 0.0
        except (WebSocketException, OSError) as error:
            return f"{type(error).__name__}", 0.0
        finally:
            if connection is not None:
                await _close(connection)

    async def _read_until_old(self, connection: Link) -> None:
        """Read for the planned life; then let go of the connection once nothing on it is waited for."""
        life = asyncio.timeout(self._planned_life_s())
        try:
            async with life:
                await self._read(connection)
        except TimeoutError:
            if not life.expired():
                raise
        rest = asyncio.timeout(RETIRE_S)
        try:
            async with rest:
                while not self._handler.retire():
                    await self._handler.message(await connection.recv(decode=False))
        except TimeoutError:
            if not rest.expired():
                raise

    async def _read(self, connection: Link) -> None:
        while True:
            raw = await connection.recv(decode=False)
            await self._handler.message(raw)

    def _planned_life_s(self) -> float:
        return self._times.life_s * (1 - self._random.random() / 10)


async def _close(connection: Link) -> None:
    closing: Awaitable[None] = connection.close()
    try:
        await closing
    except (WebSocketException, OSError):
        return


def _close_words(error: ConnectionClosed) -> str:
    if error.rcvd is not None:
        return f"closed by the venue ({error.rcvd.code} {error.rcvd.reason})".replace(" )", ")")
    if error.sent is not None:
        return f"closed by us ({error.sent.code} {error.sent.reason})".replace(" )", ")")
    return "connection lost without a close"
