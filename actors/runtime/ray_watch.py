"""Watches from its own thread that the Ray of a run lives: a call into a dead one may hang for long."""

from __future__ import annotations

import threading
from collections.abc import Callable

from actors import run_file
from actors.clock import monotonic_s

LOOK_S = 1.0
MISSES_MAX = 3


class RayWatch:
    """Calls `on_death` once nothing answers at the address any more, or an end takes longer than it was given."""

    def __init__(self, address: str, on_death: Callable[[str], None]) -> None:
        self._address = address
        self._on_death = on_death
        self._ended = threading.Event()
        self._deadline_s = float("inf")
        self._is_ending = False
        self._thread = threading.Thread(target=self._run, name="ray watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def ending(self, patience_s: float) -> None:
        """Expect Ray to go now, within so long."""
        self._is_ending, self._deadline_s = True, monotonic_s() + patience_s

    def close(self) -> None:
        """Look no more."""
        self._ended.set()

    def _run(self) -> None:
        misses = 0
        while not self._ended.wait(LOOK_S):
            misses = 0 if self._is_ending or run_file.answers(self._address) else misses + 1
            if misses >= MISSES_MAX:
                self._on_death(f"Ray at {self._address} has died")
                return
            if monotonic_s() > self._deadline_s:
                self._on_death("Ray did not end in time")
                return
