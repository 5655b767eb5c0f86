"""The way to the paper venue's matcher: what is sent arrives after its latency, in the order of arrival."""

from __future__ import annotations

import asyncio
import heapq
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Generic, TypeVar

A = TypeVar("A")
ORDERS_KEPT = 10_000


@dataclass(slots=True, order=True)
class _Parcel(Generic[A]):
    """A call under way. `stamp_ms`: the venue's time at which it reaches the matcher."""

    stamp_ms: int
    turn: int
    """How many calls about the same order went before it: none overtakes those, and else the stamp decides."""
    about: str
    number: int
    act: Callable[[int], A] = field(compare=False)
    answer: asyncio.Future[A] = field(compare=False)


class Road:
    """Carries calls to the matcher by the venue's time, and by our own where the market is quiet.

    How long a call takes depends on the seed and on what it is about, not on what else is under way: equal calls at
    equal times of an equal market arrive at equal times. A later call about the same order never overtakes.

    Strict time is for a recorded market: then only its own time lets calls arrive.
    """

    def __init__(self, *, seed: int, latency_ms: tuple[int, int], strict_time: bool = False) -> None:
        self._seed = seed
        self._latency_ms = latency_ms
        self._strict_time = strict_time
        self._under_way: list[_Parcel[object]] = []
        self._counts: Counter[str] = Counter()
        self._last: dict[str, tuple[int, int]] = {}
        self._number = 0
        self._timers: set[asyncio.TimerHandle] = set()

    @property
    def waiting(self) -> int:
        """Return how many calls are under way."""
        return len(self._under_way)

    def send(self, about: str, order: str, now_ms: int, act: Callable[[int], A]) -> asyncio.Future[A]:
        """Send a call about an order now, by the venue's time; `act` gets the time of its arrival."""
        loop = asyncio.get_running_loop()
        # Not within the millisecond in which it was decided: what else bears that stamp may have come before it.
        delay_ms = max(1, self._delay_ms(about))
        before_ms, turn = self._last.pop(order, (0, 0))
        stamp_ms = max(now_ms + delay_ms, before_ms)
        self._last[order] = stamp_ms, turn + 1
        self._number += 1
        parcel = _Parcel(
            stamp_ms=stamp_ms, turn=turn, about=about, number=self._number, act=act, answer=loop.create_future()
        )
        heapq.heappush(self._under_way, parcel)
        while len(self._last) > ORDERS_KEPT:
            del self._last[next(iter(self._last))]
        if not self._strict_time:
            self._wake_in((stamp_ms - now_ms) / 1000, stamp_ms)
        return parcel.answer

    def arrive(self, until_ms: int) -> None:
        """Let arrive what is due by then."""
        while self._under_way and self._under_way[0].stamp_ms <= until_ms:
            parcel = heapq.heappop(self._under_way)
            try:
                result = parcel.act(parcel.stamp_ms)
            except RefusedAtVenue as refused:
                if not parcel.answer.done():
                    parcel.answer.set_exception(refused.error)
                continue
            if not parcel.answer.done():
                parcel.answer.set_result(result)

    def close(self) -> None:
        """Nothing arrives any more."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        for parcel in self._under_way:
            parcel.answer.cancel()
        self._under_way.clear()

    def _wake_in(self, delay_s: float, stamp_ms: int) -> None:
        def ring() -> None:
            self._timers.discard(timer)
            self.arrive(stamp_ms)

        timer = asyncio.get_running_loop().call_later(delay_s, ring)
        self._timers.add(timer)

    def _delay_ms(self, about: str) -> int:
        self._counts[about] += 1
        low, high = self._latency_ms
        seed = zlib.crc32(f"{self._seed} {about} {self._counts[about]}".encode())
        return Random(seed).randint(low, high)


class RefusedAtVenue(Exception):
    """The matcher said no: the error is the caller's answer."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error
