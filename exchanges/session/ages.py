"""Names of streams, and when each last spoke: staleness is a stream's, not a socket's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamName:
    """A stream's name at the venue, and ours (`quote/ETHUSDT`)."""

    venue: str
    ours: str


class Ages:
    """When each stream last spoke, on the monotonic clock."""

    def __init__(self, monotonic_ns: Callable[[], int]) -> None:
        self._monotonic_ns = monotonic_ns
        self._heard_ns: dict[str, int] = {}

    def heard(self, name: str) -> None:
        """Note a message of the stream (or that it was confirmed)."""
        self._heard_ns[name] = self._monotonic_ns()

    def forget(self, name: str) -> None:
        """Drop a stream that is no longer wanted."""
        self._heard_ns.pop(name, None)

    def read(self) -> dict[str, float]:
        """Return seconds since each stream last spoke or was confirmed."""
        now_ns = self._monotonic_ns()
        return {name: (now_ns - heard_ns) / 1e9 for name, heard_ns in self._heard_ns.items()}
