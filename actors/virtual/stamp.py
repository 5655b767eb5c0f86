"""The time stamp of a write to the venue, by which it is taken or refused."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Who signed a write and when. `error_ms`: how far the writer's idea of venue time was off."""

    at_ms: int
    host: str = ""
    owner_epoch: int = 0
    error_ms: int = 0

    def age_ms(self, now_ms: int) -> int:
        """Return how old the venue takes the write to be."""
        return now_ms - self.at_ms - self.error_ms
