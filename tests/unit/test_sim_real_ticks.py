"""The engine on recorded ticks: a ladder works on 8 minutes of real ETHUSDT and BTCUSDT trades and quotes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from exchanges.sim.engine import MatchingEngine
from exchanges.sim.exchange_info import read_brackets, read_exchange_info
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.market import BookTop, Candle, MarketEvent, Trade
from exchanges.sim.orders import Fill, NewOrder, OrderStatus, TimeInForce
from exchanges.sim.refusal import Refused
from exchanges.sim.settings import OPTIMISTIC, PESSIMISTIC, AccountSpec, EngineConfig, FillModel
from exchanges.sim.tape import open_tape
from exchanges.sim.venue_events import OrderEvent
from grid.order import Side

LADDERS = {"ETHUSDT": (100, Decimal("0.010")), "BTCUSDT": (100, Decimal("0.002"))}
"""Interval in ticks and quantity: 1 USDT of ETH, 10 USDT of BTC."""
LEVELS = 8


def instruments(data: Path) -> dict[str, SimInstrument]:
    folder = data / "exchange_info"
    tiers = read_brackets(folder / "binance_usdm_leverage_tiers_2024-10.json.gz")
    found = read_exchange_info(folder / "binance_usdm_exchangeInfo_2025-11-26.json.gz", tiers)
    return {rules.symbol: rules for rules in found if rules.symbol in LADDERS}


def tick_files(data: Path) -> list[Path]:
    return sorted((data / "ticks").glob("binance_usdm_*_20240718_20240719.parquet"))


@dataclass
class Ladder:
    """Buys at each level under the market, one exit an interval higher for each fill. It never looks ahead."""

    engine: MatchingEngine
    prints: dict[str, list[Trade]] = field(default_factory=lambda: defaultdict(list))
    causes: list[tuple[Fill, MarketEvent]] = field(default_factory=list)
    resting: set[tuple[str, int]] = field(default_factory=set)
    sent: int = 0

    def meet(self, event: MarketEvent) -> None:
        for told in self.engine.on_market(event):
            if isinstance(told, OrderEvent) and told.fill is not None:
                self.causes.append((told.fill, event))
                self._follow_up(told)
        if isinstance(event, Trade):
            self.prints[event.symbol].append(event)
        elif isinstance(event, BookTop):
            interval, _ = LADDERS[event.symbol]
            top = (event.bid - 1) // interval * interval
            for price in range(top - (LEVELS - 1) * interval, top + interval, interval):
                if (event.symbol, price) not in self.resting:
                    self._send(event.symbol, Side.BUY, price, event.time_ms)

    def _follow_up(self, told: OrderEvent) -> None:
        order = told.order
        if order.left:
            return
        interval, _ = LADDERS[order.symbol]
        if order.side is Side.BUY:
            self._send(order.symbol, Side.SELL, order.price + interval, told.time_ms)
        else:
            self.resting.discard((order.symbol, order.price - interval))

    def _send(self, symbol: str, side: Side, price: int, now_ms: int) -> None:
        _, quantity = LADDERS[symbol]
        self.sent += 1
        order = NewOrder(
            symbol=symbol,
            side=side,
            price=self.engine.read.instrument(symbol).price(price),
            quantity=quantity,
            time_in_force=TimeInForce.GTX if side is Side.BUY else TimeInForce.GTC,
            reduce_only=side is Side.SELL,
            client_id=f"{side.value}{self.sent}",
        )
        try:
            self.engine.submit("main", order, now_ms)
        except Refused:
            return
        if side is Side.BUY:
            self.resting.add((symbol, price))


def replay(data: Path, model: FillModel) -> Ladder:
    known = instruments(data)
    tape = open_tape(tick_files(data), known)
    engine = MatchingEngine(known.values(), rng=Random(1), config=EngineConfig(fills=model))
    engine.open_account(AccountSpec(account="main", deposit=Decimal(5000)), 1)
    ladder = Ladder(engine=engine)
    for event in tape:
        ladder.meet(event)
    return ladder


@pytest.fixture(scope="module", params=[PESSIMISTIC, OPTIMISTIC], ids=lambda model: model.name)
def ladder(request: pytest.FixtureRequest, shared_data: Path) -> Ladder:
    return replay(shared_data, request.param)


def test_the_ladder_trades_both_symbols(ladder: Ladder) -> None:
    for symbol in LADDERS:
        sides = [fill.side for fill in ladder.engine.read.user_trades("main", symbol, limit=10**6)]
        assert min(sides.count(Side.BUY), sides.count(Side.SELL)) >= 5


def test_money_and_position_are_conserved(ladder: Ladder) -> None:
    read = ladder.engine.read
    rows = read.income("main", limit=10**6)
    assert read.account("main").assets[0].wallet == sum((row.amount for row in rows), Decimal(0))
    for symbol, (_, quantity) in LADDERS.items():
        fills = read.user_trades("main", symbol, limit=10**6)
        rules, position = read.instrument(symbol), read.position("main", symbol)
        assert position.quantity == sum(fill.side.sign * fill.quantity for fill in fills)
        assert 0 <= rules.quantity(position.quantity) <= len(ladder.resting) * quantity
        cash = -sum(fill.side.sign * rules.price(fill.price) * rules.quantity(fill.quantity) for fill in fills)
        assert cash + position.notional == position.realised + position.unrealised


def test_every_maker_fill_is_at_its_own_price_and_caused_by_a_later_print_or_quote(ladder: Ladder) -> None:
    used: dict[int, int] = defaultdict(int)
    orders = {order.order_id: order for order in ladder.engine.read.every_order("main")}
    for fill, cause in ladder.causes:
        order = orders[fill.order_id]
        assert fill.price == order.price
        assert fill.is_maker
        assert cause.time_ms >= order.created_ms
        if isinstance(cause, Trade):
            assert (fill.price - cause.price) * fill.side.sign >= 0
            if fill.price == cause.price:
                used[cause.trade_id] += fill.quantity
                assert used[cause.trade_id] <= cause.quantity


def test_nothing_rests_that_the_tape_has_traded_through(ladder: Ladder) -> None:
    for order in ladder.engine.read.open_orders("main"):
        after = [event.price for event in ladder.prints[order.symbol] if event.time_ms > order.created_ms]
        if order.side is Side.BUY:
            assert min(after, default=order.price) >= order.price
        else:
            assert max(after, default=order.price) <= order.price


def test_the_pessimist_never_fills_more_than_the_optimist(shared_data: Path) -> None:
    """The same resting orders under both models: each fills no later for the optimist."""
    known = instruments(shared_data)
    files = [file for file in tick_files(shared_data) if "ETHUSDT" in file.name]
    filled_at: dict[str, dict[int, int]] = {}
    for model in (PESSIMISTIC, OPTIMISTIC):
        engine = MatchingEngine(known.values(), rng=Random(1), config=EngineConfig(fills=model))
        engine.open_account(AccountSpec(account="main", deposit=Decimal(50_000)), 1)
        placed: dict[int, int] = {}
        done: dict[int, int] = {}
        for event in open_tape(files, known):
            told = engine.on_market(event)
            for one in told:
                if isinstance(one, OrderEvent) and one.order.status is OrderStatus.FILLED:
                    done[one.order.price] = one.time_ms
            if isinstance(event, BookTop) and not placed:
                for away in range(0, 1000, 25):
                    price = event.bid - away
                    order = NewOrder(
                        symbol="ETHUSDT",
                        side=Side.BUY,
                        price=known["ETHUSDT"].price(price),
                        quantity=Decimal("0.5"),
                        time_in_force=TimeInForce.GTX,
                    )
                    placed[price] = engine.submit("main", order, event.time_ms).order.order_id
        filled_at[model.name] = done

    pessimist, optimist = filled_at["pessimistic"], filled_at["optimistic"]
    assert len(pessimist) >= 5
    assert set(pessimist) <= set(optimist)
    assert all(optimist[price] <= at for price, at in pessimist.items())


def test_candles_built_from_the_prints_hold_every_print(shared_data: Path) -> None:
    known = instruments(shared_data)
    engine = MatchingEngine(known.values(), rng=Random(1))
    volume: dict[int, int] = defaultdict(int)
    last = 0
    for event in open_tape([file for file in tick_files(shared_data) if "trades" in file.name], known):
        engine.on_market(event)
        last = max(last, event.time_ms)
        if isinstance(event, Trade) and event.symbol == "ETHUSDT":
            volume[event.time_ms - event.time_ms % 60_000] += event.quantity

    bars = engine.read.klines("ETHUSDT", "1m", last)

    assert {bar.open_ms: bar.volume for bar in bars if bar.volume} == volume
    assert engine.read.klines("ETHUSDT", "5m", last)[-1].volume > 0


def test_a_month_of_real_candles_flows_through_with_a_resting_ladder(shared_data: Path) -> None:
    known = instruments(shared_data)
    engine = MatchingEngine(known.values(), rng=Random(1))
    engine.open_account(AccountSpec(account="main", deposit=Decimal(5000)), 1)
    candles = list(open_tape([shared_data / "klines/binance_usdm_2025-07/ETHUSDT-1m.parquet"], known))
    first = candles[0]
    assert isinstance(first, Candle)
    engine.on_market(first)
    prices = [first.low - away for away in range(100, 10_000, 500)]
    for price in prices:
        order = NewOrder(
            symbol="ETHUSDT", side=Side.BUY, price=known["ETHUSDT"].price(price), quantity=Decimal("0.010")
        )
        engine.submit("main", order, first.time_ms)

    for candle in candles[1:]:
        engine.on_market(candle)

    lowest = min(candle.low for candle in candles[1:] if isinstance(candle, Candle))
    expected = {price for price in prices if lowest < price}
    assert {fill.price for fill in engine.read.user_trades("main")} == expected
    assert len(engine.read.klines("ETHUSDT", "1h", candles[-1].time_ms + 1, limit=200)) > 100
