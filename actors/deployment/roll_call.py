"""Who lives: asks all actors of a deployment for a sign, and has those created anew that are gone altogether."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from actors.clock import Clock
from actors.deployment.crew import Crew
from actors.deployment.supervision import Supervision
from actors.structured_log import log_of

ROLL_CALL_S = 3.0


class RollCall:
    """One for all accounts of a deployment, whose threads share it."""

    def __init__(self, crew: Crew, clock: Clock, name: str) -> None:
        self.supervision = Supervision()
        self._crew = crew
        self._clock = clock
        self._name = name
        self._called_ms = 0
        self._lock = threading.Lock()
        self._leaving: set[str] = set()

    def enlist(self, name: str) -> None:
        """Have the actor created, or adopted."""
        self._crew.enlist(name)
        self._leaving.discard(name)
        self.supervision.enlisted(name, self.now_ms())

    def leaving(self, names: Iterable[str]) -> None:
        """These are about to end: who of them is gone stays so."""
        self._leaving |= set(names)

    def dismiss(self, names: Iterable[str]) -> None:
        """End the actors for good; nobody waits for them any more."""
        gone = tuple(names)
        self._leaving |= set(gone)
        self._crew.dismiss(gone)

    def call(self) -> None:
        """Learn who lives; create anew who is gone altogether, which Ray would not."""
        if self.now_ms() - self._called_ms < ROLL_CALL_S * 1000 or not self._lock.acquire(blocking=False):
            return
        try:
            self._called_ms = self.now_ms()
            self.supervision.heard(self._crew.incarnations(self.supervision.names), self.now_ms())
            for name in self.supervision.silent(self.now_ms()):
                if name not in self._leaving and not self._crew.is_there(name):
                    log_of(self._name).error("actor_gone", actor_gone=name)
                    self._crew.enlist(name)
        finally:
            self._lock.release()

    def troubles(self, names: Iterable[str] | None = None) -> list[str]:
        """Return a sentence for each actor (of these) that does not do well."""
        return self.supervision.troubles(self.now_ms(), names)

    def now_ms(self) -> int:
        """Return the monotonic time."""
        return self._clock.monotonic_ns() // 1_000_000
