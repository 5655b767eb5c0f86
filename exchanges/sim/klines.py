"""Candles of one symbol, built from prints or taken from a candle tape."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime

from exchanges.sim.instrument import SimInstrument
from exchanges.sim.market import Candle
from exchanges.sim.money import decimal_of, units_of
from exchanges.sim.views import Kline

INTERVALS_MS = {
    "1s": 1_000,
    "10s": 10_000,
    "1m": 60_000,
    "3m": 180_000,
    "5m": 300_000,
    "15m": 900_000,
    "30m": 1_800_000,
    "1h": 3_600_000,
    "2h": 7_200_000,
    "4h": 14_400_000,
    "6h": 21_600_000,
    "8h": 28_800_000,
    "12h": 43_200_000,
    "1d": 86_400_000,
    "3d": 259_200_000,
    "1w": 604_800_000,
    "1M": 2_678_400_000,
}
MONDAY_MS = 4 * 86_400_000
"""The epoch was a Thursday; weeks open on Monday."""


@dataclass(slots=True)
class Bar:
    """One candle while it grows; prices in ticks, volumes in steps, quote volumes in 1e-8."""

    open_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: int = 0
    quote: int = 0
    trades: int = 0
    taker_volume: int = 0
    taker_quote: int = 0
    first_id: int = -1
    last_id: int = -1
    touched: bool = False
    """Whether anything traded in it; before, it only carries the last close."""


class Series:
    """Bars of one interval: the closed ones, bounded, and the running one."""

    __slots__ = ("closed", "current", "interval_ms")

    def __init__(self, interval_ms: int, bars_max: int) -> None:
        self.interval_ms = interval_ms
        self.closed: deque[Bar] = deque(maxlen=bars_max)
        self.current: Bar | None = None

    def roll(self, time_ms: int, price: int) -> Bar:
        """Return the bar of a time, closing what lies before it; quiet intervals become flat bars."""
        start = time_ms - time_ms % self.interval_ms
        bar = self.current
        if bar is None:
            bar = self.current = Bar(start, price, price, price, price)
            return bar
        if start <= bar.open_ms:
            return bar
        self.closed.append(bar)
        flat = bar.close
        begin = max(bar.open_ms + self.interval_ms, start - self.interval_ms * (self.closed.maxlen or 0))
        for quiet in range(begin, start, self.interval_ms):
            self.closed.append(Bar(quiet, flat, flat, flat, flat))
        bar = self.current = Bar(start, price, price, price, price)
        return bar

    def settle(self, now_ms: int) -> None:
        """Close the running bar where its time is over; the next one opens at the same price."""
        if self.current is not None and now_ms >= self.current.open_ms + self.interval_ms:
            self.roll(now_ms, self.current.close)

    def absorb(self, bar: Bar) -> None:
        """Add a whole candle of this or a shorter interval."""
        mine = self.roll(bar.open_ms, bar.open)
        merge(mine, bar)

    def bars(self) -> list[Bar]:
        """Return closed and running bars, oldest first."""
        return [*self.closed, self.current] if self.current is not None else list(self.closed)


def merge(bar: Bar, later: Bar) -> None:
    """Extend a bar by a later one."""
    if not bar.touched:
        bar.open = bar.high = bar.low = later.open
        bar.touched = later.touched
    bar.high = max(bar.high, later.high)
    bar.low = min(bar.low, later.low)
    bar.close = later.close
    bar.volume += later.volume
    bar.quote += later.quote
    bar.trades += later.trades
    bar.taker_volume += later.taker_volume
    bar.taker_quote += later.taker_quote
    if bar.first_id < 0:
        bar.first_id = later.first_id
    bar.last_id = max(bar.last_id, later.last_id)


def opening(time_ms: int, interval: str) -> int:
    """Return when the candle holding a time opened: weeks on Monday, months on the first, in UTC."""
    if interval == "1M":
        moment = datetime.fromtimestamp(time_ms / 1000, UTC)
        return int(datetime(moment.year, moment.month, 1, tzinfo=UTC).timestamp()) * 1000
    length = INTERVALS_MS[interval]
    shift = MONDAY_MS if interval == "1w" else 0
    return time_ms - (time_ms - shift) % length


def closing(open_ms: int, interval: str) -> int:
    """Return the last millisecond of the candle that opened then."""
    if interval == "1M":
        return opening(open_ms + 32 * 86_400_000, interval) - 1
    return open_ms + INTERVALS_MS[interval] - 1


class KlineStore:
    """All candles of a symbol: seconds and minutes are kept, longer ones are put together on demand."""

    def __init__(self, instrument: SimInstrument, bars_max: int) -> None:
        self._instrument = instrument
        self._bars_max = bars_max
        self._series = {"1s": Series(1_000, bars_max), "1m": Series(60_000, bars_max)}
        self._kept = list(self._series.values())

    def on_trade(self, time_ms: int, price: int, quantity: int, buyer_took: bool, trade_id: int) -> None:
        """Add one print to the running candles."""
        quote = price * quantity * self._instrument.unit
        for series in self._kept:
            bar = series.current
            if bar is None or time_ms >= bar.open_ms + series.interval_ms:
                bar = series.roll(time_ms, price)
            if not bar.touched:
                bar.open = bar.high = bar.low = price
                bar.touched = True
            if price > bar.high:
                bar.high = price
            if price < bar.low:
                bar.low = price
            bar.close = price
            bar.volume += quantity
            bar.quote += quote
            bar.trades += 1
            if buyer_took:
                bar.taker_volume += quantity
                bar.taker_quote += quote
            if bar.first_id < 0:
                bar.first_id = trade_id
            bar.last_id = trade_id

    def on_candle(self, candle: Candle) -> None:
        """Add a closed candle to its own interval and to the longer kept ones it fits in."""
        quote = units_of(candle.quote_volume)
        if not quote:
            typical = (candle.high + candle.low + candle.close) // 3
            quote = typical * candle.volume * self._instrument.unit
        bar = Bar(candle.open_ms, candle.open, candle.high, candle.low, candle.close, candle.volume, quote)
        bar.touched = True
        bar.trades = candle.trades
        bar.taker_volume = candle.taker_buy_volume
        bar.taker_quote = units_of(candle.taker_buy_quote_volume)
        name = next((name for name, length in INTERVALS_MS.items() if length == candle.interval_ms), None)
        if name is not None and name not in self._series:
            self._series[name] = Series(candle.interval_ms, self._bars_max)
            self._kept = list(self._series.values())
        for series in self._kept:
            if series.interval_ms % candle.interval_ms == 0:
                series.absorb(bar)

    def settle(self, now_ms: int) -> None:
        """Close every candle whose time is over."""
        for series in self._kept:
            series.settle(now_ms)

    def bars(self, interval: str, now_ms: int) -> list[Bar]:
        """Return all known bars of an interval, oldest first, the last one running."""
        self.settle(now_ms)
        own = self._series.get(interval)
        if own is not None and own.current is not None:
            return own.bars()
        length = INTERVALS_MS[interval]
        parts = [s for s in self._kept if length % s.interval_ms == 0 and s.interval_ms < length and s.current]
        if not parts:
            return []
        found: list[Bar] = []
        for part in max(parts, key=lambda series: series.interval_ms).bars():
            start = opening(part.open_ms, interval)
            if not found or found[-1].open_ms != start:
                found.append(Bar(start, part.open, part.high, part.low, part.close))
            merge(found[-1], part)
        return found

    def view(self, bar: Bar, interval: str, now_ms: int) -> Kline:
        """Return a bar as a client sees it."""
        close_ms = closing(bar.open_ms, interval)
        return Kline(
            symbol=self._instrument.symbol,
            open_ms=bar.open_ms,
            close_ms=close_ms,
            open=bar.open,
            high=bar.high,
            low=bar.low,
            close=bar.close,
            volume=bar.volume,
            quote_volume=decimal_of(bar.quote),
            trades=bar.trades,
            taker_buy_volume=bar.taker_volume,
            taker_buy_quote_volume=decimal_of(bar.taker_quote),
            first_trade_id=bar.first_id,
            last_trade_id=bar.last_id,
            is_closed=now_ms > close_ms,
        )
