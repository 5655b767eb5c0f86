"""How far the venue's clock is from ours: the median of several readings, each at the middle of its round trip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """One answer of the venue, between two readings of our clock; all in ms."""

    sent_ms: int
    venue_ms: int
    received_ms: int

    @property
    def offset_ms(self) -> int:
        """Return venue clock minus ours."""
        return self.venue_ms - (self.sent_ms + self.received_ms) // 2

    @property
    def error_ms(self) -> int:
        """Return the most by which the offset can be wrong: half of the round trip, rounded up."""
        return -(-(self.received_ms - self.sent_ms) // 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockOffset:
    """Venue clock minus ours, and the most by which that can be wrong."""

    offset_ms: int = 0
    error_ms: int = 0


def offset_of(readings: Sequence[ClockReading]) -> ClockOffset:
    """Return the median reading (the lower one of two); a single slow answer does not move it."""
    if not readings:
        raise ValueError("no clock reading")
    ordered = sorted(readings, key=lambda reading: reading.offset_ms)
    middle = ordered[(len(ordered) - 1) // 2]
    return ClockOffset(offset_ms=middle.offset_ms, error_ms=middle.error_ms)
