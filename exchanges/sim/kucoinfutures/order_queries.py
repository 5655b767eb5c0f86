"""Orders and fills as read: one, those that are open, those of the past."""

from __future__ import annotations

from typing import Any

from exchanges.sim.kucoinfutures import render_orders as render
from exchanges.sim.kucoinfutures.contracts import contract, of_symbol
from exchanges.sim.kucoinfutures.venue import KucoinVenue
from exchanges.sim.orders import OrderView
from exchanges.sim.refusal import Reason, Refused
from exchanges.sim.server import lagging
from exchanges.sim.server.request import Endpoint, Malformed, Request
from exchanges.sim.views import MarginType

PAGE_DEFAULT, PAGE_MAX = 50, 1000
ROWS_MAX = 1_000_000
WEEK_MS = 7 * 24 * 3600 * 1000


def order_by_id(venue: KucoinVenue, request: Request) -> Any:
    return _shown(venue, request, venue.own_order(request.account, request.text("orderId")))


def order_by_client_id(venue: KucoinVenue, request: Request) -> Any:
    """Return the newest order of a client id: one may be used again once the order before it has ended."""
    client_id = request.text("clientOid")
    found = [one for one in venue.engine.read.every_order(request.account) if one.client_id == client_id]
    return _shown(venue, request, max(found, key=lambda one: one.order_id, default=None))


def active(venue: KucoinVenue, request: Request) -> Any:
    symbol = contract(venue, request.text("symbol")).symbol if request.has("symbol") else None
    found = lagging.open_orders(venue, request.account, symbol, request.subject)
    return page([_row(venue, order) for order in found], request)


def done(venue: KucoinVenue, request: Request) -> Any:
    symbol = contract(venue, request.text("symbol")).symbol if request.has("symbol") else ""
    start_ms, end_ms = span(venue, request)
    found = [
        one
        for name in ([symbol] if symbol else venue.instruments())
        for one in venue.engine.read.all_orders(
            request.account, name, venue.now_ms(), start_ms=start_ms, end_ms=end_ms, limit=ROWS_MAX
        )
        if not one.status.is_open and venue.is_visible(one)
    ]
    return page([_row(venue, one) for one in sorted(found, key=lambda one: -one.order_id)], request)


def fills(venue: KucoinVenue, request: Request) -> Any:
    start_ms, end_ms = span(venue, request)
    symbol = contract(venue, request.text("symbol")).symbol if request.has("symbol") else None
    order_id = request.whole("orderId")
    read = venue.engine.read
    found = read.user_trades(
        request.account, symbol, order_id=order_id, start_ms=start_ms, end_ms=end_ms, limit=ROWS_MAX
    )
    orders = {one.order_id: one for one in read.every_order(request.account)}
    rows = [
        render.fill_row(of_symbol(venue, fill.symbol), fill, orders.get(fill.order_id))
        for fill in sorted(found, key=lambda fill: -fill.trade_id)
    ]
    return page(rows, request)


def waiting(venue: KucoinVenue, request: Request) -> Any:
    """Return no conditional order: none can be placed here."""
    return page([], request)


def page(rows: list[dict[str, Any]], request: Request) -> dict[str, Any]:
    """Return one page, newest first; pages are counted from 1."""
    size, number = request.whole("pageSize", PAGE_DEFAULT), request.whole("currentPage", 1)
    if not 1 <= size <= PAGE_MAX or number < 1:
        raise Malformed("pageSize")
    return {
        "currentPage": number,
        "pageSize": size,
        "totalNum": len(rows),
        "totalPage": -(-len(rows) // size),
        "items": rows[(number - 1) * size : number * size],
    }


def span(venue: KucoinVenue, request: Request) -> tuple[int, int]:
    """Return the times asked for: at most a week, and the last one where no start is named."""
    end_ms = request.whole("endAt") or venue.server_ms()
    start_ms = request.whole("startAt")
    if not start_ms and not request.has("orderId"):
        start_ms = end_ms - WEEK_MS
    if start_ms and end_ms - start_ms > WEEK_MS:
        if request.has("endAt"):
            raise Malformed("startAt")
        end_ms = start_ms + WEEK_MS
    return max(start_ms, 1), end_ms


def _shown(venue: KucoinVenue, request: Request, found: OrderView | None) -> Any:
    if found is None:
        raise Refused(Reason.ORDER_ABSENT)
    # whether the engine has forgotten it is the engine's to say
    known = venue.engine.read.order(request.account, found.symbol, venue.now_ms(), order_id=found.order_id)
    return _row(venue, lagging.order(venue, known, request.subject))


def _row(venue: KucoinVenue, order: OrderView) -> render.Json:
    held = venue.engine.read.position(order.account, order.symbol)
    is_isolated = held.margin_type is MarginType.ISOLATED
    contract_of = of_symbol(venue, order.symbol)
    return render.order_row(contract_of, order, leverage=held.leverage, is_isolated=is_isolated)


def _read(action: str, path: str, handler: Any, weight: int, when: tuple[str, str] = ("", "")) -> Endpoint[KucoinVenue]:
    return Endpoint(action=action, method="GET", path=path, handler=handler, weight=weight, when=when)


ENDPOINTS: tuple[Endpoint[KucoinVenue], ...] = (
    _read("orders.open", "/api/v1/orders", active, 2, ("status", "active")),
    _read("orders.all", "/api/v1/orders", done, 2),
    _read("order.status", "/api/v1/orders/byClientOid", order_by_client_id, 5),
    _read("order.status", "/api/v1/orders/{orderId}", order_by_id, 5),
    _read("stops.open", "/api/v1/stopOrders", waiting, 6),
    _read("trades.own", "/api/v1/fills", fills, 5),
)
