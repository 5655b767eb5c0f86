"""The matcher: who meets whom, at what price, and how much."""

from __future__ import annotations

from exchanges.sim.booking import Booking
from exchanges.sim.maker_fills import allocate, join_queue, see_level
from exchanges.sim.market import BookTop, Trade
from exchanges.sim.order_state import Order
from exchanges.sim.orders import ExpiryReason, OrderStatus, OrderType, SelfTradeRule, TimeInForce
from exchanges.sim.resting import NO_ASK, NO_BID
from exchanges.sim.state import VenueState
from exchanges.sim.symbol_market import SymbolMarket
from exchanges.sim.venue_events import PrintEvent
from grid.order import Side


class Matcher:
    """Lets orders meet the tape and each other. When exactly is said in `MatchingEngine`."""

    def __init__(self, state: VenueState, booking: Booking) -> None:
        self._state = state
        self._booking = booking

    def on_trade(self, market: SymbolMarket, trade: Trade) -> None:
        """Let one print of the tape move the last price and fill what rests."""
        trade_id = market.next_trade_id()
        self._print(market, trade.time_ms, trade_id, trade.price, trade.quantity, trade.aggressor)
        if not market.has_quotes:
            market.guess_top(trade.price, trade.aggressor)
        if market.bids.best >= trade.price or market.asks.best <= trade.price:
            self.cross(market, trade.price, trade.quantity, trade.aggressor, trade.time_ms)

    def cross(self, market: SymbolMarket, price: int, quantity: int, aggressor: Side, time_ms: int) -> int:
        """Fill resting orders from one print; return how much of its quantity they used."""
        used = 0
        for side in (market.bids, market.asks):
            shares = allocate(side, price, quantity - used, aggressor, time_ms, self._state.config.fills)
            for order, wanted in shares:
                used = min(quantity, used + self.fill_resting(market, order, wanted, time_ms))
        return used

    def on_book(self, market: SymbolMarket, top: BookTop) -> None:
        """Let the others' best prices move; queues at them are corrected, and by the model crossed orders fill."""
        market.set_top(top)
        fills = self._state.config.fills
        if market.bids.best != NO_BID:
            see_level(market.bids.at(top.bid), top.bid_quantity, fills)
            if fills.crossing_quote_fills and top.ask and top.ask <= market.bids.best:
                self._crossed(market, Side.BUY, top.ask, top.ask_quantity, top.time_ms)
        if market.asks.best != NO_ASK:
            see_level(market.asks.at(top.ask), top.ask_quantity, fills)
            if fills.crossing_quote_fills and top.bid and top.bid >= market.asks.best:
                self._crossed(market, Side.SELL, top.bid, top.bid_quantity, top.time_ms)

    def _crossed(self, market: SymbolMarket, side: Side, price: int, quantity: int, time_ms: int) -> None:
        resting = market.resting(side)
        left = quantity
        for order in [*resting.better_than(price), *resting.at(price)]:
            if not left:
                return
            if order.arrived_ms <= time_ms:
                left -= self.fill_resting(market, order, min(left, order.left), time_ms)

    def fill_resting(self, market: SymbolMarket, order: Order, wanted: int, time_ms: int) -> int:
        """Fill a resting order at its own price as maker, as far as it may; return the steps filled."""
        quantity = self._booking.fillable(order, wanted)
        if quantity:
            self._booking.fill(
                order, order.price, quantity, is_maker=True, time_ms=time_ms, trade_id=market.next_trade_id()
            )
        return quantity

    def arrive(self, order: Order, market: SymbolMarket, now_ms: int) -> None:
        """Let an accepted order take what it can, then rest or end."""
        limit = self._limit(order, market)
        self.take(order, market, limit, now_ms)
        if not order.status.is_open or not order.left:
            return
        if order.type is OrderType.LIMIT and order.time_in_force not in (TimeInForce.IOC, TimeInForce.FOK):
            shown = market.shown_at(order.side, order.price)
            join_queue(order, shown, market.top_quantity(order.side), self._state.config.fills)
            self._booking.rest(order, market)
            if order.reduce_only and not self._state.config.reduce_only_strict:
                self._booking.hold_to_position(order.account, order.symbol, now_ms)
            return
        self._booking.close(order, OrderStatus.EXPIRED, self._remainder(order), now_ms)

    def _remainder(self, order: Order) -> ExpiryReason:
        if order.reduce_only and not self._booking.fillable(order, order.left):
            return ExpiryReason.REDUCE_ONLY
        return ExpiryReason.MARKET_REMAINDER if order.type is OrderType.MARKET else ExpiryReason.IOC_REMAINDER

    def _limit(self, order: Order, market: SymbolMarket) -> int:
        """Return the worst price an order may take at: its own, or for market orders the symbol's bound around mark."""
        if order.type is not OrderType.MARKET:
            return order.price
        if not market.mark:
            return NO_ASK if order.side is Side.BUY else NO_BID
        bound = 1 + market.instrument.market_take_bound * order.side.sign
        return int(market.mark_price() * bound / market.instrument.tick)

    def take(self, order: Order, market: SymbolMarket, limit: int, now_ms: int) -> None:
        """Let an order take whatever stands at `limit` or better: the others first at each price, then ours by age."""
        buying = order.side is Side.BUY
        resting = market.resting(order.side.other)
        while order.left and order.status.is_open:
            allowed = self._booking.fillable(order, order.left)
            best = market.opposing_best(order.side, now_ms)
            if not allowed or best in (NO_BID, NO_ASK) or (best > limit if buying else best < limit):
                return
            others = next(market.ladder(order.side.other, now_ms), None)
            if others is not None and others[0] == best:
                quantity = min(allowed, others[1])
                market.take(order.side.other, quantity, now_ms)
                self._fill_taker(order, market, best, quantity, now_ms)
            else:
                self._meet(order, resting.at(best)[0], market, allowed, now_ms)

    def _meet(self, order: Order, maker: Order, market: SymbolMarket, allowed: int, now_ms: int) -> None:
        """Let an order meet a resting one of ours: prevented within an account, else a trade at the resting price."""
        rule = order.self_trade_rule
        if maker.account == order.account and rule is not SelfTradeRule.NONE:
            if rule in (SelfTradeRule.EXPIRE_MAKER, SelfTradeRule.EXPIRE_BOTH):
                self._booking.close(maker, OrderStatus.EXPIRED_IN_MATCH, ExpiryReason.SELF_TRADE, now_ms)
            if rule in (SelfTradeRule.EXPIRE_TAKER, SelfTradeRule.EXPIRE_BOTH):
                self._booking.close(order, OrderStatus.EXPIRED_IN_MATCH, ExpiryReason.SELF_TRADE, now_ms)
            return
        quantity = self._booking.fillable(maker, allowed)
        if not quantity:
            self._booking.close(maker, OrderStatus.EXPIRED, ExpiryReason.REDUCE_ONLY, now_ms)
            return
        trade_id = self._fill_taker(order, market, maker.price, quantity, now_ms)
        quantity = self._booking.fillable(maker, quantity)  # a self trade may just have shrunk what it may close
        if quantity:
            self._booking.fill(maker, maker.price, quantity, is_maker=True, time_ms=now_ms, trade_id=trade_id)

    def _fill_taker(self, order: Order, market: SymbolMarket, price: int, quantity: int, now_ms: int) -> int:
        trade_id = market.next_trade_id()
        self._print(market, now_ms, trade_id, price, quantity, order.side)
        self._booking.fill(order, price, quantity, is_maker=False, time_ms=now_ms, trade_id=trade_id)
        return trade_id

    def takeable(self, order: Order, market: SymbolMarket, now_ms: int) -> int:
        """Return how many steps an order could take at once at its limit, others' and ours of other accounts."""
        limit = self._limit(order, market)
        found = 0
        buying = order.side is Side.BUY
        for price, quantity in market.ladder(order.side.other, now_ms):
            if price > limit if buying else price < limit:
                break
            found += quantity
        resting = market.resting(order.side.other)
        for maker in [*resting.better_than(limit), *resting.at(limit)]:
            if maker.account != order.account:
                found += maker.left
        return found

    def _print(
        self, market: SymbolMarket, time_ms: int, trade_id: int, price: int, quantity: int, aggressor: Side
    ) -> None:
        market.last, market.has_traded = price, True
        market.klines.on_trade(time_ms, price, quantity, aggressor is Side.BUY, trade_id)
        if not self._state.config.publish:
            return
        told = PrintEvent(
            symbol=market.instrument.symbol,
            time_ms=time_ms,
            trade_id=trade_id,
            price=price,
            quantity=quantity,
            buyer_is_maker=aggressor is Side.SELL,
        )
        market.prints.append(told)
        self._state.emit(told)
