"""How long to wait before the next attempt to connect."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True, kw_only=True)
class BackoffRule:
    """Pauses start at `first_s`, double up to `longest_s`, and are scattered over their upper half."""

    first_s: float = 0.25
    longest_s: float = 30.0
    stable_s: float = 30.0
    """A connection that lived this long was sound: the next failure starts from `first_s` again."""


class Backoff:
    """Counts failures in a row; `random` decides the jitter, so that one seed gives one sequence."""

    def __init__(self, rule: BackoffRule, random: Random) -> None:
        self._rule = rule
        self._random = random
        self._failures = 0

    def failed(self, lived_s: float = 0.0) -> float:
        """Return the pause in seconds after a connection that lived so long was lost or never came up."""
        if lived_s >= self._rule.stable_s:
            self._failures = 0
        # 2**32 is far over any ratio of longest to first; the bound keeps the power from growing for ever
        pause_s = min(self._rule.longest_s, self._rule.first_s * 2.0 ** min(self._failures, 32))
        self._failures += 1
        return pause_s / 2 + self._random.random() * pause_s / 2
