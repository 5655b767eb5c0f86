"""The clocks, and the one that stands still."""

from __future__ import annotations

import time

from actors.clock import Clock, SystemClock
from tests.manual_clock import ManualClock


def test_the_system_clock_tells_wall_and_monotonic_time() -> None:
    clock: Clock = SystemClock()

    before = clock.monotonic_ns()

    assert abs(clock.now_ms() - time.time() * 1000) < 60_000
    assert clock.monotonic_ns() >= before


def test_the_manual_clock_moves_only_when_told() -> None:
    clock = ManualClock(at_ms=5)
    as_clock: Clock = clock

    clock.advance_ms(3)

    assert (as_clock.now_ms(), as_clock.monotonic_ns()) == (8, 3_000_000)
