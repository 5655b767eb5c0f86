"""Bounded buffers between a reader task and its consumer, each with its own rule for "full"."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

E = TypeVar("E")


class Closed(Exception):
    """The buffer was closed on purpose: the stream has ended."""


class _Buffer(Generic[E]):
    """What both kinds share: an end, which is either a failure to pass on or a close."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self._end: BaseException | None = None

    def end(self, failure: BaseException | None) -> None:
        """End the stream: after what is buffered the consumer meets the failure, or a clean end."""
        self._end = failure or Closed()
        self._changed.set()

    async def get(self) -> E:
        """Return the next event; raises `Closed` or the reader's failure at the end."""
        while self._is_empty():
            if self._end is not None:
                raise self._end
            self._changed.clear()
            await self._changed.wait()
        return self._take()

    def _is_empty(self) -> bool:
        raise NotImplementedError

    def _take(self) -> E:
        raise NotImplementedError


class LatestBuffer(_Buffer[E]):
    """Keeps the latest event of each key, in order of arrival. Full: all is dropped, and `overflowed` says so.

    The number of keys bounds it as long as the consumer keeps up; `size` bounds it when keys go on (candles).
    """

    def __init__(self, key: Callable[[E], Hashable], size: int, overflowed: Callable[[], Sequence[E]]) -> None:
        super().__init__()
        self._key = key
        self._size = size
        self._overflowed = overflowed
        self._events: OrderedDict[Hashable, E] = OrderedDict()
        self.conflated = 0
        self.overflows = 0

    async def put(self, event: E) -> None:
        """Add an event, replacing the older one of its key."""
        self.add(event)

    def add(self, event: E) -> None:
        """Do what `put` does, which never waits."""
        if self._events.pop(self._key(event), None) is not None:
            self.conflated += 1
        elif len(self._events) >= self._size:
            self.overflows += 1
            self._events.clear()
            for notice in self._overflowed():
                self._events[self._key(notice)] = notice
        self._events[self._key(event)] = event
        self._changed.set()

    def _is_empty(self) -> bool:
        return not self._events

    def _take(self) -> E:
        return self._events.popitem(last=False)[1]


class WholeBuffer(_Buffer[E]):
    """Loses nothing. Full: `put` waits, so that the socket is not read and the venue is held back."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._events: deque[E] = deque()
        self._size = size
        self._room = asyncio.Event()

    async def put(self, event: E) -> None:
        """Add an event; waits while the buffer is full."""
        while len(self._events) >= self._size:
            self._room.clear()
            await self._room.wait()
        self._events.append(event)
        self._changed.set()

    def _is_empty(self) -> bool:
        return not self._events

    def _take(self) -> E:
        self._room.set()
        return self._events.popleft()
