"""Every query of the venue: reads, never changes what a client could see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from exchanges.sim import algo_desk
from exchanges.sim.account import Account
from exchanges.sim.algo_orders import AlgoView
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.klines import INTERVALS_MS, opening
from exchanges.sim.margin import account_view, position_view
from exchanges.sim.money import decimal_of
from exchanges.sim.order_state import Order
from exchanges.sim.orders import Fill, OrderView
from exchanges.sim.refusal import Reason, Refused
from exchanges.sim.resting import NO_ASK, NO_BID
from exchanges.sim.state import VenueState
from exchanges.sim.venue_events import PrintEvent, PublishedBook
from exchanges.sim.views import AccountView, DepthRow, FundingRow, Income, Kline, PositionView, PremiumIndex
from grid.order import Side

FUNDING_EVERY_MS = 28_800_000
Row = TypeVar("Row")


def page_of(rows: list[Row], limit: int, from_start: bool, number: int) -> list[Row]:
    """Return one page of rows, the first being number 1: counted from the first row, or back from the last."""
    if from_start:
        return rows[(number - 1) * limit : number * limit]
    end = max(0, len(rows) - (number - 1) * limit)
    return rows[max(0, end - limit) : end]


def newest(rows: list[Row], limit: int, from_start: bool) -> list[Row]:
    """Return at most `limit` rows: the first where a start was asked for, else the last."""
    return rows[:limit] if from_start else rows[-limit:] if limit else []


class Reader:
    """What clients may ask. Rows come oldest first; `limit` keeps the newest unless a start or an id is given.

    A time of 0 means no bound. An unknown symbol is `Refused` -1121, an unknown account a `KeyError`.
    """

    def __init__(self, state: VenueState) -> None:
        self._state = state

    @property
    def now_ms(self) -> int:
        """Return the latest time the engine was told."""
        return self._state.now_ms

    def instruments(self) -> Sequence[SimInstrument]:
        """Return every symbol, as its filters stand now."""
        return [market.instrument for market in self._state.markets.values()]

    def instrument(self, symbol: str) -> SimInstrument:
        """Return one symbol as its filters stand now."""
        return self._state.market(symbol).instrument

    def accounts(self) -> Sequence[str]:
        """Return the names of all accounts."""
        return list(self._state.accounts)

    def order(self, account: str, symbol: str, now_ms: int, *, order_id: int = 0, client_id: str = "") -> OrderView:
        """Return an order, open or not, or raise `Refused` -2013. Orders past the venue's retention do not exist."""
        self._state.market(symbol)
        owner = self._state.account(account)
        found = owner.find(symbol, order_id, client_id)
        if found is None or self._is_forgotten(found, now_ms):
            raise Refused(Reason.ORDER_ABSENT)
        return self._view(owner, found)

    def open_order(self, account: str, symbol: str, *, order_id: int = 0, client_id: str = "") -> OrderView:
        """Return an open order, or raise `Refused` -2013."""
        self._state.market(symbol)
        owner = self._state.account(account)
        found = owner.find(symbol, order_id, client_id)
        if found is None or not found.status.is_open:
            raise Refused(Reason.ORDER_ABSENT)
        return self._view(owner, found)

    def open_orders(self, account: str, symbol: str | None = None) -> list[OrderView]:
        """Return the open orders of a symbol, or of all; algo orders are not among them."""
        owner = self._state.account(account)
        symbols = [symbol] if symbol else list(owner.holdings)
        for name in symbols:
            self._state.market(name)
        return [self._view(owner, order) for name in symbols for order in owner.holding(name).orders.values()]

    def all_orders(
        self,
        account: str,
        symbol: str,
        now_ms: int,
        *,
        from_order_id: int = 0,
        start_ms: int = 0,
        end_ms: int = 0,
        limit: int = 500,
    ) -> list[OrderView]:
        """Return a symbol's orders, open or not, within the venue's retention."""
        self._state.market(symbol)
        owner = self._state.account(account)
        found = [
            order
            for order in owner.orders.values()
            if order.symbol == symbol
            and order.order_id >= from_order_id
            and _within(order.created_ms, start_ms, end_ms)
            and not self._is_forgotten(order, now_ms)
        ]
        return [self._view(owner, order) for order in newest(found, limit, bool(from_order_id or start_ms))]

    def every_order(self, account: str) -> list[OrderView]:
        """Return every order the account ever had, retention or not: the venue's truth, for checks."""
        owner = self._state.account(account)
        return [self._view(owner, order) for order in owner.orders.values()]

    def user_trades(
        self,
        account: str,
        symbol: str | None = None,
        *,
        from_trade_id: int = 0,
        order_id: int = 0,
        start_ms: int = 0,
        end_ms: int = 0,
        limit: int = 500,
    ) -> list[Fill]:
        """Return an account's fills. They do not carry the client id."""
        if symbol:
            self._state.market(symbol)
        found = [
            fill
            for fill in self._state.account(account).fills
            if (not symbol or fill.symbol == symbol)
            and fill.trade_id >= from_trade_id
            and (not order_id or fill.order_id == order_id)
            and _within(fill.time_ms, start_ms, end_ms)
        ]
        return newest(found, limit, bool(from_trade_id or start_ms))

    def income(
        self,
        account: str,
        *,
        kind: str = "",
        symbol: str = "",
        start_ms: int = 0,
        end_ms: int = 0,
        limit: int = 100,
        page: int = 1,
    ) -> list[Income]:
        """Return one page of ledger rows."""
        found = [
            row
            for row in self._state.account(account).income
            if (not kind or row.kind == kind)
            and (not symbol or row.symbol == symbol)
            and _within(row.time_ms, start_ms, end_ms)
        ]
        return page_of(found, limit, bool(start_ms), page)

    def position(self, account: str, symbol: str) -> PositionView:
        """Return one position, flat or not."""
        self._state.market(symbol)
        owner = self._state.account(account)
        return position_view(self._state, owner, owner.holding(symbol))

    def positions(self, account: str, symbol: str | None = None) -> list[PositionView]:
        """Return the position of a symbol, or of every symbol, flat ones included."""
        return [self.position(account, name) for name in ([symbol] if symbol else self._state.markets)]

    def account(self, account: str) -> AccountView:
        """Return balances, margins and positions."""
        return account_view(self._state, self._state.account(account))

    def algo(self, account: str, *, algo_id: int = 0, client_id: str = "") -> AlgoView:
        """Return a conditional order, or raise `Refused` -2013."""
        found = algo_desk.find(self._state.account(account), algo_id, client_id)
        if found is None:
            raise Refused(Reason.ORDER_ABSENT)
        return found.view()

    def open_algos(self, account: str, symbol: str | None = None) -> list[AlgoView]:
        """Return the conditional orders that wait."""
        return [algo for algo in self.all_algos(account, symbol, limit=0) if algo.status.is_open]

    def all_algos(self, account: str, symbol: str | None = None, *, limit: int = 500) -> list[AlgoView]:
        """Return conditional orders, waiting or not; a limit of 0 means all."""
        found = [
            algo.view() for algo in self._state.account(account).algos.values() if not symbol or algo.symbol == symbol
        ]
        return found[-limit:] if limit else found

    def countdown(self, account: str, symbol: str) -> int | None:
        """Return when the countdown of a symbol cancels its orders; None where none runs."""
        return self._state.account(account).countdowns.get(symbol)

    def klines(
        self, symbol: str, interval: str, now_ms: int, *, start_ms: int = 0, end_ms: int = 0, limit: int = 500
    ) -> list[Kline]:
        """Return candles by open time, the running one last; `Refused` -1120 for an interval the venue has not."""
        market = self._state.market(symbol)
        if interval not in INTERVALS_MS:
            raise Refused(Reason.INTERVAL_INVALID)
        bars = [bar for bar in market.klines.bars(interval, now_ms) if _within(bar.open_ms, start_ms, end_ms)]
        return [market.klines.view(bar, interval, now_ms) for bar in newest(bars, limit, bool(start_ms))]

    def kline(self, symbol: str, interval: str, now_ms: int) -> Kline | None:
        """Return the running candle; None before the first print."""
        running = self.klines(symbol, interval, now_ms, start_ms=opening(now_ms, interval), limit=1)
        return running[-1] if running else None

    def premium_index(self, symbol: str) -> PremiumIndex:
        """Return mark, index and funding of a symbol."""
        market = self._state.market(symbol)
        every = self._state.config.funding_every_ms or FUNDING_EVERY_MS
        return PremiumIndex(
            symbol=symbol,
            time_ms=self._state.now_ms,
            mark_price=market.mark_price(),
            index_price=decimal_of(market.index),
            funding_rate=market.funding_rate,
            next_funding_ms=(self._state.now_ms // every + 1) * every,
        )

    def funding_history(self, symbol: str, *, start_ms: int = 0, end_ms: int = 0, limit: int = 100) -> list[FundingRow]:
        """Return past settlements."""
        rows = [row for row in self._state.market(symbol).funding_rows if _within(row.time_ms, start_ms, end_ms)]
        return newest(rows, limit, bool(start_ms))

    def book(self, symbol: str) -> PublishedBook:
        """Return the published best prices: the others' and ours."""
        return self._state.market(symbol).book(self._state.now_ms)

    def depth(self, symbol: str, limit: int = 20) -> tuple[list[DepthRow], list[DepthRow]]:
        """Return published bids and asks, best first: the others' synthetic ladder with our orders in it."""
        market = self._state.market(symbol)
        bid, _, ask, _ = market.published_top()
        bids = self._side(symbol, Side.BUY)
        asks = self._side(symbol, Side.SELL)
        shown_bids = [DepthRow(price=p, quantity=bids[p]) for p in sorted(bids, reverse=True) if p <= bid]
        shown_asks = [DepthRow(price=p, quantity=asks[p]) for p in sorted(asks) if p >= ask]
        return shown_bids[:limit], shown_asks[:limit]

    def last_price(self, symbol: str) -> int:
        """Return the last traded price in ticks, 0 before any."""
        return self._state.market(symbol).last

    def recent_trades(self, symbol: str, limit: int = 500) -> list[PrintEvent]:
        """Return the newest public trades; kept only with `EngineConfig.publish`."""
        return list(self._state.market(symbol).prints)[-limit:]

    def _side(self, symbol: str, side: Side) -> dict[int, int]:
        market = self._state.market(symbol)
        rows = dict(market.ladder(side, self._state.now_ms))
        resting = market.resting(side)
        if resting.best not in (NO_BID, NO_ASK):
            for price in resting.prices():
                rows[price] = rows.get(price, 0) + resting.quantity_at(price)
        return rows

    def _is_forgotten(self, order: Order, now_ms: int) -> bool:
        is_bare = not order.status.is_open and not order.filled
        return is_bare and now_ms - order.created_ms > self._state.config.order_retention_ms

    @staticmethod
    def _view(owner: Account, order: Order) -> OrderView:
        holding = owner.holding(order.symbol)
        return order.view(holding.bids, holding.asks)


def _within(time_ms: int, start_ms: int, end_ms: int) -> bool:
    return time_ms >= start_ms and (not end_ms or time_ms <= end_ms)
