"""Whether the venue takes an order: shape and filters first, then position, limits and margin."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from exchanges.sim.account import Account, Holding
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.margin import available, exposure, notional_max, order_margin
from exchanges.sim.money import decimal_of
from exchanges.sim.order_state import Order
from exchanges.sim.orders import NewOrder, OrderType, TimeInForce
from exchanges.sim.refusal import Reason, Refused
from exchanges.sim.resting import NO_ASK, NO_BID
from exchanges.sim.state import VenueState
from exchanges.sim.symbol_market import SymbolMarket
from grid.order import Side

CLIENT_ID = re.compile(r"^[\.A-Z\:/a-z0-9_-]{1,36}$")
GOOD_TILL_AHEAD_MS = 600_000
GOOD_TILL_MAX_MS = 253_402_300_799_000
MARKET_MARGIN_PERCENT = Decimal("1.0005")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What an order asks for, in whole ticks and steps; a price of 0 means at market."""

    side: Side
    price: int
    quantity: int
    reduce_only: bool
    is_market: bool


def read_ticket(state: VenueState, account: Account, order: NewOrder) -> Ticket:
    """Check an order's words and the symbol's filters; raises `Refused`."""
    market = state.market(order.symbol)
    if order.type not in (OrderType.LIMIT, OrderType.MARKET):
        raise Refused(Reason.ALGO_ENDPOINT)
    if account.hedge_mode or order.position_side != "BOTH":
        raise Refused(Reason.POSITION_SIDE_MISMATCH)
    is_open_for_trading(market.instrument)
    is_market = order.type is OrderType.MARKET
    if is_market and order.price is not None:
        raise Refused(Reason.PARAMETER_NOT_REQUIRED, "price")
    if not is_market and order.price is None:
        raise Refused(Reason.PARAMETER_MISSING, "price")
    quantity = read_quantity(market.instrument, order.quantity, is_market)
    price = 0 if order.price is None else read_price(market.instrument, order.price)
    _check_words(state, account, order)
    if price:
        check_percent(market, order.side, price)
    if not order.reduce_only:
        check_notional(market, price, quantity)
    return Ticket(side=order.side, price=price, quantity=quantity, reduce_only=order.reduce_only, is_market=is_market)


def is_open_for_trading(instrument: SimInstrument) -> None:
    """Raise `Refused` where the symbol takes no new orders."""
    if instrument.status in ("CLOSE", "SETTLING", "DELIVERED", "DELIVERING"):
        raise Refused(Reason.SYMBOL_CLOSED)
    if not instrument.trading:
        raise Refused(Reason.SYMBOL_NOT_OPENING)


def read_quantity(instrument: SimInstrument, quantity: Decimal, is_market: bool) -> int:
    """Return a quantity as steps, or raise `Refused` by the lot filter it breaks."""
    if not quantity.is_finite() or quantity <= 0:
        raise Refused(Reason.QUANTITY_ZERO)
    if _decimals(quantity) > instrument.quantity_precision:
        raise Refused(Reason.PRECISION)
    steps, rest = divmod(quantity, instrument.step)
    if rest:
        raise Refused(Reason.QUANTITY_OFF_STEP)
    if steps < instrument.quantity_min:
        raise Refused(Reason.QUANTITY_UNDER_MIN)
    if steps > (instrument.market_quantity_max if is_market else instrument.quantity_max):
        raise Refused(Reason.QUANTITY_OVER_MAX)
    return int(steps)


def read_price(instrument: SimInstrument, price: Decimal) -> int:
    """Return a price as ticks, or raise `Refused` by the price filter it breaks."""
    if not price.is_finite() or price <= 0:
        raise Refused(Reason.PRICE_ZERO)
    if _decimals(price) > instrument.price_precision:
        raise Refused(Reason.PRECISION)
    ticks, rest = divmod(price, instrument.tick)
    if rest:
        raise Refused(Reason.PRICE_OFF_TICK)
    if ticks < instrument.price_min:
        raise Refused(Reason.PRICE_UNDER_MIN)
    if ticks > instrument.price_max:
        raise Refused(Reason.PRICE_OVER_MAX)
    return int(ticks)


def check_percent(market: SymbolMarket, side: Side, price: int) -> None:
    """Refuse a buy above, or a sell below, the band around mark: the venue's filter is one-sided."""
    if not market.mark:
        return
    instrument, mark, asked = market.instrument, market.mark_price(), market.instrument.price(price)
    if side is Side.BUY and asked > mark * instrument.percent_up:
        raise Refused(Reason.PRICE_OVER_CAP, f"{mark * instrument.percent_up:.{instrument.price_precision}f}")
    if side is Side.SELL and asked < mark * instrument.percent_down:
        raise Refused(Reason.PRICE_UNDER_FLOOR, f"{mark * instrument.percent_down:.{instrument.price_precision}f}")


def check_notional(market: SymbolMarket, price: int, quantity: int) -> None:
    """Refuse an opening order under the minimum notional; at market it is judged at mark."""
    instrument = market.instrument
    worth = instrument.price(price) if price else market.mark_price()
    if worth * instrument.quantity(quantity) < instrument.notional_min:
        raise Refused(Reason.NOTIONAL_UNDER_MIN, f"{instrument.notional_min.normalize():f}")


def _check_words(state: VenueState, account: Account, order: NewOrder) -> None:
    if order.client_id and not CLIENT_ID.match(order.client_id):
        raise Refused(Reason.CLIENT_ID_INVALID)
    if order.client_id:
        known = account.find(order.symbol, 0, order.client_id)
        if known is not None and known.status.is_open:
            raise Refused(Reason.CLIENT_ID_DUPLICATE)
    if order.time_in_force is TimeInForce.GTX and order.type is OrderType.MARKET:
        raise Refused(Reason.TIME_IN_FORCE_INVALID)
    is_future = state.now_ms + GOOD_TILL_AHEAD_MS < order.good_till_ms < GOOD_TILL_MAX_MS
    if order.time_in_force is TimeInForce.GTD and not is_future:
        raise Refused(Reason.GOOD_TILL_DATE)


def check_account(state: VenueState, account: Account, symbol: str, ticket: Ticket, besides: Order | None) -> None:
    """Check position, open-order limit, position limit and margin; `besides` is an order the ticket replaces."""
    market, holding = state.market(symbol), account.holding(symbol)
    resting = len(holding.orders) - (1 if besides is not None else 0)
    if resting >= min(market.instrument.orders_max, state.config.orders_max):
        raise Refused(Reason.OPEN_ORDERS_MAX)
    if ticket.reduce_only:
        _check_reduce_only(state, account, holding, ticket, besides)
        return
    _check_margin(state, account, holding, ticket, besides)


def _check_reduce_only(
    state: VenueState, account: Account, holding: Holding, ticket: Ticket, besides: Order | None
) -> None:
    reducible = holding.reducible(ticket.side)
    if not reducible:
        raise Refused(Reason.REDUCE_ONLY)
    if ticket.is_market:
        return
    together = holding.reduce_only_left(ticket.side, besides) + ticket.quantity
    if state.config.reduce_only_strict and together > reducible:
        raise Refused(Reason.REDUCE_ONLY)
    others = sum(o.left for o in holding.orders.values() if o.side is ticket.side and o is not besides)
    if others + ticket.quantity > reducible and available(state, account) <= 0:
        raise Refused(Reason.REDUCE_ONLY_MARGIN)


def _check_margin(state: VenueState, account: Account, holding: Holding, ticket: Ticket, besides: Order | None) -> None:
    """Refuse what the account cannot back.

    Needed = what open-order margin grows by, plus the loss against mark the order would open with.
    """
    market = state.market(holding.symbol)
    price = ticket.price or _market_price(market, ticket.side, state.now_ms)
    more = market.instrument.notional_units(price, ticket.quantity)
    freed = market.instrument.notional_units(besides.price, besides.left) if besides is not None else 0
    bids, asks = (more - freed, 0) if ticket.side is Side.BUY else (0, more - freed)
    notional = market.at_mark(holding.quantity)
    whole = exposure(notional, holding.bids + bids, holding.asks + asks)
    if decimal_of(whole) > notional_max(market.instrument, holding.leverage) and whole > abs(notional):
        raise Refused(Reason.LEVERAGE_POSITION_MAX)
    growth = order_margin(holding, market, bids, asks) - order_margin(holding, market)
    if growth <= 0:
        return
    loss = 0
    if market.mark:
        beyond = more - market.at_mark(ticket.quantity)
        loss = max(0, beyond * ticket.side.sign)
    if growth + loss > available(state, account):
        raise Refused(Reason.MARGIN)


def _market_price(market: SymbolMarket, side: Side, now_ms: int) -> int:
    best = market.opposing_best(side, now_ms)
    if best in (NO_BID, NO_ASK):
        best = market.last
    return int(best * MARKET_MARGIN_PERCENT) if side is Side.BUY else best


def _decimals(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
