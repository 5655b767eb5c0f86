"""The venue's time as its own messages tell it: no clock of ours is asked what time it is there."""

from __future__ import annotations

from collections.abc import Callable

WINDOW_MS = 60_000


class TimeAxis:
    """The stamp of the newest message, carried on by our monotonic clock while the market is quiet.

    The message that was least late says how far the venue's time is ahead of our clock; only the last two minutes of
    messages count, so that clocks that drift apart are followed. Strict: the stamp alone, for a recorded market.
    """

    def __init__(self, monotonic_ns: Callable[[], int], *, strict: bool) -> None:
        self._monotonic_ns = monotonic_ns
        self.strict = strict
        self._newest_ms = 0
        self._ahead_ms: int | None = None
        self._before_ms: int | None = None
        self._window_ms = 0

    def hear(self, venue_ms: int) -> None:
        """Note the stamp of a message that came just now."""
        mono_ms = self._monotonic_ns() // 1_000_000
        ahead_ms = venue_ms - mono_ms
        if self._ahead_ms is None or mono_ms - self._window_ms >= WINDOW_MS:
            self._before_ms, self._ahead_ms, self._window_ms = self._ahead_ms, ahead_ms, mono_ms
        self._ahead_ms = max(self._ahead_ms, ahead_ms)
        self._newest_ms = max(self._newest_ms, venue_ms)

    def now_ms(self) -> int:
        """Return the venue's time; 0 before anything was heard. It never goes back."""
        if self._ahead_ms is None or self.strict:
            return self._newest_ms
        ahead_ms = max(self._ahead_ms, self._before_ms if self._before_ms is not None else self._ahead_ms)
        self._newest_ms = max(self._newest_ms, self._monotonic_ns() // 1_000_000 + ahead_ms)
        return self._newest_ms
