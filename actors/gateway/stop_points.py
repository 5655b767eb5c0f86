"""Named points in an order's life at which the gateway's process can be told to die, as by `kill -9`.

For drills and tests alone: without the environment variable `GRIDMESH_STOP_AT=point:count` nothing here does anything.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from enum import Enum

from grid.errors import ConfigError

VARIABLE = "GRIDMESH_STOP_AT"


class StopPoint(Enum):
    """Where, between two steps of an order's life. Every order passes the first six in this order."""

    BEFORE_COMMIT = "before_commit"
    """The desk has decided to place; nothing is written yet."""
    MID_JOURNAL_WRITE = "mid_journal_write"
    """The records are in the transaction, which is not committed."""
    AFTER_COMMIT = "after_commit"
    """The intent is in the journal and in no lane yet."""
    BEFORE_SEND = "before_send"
    """The permission is given; no byte has left."""
    AFTER_SEND = "after_send"
    """The venue has the order; nobody here has taken its answer."""
    AFTER_ACK = "after_ack"
    """The answer is in the journal."""
    AFTER_FILL = "after_fill"
    """A fill of ours is in the journal; the exit that it arms has not left."""


Reached = Callable[[StopPoint], None]


def pass_by(point: StopPoint) -> None:
    """Go on: what every point does unless told otherwise."""


class StopAt:
    """Ends this process at the `count`-th passing of one point."""

    def __init__(self, point: StopPoint, count: int, end: Callable[[], None]) -> None:
        self._point = point
        self._left = count
        self._end = end

    def __call__(self, point: StopPoint) -> None:
        """Count a passing."""
        if point is self._point:
            self._left -= 1
            if self._left == 0:
                self._end()


def stops_from(environ: Mapping[str, str]) -> Reached:
    """Return what the environment asks for. Raises `ConfigError` for words that name no point."""
    text = environ.get(VARIABLE, "")
    if not text:
        return pass_by
    name, _, count = text.partition(":")
    known = {point.value: point for point in StopPoint}
    if name not in known or not count.isdigit() or int(count) < 1:
        raise ConfigError(VARIABLE, text, f"has to be point:count, the point one of {', '.join(known)}")
    return StopAt(known[name], int(count), _kill)


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
