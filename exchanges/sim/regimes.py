"""The demo's weather: ranging, a trend, one shock on every coin, a recovery, and ranging again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from random import Random


class Regime(Enum):
    """What the market does in a stretch of the tape."""

    RANGING = "ranging"
    TREND = "trend"
    SHOCK = "shock"
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One regime from `start_ms` to `end_ms`, both since the tape began."""

    regime: Regime
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waypoint:
    """Where the price turns: `offset` thousandths of the symbol's swing from its start price, at `at_ms`."""

    at_ms: int
    offset: int


RANGE_HIGH = (200, 1000)
RANGE_LOW = (-3900, -2600)
TREND_TOP = 3000
SHOCK_BOTTOM = -6000
HALF_SWING_MS = (1300, 2200)


def timetable(duration_ms: int, lead_ms: int = 0) -> list[Stretch]:
    """Return the regimes of a tape: half of it ranging, a trend, a shock of at most 3 s, the rest back to ranging.

    A lead before all that ranges too: what is skipped of it changes nothing of what follows.
    """
    lead = [Stretch(regime=Regime.RANGING, start_ms=0, end_ms=lead_ms)] if lead_ms else []
    return [*lead, *_program(duration_ms - lead_ms, lead_ms)]


def _program(duration_ms: int, begin_ms: int) -> list[Stretch]:
    shock_ms = min(3000, duration_ms // 12)
    trend_start = duration_ms * 45 // 100
    shock_start = duration_ms * 57 // 100
    recovery_start = shock_start + shock_ms
    ranging_start = min(duration_ms, recovery_start + max(2 * shock_ms, duration_ms // 12))
    bounds = (
        (Regime.RANGING, 0, trend_start),
        (Regime.TREND, trend_start, shock_start),
        (Regime.SHOCK, shock_start, recovery_start),
        (Regime.RECOVERY, recovery_start, ranging_start),
        (Regime.RANGING, ranging_start, duration_ms),
    )
    return [
        Stretch(regime=regime, start_ms=begin_ms + start, end_ms=begin_ms + end)
        for regime, start, end in bounds
        if end > start
    ]


def waypoints(stretches: list[Stretch], rng: Random) -> list[Waypoint]:
    """Return the turning points of one symbol's price over the whole tape, in time order, from 0 on."""
    points = [Waypoint(at_ms=0, offset=0)]
    for stretch in stretches:
        points.extend(_turns(stretch, rng))
    return points


def _turns(stretch: Stretch, rng: Random) -> Iterator[Waypoint]:
    start, end = stretch.start_ms, stretch.end_ms
    if stretch.regime is Regime.TREND:
        yield Waypoint(at_ms=start + (end - start) // 2, offset=TREND_TOP // 3)
        yield Waypoint(at_ms=end, offset=TREND_TOP)
    elif stretch.regime is Regime.SHOCK:
        yield Waypoint(at_ms=start + (end - start) // 2, offset=SHOCK_BOTTOM * 2 // 3)
        yield Waypoint(at_ms=end, offset=SHOCK_BOTTOM)
    elif stretch.regime is Regime.RECOVERY:
        yield Waypoint(at_ms=end, offset=rng.randint(*RANGE_HIGH))
    else:
        yield from _ranging(start, end, rng)


def _ranging(start_ms: int, end_ms: int, rng: Random) -> Iterator[Waypoint]:
    at_ms = start_ms + rng.randint(*HALF_SWING_MS)
    low_next = True
    while at_ms < end_ms - HALF_SWING_MS[0]:
        yield Waypoint(at_ms=at_ms, offset=rng.randint(*(RANGE_LOW if low_next else RANGE_HIGH)))
        low_next = not low_next
        at_ms += rng.randint(*HALF_SWING_MS)
    yield Waypoint(at_ms=end_ms, offset=RANGE_HIGH[1])


class Path:
    """The price between waypoints: eased, so that it slows down where it turns. Asked with rising times only."""

    def __init__(self, points: list[Waypoint]) -> None:
        self._points = points
        self._next = 1

    def offset(self, at_ms: int) -> int:
        """Return the offset in millionths of the swing."""
        points = self._points
        while self._next < len(points) - 1 and points[self._next].at_ms <= at_ms:
            self._next += 1
        before, after = points[self._next - 1], points[self._next]
        span = max(1, after.at_ms - before.at_ms)
        share = min(1000, max(0, (at_ms - before.at_ms) * 1000 // span))
        eased = share * share * (3000 - 2 * share) // 1_000_000
        return before.offset * 1000 + (after.offset - before.offset) * eased
