"""The reasons for which the supervisor's own `risk` hold is in force, each found and ended by its own test."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum

from risk.detector import CoinReading, Condition
from risk.rules import RiskRules


class Trouble(Enum):
    """Why the supervisor holds."""

    MARKET = "market"
    ERRORS = "errors"
    EQUITY = "equity"


class MarketTest:
    """Counts the watched coins: in danger for the trigger, recovered for the recovery."""

    def __init__(self, rules: RiskRules) -> None:
        self._rules = rules

    def is_danger(self, readings: Mapping[str, CoinReading]) -> bool:
        """Whether enough coins are in danger; what is not known counts as danger."""
        return self._count(readings, lambda reading: reading.condition.is_danger) >= self._rules.triggers

    def is_crash(self, readings: Mapping[str, CoinReading]) -> bool:
        """Whether enough coins are anomalous by what is known of them, so that a start meets a falling market."""
        return self._count(readings, lambda reading: reading.condition is Condition.ANOMALOUS) >= self._rules.triggers

    def is_ready(self, readings: Mapping[str, CoinReading]) -> bool:
        """Whether a first go may be given: enough coins known, and too few in danger to halt."""
        known = self._count(readings, lambda reading: reading.condition.is_known)
        return known >= self._rules.recovers and not self.is_danger(readings)

    def is_recovered(self, readings: Mapping[str, CoinReading], closed_at_halt: Mapping[str, int]) -> bool:
        """Whether enough coins have recovered, and too few are in danger to halt again at once.

        A coin counts by a candle that closed after the halt: the calm one before it proves nothing.
        """
        recovered = self._count(
            readings,
            lambda reading: reading.has_recovered and reading.closed_ms > closed_at_halt.get(reading.symbol, -1),
        )
        return recovered >= self._rules.recovers and not self.is_danger(readings)

    def sentence(self, readings: Mapping[str, CoinReading]) -> str:
        """Say which coins are in danger and how."""
        parts = []
        for condition in (Condition.ANOMALOUS, Condition.STALE, Condition.MISSING):
            coins = [symbol for symbol, reading in readings.items() if reading.condition is condition]
            if coins:
                parts.append(f"{condition.value}: {', '.join(coins)}")
        count, total = self._count(readings, lambda reading: reading.condition.is_danger), len(readings)
        return f"{count} of {total} coins in danger, {self._rules.triggers} halt ({'; '.join(parts) or 'none'})"

    @staticmethod
    def _count(readings: Mapping[str, CoinReading], claim: Callable[[CoinReading], bool]) -> int:
        return sum(1 for reading in readings.values() if claim(reading))


class ErrorTest:
    """Venue errors within a sliding window; kept in a fixed number of buckets."""

    _BUCKETS = 60

    def __init__(self, rules: RiskRules) -> None:
        self._rules = rules
        self._bucket_ms = max(1, rules.errors_window_ms // self._BUCKETS)
        self._buckets: deque[tuple[int, int]] = deque(maxlen=self._BUCKETS + 2)

    def add(self, count: int, now_ms: int) -> None:
        """Count so many errors now."""
        start = now_ms - now_ms % self._bucket_ms
        if self._buckets and self._buckets[-1][0] >= start:
            newest, before = self._buckets.pop()
            self._buckets.append((newest, before + count))
        else:
            self._buckets.append((start, count))

    def count(self, now_ms: int) -> int:
        """Return the errors of the window that ends now."""
        horizon = now_ms - self._rules.errors_window_ms
        return sum(count for start, count in self._buckets if start + self._bucket_ms > horizon)

    def is_danger(self, now_ms: int) -> bool:
        """Whether there are too many."""
        return self.count(now_ms) > self._rules.errors_max

    def is_recovered(self, now_ms: int) -> bool:
        """Whether no more than half of what is allowed are left."""
        return self.count(now_ms) <= self._rules.errors_max // 2

    def sentence(self, now_ms: int) -> str:
        """Say how many and how many are allowed."""
        seconds = self._rules.errors_window_ms / 1000
        return f"{self.count(now_ms)} venue errors in {seconds:g} s, more than {self._rules.errors_max}"
