"""One coin under a rule: calm, anomalous, or not known because candles are missing or stale."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

from risk.candle import Candle
from risk.coin_rule import CoinRule
from risk.coin_window import CoinWindow


class Condition(Enum):
    """What a coin's candles say at one moment. Everything but CALM counts towards the trigger."""

    CALM = "calm"
    ANOMALOUS = "anomalous"
    MISSING = "missing"
    """No candle, or too few before the present one to call it calm, and no fall from those that are known."""
    STALE = "stale"
    """No usable message for longer than the limit: a stream that is down ends here too."""

    @property
    def is_danger(self) -> bool:
        """Whether the coin counts towards the trigger: what is not known counts as danger."""
        return self is not Condition.CALM

    @property
    def is_known(self) -> bool:
        """Whether the candles are fresh and suffice for the answer."""
        return self in (Condition.CALM, Condition.ANOMALOUS)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinReading:
    """One coin as judged at one moment."""

    symbol: str
    condition: Condition
    has_recovered: bool
    """The newest closed candle has recovered by the rule, the present is calm, and the data are fresh."""
    closed_ms: int
    """Opening time of the newest closed candle, -1 where there is none."""


class CoinDetector:
    """The detector of one coin: judges the present (also unfinished) candle by its rule, and whether it knows it.

    Recovery is judged by the newest *closed* candle. Times are milliseconds of a monotonic clock.
    """

    def __init__(self, symbol: str, rule: CoinRule, *, interval_ms: int, stale_ms: int) -> None:
        self.symbol = symbol
        self._rule = rule
        self._stale_ms = stale_ms
        self._window = CoinWindow(length=rule.length, interval_ms=interval_ms)
        self._heard_ms: int | None = None
        self._down_reason = "never connected"

    def seed(self, candles: Iterable[Candle], *, venue_ms: int, now_ms: int) -> None:
        """Take the answer of a REST query, at start or to fill a gap.

        A candle whose time is not over at `venue_ms` is unfinished, whatever its flag says: venues send the running
        one last and unmarked. Seeding is no sign of life of the stream where the candles are old.
        """
        for candle in candles:
            is_over = candle.close_ms < venue_ms
            taken = self._window.add(replace(candle, is_closed=is_over))
            if taken and venue_ms - candle.close_ms <= self._stale_ms:
                self._heard_ms = now_ms

    def add(self, candle: Candle, *, now_ms: int) -> None:
        """Take one candle of the stream; a malformed one does not count as having heard from the coin."""
        if self._window.add(candle):
            self._heard_ms = now_ms

    def stream_up(self) -> None:
        """Note that the stream is confirmed. Only a candle is a sign of life."""
        self._down_reason = ""

    def stream_down(self, reason: str) -> None:
        """Note that the stream is lost: at once no recovery; danger when what is known has become stale."""
        self._down_reason = reason

    def read(self, now_ms: int) -> CoinReading:
        """Judge the coin now."""
        condition = self._judge(now_ms)
        latest = self._window.latest_closed
        recovered = (
            condition is Condition.CALM
            and not self._down_reason
            and latest is not None
            and self._rule.has_recovered(self._window, latest)
        )
        closed_ms = latest.open_ms if latest is not None else -1
        return CoinReading(symbol=self.symbol, condition=condition, has_recovered=recovered, closed_ms=closed_ms)

    def evidence(self, now_ms: int) -> str:
        """Return the figures behind the present reading as a clause for people."""
        text = self._figures(now_ms)
        return f"{text}; stream down ({self._down_reason})" if self._down_reason else text

    def _judge(self, now_ms: int) -> Condition:
        current = self._window.current
        if current is None or self._heard_ms is None:
            return Condition.MISSING
        if now_ms - self._heard_ms > self._stale_ms:
            return Condition.STALE
        match self._rule.is_anomalous(self._window, current):
            case None:
                return Condition.MISSING
            case is_anomalous:
                return Condition.ANOMALOUS if is_anomalous else Condition.CALM

    def _figures(self, now_ms: int) -> str:
        current = self._window.current
        if current is None or self._heard_ms is None:
            return "no candle yet"
        age_ms = now_ms - self._heard_ms
        if age_ms > self._stale_ms:
            return f"no candle for {age_ms / 1000:.1f} s (limit {self._stale_ms / 1000:g} s)"
        if self._rule.is_anomalous(self._window, current) is None:
            return f"not all of the {self._rule.needed} closed candles before the present one are known"
        return self._rule.figures(self._window, current)
