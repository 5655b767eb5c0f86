"""Volume anomaly of one coin: much more volume than usual while the price is under its mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum

from risk.candle import Candle
from risk.coin_window import EXACT, CoinWindow


class Condition(Enum):
    """What a coin's candles say at one moment. Everything but CALM counts towards the trigger."""

    CALM = "calm"
    ANOMALOUS = "anomalous"
    MISSING = "missing"
    """No candle, or too few before the present one, or a gap among them."""
    STALE = "stale"
    """No usable message for longer than the limit: a stream that is down ends here too."""

    @property
    def is_danger(self) -> bool:
        """Whether the coin counts towards the trigger: what is not known counts as danger."""
        return self is not Condition.CALM

    @property
    def is_known(self) -> bool:
        """Whether the answer comes from complete and fresh candles."""
        return self in (Condition.CALM, Condition.ANOMALOUS)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinReading:
    """One coin as judged at one moment."""

    symbol: str
    condition: Condition
    has_recovered: bool
    """The newest closed candle is above its mean, with usual volume, and the data are fresh."""
    closed_ms: int
    """Opening time of the newest closed candle, -1 where there is none."""


class VolumeAnomaly:
    """The detector of one coin.

    Anomalous: volume of the present (also unfinished) candle > multiplier x mean volume of the `average_window` closed
    candles before it, and its last price < their mean close. Recovered: the newest *closed* candle closed above the
    mean of those before it, with volume below multiplier x their mean. Times are milliseconds of a monotonic clock.
    """

    def __init__(
        self, symbol: str, *, interval_ms: int, average_window: int, volume_multiplier: Decimal, stale_ms: int
    ) -> None:
        self.symbol = symbol
        self._length = average_window
        self._multiplier = volume_multiplier
        self._stale_ms = stale_ms
        self._window = CoinWindow(length=average_window, interval_ms=interval_ms)
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
        recovered = condition is Condition.CALM and not self._down_reason and self._has_recovered()
        latest = self._window.latest_closed
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
        baseline = self._window.baseline_before(current)
        if baseline is None:
            return Condition.MISSING
        volume_sum, close_sum = baseline
        is_under = EXACT.multiply(current.close, self._length) < close_sum
        is_loud = EXACT.multiply(current.volume, self._length) > EXACT.multiply(self._multiplier, volume_sum)
        return Condition.ANOMALOUS if is_loud and is_under else Condition.CALM

    def _has_recovered(self) -> bool:
        latest = self._window.latest_closed
        baseline = self._window.baseline_before(latest) if latest is not None else None
        if latest is None or baseline is None:
            return False
        volume_sum, close_sum = baseline
        is_above = EXACT.multiply(latest.close, self._length) > close_sum
        return is_above and EXACT.multiply(latest.volume, self._length) < EXACT.multiply(self._multiplier, volume_sum)

    def _figures(self, now_ms: int) -> str:
        current = self._window.current
        if current is None or self._heard_ms is None:
            return "no candle yet"
        age_ms = now_ms - self._heard_ms
        if age_ms > self._stale_ms:
            return f"no candle for {age_ms / 1000:.1f} s (limit {self._stale_ms / 1000:g} s)"
        baseline = self._window.baseline_before(current)
        if baseline is None:
            return f"not all of the {self._length} closed candles before the present one are known"
        volume_mean, close_mean = (total / self._length for total in baseline)
        times = f"{current.volume / volume_mean:.1f} x its mean" if volume_mean else "over a mean of 0"
        off = current.close / close_mean - 1
        return f"volume {current.volume} {times}, price {current.close} {off:+.2%} from its mean"
