"""Reading orders and fills back, with the ways in which a real venue's reads differ from its truth."""

from __future__ import annotations

from typing import Any

from exchanges.sim.binance import render_orders as render
from exchanges.sim.binance.call import Call
from exchanges.sim.binance.endpoint import Endpoint
from exchanges.sim.binance.errors import ApiError, order_does_not_exist
from exchanges.sim.binance.trade_calls import order_names
from exchanges.sim.binance.venue import Venue
from exchanges.sim.orders import OrderView
from exchanges.sim.server.faults import FaultKind

ROWS_MAX = 1000
WEEK_MS = 7 * 86_400_000


def _as_read(venue: Venue, call: Call, order: OrderView) -> OrderView:
    """Return the order as this read shows it; raises -2013 where it shows none yet."""
    if not venue.is_visible(order):
        raise order_does_not_exist()
    stale = venue.read_strike(FaultKind.STALE_READ, call)
    if stale is None:
        return order
    then = venue.past.order_at(order, venue.now_ms() - stale.delay_ms)
    if then is None:
        raise order_does_not_exist()
    return then


def query(venue: Venue, call: Call) -> Any:
    order_id, client_id = order_names(call)
    order = venue.engine.read.order(call.account, call.symbol(), venue.now_ms(), order_id=order_id, client_id=client_id)
    return render.order_row(venue.instrument(order.symbol), _as_read(venue, call, order))


def query_open(venue: Venue, call: Call) -> Any:
    order_id, client_id = order_names(call)
    order = venue.engine.read.open_order(call.account, call.symbol(), order_id=order_id, client_id=client_id)
    shown = _as_read(venue, call, order)
    if not shown.status.is_open:
        raise order_does_not_exist()
    return render.order_row(venue.instrument(order.symbol), shown)


def open_orders(venue: Venue, call: Call) -> Any:
    symbol = venue.instrument(call.symbol()).symbol if call.has("symbol") else None
    if venue.read_strike(FaultKind.EMPTY_OPEN_ORDERS, call):
        return []
    stale = venue.read_strike(FaultKind.STALE_READ, call)
    if stale:
        orders = venue.past.open_orders_at(call.account, symbol, venue.now_ms() - stale.delay_ms)
    else:
        orders = venue.engine.read.open_orders(call.account, symbol)
    return [render.order_row(venue.instrument(order.symbol), order) for order in orders if venue.is_visible(order)]


def all_orders(venue: Venue, call: Call) -> Any:
    instrument = venue.instrument(call.symbol())
    orders = venue.engine.read.all_orders(
        call.account,
        instrument.symbol,
        venue.now_ms(),
        from_order_id=call.optional_whole("orderId") or 0,
        **_span(call),
        limit=call.limit(500, ROWS_MAX),
    )
    return [render.order_history_row(instrument, order) for order in orders if venue.is_visible(order)]


def user_trades(venue: Venue, call: Call) -> Any:
    instrument = venue.instrument(call.symbol())
    fills = venue.engine.read.user_trades(
        call.account,
        instrument.symbol,
        from_trade_id=call.optional_whole("fromId") or 0,
        order_id=call.optional_whole("orderId") or 0,
        **_span(call),
        limit=call.limit(500, ROWS_MAX),
    )
    stale = venue.read_strike(FaultKind.STALE_READ, call)
    if stale:
        then_ms = venue.now_ms() - stale.delay_ms
        fills = [fill for fill in fills if fill.time_ms <= then_ms]
    return [render.trade_row(instrument, fill) for fill in fills]


def _span(call: Call) -> dict[str, int]:
    """Return the time range of a history call; the venue answers for seven days at most."""
    start_ms, end_ms = call.optional_whole("startTime") or 0, call.optional_whole("endTime") or 0
    if start_ms and end_ms:
        if start_ms > end_ms:
            raise ApiError(400, -1023, "Start time is greater than end time.")
        if end_ms - start_ms > WEEK_MS:
            raise ApiError(400, -4165, "Invalid time interval, maximum time interval is 7 days")
    return {"start_ms": start_ms, "end_ms": end_ms}


ENDPOINTS = (
    Endpoint(action="order.status", method="GET", path="/fapi/v1/order", handler=query),
    Endpoint(action="order.open", method="GET", path="/fapi/v1/openOrder", handler=query_open),
    Endpoint(
        action="orders.open", method="GET", path="/fapi/v1/openOrders", handler=open_orders, weight_without_symbol=40
    ),
    Endpoint(action="orders.all", method="GET", path="/fapi/v1/allOrders", handler=all_orders, weight=5),
    Endpoint(action="trades.own", method="GET", path="/fapi/v1/userTrades", handler=user_trades, weight=5),
)
