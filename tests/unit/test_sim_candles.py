"""Candles the venue shows, and candles it is fed: two bounds, never one figure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest

from exchanges.sim.bounds import CandleBound, ProfitBounds, events_of, profit_bounds
from exchanges.sim.catalogue import demo_instruments
from exchanges.sim.engine import MatchingEngine
from exchanges.sim.market import Candle, MarketEvent, Trade
from exchanges.sim.orders import NewOrder, TimeInForce
from exchanges.sim.refusal import Refused
from exchanges.sim.settings import AccountSpec, EngineConfig
from exchanges.sim.venue_events import OrderEvent
from grid.order import Side
from tests.unit.sim_desk import ETH, START_MS, Desk

MINUTE_MS = 60_000
OPEN_MS = START_MS - START_MS % MINUTE_MS + MINUTE_MS


def candle(number: int, opened: int, high: int, low: int, close: int, volume: int = 100_000) -> Candle:
    return Candle(
        symbol=ETH,
        open_ms=OPEN_MS + number * MINUTE_MS,
        interval_ms=MINUTE_MS,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=volume,
    )


def at(desk: Desk, ms: int, price: str, quantity: str, aggressor: Side = Side.SELL) -> None:
    desk.now_ms = ms - 1
    desk.trade(price, quantity, aggressor)


def test_prints_make_candles_of_seconds_and_minutes() -> None:
    desk = Desk()
    at(desk, OPEN_MS + 100, "3000.00", "1")
    at(desk, OPEN_MS + 900, "3002.00", "2", Side.BUY)
    at(desk, OPEN_MS + 1100, "2999.00", "1")

    seconds = desk.read.klines(ETH, "1s", OPEN_MS + 1200)
    minute = desk.read.kline(ETH, "1m", OPEN_MS + 1200)

    assert [(bar.open, bar.high, bar.low, bar.close, bar.volume, bar.is_closed) for bar in seconds] == [
        (300000, 300200, 300000, 300200, 3000, True),
        (299900, 299900, 299900, 299900, 1000, False),
    ]
    assert minute is not None
    assert (minute.volume, minute.trades, minute.taker_buy_volume) == (4000, 3, 2000)
    assert minute.quote_volume == Decimal("3000") + Decimal("6004") + Decimal("2999")
    assert minute.close_ms == OPEN_MS + 59_999


def test_a_quiet_second_is_a_flat_candle_and_the_next_opens_at_its_own_first_print() -> None:
    desk = Desk()
    at(desk, OPEN_MS, "3000.00", "1")
    running = desk.read.klines(ETH, "1s", OPEN_MS + 2500)
    at(desk, OPEN_MS + 2600, "3005.00", "1")

    bars = desk.read.klines(ETH, "1s", OPEN_MS + 2700)

    assert [(bar.open, bar.volume) for bar in running] == [(300000, 1000), (300000, 0), (300000, 0)]
    assert [(bar.open, bar.low, bar.volume) for bar in bars[1:]] == [(300000, 300000, 0), (300500, 300500, 1000)]


def test_longer_intervals_are_put_together_and_open_on_their_own_hours() -> None:
    desk = Desk()
    hour = OPEN_MS - OPEN_MS % 3_600_000 + 3_600_000
    for minute in range(12):
        at(desk, hour + minute * MINUTE_MS, f"{3000 + minute}.00", "1")

    fives = desk.read.klines(ETH, "5m", hour + 12 * MINUTE_MS - 1)
    week = desk.read.klines(ETH, "1w", hour + 12 * MINUTE_MS)[0]
    month = desk.read.klines(ETH, "1M", hour + 12 * MINUTE_MS)[0]

    assert [(bar.open, bar.close, bar.volume) for bar in fives] == [
        (300000, 300400, 5000),
        (300500, 300900, 5000),
        (301000, 301100, 2000),
    ]
    assert (week.open_ms // 86_400_000) % 7 == 4  # Thursday the epoch, so 4 is a Monday
    assert month.close_ms - month.open_ms + 1 == 30 * 86_400_000  # November 2023
    with pytest.raises(Refused):
        desk.read.klines(ETH, "7m", hour)


def old_history(bar: Candle) -> Candle:
    return replace(bar, history=True)


def test_history_fills_the_candles_and_moves_nothing_else() -> None:
    desk = Desk()
    desk.quote("3000.00", "3000.01")
    order = desk.buy("2990.00", "0.1")
    old = candle(-5, 299000, 299100, 250000, 299050)

    desk.engine.on_market(old_history(old))

    assert desk.filled(order) == 0
    assert desk.read.book(ETH).bid == 300000
    assert desk.read.last_price(ETH) == 299050
    desk.trade("3000.00", "1")
    desk.engine.on_market(old_history(old))
    assert desk.read.last_price(ETH) == 300000
    assert desk.read.klines(ETH, "1m", old.time_ms + 1)[0].low == 250000


def resting(desk: Desk, price: str = "2998.00", quantity: str = "0.1") -> NewOrder:
    order = NewOrder(
        symbol=ETH,
        side=Side.BUY,
        price=Decimal(price),
        quantity=Decimal(quantity),
        time_in_force=TimeInForce.GTX,
    )
    desk.engine.submit("main", order, OPEN_MS - 1)
    return order


def test_a_candle_fills_a_buy_only_where_its_low_is_strictly_below() -> None:
    for low, filled in ((299800, 0), (299799, 100)):
        desk = Desk()
        resting(desk)
        desk.engine.on_market(candle(0, 300000, 300100, low, 300000))
        assert desk.read.every_order("main")[0].filled == filled


def test_an_order_placed_after_the_open_waits_for_the_next_candle() -> None:
    desk = Desk()
    desk.engine.on_market(candle(0, 300000, 300100, 299900, 300000))
    order = NewOrder(symbol=ETH, side=Side.BUY, price=Decimal("2998.00"), quantity=Decimal("0.1"))
    desk.engine.submit("main", order, OPEN_MS + MINUTE_MS + 1)

    desk.engine.on_market(candle(1, 300000, 300100, 299000, 300000))
    assert desk.position() == 0
    desk.engine.on_market(candle(2, 300000, 300100, 299000, 300000))

    assert desk.position() == Decimal("0.1")


def test_the_candles_volume_bounds_all_fills_together() -> None:
    desk = Desk()
    resting(desk, "2998.00", "0.1")
    resting(desk, "2997.00", "0.1")

    desk.engine.on_market(candle(0, 300000, 300100, 299000, 300000, volume=150))

    assert [order.filled for order in desk.read.every_order("main")] == [100, 50]


def test_margin_is_judged_at_the_low_before_the_high_brings_relief() -> None:
    desk = Desk(deposit="160", leverage=20)
    desk.quote("3000.00", "3000.01", ask_quantity="10", bid_quantity="10")
    desk.market(Side.BUY, "1")

    desk.engine.on_market(candle(0, 300000, 310000, 285000, 310000))

    assert desk.position() == 0


def test_the_optimistic_path_visits_all_four_prices_in_small_steps_and_keeps_the_volume() -> None:
    bar = candle(0, 300000, 300450, 299500, 300100)

    prints = [event for event in events_of(bar, CandleBound.OPTIMISTIC, stride=100) if isinstance(event, Trade)]

    prices = [event.price for event in prints]
    assert (prices[0], min(prices), max(prices), prices[-1]) == (300000, 299500, 300450, 300100)
    assert prices.index(299500) < prices.index(300450)
    assert max(abs(a - b) for a, b in itertools.pairwise(prices)) <= 100
    assert sum(event.quantity for event in prints) == bar.volume
    assert [event.time_ms for event in prints] == sorted(event.time_ms for event in prints)
    assert bar.open_ms <= prints[0].time_ms <= prints[-1].time_ms <= bar.time_ms


def one_level_grid(engine: MatchingEngine, events: Iterator[MarketEvent]) -> Decimal:
    """Buy at 2998, sell at 3000, again and again; return what the wallet gained."""

    def place(side: Side, price: str, now_ms: int) -> None:
        order = NewOrder(
            symbol=ETH,
            side=side,
            price=Decimal(price),
            quantity=Decimal("0.1"),
            reduce_only=side is Side.SELL,
        )
        engine.submit("main", order, now_ms)

    place(Side.BUY, "2998.00", OPEN_MS - 1)
    for event in events:
        for told in engine.on_market(event):
            if isinstance(told, OrderEvent) and told.fill is not None and not told.order.left:
                if told.order.side is Side.BUY:
                    place(Side.SELL, "3000.00", engine.read.now_ms)
                else:
                    place(Side.BUY, "2998.00", engine.read.now_ms)
    return engine.read.account("main").assets[0].wallet - 1000


def engine_of(bound: CandleBound) -> MatchingEngine:
    engine = MatchingEngine(
        demo_instruments(), rng=Random(1), config=EngineConfig(fills=bound.fills), start_ms=OPEN_MS - 2
    )
    engine.open_account(AccountSpec(account="main", deposit=Decimal(1000)), OPEN_MS - 2)
    return engine


def test_an_entry_and_its_exit_in_one_candle_count_in_the_optimistic_bound_only() -> None:
    bars = [candle(0, 299900, 300100, 299700, 299950)]

    bounds = profit_bounds(lambda: bars, engine_of, one_level_grid, stride=50)

    assert bounds.optimistic > 0 > bounds.pessimistic  # the pessimist paid one fee and still holds the lot
    assert bounds.optimistic == Decimal("0.2") - Decimal("299.8") * Decimal("0.0002") - 300 * Decimal("0.0002")


def test_over_two_candles_both_bounds_make_the_round_trip() -> None:
    bars = [candle(0, 299900, 299950, 299700, 299900), candle(1, 299900, 300100, 299850, 300050)]

    bounds = profit_bounds(lambda: bars, engine_of, one_level_grid, stride=50)

    assert bounds.pessimistic == bounds.optimistic > 0


def test_a_profit_from_candles_is_printed_as_two_figures() -> None:
    text = str(ProfitBounds(pessimistic=Decimal("1.5"), optimistic=Decimal("4.25")))

    assert text == "1.5 (pessimistic) .. 4.25 (optimistic) USDT"
