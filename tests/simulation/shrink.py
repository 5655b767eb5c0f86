"""Leaves faults out of a failing schedule, one by one, as long as it still fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.simulation.run import Result
from tests.simulation.schedule import Schedule


def shrink(schedule: Schedule, run: Callable[[Schedule], Result], *, runs_max: int = 150) -> Schedule:
    """Return a schedule with fewer faults that fails as well, at best one from which none can be left out."""
    smallest, left = schedule, runs_max
    size = max(1, len(schedule.faults) // 2)
    while size and left > 0:
        start, has_shrunk = 0, False
        while start < len(smallest.faults) and left > 0:
            fewer = smallest.faults[:start] + smallest.faults[start + size :]
            candidate = replace(smallest, faults=fewer)
            left -= 1
            if run(candidate).violations:
                smallest, has_shrunk = candidate, True
            else:
                start += size
        if not has_shrunk or size > 1:
            size //= 2
    return smallest
