"""Profit from candles as two figures, because nobody knows the path inside a candle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from itertools import pairwise

from exchanges.sim.engine import MatchingEngine
from exchanges.sim.market import Candle, MarketEvent, Trade
from exchanges.sim.settings import OPTIMISTIC, PESSIMISTIC, FillModel
from grid.order import Side

LEG_POINTS_MAX = 200


class CandleBound(Enum):
    """Which end of what a candle leaves open."""

    PESSIMISTIC = "pessimistic"
    OPTIMISTIC = "optimistic"

    @property
    def fills(self) -> FillModel:
        """Return the fill model that belongs to it."""
        return PESSIMISTIC if self is CandleBound.PESSIMISTIC else OPTIMISTIC


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfitBounds:
    """Profit of one strategy on one candle tape under both readings; the truth is taken to lie between."""

    pessimistic: Decimal
    optimistic: Decimal
    asset: str = "USDT"

    def __str__(self) -> str:
        return f"{self.pessimistic:f} (pessimistic) .. {self.optimistic:f} (optimistic) {self.asset}"


def events_of(candle: Candle, bound: CandleBound, *, stride: int, entry: Side = Side.BUY) -> Iterator[MarketEvent]:
    """Yield what an engine of that bound is fed for one candle.

    Pessimistic: the candle itself (see `CandleFills`). Optimistic: prints along one path, at most `stride` ticks apart,
    so that what is placed upon a fill can fill in the same candle: to the extreme where entries wait first (the low for
    buys), then to the other, then to the close. The prints share out the candle's volume and end inside its time.
    """
    if bound is CandleBound.PESSIMISTIC or candle.history:
        yield candle
        return
    turns = (candle.low, candle.high) if entry is Side.BUY else (candle.high, candle.low)
    prices = _path((candle.open, *turns, candle.close), stride)
    share, rest = divmod(candle.volume, len(prices))
    before = candle.open
    for index, price in enumerate(prices):
        yield Trade(
            symbol=candle.symbol,
            time_ms=candle.open_ms + (candle.interval_ms - 1) * index // max(1, len(prices) - 1),
            price=price,
            quantity=max(1, share + (rest if index == len(prices) - 1 else 0)),
            aggressor=Side.SELL if price < before or (price == before and entry is Side.BUY) else Side.BUY,
        )
        before = price


def _path(corners: tuple[int, ...], stride: int) -> list[int]:
    prices = [corners[0]]
    for start, end in pairwise(corners):
        distance = abs(end - start)
        step = max(stride, -(-distance // LEG_POINTS_MAX), 1)
        away = step if end > start else -step
        prices.extend(range(start + away, end, away))
        if distance:
            prices.append(end)
    return prices


def profit_bounds(
    candles: Callable[[], Iterable[Candle]],
    engine_of: Callable[[CandleBound], MatchingEngine],
    run: Callable[[MatchingEngine, Iterator[MarketEvent]], Decimal],
    *,
    stride: int,
    entry: Side = Side.BUY,
) -> ProfitBounds:
    """Run a strategy twice over a candle tape, once under each bound; `run` feeds the engine and returns the profit.

    Two runs, since a strategy acts on its fills: one engine could not hold both histories.
    """
    profits = {}
    for bound in CandleBound:
        events = (event for candle in candles() for event in events_of(candle, bound, stride=stride, entry=entry))
        profits[bound] = run(engine_of(bound), events)
    return ProfitBounds(pessimistic=profits[CandleBound.PESSIMISTIC], optimistic=profits[CandleBound.OPTIMISTIC])
