"""A trader's seat at the simulated venue, in prices people read. Time goes on by 1 ms with each act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

from exchanges.sim.catalogue import demo_instruments
from exchanges.sim.engine import MatchingEngine
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.market import BookTop, Funding, Mark, Trade
from exchanges.sim.orders import Execution, Fill, NewOrder, OrderType, OrderView, TimeInForce
from exchanges.sim.settings import AccountSpec, EngineConfig
from exchanges.sim.venue_events import OrderEvent, Placed, VenueEvent
from grid.order import Side

ETH = "ETHUSDT"
START_MS = 1_700_000_000_000


class Desk:
    """One account `main` on ETHUSDT (tick 0.01, step 0.001), or several."""

    def __init__(
        self,
        *,
        deposit: str = "10000",
        config: EngineConfig | None = None,
        seed: int = 1,
        instruments: Sequence[SimInstrument] | None = None,
        **spec: Any,
    ) -> None:
        self.now_ms = START_MS
        self.engine = MatchingEngine(
            instruments or demo_instruments(), rng=Random(seed), config=config, start_ms=START_MS
        )
        self.engine.open_account(AccountSpec(account="main", deposit=Decimal(deposit), **spec), START_MS)
        self.read = self.engine.read

    def tick(self, ms: int = 1) -> int:
        self.now_ms += ms
        return self.now_ms

    def quote(
        self, bid: str, ask: str, bid_quantity: str = "1", ask_quantity: str = "1", symbol: str = ETH
    ) -> list[VenueEvent]:
        rules = self.read.instrument(symbol)
        return self.engine.on_market(
            BookTop(
                symbol=symbol,
                time_ms=self.tick(),
                bid=rules.ticks(Decimal(bid)),
                bid_quantity=rules.steps(Decimal(bid_quantity)),
                ask=rules.ticks(Decimal(ask)),
                ask_quantity=rules.steps(Decimal(ask_quantity)),
            )
        )

    def trade(self, price: str, quantity: str, aggressor: Side = Side.SELL, symbol: str = ETH) -> list[VenueEvent]:
        return self.engine.on_market(self.print_of(price, quantity, aggressor, symbol))

    def print_of(self, price: str, quantity: str, aggressor: Side = Side.SELL, symbol: str = ETH) -> Trade:
        rules = self.read.instrument(symbol)
        return Trade(
            symbol=symbol,
            time_ms=self.tick(),
            price=rules.ticks(Decimal(price)),
            quantity=rules.steps(Decimal(quantity)),
            aggressor=aggressor,
        )

    def mark(self, price: str, symbol: str = ETH) -> list[VenueEvent]:
        return self.engine.on_market(Mark(symbol=symbol, time_ms=self.tick(), price=Decimal(price)))

    def fund(self, rate: str, symbol: str = ETH) -> list[VenueEvent]:
        return self.engine.on_market(Funding(symbol=symbol, time_ms=self.tick(), rate=Decimal(rate)))

    def limit(self, side: Side, price: str, quantity: str, **more: Any) -> Placed:
        account = more.pop("account", "main")
        order = NewOrder(symbol=ETH, side=side, price=Decimal(price), quantity=Decimal(quantity))
        return self.engine.submit(account, replace(order, **more), self.tick())

    def buy(self, price: str, quantity: str, **more: Any) -> Placed:
        return self.limit(Side.BUY, price, quantity, **{"time_in_force": TimeInForce.GTX, **more})

    def sell(self, price: str, quantity: str, **more: Any) -> Placed:
        return self.limit(Side.SELL, price, quantity, **{"time_in_force": TimeInForce.GTX, **more})

    def exit(self, price: str, quantity: str, **more: Any) -> Placed:
        return self.sell(price, quantity, reduce_only=True, **more)

    def market(self, side: Side, quantity: str, account: str = "main", **more: Any) -> Placed:
        order = NewOrder(symbol=ETH, side=side, type=OrderType.MARKET, quantity=Decimal(quantity), **more)
        return self.engine.submit(account, order, self.tick())

    def order(self, placed: Placed) -> OrderView:
        return self.read.order(placed.order.account, placed.order.symbol, self.now_ms, order_id=placed.order.order_id)

    def filled(self, placed: Placed) -> Decimal:
        return self.read.instrument(placed.order.symbol).quantity(self.order(placed).filled)

    def position(self, account: str = "main", symbol: str = ETH) -> Decimal:
        return self.read.instrument(symbol).quantity(self.read.position(account, symbol).quantity)

    def wallet(self, account: str = "main", asset: str = "USDT") -> Decimal:
        return next(row.wallet for row in self.read.account(account).assets if row.asset == asset)


def fills(events: Sequence[VenueEvent]) -> list[Fill]:
    """Return the fills told by events, in order."""
    return [event.fill for event in events if isinstance(event, OrderEvent) and event.fill is not None]


def executions(events: Sequence[VenueEvent]) -> list[Execution]:
    """Return what happened to orders, in order."""
    return [event.execution for event in events if isinstance(event, OrderEvent)]


def ledger_balances(desk: Desk, account: str = "main") -> bool:
    """Return whether wallet = deposits + realised - fees + funding + insurance, in every asset."""
    assets = {row.asset: row.wallet for row in desk.read.account(account).assets}
    rows = desk.read.income(account, limit=1_000_000)
    sums = {asset: sum((row.amount for row in rows if row.asset == asset), Decimal(0)) for asset in assets}
    return sums == assets
