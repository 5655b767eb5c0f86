"""The one clock of the simulated venue's process: it is a world of its own and has no other to ask."""

from __future__ import annotations

import time


def wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000
