"""The only reader of clocks: wall time for people and venues, monotonic time for ages."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What everything that needs the time takes as an argument."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970, UTC; may jump."""
        ...

    def monotonic_ns(self) -> int:
        """Return nanoseconds since some moment; never goes back. Comparable within one host only."""
        ...


class SystemClock:
    """The clocks of this machine."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970, UTC."""
        return now_ms()

    def monotonic_ns(self) -> int:
        """Return nanoseconds since this machine started."""
        return monotonic_ns()


def now_ms() -> int:
    """Return milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


def monotonic_ns() -> int:
    """Return nanoseconds since this machine started."""
    return time.monotonic_ns()


def monotonic_s() -> float:
    """Return the monotonic clock in seconds, for patience with people and processes."""
    return time.monotonic()


def running_ms() -> int:
    """Return ms of a clock that goes on while the machine is suspended, and never goes back: for leases."""
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) // 1_000_000
