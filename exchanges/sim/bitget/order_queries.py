"""Orders and fills as read: one, those that are open, those of the past."""

from __future__ import annotations

from typing import Any

from exchanges.sim.bitget import render_orders as render
from exchanges.sim.bitget.call import Call, Endpoint, page, span
from exchanges.sim.bitget.errors import ORDER_ABSENT, ApiError, parameter
from exchanges.sim.bitget.venue import BitgetVenue
from exchanges.sim.orders import OrderView
from exchanges.sim.refusal import Reason, Refused
from exchanges.sim.server.faults import FaultKind

ROWS_MAX = 100_000
WEEK_MS = 7 * 24 * 3600 * 1000


def detail(venue: BitgetVenue, call: Call) -> Any:
    call.check_product()
    symbol, order_id, client_id = call.symbol(), call.optional("orderId"), call.optional("clientOid")
    if not order_id and not client_id:
        raise parameter("orderId")
    if order_id and not order_id.isdecimal():
        raise ApiError(ORDER_ABSENT, "The data of the order cannot be found, please confirm the order number")
    number = int(order_id) if order_id else 0
    order = venue.engine.read.order(call.account, symbol, venue.now_ms(), order_id=number, client_id=client_id)
    shown = _shown(venue, call, order)
    if shown is None:
        raise Refused(Reason.ORDER_ABSENT)
    return _row(venue, shown, is_detail=True)


def pending(venue: BitgetVenue, call: Call) -> Any:
    call.check_product()
    symbol = venue.instrument(call.symbol()).symbol if call.has("symbol") else None
    if venue.read_strike(FaultKind.EMPTY_OPEN_ORDERS, call):
        return {"entrustedList": None, "endId": None}
    stale = venue.read_strike(FaultKind.STALE_READ, call)
    if stale:
        found = venue.past.open_orders_at(call.account, symbol, venue.now_ms() - stale.delay_ms)
    else:
        found = venue.engine.read.open_orders(call.account, symbol)
    rows = [_row(venue, order) for order in sorted(found, key=_number) if venue.is_visible(order)]
    return page(rows, call, "entrustedList", "orderId", default=100)


def history(venue: BitgetVenue, call: Call) -> Any:
    call.check_product()
    start_ms, end_ms = span(call)
    symbols = [venue.instrument(call.symbol()).symbol] if call.has("symbol") else list(venue.instruments())
    found = [
        order
        for symbol in symbols
        for order in venue.engine.read.all_orders(
            call.account, symbol, venue.now_ms(), start_ms=start_ms or 1, end_ms=end_ms, limit=ROWS_MAX
        )
        if not order.status.is_open and venue.is_visible(order)
    ]
    rows = [_row(venue, order) for order in sorted(found, key=_number)]
    return page(rows, call, "entrustedList", "orderId", default=100)


def fills(venue: BitgetVenue, call: Call) -> Any:
    call.check_product()
    start_ms, end_ms = span(call)
    if start_ms and end_ms and end_ms - start_ms > WEEK_MS:
        raise ApiError("00001", "startTime and endTime interval cannot be greater than 7 days")
    order_id = call.whole("orderId")
    symbol = venue.instrument(call.symbol()).symbol if call.has("symbol") else None
    read = venue.engine.read
    found = read.user_trades(
        call.account, symbol, order_id=order_id, start_ms=start_ms or 1, end_ms=end_ms, limit=ROWS_MAX
    )
    orders = {order.order_id: order for order in read.every_order(call.account)}
    rows = [
        render.fill_row(venue.instrument(fill.symbol), fill, orders.get(fill.order_id))
        for fill in sorted(found, key=lambda fill: fill.trade_id)
    ]
    return page(rows, call, "fillList", "tradeId", default=100)


def plans(venue: BitgetVenue, call: Call) -> Any:
    """Return the conditional orders that wait: nobody places any at this simulated venue."""
    call.check_product()
    call.text("planType")
    return {"entrustedList": None, "endId": None}


def _shown(venue: BitgetVenue, call: Call, order: OrderView) -> OrderView | None:
    if not venue.is_visible(order):
        return None
    stale = venue.read_strike(FaultKind.STALE_READ, call)
    return venue.past.order_at(order, venue.now_ms() - stale.delay_ms) if stale else order


def _row(venue: BitgetVenue, order: OrderView, *, is_detail: bool = False) -> render.Json:
    leverage = venue.engine.read.position(order.account, order.symbol).leverage
    return render.order_row(venue.instrument(order.symbol), order, leverage=leverage, is_detail=is_detail)


def _number(order: OrderView) -> int:
    return order.order_id


def _read(action: str, path: str, handler: Any) -> Endpoint:
    return Endpoint(action=action, method="GET", path=f"/api/v2/mix/order/{path}", handler=handler)


ENDPOINTS = (
    _read("order.status", "detail", detail),
    _read("orders.open", "orders-pending", pending),
    _read("orders.all", "orders-history", history),
    _read("trades.own", "fills", fills),
    _read("trades.own", "fill-history", fills),
    _read("algos.open", "orders-plan-pending", plans),
)
