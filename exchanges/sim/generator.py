"""A seeded tape for the demo: several coins, every regime, and enough movement for a small grid to work.

It shows mechanics. A profit on it proves nothing and is never quoted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from heapq import merge
from random import Random

from exchanges.sim.catalogue import demo_instruments
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.market import BookTop, Candle, Mark, MarketEvent, Trade
from exchanges.sim.regimes import Path, Regime, Stretch, timetable, waypoints
from grid.order import Side

SHOCK_VOLUME = 10
HISTORY_SECONDS = 120
HISTORY_MINUTES = 120
MARK_EVERY_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinPlan:
    """One coin of the tape. `swing` is about one grid interval: the price ranges over three of them.

    `notional_per_second` is what trades in quiet times; a step of the market comes every `step_ms`.
    """

    symbol: str
    start: Decimal
    swing: Decimal
    step_ms: int
    notional_per_second: Decimal = Decimal(400_000)


DEMO_COINS = (
    CoinPlan(symbol="BTCUSDT", start=Decimal("60000"), swing=Decimal("20"), step_ms=40),
    CoinPlan(symbol="ETHUSDT", start=Decimal("3000"), swing=Decimal("2"), step_ms=40),
    CoinPlan(symbol="SOLUSDT", start=Decimal("150"), swing=Decimal("0.1"), step_ms=200),
    CoinPlan(symbol="XRPUSDT", start=Decimal("2.2000"), swing=Decimal("0.0015"), step_ms=200),
    CoinPlan(symbol="BNBUSDT", start=Decimal("600"), swing=Decimal("0.4"), step_ms=200),
)


class DemoTape:
    """A market made from a seed: the same arguments give the same events, always.

    `history()` are closed candles before `start_ms` (minutes, then the last seconds), for a kline store to begin with.
    `events()` runs from `start_ms` for `duration_ms`, sorted by time; each call begins again.
    """

    def __init__(
        self,
        *,
        seed: int,
        start_ms: int,
        duration_ms: int = 60_000,
        lead_ms: int = 0,
        coins: Sequence[CoinPlan] = DEMO_COINS,
        instruments: Sequence[SimInstrument] | None = None,
    ) -> None:
        known = {instrument.symbol: instrument for instrument in instruments or demo_instruments()}
        missing = [coin.symbol for coin in coins if coin.symbol not in known]
        if missing:
            raise ValueError(f"no instrument for {', '.join(missing)}")
        self._instruments = [known[coin.symbol] for coin in coins]
        self._coins = coins
        self._seed = seed
        self._start_ms = start_ms
        self._duration_ms = duration_ms
        self._lead_ms = lead_ms

    def instruments(self) -> list[SimInstrument]:
        """Return the symbols of the tape."""
        return list(self._instruments)

    def stretches(self) -> list[Stretch]:
        """Return what regime rules when, in milliseconds since `start_ms`."""
        return timetable(self._duration_ms, self._lead_ms)

    def history(self) -> Iterator[Candle]:
        """Yield closed candles up to `start_ms`, oldest first for each symbol."""
        for coin, instrument in zip(self._coins, self._instruments, strict=True):
            rng = self._rng(coin, "history")
            begin = self._start_ms - HISTORY_SECONDS * 1000
            begin -= begin % 60_000
            for minute in range(HISTORY_MINUTES, 0, -1):
                yield _quiet_candle(coin, instrument, rng, begin - minute * 60_000, 60_000)
            for open_ms in range(begin, self._start_ms - 999, 1000):
                yield _quiet_candle(coin, instrument, rng, open_ms, 1000)

    def events(self) -> Iterator[MarketEvent]:
        """Yield the market from the first quote on, sorted by time."""
        feeds = [
            self._coin_events(coin, instrument) for coin, instrument in zip(self._coins, self._instruments, strict=True)
        ]
        return merge(*feeds, key=lambda event: event.time_ms)

    def _rng(self, coin: CoinPlan, purpose: str) -> Random:
        return Random(f"{self._seed}/{coin.symbol}/{purpose}")

    def _coin_events(self, coin: CoinPlan, instrument: SimInstrument) -> Iterator[MarketEvent]:
        rng = self._rng(coin, "market")
        stretches = self.stretches()
        path = Path(waypoints(stretches, rng))
        start, swing = instrument.ticks(coin.start), instrument.ticks(coin.swing)
        mid_before = start
        mark_due = 0
        for at_ms in range(0, self._duration_ms, coin.step_ms):
            now_ms = self._start_ms + at_ms
            noise = rng.randint(-swing, swing) // 40
            mid = start + swing * path.offset(at_ms) // 1_000_000 + noise
            yield from self._step(coin, instrument, rng, now_ms, mid, mid_before, _heat(stretches, at_ms))
            mid_before = mid
            if at_ms >= mark_due:
                mark_due = at_ms + MARK_EVERY_MS
                yield Mark(symbol=coin.symbol, time_ms=now_ms, price=instrument.price(mid))

    def _step(
        self,
        coin: CoinPlan,
        instrument: SimInstrument,
        rng: Random,
        now_ms: int,
        mid: int,
        mid_before: int,
        heat: int,
    ) -> Iterator[MarketEvent]:
        """Yield one step: what traded on the way to the new price, then the quotes there."""
        symbol = coin.symbol
        step_notional = coin.notional_per_second * coin.step_ms / 1000
        usual = max(4, int(step_notional / (instrument.price(mid) * instrument.step)))
        bid, ask = mid, mid + 1
        fell = mid < mid_before or (mid == mid_before and rng.random() < 0.5)
        volume = usual * heat * rng.randint(85, 115) // 100
        first = volume * rng.randint(40, 60) // 100
        middle = (mid + mid_before) // 2
        aggressor = Side.SELL if fell else Side.BUY
        on_the_way = min(bid, middle) if mid > mid_before else max(bid, middle)
        yield Trade(
            symbol=symbol, time_ms=now_ms, price=on_the_way if fell else on_the_way + 1, quantity=first,
            aggressor=aggressor,
        )  # fmt: skip
        yield Trade(
            symbol=symbol, time_ms=now_ms, price=bid if fell else ask, quantity=max(1, volume - first),
            aggressor=aggressor,
        )  # fmt: skip
        yield BookTop(
            symbol=symbol,
            time_ms=now_ms,
            bid=bid,
            bid_quantity=max(1, usual * rng.randint(5, 20) // 10),
            ask=ask,
            ask_quantity=max(1, usual * rng.randint(5, 20) // 10),
        )


def _heat(stretches: list[Stretch], at_ms: int) -> int:
    for stretch in stretches:
        if stretch.regime is Regime.SHOCK and stretch.start_ms <= at_ms < stretch.end_ms:
            return SHOCK_VOLUME
    return 1


def _quiet_candle(coin: CoinPlan, instrument: SimInstrument, rng: Random, open_ms: int, interval_ms: int) -> Candle:
    start, swing = instrument.ticks(coin.start), instrument.ticks(coin.swing)
    low, high = start - rng.randint(swing, 2 * swing), start + rng.randint(0, swing // 2)
    opened, closed = rng.randint(low, high), rng.randint(low, high)
    notional = coin.notional_per_second * interval_ms / 1000 * rng.randint(85, 115) / 100
    volume = max(1, int(notional / (instrument.price(closed) * instrument.step)))
    return Candle(
        symbol=coin.symbol,
        open_ms=open_ms,
        interval_ms=interval_ms,
        open=opened,
        high=high,
        low=low,
        close=closed,
        volume=volume,
        trades=max(1, interval_ms // coin.step_ms),
        taker_buy_volume=volume // 2,
        history=True,
    )
