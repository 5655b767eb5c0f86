"""Frames of the application by which a client shows a venue that it lives, where the venue asks for them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepAlive:
    """`frame` is sent every `interval_s`."""

    interval_s: float
    frame: str


class Keeper:
    """Sends one connection's keep-alive until it is stopped or the connection ends; the reader sees that end."""

    def __init__(self, rule: KeepAlive | None) -> None:
        self._rule = rule
        self._task: asyncio.Task[None] | None = None

    def start(self, connection: ClientConnection) -> None:
        """Begin; nothing happens where the venue asks for none."""
        if self._rule is not None:
            self._task = asyncio.create_task(_send(connection, self._rule))

    async def stop(self) -> None:
        """End it."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None


async def _send(connection: ClientConnection, rule: KeepAlive) -> None:
    with suppress(ConnectionClosed):
        while True:
            await asyncio.sleep(rule.interval_s)
            await connection.send(rule.frame, text=True)
