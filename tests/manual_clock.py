"""A clock that stands until it is moved."""

from __future__ import annotations


class ManualClock:
    """Both clocks of a test; they move together, the wall clock may be set apart."""

    def __init__(self, at_ms: int = 1_760_000_000_000) -> None:
        self.wall_ms = at_ms
        self.ns = 0

    def now_ms(self) -> int:
        """Return the wall clock."""
        return self.wall_ms

    def monotonic_ns(self) -> int:
        """Return the monotonic clock."""
        return self.ns

    def advance_ms(self, by_ms: int) -> None:
        """Let time pass on both clocks."""
        assert by_ms >= 0, "time does not go back"
        self.wall_ms += by_ms
        self.ns += by_ms * 1_000_000
