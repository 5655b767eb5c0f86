"""The demo's tape: the same for the same seed, and enough market for a small grid and the risk halt."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from decimal import Decimal
from random import Random

import pytest

from exchanges.sim.engine import MatchingEngine
from exchanges.sim.generator import DEMO_COINS, DemoTape
from exchanges.sim.market import BookTop, Trade
from exchanges.sim.orders import NewOrder, TimeInForce
from exchanges.sim.refusal import Refused
from exchanges.sim.regimes import Regime
from exchanges.sim.settings import AccountSpec
from exchanges.sim.venue_events import OrderEvent
from exchanges.sim.views import Kline
from grid.order import Side

START_MS = 1_700_000_000_000
SEEDS = (1, 7, 42)
WINDOW = 10
SYMBOLS = [coin.symbol for coin in DEMO_COINS]


def tape(seed: int, duration_ms: int = 60_000) -> DemoTape:
    return DemoTape(seed=seed, start_ms=START_MS, duration_ms=duration_ms)


def engine_with_history(demo: DemoTape) -> MatchingEngine:
    engine = MatchingEngine(demo.instruments(), rng=Random(0), start_ms=START_MS - 1)
    for candle in demo.history():
        engine.on_market(candle)
    return engine


def test_the_same_seed_gives_the_same_tape_and_another_seed_another() -> None:
    assert list(tape(1).events()) == list(tape(1).events())
    assert list(tape(1).history()) == list(tape(1).history())
    assert list(tape(1).events()) != list(tape(2).events())


@pytest.mark.parametrize("duration_ms", [10_000, 60_000, 300_000])
def test_events_are_sorted_inside_the_duration_and_the_regimes_cover_it(duration_ms: int) -> None:
    demo = tape(3, duration_ms)

    times = [event.time_ms for event in demo.events()]
    stretches = demo.stretches()

    assert times == sorted(times)
    assert START_MS <= times[0] <= times[-1] < START_MS + duration_ms
    assert [stretch.regime for stretch in stretches] == [
        Regime.RANGING,
        Regime.TREND,
        Regime.SHOCK,
        Regime.RECOVERY,
        Regime.RANGING,
    ]
    assert (stretches[0].start_ms, stretches[-1].end_ms) == (0, duration_ms)
    assert all(a.end_ms == b.start_ms for a, b in itertools.pairwise(stretches))


def test_the_market_is_sound() -> None:
    for event in tape(5).events():
        if isinstance(event, BookTop):
            assert 0 < event.bid < event.ask
            assert min(event.bid_quantity, event.ask_quantity) > 0
        if isinstance(event, Trade):
            assert event.quantity > 0


def test_the_history_is_closed_candles_right_up_to_the_start() -> None:
    demo = tape(1)
    engine = engine_with_history(demo)

    for symbol in SYMBOLS:
        seconds = engine.read.klines(symbol, "1s", START_MS)
        minutes = engine.read.klines(symbol, "1m", START_MS)
        assert seconds[-1].open_ms == START_MS
        assert len([bar for bar in seconds if bar.is_closed and bar.volume]) >= 120
        assert len([bar for bar in minutes if bar.is_closed and bar.volume]) >= 100
    assert all(candle.history for candle in demo.history())


def is_anomalous(bars: list[Kline]) -> bool:
    """Volume over thrice the mean of the window before, and price under its mean: the risk halt's condition."""
    window, running = bars[-WINDOW - 1 : -1], bars[-1]
    mean_volume = sum(bar.volume for bar in window) / len(window)
    mean_close = sum(bar.close for bar in window) / len(window)
    return running.volume > 3 * mean_volume and running.close < mean_close


def anomalies(seed: int) -> Iterator[tuple[int, int]]:
    """Yield (ms since the start, coins anomalous) every 100 ms of the tape."""
    demo = tape(seed)
    engine = engine_with_history(demo)
    due = START_MS + 100
    for event in demo.events():
        while event.time_ms >= due:
            count = sum(is_anomalous(engine.read.klines(symbol, "1s", due - 1, limit=WINDOW + 1)) for symbol in SYMBOLS)
            yield due - START_MS, count
            due += 100
        engine.on_market(event)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_shock_and_nothing_else_is_an_anomaly_of_all_watched_coins(seed: int) -> None:
    shock = next(stretch for stretch in tape(seed).stretches() if stretch.regime is Regime.SHOCK)
    counts = dict(anomalies(seed))

    assert any(count == len(SYMBOLS) for at, count in counts.items() if shock.start_ms <= at <= shock.end_ms)
    outside = [count for at, count in counts.items() if not shock.start_ms <= at <= shock.end_ms + 1000]
    assert max(outside) == 0


def small_grid_round_trips(seed: int, levels: int = 5) -> int:
    """Trade both symbols with a plain grid: buys under the bid, an exit one interval up for each fill."""
    demo = tape(seed)
    engine = engine_with_history(demo)
    engine.open_account(AccountSpec(account="main", deposit=Decimal(10_000)), START_MS - 1)
    intervals = {"ETHUSDT": 200, "BTCUSDT": 200}
    amounts = {"ETHUSDT": Decimal("0.05"), "BTCUSDT": Decimal("0.005")}
    anchors: dict[str, int] = {}
    busy: dict[tuple[str, int], bool] = {}
    trips = 0

    def send(symbol: str, side: Side, price: int, level: int, now_ms: int) -> bool:
        order = NewOrder(
            symbol=symbol,
            side=side,
            price=engine.read.instrument(symbol).price(price),
            quantity=amounts[symbol],
            time_in_force=TimeInForce.GTX,
            reduce_only=side is Side.SELL,
            client_id=f"{side.value}{level}L{now_ms}".replace("-", "m"),
        )
        try:
            engine.submit("main", order, now_ms)
        except Refused:
            return False
        return True

    for event in demo.events():
        told = engine.on_market(event)
        for fill in [one for one in told if isinstance(one, OrderEvent) and one.fill and not one.order.left]:
            symbol, interval = fill.order.symbol, intervals[fill.order.symbol]
            level = (fill.order.price - anchors[symbol]) // interval
            if fill.order.side is Side.BUY:
                send(symbol, Side.SELL, fill.order.price + interval, level, event.time_ms)
            else:
                trips += 1
                busy[symbol, level - 1] = False
        if isinstance(event, BookTop) and event.symbol in intervals:
            interval = intervals[event.symbol]
            anchor = anchors.setdefault(event.symbol, event.bid)
            top = (event.bid - interval // 10 - anchor) // interval
            for level in range(top - levels + 1, top + 1):
                if not busy.get((event.symbol, level)):
                    price = anchor + level * interval
                    busy[event.symbol, level] = send(event.symbol, Side.BUY, price, level, event.time_ms)
    return trips


@pytest.mark.parametrize("seed", SEEDS)
def test_a_five_level_grid_makes_thirty_round_trips_in_the_minute(seed: int) -> None:
    assert small_grid_round_trips(seed) >= 60  # twice what is asked, since a live grid is slower than this one
