"""What a client may read of its orders and executions, newest first."""

from __future__ import annotations

from typing import Any

from exchanges.sim.algo_orders import AlgoView
from exchanges.sim.bybit import render_orders as render
from exchanges.sim.bybit.call import Answer, Call, Endpoint, page
from exchanges.sim.bybit.errors import parameter
from exchanges.sim.bybit.ids import read_uid
from exchanges.sim.bybit.venue import BybitVenue
from exchanges.sim.orders import Fill, OrderView
from exchanges.sim.refusal import Refused
from exchanges.sim.server.faults import FaultKind

WEEK_MS = 7 * 86_400_000
RECENT_MAX = 500
ALL = 1_000_000


def realtime(venue: BybitVenue, call: Call) -> Answer:
    """Answer with open orders, with the last that ended (`openOnly` 1), or with one order by its id."""
    call.check_category()
    if call.has("orderId") or call.has("orderLinkId"):
        return _page(_by_id(venue, call), call)
    if not (call.has("symbol") or call.has("settleCoin") or call.has("baseCoin")):
        raise parameter("symbol")
    if call.whole("openOnly"):
        rows = [row for symbol in _symbols(venue, call) for row in _ended(venue, call, symbol)]
        return _page(_newest(rows)[:RECENT_MAX], call)
    if venue.read_strike(FaultKind.EMPTY_OPEN_ORDERS, call):
        return _page([], call)
    return _page(_newest(_open(venue, call)), call)


def history(venue: BybitVenue, call: Call) -> Answer:
    """Answer with the orders that were made in a span of a week at most; open ones are no part of it."""
    call.check_category()
    if call.has("orderId") or call.has("orderLinkId"):
        return _page(_by_id(venue, call), call)
    start_ms, end_ms = _span(venue, call)
    rows = [row for symbol in _symbols(venue, call) for row in _ended(venue, call, symbol)]
    return _page(_newest([row for row in rows if start_ms <= int(row["createdTime"]) <= end_ms]), call)


def executions(venue: BybitVenue, call: Call) -> Answer:
    call.check_category()
    order_id, algo_id = read_uid(call.optional("orderId"))
    if algo_id:
        order_id = venue.engine.read.algo(call.account, algo_id=algo_id).order_id or -1
    rows: list[tuple[int, dict[str, Any]]] = []
    start_ms, end_ms = (0, 0) if call.has("orderId") else _span(venue, call)
    until_ms = end_ms or 1 << 62
    stale = venue.read_strike(FaultKind.STALE_READ, call)
    if stale:
        until_ms = min(until_ms, venue.now_ms() - stale.delay_ms)
    for symbol in _symbols(venue, call):
        instrument = venue.instrument(symbol)
        for fill, order, left in told_fills(venue, call.account, symbol):
            wanted = not call.has("orderId") or fill.order_id == order_id
            if wanted and start_ms <= fill.time_ms <= until_ms:
                rows.append((fill.time_ms, render.execution_row(instrument, fill, order, left)))
    newest = [row for _, row in sorted(rows, key=lambda one: one[0])][::-1]
    return Answer(result=page(newest, call, default=50, most=100))


def told_fills(venue: BybitVenue, account: str, symbol: str) -> list[tuple[Fill, OrderView, int]]:
    """Return the fills of a symbol, oldest first, each with its order and what it left open of that."""
    orders: dict[int, OrderView] = {}
    filled: dict[int, int] = {}
    found: list[tuple[Fill, OrderView, int]] = []
    for fill in venue.engine.read.user_trades(account, symbol, limit=ALL):
        if fill.order_id not in orders:
            orders[fill.order_id] = venue.engine.read.order(account, symbol, 0, order_id=fill.order_id)
        filled[fill.order_id] = filled.get(fill.order_id, 0) + fill.quantity
        order = orders[fill.order_id]
        found.append((fill, order, order.quantity - filled[fill.order_id]))
    return found


def _by_id(venue: BybitVenue, call: Call) -> list[dict[str, Any]]:
    order_id, algo_id = read_uid(call.optional("orderId"))
    client_id = "" if call.has("orderId") else call.text("orderLinkId")
    for symbol in _symbols(venue, call):
        instrument = venue.instrument(symbol)
        algo = venue.algo(call.account, symbol, algo_id, client_id)
        if algo is not None and not algo.order_id:
            return [render.algo_row(instrument, algo)]
        try:
            order = venue.engine.read.order(
                call.account,
                symbol,
                venue.now_ms(),
                order_id=algo.order_id if algo is not None else order_id,
                client_id=client_id,
            )
        except Refused:
            continue
        shown = _as_read(venue, call, order)
        if shown is not None:
            return [render.order_row(instrument, shown)]
    return []


def _as_read(venue: BybitVenue, call: Call, order: OrderView) -> OrderView | None:
    """Return the order as this read shows it."""
    if not venue.is_visible(order):
        return None
    stale = venue.read_strike(FaultKind.STALE_READ, call)
    return venue.past.order_at(order, venue.now_ms() - stale.delay_ms) if stale else order


def _open(venue: BybitVenue, call: Call) -> list[dict[str, Any]]:
    symbol = venue.instrument(call.symbol()).symbol if call.has("symbol") else None
    wanted = call.optional("orderFilter")
    rows: list[dict[str, Any]] = []
    if wanted != "StopOrder":
        stale = venue.read_strike(FaultKind.STALE_READ, call)
        if stale:
            orders = venue.past.open_orders_at(call.account, symbol, venue.now_ms() - stale.delay_ms)
        else:
            orders = venue.engine.read.open_orders(call.account, symbol)
        rows += [render.order_row(venue.instrument(o.symbol), o) for o in orders if venue.is_visible(o)]
    if wanted != "Order":
        algos = venue.engine.read.open_algos(call.account, symbol)
        rows += [render.algo_row(venue.instrument(algo.symbol), algo) for algo in algos]
    return rows


def _ended(venue: BybitVenue, call: Call, symbol: str) -> list[dict[str, Any]]:
    instrument = venue.instrument(symbol)
    orders = venue.engine.read.all_orders(call.account, symbol, venue.now_ms(), limit=ALL)
    rows = [render.order_row(instrument, o) for o in orders if not o.status.is_open and venue.is_visible(o)]
    algos: list[AlgoView] = venue.engine.read.all_algos(call.account, symbol, limit=0)
    return rows + [render.algo_row(instrument, a) for a in algos if not a.status.is_open and not a.order_id]


def _symbols(venue: BybitVenue, call: Call) -> list[str]:
    return [venue.instrument(call.symbol()).symbol] if call.has("symbol") else list(venue.instruments())


def _span(venue: BybitVenue, call: Call) -> tuple[int, int]:
    """Return the span of a history: of a week at most, by default the last one."""
    start_ms, end_ms = call.whole("startTime"), call.whole("endTime")
    if start_ms and end_ms and not 0 <= end_ms - start_ms <= WEEK_MS:
        raise parameter("endTime")
    if start_ms:
        return start_ms, end_ms or start_ms + WEEK_MS
    end_ms = end_ms or venue.server_ms()
    return end_ms - WEEK_MS, end_ms


def _newest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (-int(row["createdTime"]), row["orderId"]))


def _page(rows: list[dict[str, Any]], call: Call) -> Answer:
    return Answer(result=page(rows, call, default=20, most=50))


ENDPOINTS = (
    Endpoint(action="orders.open", method="GET", path="/v5/order/realtime", handler=realtime),
    Endpoint(action="orders.all", method="GET", path="/v5/order/history", handler=history),
    Endpoint(action="trades.own", method="GET", path="/v5/execution/list", handler=executions),
)


def action_of(endpoint: Endpoint, params: dict[str, Any]) -> str:
    """Return what a request does in the words of every protocol: here one address serves several acts."""
    is_named = bool(params.get("orderId") or params.get("orderLinkId"))
    match endpoint.action:
        case "orders.open" | "orders.all" if is_named:
            return "order.status"
        case "orders.open" if params.get("orderFilter") == "StopOrder":
            return "algos.open"
        case "orders.open" if params.get("openOnly"):
            return "orders.all"
        case "order.place" if params.get("triggerPrice"):
            return "algo.place"
    return endpoint.action
