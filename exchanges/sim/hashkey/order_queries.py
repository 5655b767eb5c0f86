"""Orders and fills as read: one, those that are open, those of the past. The newest come first."""

from __future__ import annotations

from typing import Any

from exchanges.sim.hashkey import render_orders as render
from exchanges.sim.hashkey.contracts import contract
from exchanges.sim.hashkey.trade_calls import found, shown
from exchanges.sim.hashkey.venue import HashkeyVenue
from exchanges.sim.server import lagging
from exchanges.sim.server.request import Endpoint, Malformed, Request

ROWS_DEFAULT, ROWS_MAX = 20, 500
FILLS_MAX = 1000
EVERY = 1_000_000
MONTH_MS = 30 * 24 * 3600 * 1000


def order(venue: HashkeyVenue, request: Request) -> Any:
    named = found(venue, request)
    # whether the engine has forgotten it is the engine's to say
    known = venue.engine.read.order(request.account, named.symbol, venue.now_ms(), order_id=named.order_id)
    return shown(venue, lagging.order(venue, known, request.subject))


def open_orders(venue: HashkeyVenue, request: Request) -> Any:
    if request.optional("type") == "STOP":
        return []  # no conditional order can be placed here
    _check_type(request)
    symbol = contract(venue, request.text("symbol")).symbol
    rows = lagging.open_orders(venue, request.account, symbol, request.subject)
    return [shown(venue, one) for one in rows[: limit(request, ROWS_MAX)]]


def history(venue: HashkeyVenue, request: Request) -> Any:
    """Return the orders that have ended."""
    _check_type(request)
    symbol = contract(venue, request.text("symbol")).symbol
    start_ms, end_ms = span(venue, request)
    rows = venue.engine.read.all_orders(
        request.account, symbol, venue.now_ms(), start_ms=start_ms, end_ms=end_ms, limit=EVERY
    )
    ended = [one for one in reversed(rows) if not one.status.is_open and venue.is_visible(one)]
    return [shown(venue, one) for one in ended[: limit(request, ROWS_MAX)]]


def fills(venue: HashkeyVenue, request: Request) -> Any:
    held = contract(venue, request.text("symbol"))
    start_ms, end_ms = span(venue, request)
    read = venue.engine.read
    rows = read.user_trades(request.account, held.symbol, start_ms=start_ms, end_ms=end_ms, limit=EVERY)
    orders = {one.order_id: one for one in venue.orders_of(request.account)}
    newest = sorted(rows, key=lambda fill: -fill.trade_id)[: limit(request, FILLS_MAX)]
    return [render.fill_row(held, fill, orders.get(fill.order_id)) for fill in newest]


def limit(request: Request, most: int) -> int:
    asked = request.whole("limit", ROWS_DEFAULT)
    if not 1 <= asked <= most:
        raise Malformed("limit")
    return asked


def span(venue: HashkeyVenue, request: Request) -> tuple[int, int]:
    """Return the times asked for: at most thirty days, and the last ones where no start is named."""
    end_ms = request.whole("endTime") or venue.server_ms()
    start_ms = request.whole("startTime") or end_ms - MONTH_MS
    if end_ms - start_ms > MONTH_MS:
        if request.has("endTime"):
            raise Malformed("startTime")
        end_ms = start_ms + MONTH_MS
    return max(start_ms, 1), end_ms


def _check_type(request: Request) -> None:
    """Hold a list to orders that are not conditional: there are no others here."""
    if request.text("type") != "LIMIT":
        raise Malformed("type")


def _read(action: str, path: str, handler: Any, weight: int = 1) -> Endpoint[HashkeyVenue]:
    return Endpoint(action=action, method="GET", path=path, handler=handler, weight=weight)


ENDPOINTS: tuple[Endpoint[HashkeyVenue], ...] = (
    _read("order.status", "/api/v1/futures/order", order),
    _read("orders.open", "/api/v1/futures/openOrders", open_orders),
    _read("orders.all", "/api/v1/futures/historyOrders", history),
    _read("trades.own", "/api/v1/futures/userTrades", fills, 5),
)
