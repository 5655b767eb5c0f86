"""A running stream: its reader task, its buffer, and the iterator that the consumer holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import TypeVar

from exchanges.session.buffers import Closed, LatestBuffer, WholeBuffer
from exchanges.session.reader import Reader

E = TypeVar("E")


class LiveStreams:
    """The reader tasks of one venue; `close` ends them all and their iterators with them."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[None], LatestBuffer[object] | WholeBuffer[object]] = {}

    async def iterate(self, reader: Reader, buffer: LatestBuffer[E] | WholeBuffer[E]) -> AsyncGenerator[E, None]:
        """Run the reader and yield its events until the consumer stops, the venue is closed or the reader breaks."""
        task = asyncio.create_task(reader.run())
        task.add_done_callback(lambda done: buffer.end(_failure(done)))
        self._tasks[task] = buffer  # type: ignore[assignment]
        try:
            while True:
                yield await buffer.get()
        except Closed:
            return
        finally:
            self._tasks.pop(task, None)
            await _stop(task)

    async def close(self) -> None:
        """End every stream."""
        for task in list(self._tasks):
            await _stop(task)


def _failure(task: asyncio.Task[None]) -> BaseException | None:
    return None if task.cancelled() else task.exception()


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    if not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([task])
