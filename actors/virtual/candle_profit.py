"""Profit of a grid on recorded candles, as two figures: nobody knows the path inside a candle (trading rules, c).

The whole deployment is run twice over the same candles, on a virtual clock and without latency: once with fills read
pessimistically (both sides of one candle never count together), once optimistically. The supervisor always says go
here: candles of one minute say too little of when it would not have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from actors.actor_names import levels_at_once
from actors.settings.account import Settings
from actors.settings.symbol import SymbolSettings
from actors.virtual.agenda import EPOCH_MS
from actors.virtual.settings import GridPlan, Latency, WorldSettings, instrument_of
from actors.virtual.world import World
from exchanges.desk.settings import DeskSettings
from exchanges.sim.bounds import CandleBound, ProfitBounds, events_of
from exchanges.sim.catalogue import demo_instrument
from exchanges.sim.market import BookTop, Candle, Mark, MarketEvent
from exchanges.sim.tape import open_tape
from grid.ladder import GridSide, interval_ticks
from grid.ledger import value
from grid.policy import GridPolicy
from risk.rules import RiskRules

START_MS = 10_000
"""Everything is up and quoting by then; the tape begins."""
NO_LATENCY = Latency(message=(0, 0), request=(0, 0), reply=(0, 0), stream=(0, 0), quote=(0, 0), connect=(0, 0))
DEEP = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleSpan:
    """Which candles: those of the files that close within `begin_ms` to `end_ms` after the tape's first minute."""

    files: tuple[Path, ...]
    begin_ms: int
    end_ms: int

    def read(self, symbols: Sequence[str]) -> list[Candle]:
        """Return the candles of the symbols, by time. Raises `TapeError` for a row that does not fit."""
        instruments = {symbol: demo_instrument(symbol) for symbol in symbols}
        candles = (event for event in open_tape(self.files, instruments) if isinstance(event, Candle))
        first: int | None = None
        found = []
        for candle in candles:
            first = candle.open_ms if first is None else first
            if candle.time_ms - first > self.end_ms:
                break
            if candle.time_ms - first > self.begin_ms:
                found.append(candle)
        return found


def profit_of(settings: Settings, span: CandleSpan) -> Mapping[str, ProfitBounds]:
    """Return each symbol's total profit (grid, fees, and lots at the last close) under both readings."""
    symbols = [symbol.symbol for symbol in settings.symbols]
    candles = span.read(symbols)
    if not candles:
        return {}
    profits = {bound: _run(settings, candles, bound) for bound in CandleBound}
    return {
        symbol: _between(*(profits[bound][symbol] for bound in CandleBound))
        for symbol in profits[CandleBound.PESSIMISTIC]
    }


def _between(one: Decimal, other: Decimal) -> ProfitBounds:
    """Return both with the smaller first: more fills in a candle may also mean more lots that lose."""
    return ProfitBounds(pessimistic=min(one, other), optimistic=max(one, other))


def _run(settings: Settings, candles: Sequence[Candle], bound: CandleBound) -> dict[str, Decimal]:
    closes: dict[str, int] = {}
    firsts: dict[str, int] = {}
    for candle in candles:
        firsts.setdefault(candle.symbol, candle.open)
        closes[candle.symbol] = candle.close
    plans = [_plan(settings, symbol) for symbol in settings.symbols if symbol.symbol in firsts]
    world = World(_world(settings, plans, bound))
    for symbol, price in firsts.items():
        _show(world, symbol, price)
    world.start()
    world.run_until(START_MS)
    world.play(_retimed(candles, plans, bound))
    world.run_until(START_MS + candles[-1].time_ms - candles[0].open_ms + 1_000)
    return {plan.symbol: _profit(world, plan, closes[plan.symbol]) for plan in plans}


def _retimed(candles: Sequence[Candle], plans: Sequence[GridPlan], bound: CandleBound) -> Iterator[MarketEvent]:
    """Yield the tape on the world's clock; marks and quotes follow each close, since a candle itself quotes nothing."""
    shift = EPOCH_MS + START_MS - candles[0].open_ms
    strides = {plan.symbol: max(1, plan.interval // 4) for plan in plans}
    for candle in candles:
        if candle.symbol not in strides:
            continue
        moved = replace(candle, open_ms=candle.open_ms + shift)
        yield from events_of(moved, bound, stride=strides[candle.symbol])
        yield from _closing(moved)


def _closing(candle: Candle) -> Iterator[MarketEvent]:
    tick = demo_instrument(candle.symbol).tick
    yield BookTop(
        symbol=candle.symbol,
        time_ms=candle.time_ms,
        bid=candle.close - 1,
        bid_quantity=DEEP,
        ask=candle.close + 1,
        ask_quantity=DEEP,
    )
    yield Mark(symbol=candle.symbol, time_ms=candle.time_ms, price=tick * candle.close)


def _show(world: World, symbol: str, price: int) -> None:
    world.venue.on_market(
        BookTop(
            symbol=symbol,
            time_ms=world.agenda.wall_ms,
            bid=price - 1,
            bid_quantity=DEEP,
            ask=price + 1,
            ask_quantity=DEEP,
        )
    )


def _profit(world: World, plan: GridPlan, close: int) -> Decimal:
    book, instrument = world.book.symbol(plan.symbol), plan.instrument
    lots = [lot for _, lot in book.lots()]
    return value(book.ledger, lots, instrument.price(close), book.sign, instrument).total


def _plan(settings: Settings, symbol: SymbolSettings) -> GridPlan:
    venue = demo_instrument(symbol.symbol)
    policy = GridPolicy(
        symbol=symbol.symbol,
        amount=symbol.amount,
        buy_window=symbol.buy_window,
        sell_window=symbol.sell_window,
        max_lots=symbol.max_lots,
        maker_fee=venue.maker_fee,
        entry_slack=symbol.entry_slack,
        min_rest_ms=int(symbol.min_rest_s * 1000),
    )
    modulus = levels_at_once(
        buy_window=symbol.buy_window, entry_slack=symbol.entry_slack, look_ahead=settings.runtime.look_ahead
    )
    assert symbol.interval is not None, "the demo's ladders are arithmetic"
    instrument = instrument_of(venue)
    return GridPlan(
        venue=venue,
        policy=policy,
        interval=interval_ticks(symbol.symbol, symbol.interval, instrument),
        anchor=instrument.ticks_floor(symbol.anchor) if symbol.anchor is not None else 0,
        side=symbol.way or GridSide.LONG,
        modulus=modulus,
        slots_per_actor=modulus,
    )


def _world(settings: Settings, plans: Sequence[GridPlan], bound: CandleBound) -> WorldSettings:
    account = settings.account
    return WorldSettings(
        grids=tuple(plans),
        desk=DeskSettings(journal="Test", notional_max=account.max_notional, orders_max=account.max_orders),
        risk=RiskRules(watch=tuple(plan.symbol for plan in plans)),
        latency=NO_LATENCY,
        fills=bound.fills,
    )
