"""The virtual clock and everything that is still to happen, in the order of time and, within one time, of planning."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from exchanges.desk.events import Instant

EPOCH_MS = 1_750_000_000_000
"""Wall-clock time at which a world begins; its monotonic clock begins at 0."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to happen. `what` and `about` are for the trace; an idle step is a timer that found nothing to do."""

    what: str
    about: object
    action: Callable[[], None]
    is_timer: bool = False


class Timetable(Protocol):
    """The time, and what is to happen, as somebody in the world has it."""

    @property
    def now_ms(self) -> int: ...

    @property
    def wall_ms(self) -> int: ...

    def instant(self) -> Instant: ...

    def at(self, at_ms: int, what: str, about: object, action: Callable[[], None]) -> None: ...

    def after(self, delay_ms: int, what: str, about: object, action: Callable[[], None]) -> None: ...

    def tick(self, delay_ms: int, what: str, action: Callable[[], None]) -> None: ...


class Agenda:
    """A heap of steps. The clock moves only by taking one."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.taken = 0
        self._heap: list[tuple[int, int, Step]] = []
        self._planned = 0

    @property
    def wall_ms(self) -> int:
        """Return the wall clock."""
        return EPOCH_MS + self.now_ms

    def instant(self) -> Instant:
        """Return both clocks."""
        return Instant(wall_ms=EPOCH_MS + self.now_ms, mono_ms=self.now_ms)

    def at(self, at_ms: int, what: str, about: object, action: Callable[[], None]) -> None:
        """Plan a step; a time in the past means now."""
        self._push(at_ms, Step(what, about, action))

    def after(self, delay_ms: int, what: str, about: object, action: Callable[[], None]) -> None:
        """Plan a step so far from now."""
        self._push(self.now_ms + delay_ms, Step(what, about, action))

    def tick(self, delay_ms: int, what: str, action: Callable[[], None]) -> None:
        """Plan a timer's step; it is not counted among the steps of a schedule."""
        self._push(self.now_ms + delay_ms, Step(what, "", action, is_timer=True))

    def next_ms(self) -> int | None:
        """Return the time of the next step, None where nothing is planned."""
        return self._heap[0][0] if self._heap else None

    def take(self) -> Step:
        """Move the clock to the next step and return it; the caller runs it."""
        at_ms, _, step = heapq.heappop(self._heap)
        self.now_ms = at_ms
        if not step.is_timer:
            self.taken += 1
        return step

    def _push(self, at_ms: int, step: Step) -> None:
        self._planned += 1
        heapq.heappush(self._heap, (max(at_ms, self.now_ms), self._planned, step))
