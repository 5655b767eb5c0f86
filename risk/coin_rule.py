"""What a rule about one coin answers, from the coin's candles alone."""

from __future__ import annotations

from typing import Protocol

from risk.candle import Candle
from risk.coin_window import CoinWindow


class CoinRule(Protocol):
    """Judges one coin. Every answer is exact and depends on nothing but the candles."""

    @property
    def length(self) -> int:
        """Return how many closed candles before the present one the rule looks at, at most."""
        ...

    @property
    def needed(self) -> int:
        """Return how many of them, directly before the present one, it cannot do without."""
        ...

    def is_anomalous(self, window: CoinWindow, candle: Candle) -> bool | None:
        """Judge a candle, finished or not, against those before it; None where too few of them are known."""
        ...

    def has_recovered(self, window: CoinWindow, closed: Candle) -> bool:
        """Judge the newest closed candle; without enough candles before it nothing has recovered."""
        ...

    def figures(self, window: CoinWindow, candle: Candle) -> str:
        """Return the figures behind the judgement as a clause for people; only asked where it is known."""
        ...
