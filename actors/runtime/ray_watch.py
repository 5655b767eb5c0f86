"""Watches from its own thread that the Ray of a run lives: a call into a dead one may hang for long, or for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable

import psutil

from actors import run_file
from actors.clock import monotonic_s

LOOK_S = 1.0
MISSES_MAX = 3
COUNT_EVERY = 5
"""Looks between two countings of who belongs to this run: orphans of a dead parent are found nowhere else."""
PILLARS = {"raylet": "Ray's node manager (raylet)", "gcs_server": "Ray's control store (gcs_server)"}
"""The processes that nothing of a run outlives in a state that can be trusted, by their names."""


class RayWatch:
    """Calls `on_death` once a pillar of the Ray that this process started has died, or nothing answers at its address
    any more, or an end takes longer than it was given."""

    def __init__(self, address: str, on_death: Callable[[str], None]) -> None:
        self._address = address
        self._on_death = on_death
        self._ended = threading.Event()
        self._deadline_s = float("inf")
        self._is_ending = False
        self._family: set[psutil.Process] = set()
        self._pillars: list[tuple[psutil.Process, str]] = []
        self._thread = threading.Thread(target=self._run, name="ray watch", daemon=True)

    def start(self) -> None:
        """Begin to look. Ray has started."""
        self._count()
        self._pillars = [(one, PILLARS[name]) for one in self._family if (name := _name(one)) in PILLARS]
        self._thread.start()

    def ending(self, patience_s: float) -> None:
        """Expect Ray to go now, within so long."""
        self._is_ending, self._deadline_s = True, monotonic_s() + patience_s

    def close(self) -> None:
        """Look no more."""
        self._ended.set()

    def end_family(self) -> None:
        """Kill whoever is left of what this process has started: without its Ray none of it can do its work."""
        self._count()
        for one in self._family:
            if one.is_running():
                one.kill()

    def _run(self) -> None:
        misses = looks = 0
        while not self._ended.wait(LOOK_S):
            if not self._is_ending and (dead := self._dead_pillar()):
                self._on_death(f"{dead} has died")
                return
            misses = 0 if self._is_ending or run_file.answers(self._address) else misses + 1
            if misses >= MISSES_MAX:
                self._on_death(f"Ray at {self._address} has died")
                return
            if monotonic_s() > self._deadline_s:
                self._on_death("Ray did not end in time")
                return
            looks += 1
            if looks % COUNT_EVERY == 0:
                self._count()

    def _dead_pillar(self) -> str:
        return next((words for one, words in self._pillars if not _lives(one)), "")

    def _count(self) -> None:
        self._family = {*filter(_lives, self._family), *psutil.Process().children(recursive=True)}


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _name(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except psutil.NoSuchProcess:
        return ""
