"""Work that waits for the limiter: by lane, first come first served within a lane, bounded, with deadlines. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from exchanges.cost import Cost
from exchanges.lane import Lane
from exchanges.throttle import Throttle

W = TypeVar("W")

EXPIRED = "its deadline passed while it waited for the limiter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped(Generic[W]):
    """Work that was never sent, and why."""

    work: W
    lane: Lane
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Released(Generic[W]):
    """Work that may be sent now; it is counted already."""

    work: W
    lane: Lane
    waited_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry(Generic[W]):
    work: W
    cost: Cost
    since_ns: int
    deadline_ns: int


class WaitingLine(Generic[W]):
    """Holds work until the limiter lets it go.

    A lane goes before every later one. Work of a later lane passes a waiting one only where the two spend nothing of
    one kind, so that a cancel never waits behind an entry.
    """

    def __init__(self, throttle: Throttle, size_per_lane: int) -> None:
        if size_per_lane < 1:
            raise ValueError("a line holds at least one")
        self._throttle = throttle
        self._size = size_per_lane
        self._lanes: dict[Lane, deque[_Entry[W]]] = {lane: deque() for lane in Lane}

    def offer(self, lane: Lane, work: W, cost: Cost, *, now_ns: int, deadline_ns: int) -> bool:
        """Take the work in; False where its lane is full. Raises `ValueError` for work that could never go."""
        if len(self._lanes[lane]) >= self._size:
            return False
        self._throttle.ready_at(lane, cost, now_ns)
        self._lanes[lane].append(_Entry(work=work, cost=cost, since_ns=now_ns, deadline_ns=deadline_ns))
        return True

    def holds(self, lane: Lane, work: W) -> bool:
        """Whether the same work waits in the lane already: a second one would only use up the limit."""
        return any(entry.work == work for entry in self._lanes[lane])

    def release(self, now_ns: int) -> Released[W] | None:
        """Return the next work that may go now, counted, or None. Expired work is never released."""
        for lane, entry in self._heads(now_ns):
            if self._throttle.take(lane, entry.cost, now_ns):
                self._lanes[lane].remove(entry)
                return Released(work=entry.work, lane=lane, waited_ns=now_ns - entry.since_ns)
        return None

    def expire(self, now_ns: int) -> list[Dropped[W]]:
        """Drop and return the work whose deadline has passed."""
        dropped: list[Dropped[W]] = []
        for lane, entries in self._lanes.items():
            if not entries:
                continue  # nearly always: this stands before every order
            kept = [entry for entry in entries if now_ns < entry.deadline_ns]
            late = [entry for entry in entries if now_ns >= entry.deadline_ns]
            dropped.extend(Dropped(work=entry.work, lane=lane, reason=EXPIRED) for entry in late)
            if late:
                self._lanes[lane] = deque(kept)
        return dropped

    def clear(self, lane: Lane, reason: str) -> list[Dropped[W]]:
        """Drop and return everything in a lane (a hold empties the lane of entries)."""
        entries, self._lanes[lane] = self._lanes[lane], deque()
        return [Dropped(work=entry.work, lane=lane, reason=reason) for entry in entries]

    def wake_at(self, now_ns: int) -> int | None:
        """Return when to call `expire` and `release` again, or None while the line is empty."""
        times = [self._throttle.ready_at(lane, entry.cost, now_ns) for lane, entry in self._heads(now_ns)]
        times.extend(entry.deadline_ns for entries in self._lanes.values() for entry in entries)
        return max(now_ns, min(times)) if times else None

    def depth(self, lane: Lane) -> int:
        """Return how much waits in a lane."""
        return len(self._lanes[lane])

    def _heads(self, now_ns: int) -> list[tuple[Lane, _Entry[W]]]:
        """Return the first living work of each lane that waits for the limiter only, not for an earlier lane."""
        heads: list[tuple[Lane, _Entry[W]]] = []
        ahead = Cost()
        for lane, entries in self._lanes.items():
            if not entries:
                continue
            living = [entry for entry in entries if now_ns < entry.deadline_ns]
            if living and not living[0].cost.shares_with(ahead):
                heads.append((lane, living[0]))
            for entry in living:
                ahead = ahead.plus(entry.cost)
        return heads
