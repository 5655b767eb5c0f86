"""What is known of the actors' lives: who answers, who was started again how often, and what the last one died of."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from actors.mail.messages import LastWords

SILENT_MS = 5_000
LOOP_MS = 120_000
LOOP_RESTARTS = 3


class Health(Enum):
    """How an actor does."""

    STARTING = "starting"
    UP = "up"
    SILENT = "silent"
    CRASH_LOOP = "crash_loop"


@dataclass(slots=True)
class _Life:
    asked_ms: int
    incarnation: str = ""
    heard_ms: int | None = None
    restarts: int = 0
    recent_ms: deque[int] = field(default_factory=lambda: deque(maxlen=LOOP_RESTARTS))
    error: str = ""


class Supervision:
    """Pure; times are monotonic ms. A new incarnation of a known actor is a restart, however it is learnt of.

    It may be read while another thread tells it of somebody.
    """

    def __init__(self) -> None:
        self._lives: dict[str, _Life] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Return who takes part so far."""
        return tuple(self._lives)

    def enlisted(self, name: str, now_ms: int) -> None:
        """An actor was created, or adopted."""
        self._lives.setdefault(name, _Life(asked_ms=now_ms))

    def dismissed(self, names: Iterable[str]) -> None:
        """Actors were ended for good: nobody waits for them."""
        for name in names:
            self._lives.pop(name, None)

    def heard(self, incarnations: Mapping[str, str | None], now_ms: int) -> None:
        """Take who answered under which incarnation; None: no answer."""
        for name, incarnation in incarnations.items():
            if incarnation is not None and (life := self._lives.get(name)) is not None:
                life.heard_ms = now_ms
                self._see(life, incarnation, now_ms)

    def last_words(self, name: str, incarnation: str, words: LastWords, now_ms: int) -> None:
        """An actor said what it dies of."""
        life = self._lives.setdefault(name, _Life(asked_ms=now_ms))
        self._see(life, incarnation, now_ms)
        life.error = words.why

    def silent(self, now_ms: int) -> tuple[str, ...]:
        """Return who has not answered for too long."""
        return tuple(name for name, life in list(self._lives.items()) if _is_silent(life, now_ms))

    def health(self, name: str, now_ms: int) -> Health:
        """Return how an actor does."""
        return _health(self._lives[name], now_ms)

    def troubles(self, now_ms: int, names: Iterable[str] | None = None) -> list[str]:
        """Return a sentence for each actor (of these) that does not do well."""
        lives = dict(self._lives)
        asked = lives if names is None else [name for name in names if name in lives]
        return [sentence for name in asked if (sentence := _trouble(name, lives[name], now_ms))]

    def rows(self, now_ms: int) -> list[dict[str, Any]]:
        """Return one row for each actor."""
        return [
            {
                "name": name,
                "health": _health(life, now_ms).value,
                "restarts": life.restarts,
                "last_error": life.error,
                "silent_ms": now_ms - (life.heard_ms if life.heard_ms is not None else life.asked_ms),
            }
            for name, life in list(self._lives.items())
        ]

    def _see(self, life: _Life, incarnation: str, now_ms: int) -> None:
        if incarnation <= life.incarnation:
            return  # known, or late news of a former life
        if life.incarnation:
            life.restarts += 1
            life.recent_ms.append(now_ms)
        life.incarnation = incarnation


def _is_silent(life: _Life, now_ms: int) -> bool:
    return now_ms - max(life.asked_ms, life.heard_ms or 0) >= SILENT_MS


def _health(life: _Life, now_ms: int) -> Health:
    recent = [at_ms for at_ms in list(life.recent_ms) if now_ms - at_ms < LOOP_MS]
    if len(recent) >= LOOP_RESTARTS:
        return Health.CRASH_LOOP
    if _is_silent(life, now_ms):
        return Health.SILENT
    return Health.STARTING if life.heard_ms is None else Health.UP


def _trouble(name: str, life: _Life, now_ms: int) -> str:
    health = _health(life, now_ms)
    cause = f"; it said: {life.error}" if life.error else ""
    if health is Health.CRASH_LOOP:
        return f"{name} dies again and again ({life.restarts} restarts){cause}"
    if health is Health.SILENT:
        since_s = (now_ms - (life.heard_ms if life.heard_ms is not None else life.asked_ms)) // 1000
        return f"{name} has not answered for {since_s} s ({life.restarts} restarts){cause}"
    return f"{name} died while it started{cause}" if health is Health.STARTING and life.error else ""
