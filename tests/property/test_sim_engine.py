"""Whatever traders, market and venue do in whatever order: money and quantity are conserved, and no rule bends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.sim.catalogue import demo_instrument
from exchanges.sim.engine import MatchingEngine
from exchanges.sim.market import BookTop, Funding, Mark, Trade
from exchanges.sim.orders import Fill, NewOrder, OrderType, OrderView, SelfTradeRule, TimeInForce
from exchanges.sim.refusal import Refused
from exchanges.sim.settings import (
    OPTIMISTIC,
    PESSIMISTIC,
    AccountSpec,
    EngineConfig,
    FillModel,
    ThroughFill,
)
from exchanges.sim.venue_events import OrderEvent, VenueEvent
from exchanges.sim.views import MarginType
from grid.order import Side

ETH = "ETHUSDT"
RULES = demo_instrument(ETH)
CAPPED = FillModel(name="capped", through=ThroughFill.TRADED)
ACCOUNTS = ("cross", "isolated")
MIDDLE = 300_000

offsets = st.integers(-60, 60)
sides = st.sampled_from(Side)
accounts = st.sampled_from(ACCOUNTS)
quantities = st.integers(1, 400)


@dataclass(frozen=True)
class Quote:
    bid: int
    spread: int
    bid_quantity: int
    ask_quantity: int


@dataclass(frozen=True)
class Print:
    offset: int
    quantity: int
    aggressor: Side


@dataclass(frozen=True)
class Place:
    account: str
    side: Side
    offset: int
    quantity: int
    time_in_force: TimeInForce
    is_market: bool
    reduce_only: bool
    rule: SelfTradeRule


@dataclass(frozen=True)
class Touch:
    """Cancel or amend the n-th open order of an account."""

    account: str
    pick: int
    offset: int
    quantity: int
    is_cancel: bool


@dataclass(frozen=True)
class Venue:
    """Funding, a manual trade, ADL or a forced liquidation."""

    account: str
    kind: str
    quantity: int
    offset: int


@dataclass(frozen=True)
class Move:
    """A jump of the mark, now and then far enough to liquidate."""

    offset: int


ACTS = st.one_of(
    st.builds(Quote, offsets, st.integers(1, 20), quantities, quantities),
    st.builds(Print, offsets, quantities, sides),
    st.builds(
        Place,
        accounts,
        sides,
        offsets,
        quantities,
        st.sampled_from([TimeInForce.GTC, TimeInForce.GTX, TimeInForce.GTX, TimeInForce.IOC, TimeInForce.FOK]),
        st.sampled_from([False, False, False, True]),
        st.booleans(),
        st.sampled_from(SelfTradeRule),
    ),
    st.builds(Touch, accounts, st.integers(0, 5), offsets, quantities, st.booleans()),
    st.builds(Venue, accounts, st.sampled_from(["fund", "manual", "adl", "liquidate"]), quantities, offsets),
    st.builds(Move, st.integers(-12_000, 12_000)),
)


@dataclass
class Floor:
    """The venue, and what an honest bookkeeper beside it wrote down from the events alone."""

    engine: MatchingEngine
    fills: FillModel
    now_ms: int = 1_000_000
    position: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ACCOUNTS, 0))
    told: list[VenueEvent] = field(default_factory=list)

    def act(self, act: object) -> None:
        self.now_ms += 7
        try:
            if isinstance(act, Place):
                events: Sequence[VenueEvent] = self._place(act)
            elif isinstance(act, Touch):
                events = self._touch(act)
            elif isinstance(act, Venue):
                events = self._venue(act)
            else:
                events = self._market(act)
        except Refused:
            events = self.engine.advance(self.now_ms)
        self.told.extend(events)
        self._follow(events, act)
        self._check_state()

    def _place(self, act: Place) -> Sequence[VenueEvent]:
        order = NewOrder(
            symbol=ETH,
            side=act.side,
            type=OrderType.MARKET if act.is_market else OrderType.LIMIT,
            quantity=RULES.quantity(act.quantity),
            price=None if act.is_market else RULES.price(MIDDLE + act.offset),
            time_in_force=TimeInForce.GTC if act.is_market else act.time_in_force,
            reduce_only=act.reduce_only,
            self_trade_rule=act.rule,
        )
        return self.engine.submit(act.account, order, self.now_ms).events

    def _touch(self, act: Touch) -> Sequence[VenueEvent]:
        orders = self.engine.read.open_orders(act.account, ETH)
        if not orders:
            return []
        order = orders[act.pick % len(orders)]
        if act.is_cancel:
            return self.engine.cancel(act.account, ETH, self.now_ms, order_id=order.order_id).events
        return self.engine.modify(
            act.account,
            ETH,
            self.now_ms,
            side=order.side,
            quantity=RULES.quantity(act.quantity),
            price=RULES.price(MIDDLE + act.offset),
            order_id=order.order_id,
        ).events

    def _venue(self, act: Venue) -> Sequence[VenueEvent]:
        foreign = self.engine.foreign
        if act.kind == "fund":
            return self.engine.on_market(Funding(symbol=ETH, time_ms=self.now_ms, rate=Decimal(act.offset) / 10_000))
        if act.kind == "manual":
            signed = act.quantity if act.offset > 0 else -act.quantity
            return foreign.move_position(act.account, ETH, signed, self.now_ms, MIDDLE + act.offset)
        if act.kind == "adl":
            return foreign.auto_deleverage(act.account, ETH, act.quantity, self.now_ms)
        return foreign.liquidate(act.account, ETH, self.now_ms)

    def _market(self, act: object) -> Sequence[VenueEvent]:
        if isinstance(act, Quote):
            return self.engine.on_market(
                BookTop(
                    symbol=ETH,
                    time_ms=self.now_ms,
                    bid=MIDDLE + act.bid,
                    bid_quantity=act.bid_quantity,
                    ask=MIDDLE + act.bid + act.spread,
                    ask_quantity=act.ask_quantity,
                )
            )
        if isinstance(act, Move):
            price = RULES.price(MIDDLE + act.offset)
            return self.engine.on_market(Mark(symbol=ETH, time_ms=self.now_ms, price=price))
        assert isinstance(act, Print)
        return self.engine.on_market(
            Trade(
                symbol=ETH,
                time_ms=self.now_ms,
                price=MIDDLE + act.offset,
                quantity=act.quantity,
                aggressor=act.aggressor,
            )
        )

    def _follow(self, events: Sequence[VenueEvent], act: object) -> None:
        makers: list[Fill] = []
        for event in events:
            if not isinstance(event, OrderEvent) or event.fill is None:
                continue
            fill, order = event.fill, event.order
            before = self.position[fill.account]
            after = before + fill.side.sign * fill.quantity
            self.position[fill.account] = after
            if order.reduce_only:
                assert before * fill.side.sign < 0, "a reduce-only order opened a position"
                assert after * before >= 0, "a reduce-only order flipped the position"
            if fill.is_maker:
                assert fill.price == order.price, "a maker filled at another price than its own"
                makers.append(fill)
            elif order.type is OrderType.LIMIT and not order.client_id.startswith("adl_"):
                assert (order.price - fill.price) * fill.side.sign >= 0, "a taker paid more than its limit"
        if isinstance(act, Print):
            self._check_print(act, makers)

    def _check_print(self, act: Print, makers: list[Fill]) -> None:
        price = MIDDLE + act.offset
        at_print = sum(fill.quantity for fill in makers if fill.price == price)
        through = sum(fill.quantity for fill in makers if fill.price != price)
        assert at_print <= max(0, act.quantity - through), "traded quantity was used twice"
        if self.fills is CAPPED:
            assert at_print + through <= act.quantity
        for fill in makers:
            assert (fill.price - price) * fill.side.sign >= 0, "a print filled an order it did not reach"
            if fill.price == price:
                assert fill.side is act.aggressor.other

    def _check_state(self) -> None:
        read = self.engine.read
        for name in ACCOUNTS:
            view = read.account(name)
            rows = read.income(name, limit=10**6)
            assert view.assets[0].wallet == sum((row.amount for row in rows), Decimal(0))
            position = read.position(name, ETH)
            fills = read.user_trades(name, limit=10**6)
            assert position.quantity == self.position[name] == sum(f.side.sign * f.quantity for f in fills)
            if position.mark_price:
                cash = -sum(f.side.sign * RULES.price(f.price) * RULES.quantity(f.quantity) for f in fills)
                held_cost = position.notional - position.unrealised
                assert position.realised == cash + held_cost == sum((f.realised for f in fills), Decimal(0))
            assert len({(f.trade_id, f.order_id) for f in fills}) == len(fills)
            self._check_orders(read.open_orders(name, ETH), position.quantity)
            opening = [order for order in read.open_orders(name, ETH) if not order.reduce_only]
            for side, notional in ((Side.BUY, position.bids_notional), (Side.SELL, position.asks_notional)):
                mine = [RULES.price(o.price) * RULES.quantity(o.left) for o in opening if o.side is side]
                assert notional == sum(mine, Decimal(0))
        book = read.book(ETH)
        if book.bid and book.ask:
            assert book.bid < book.ask

    def _check_orders(self, orders: list[OrderView], position: int) -> None:
        for side in Side:
            reducing = sum(order.left for order in orders if order.reduce_only and order.side is side)
            assert reducing <= max(0, -position * side.sign), "resting reduce-only orders exceed the position"
        for order in orders:
            assert order.status.is_open
            assert 0 <= order.filled < order.quantity


def floor(model: FillModel, deposit: int) -> Floor:
    engine = MatchingEngine([RULES], rng=Random(5), config=EngineConfig(fills=model, publish=True), start_ms=1)
    for name in ACCOUNTS:
        kind = MarginType.ISOLATED if name == "isolated" else MarginType.CROSSED
        engine.open_account(AccountSpec(account=name, deposit=Decimal(deposit), margin_type=kind), 1)
    return Floor(engine=engine, fills=model)


@pytest.mark.parametrize("model", [PESSIMISTIC, OPTIMISTIC, CAPPED], ids=lambda model: model.name)
@settings(max_examples=150)
@given(acts=st.lists(ACTS, min_size=5, max_size=60), deposit=st.sampled_from([80, 100_000]))
def test_no_order_of_events_breaks_the_books(model: FillModel, acts: list[object], deposit: int) -> None:
    venue = floor(model, deposit)
    venue.act(Quote(0, 5, 100, 100))

    for act in acts:
        venue.act(act)


@settings(max_examples=50)
@given(acts=st.lists(ACTS, max_size=30))
def test_the_same_acts_give_the_same_events(acts: list[object]) -> None:
    first, second = floor(PESSIMISTIC, 100_000), floor(PESSIMISTIC, 100_000)

    for act in acts:
        first.act(act)
        second.act(act)

    assert first.told == second.told
