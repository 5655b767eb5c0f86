"""The client's side of orders: place, amend, cancel."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from exchanges.sim.account import Account
from exchanges.sim.admission import (
    Ticket,
    check_account,
    check_notional,
    check_percent,
    is_open_for_trading,
    read_price,
    read_quantity,
    read_ticket,
)
from exchanges.sim.booking import Booking
from exchanges.sim.matcher import Matcher
from exchanges.sim.order_state import Order
from exchanges.sim.orders import (
    Execution,
    ExpiryReason,
    NewOrder,
    OrderStatus,
    OrderType,
    OrderView,
    TimeInForce,
)
from exchanges.sim.refusal import Reason, Refused
from exchanges.sim.resting import NO_ASK, NO_BID
from exchanges.sim.state import VenueState
from exchanges.sim.symbol_market import SymbolMarket
from grid.order import Side

AMENDMENTS_MAX = 10_000


class OrderEntry:
    """Judges what clients ask for and hands it to the matcher. A refusal leaves everything as it was."""

    def __init__(self, state: VenueState, booking: Booking, matcher: Matcher) -> None:
        self._state = state
        self._booking = booking
        self._matcher = matcher

    def judge(self, account: Account, asked: NewOrder) -> tuple[Ticket, Order]:
        """Return the order that would be placed, or raise `Refused`."""
        ticket = read_ticket(self._state, account, asked)
        check_account(self._state, account, asked.symbol, ticket, None)
        market = self._state.market(asked.symbol)
        order = self._make(account, market, asked, ticket)
        self._check_arrival(order, market)
        return ticket, order

    def place(
        self,
        account: Account,
        asked: NewOrder,
        *,
        algo_id: int = 0,
        original_type: OrderType | None = None,
        stop_price: Decimal = Decimal(0),
        close_position: bool = False,
        on_accepted: Callable[[Order], None] | None = None,
    ) -> tuple[OrderView, Order]:
        """Place an order; return it as acknowledged (before any fill) and as it lives on.

        `on_accepted` is called once the order has its id and before anything is told of it.
        """
        _, order = self.judge(account, asked)
        order.algo_id, order.stop_price, order.close_position = algo_id, stop_price, close_position
        order.original_type = original_type or asked.type
        order.order_id = self._state.next_order_id()
        order.client_id = asked.client_id or self._state.venue_client_id()
        if on_accepted is not None:
            on_accepted(order)
        market = self._state.market(asked.symbol)
        self._booking.open(order)
        accepted = self.view(order)
        if self._would_take(order, market):
            self._booking.close(order, OrderStatus.CANCELED, ExpiryReason.POST_ONLY, self._state.now_ms)
            return accepted, order
        self._matcher.arrive(order, market, self._state.now_ms)
        self._state.publish_book(market)
        return accepted, order

    def _make(self, account: Account, market: SymbolMarket, asked: NewOrder, ticket: Ticket) -> Order:
        now_ms = self._state.now_ms
        return Order(
            account=account.name,
            instrument=market.instrument,
            order_id=0,
            client_id=asked.client_id,
            side=asked.side,
            type=asked.type,
            original_type=asked.type,
            time_in_force=asked.time_in_force,
            price=ticket.price,
            quantity=ticket.quantity,
            reduce_only=asked.reduce_only,
            self_trade_rule=asked.self_trade_rule,
            good_till_ms=asked.good_till_ms,
            created_ms=now_ms,
            updated_ms=now_ms,
            arrived_ms=now_ms,
        )

    def _check_arrival(self, order: Order, market: SymbolMarket) -> None:
        """Judge what only the book at arrival can: post-only, fill-or-kill, the band for market orders."""
        best = market.opposing_best(order.side, self._state.now_ms)
        if order.type is OrderType.MARKET:
            if best not in (NO_BID, NO_ASK):
                _check_best(order.side, market, best)
            return
        if self._would_take(order, market) and not self._state.config.post_only_cancels:
            raise Refused(Reason.POST_ONLY)
        if order.time_in_force is not TimeInForce.FOK:
            return
        if self._matcher.takeable(order, market, self._state.now_ms) < order.quantity:
            raise Refused(Reason.FILL_OR_KILL)

    def _would_take(self, order: Order, market: SymbolMarket) -> bool:
        """Whether a post-only order meets what stands on the other side."""
        if order.time_in_force is not TimeInForce.GTX:
            return False
        best = market.opposing_best(order.side, self._state.now_ms)
        return best <= order.price if order.side is Side.BUY else best >= order.price

    def view(self, order: Order) -> OrderView:
        """Return an order as a client sees it now."""
        holding = self._state.accounts[order.account].holding(order.symbol)
        return order.view(holding.bids, holding.asks)

    def cancel(self, account: Account, symbol: str, order_id: int, client_id: str) -> Order:
        """Cancel one open order, or raise `Refused` -2011."""
        market = self._state.market(symbol)
        order = account.find(symbol, order_id, client_id)
        if order is None or not order.status.is_open:
            raise Refused(Reason.ORDER_UNKNOWN)
        self._booking.close(order, OrderStatus.CANCELED, ExpiryReason.NONE, self._state.now_ms)
        self._state.publish_book(market)
        return order

    def cancel_all(self, account: Account, symbol: str) -> None:
        """Cancel every open order of the account on a symbol."""
        market = self._state.market(symbol)
        for order in list(account.holding(symbol).orders.values()):
            self._booking.close(order, OrderStatus.CANCELED, ExpiryReason.NONE, self._state.now_ms)
        self._state.publish_book(market)

    def expire_all(self, account: Account, symbol: str, reason: ExpiryReason) -> None:
        """End every open order of the account on a symbol by the venue's own will."""
        market = self._state.market(symbol)
        for order in list(account.holding(symbol).orders.values()):
            self._booking.close(order, OrderStatus.EXPIRED, reason, self._state.now_ms)
        self._state.publish_book(market)

    def modify(
        self,
        account: Account,
        symbol: str,
        order_id: int,
        client_id: str,
        side: Side,
        quantity: Decimal,
        price: Decimal,
    ) -> tuple[OrderView, Order]:
        """Amend an order; return it as amended (before any fill) and as it lives on. See `MatchingEngine.modify`."""
        market = self._state.market(symbol)
        order = self._amendable(account, market, symbol, order_id, client_id, side)
        steps, ticks = read_quantity(market.instrument, quantity, False), read_price(market.instrument, price)
        if (steps, ticks) == (order.quantity, order.price):
            raise Refused(Reason.MODIFY_SAME)
        check_percent(market, order.side, ticks)
        now_ms = self._state.now_ms
        best = market.opposing_best(order.side, now_ms)
        meets = best <= ticks if order.side is Side.BUY else best >= ticks
        if steps <= order.filled or (order.time_in_force is TimeInForce.GTX and meets):
            self._booking.close(order, OrderStatus.CANCELED, ExpiryReason.NONE, now_ms)
            self._state.publish_book(market)
            return self.view(order), order
        if not order.reduce_only:
            check_notional(market, ticks, steps)
        ticket = Ticket(
            side=order.side,
            price=ticks,
            quantity=steps - order.filled,
            reduce_only=order.reduce_only,
            is_market=False,
        )
        check_account(self._state, account, symbol, ticket, order)
        self._booking.unrest(order)
        self._booking.amend(order, ticks, steps)
        order.amendments += 1
        order.updated_ms = order.arrived_ms = now_ms
        self._booking.tell(order, Execution.AMENDMENT, now_ms)
        amended = self.view(order)
        self._matcher.arrive(order, market, now_ms)
        self._state.publish_book(market)
        return amended, order

    def _amendable(
        self, account: Account, market: SymbolMarket, symbol: str, order_id: int, client_id: str, side: Side
    ) -> Order:
        order = account.find(symbol, order_id, client_id)
        if order is None or not order.status.is_open:
            raise Refused(Reason.ORDER_ABSENT)
        if order.type is not OrderType.LIMIT:
            raise Refused(Reason.LIMIT_ONLY)
        if order.side is not side:
            raise Refused(Reason.PARAMETER_INVALID, "side")
        if not market.instrument.trading:
            raise Refused(Reason.MODIFY_SYMBOL)
        is_open_for_trading(market.instrument)
        if order.amendments >= AMENDMENTS_MAX:
            raise Refused(Reason.MODIFY_MAX)
        return order


def _check_best(side: Side, market: SymbolMarket, best: int) -> None:
    try:
        check_percent(market, side, best)
    except Refused as refused:
        raise Refused(Reason.BEST_PRICE_PERCENT) from refused
