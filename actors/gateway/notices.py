"""What the gateway says to people: a log line each, the last ones in its snapshot."""

from __future__ import annotations

from typing import Any

from actors.clock import Clock
from actors.structured_log import log_of
from exchanges.desk.commands import Notice

KEPT = 100
_LEVELS = {"info": 20, "warning": 30, "error": 40, "critical": 50}


class Notices:
    """Keeps the newest notices, oldest first."""

    def __init__(self, name: str, clock: Clock) -> None:
        self._log = log_of(name)
        self._clock = clock
        self._kept: list[dict[str, Any]] = []

    def take(self, notice: Notice) -> None:
        """Say it."""
        self._log.log(_LEVELS[notice.level], notice.kind, text=notice.text)
        said = {"at_ms": self._clock.now_ms(), "kind": notice.kind, "text": notice.text, "level": notice.level}
        self._kept = [*self._kept[1 - KEPT :], said]

    def rows(self) -> list[dict[str, Any]]:
        """Return them as plain values; safe from any thread."""
        return list(self._kept)
