"""Orders: placing, cancelling, asking for them, and the account's trades."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from exchanges.sim.okx import render
from exchanges.sim.okx.call import Call, Endpoint, Handler, Row, amount, text
from exchanges.sim.okx.errors import ApiError, refusal
from exchanges.sim.okx.venue import OkxVenue
from exchanges.sim.orders import NewOrder, OrderType, OrderView, SelfTradeRule, TimeInForce
from exchanges.sim.refusal import Refused
from exchanges.sim.server.faults import FaultKind
from exchanges.sim.views import MarginType
from grid.order import Side

EVERY = 1_000_000
COUNTDOWN_S = (10, 120)
TIMES_IN_FORCE = {
    "limit": TimeInForce.GTC,
    "post_only": TimeInForce.GTX,
    "ioc": TimeInForce.IOC,
    "fok": TimeInForce.FOK,
    "market": TimeInForce.GTC,
}
SELF_TRADE = {
    "cancel_maker": SelfTradeRule.EXPIRE_MAKER,
    "cancel_taker": SelfTradeRule.EXPIRE_TAKER,
    "cancel_both": SelfTradeRule.EXPIRE_BOTH,
}


def place(venue: OkxVenue, call: Call) -> list[Row]:
    return [_item(venue, row, partial(_place, venue, call, row)) for row in call.rows]


def cancel(venue: OkxVenue, call: Call) -> list[Row]:
    return [_item(venue, row, partial(_cancel, venue, call, row)) for row in call.rows]


def _place(venue: OkxVenue, call: Call, row: Row) -> OrderView:
    placed = venue.engine.submit(call.account, _new_order(venue, call, row), venue.now_ms())
    venue.hide_for_a_while(venue.subject(call), placed.order)
    venue.tell(placed.events)
    return placed.order


def _cancel(venue: OkxVenue, call: Call, row: Row) -> OrderView:
    swap = venue.swaps.named(row)
    order_id, client_id = _names(row)
    placed = venue.engine.cancel(call.account, swap.symbol, venue.now_ms(), order_id=order_id, client_id=client_id)
    venue.tell(placed.events)
    return placed.order


def _new_order(venue: OkxVenue, call: Call, row: Row) -> NewOrder:
    swap = venue.swaps.named(row)
    kind, side, client_id = text(row, "ordType"), text(row, "side"), str(row.get("clOrdId") or "")
    if kind not in TIMES_IN_FORCE or side not in ("buy", "sell"):
        raise ApiError(400, "51000", f"Parameter {'ordType' if side in ('buy', 'sell') else 'side'} error")
    if row.get("posSide") not in (None, "", "net"):
        raise ApiError(200, "51000", "Parameter posSide error")
    if client_id and not (client_id.isascii() and client_id.isalnum() and len(client_id) <= 32):
        raise ApiError(200, "51000", "Parameter clOrdId error")
    mode = text(row, "tdMode")
    held = venue.engine.read.position(call.account, swap.symbol)
    wanted = MarginType.ISOLATED if mode == "isolated" else MarginType.CROSSED
    if mode not in ("cross", "isolated"):
        raise ApiError(400, "51000", "Parameter tdMode error")
    if wanted is not held.margin_type:
        # here an order brings its margin mode; the engine keeps one for each symbol
        venue.tell(venue.engine.set_margin_type(call.account, swap.symbol, wanted, venue.now_ms()))
    contracts = amount(row, "sz")
    if contracts % swap.lot:
        raise ApiError(200, "51121", "Order quantity must be a multiple of the lot size.")
    is_market = kind == "market"
    return NewOrder(
        symbol=swap.symbol,
        side=Side(side.upper()),
        type=OrderType.MARKET if is_market else OrderType.LIMIT,
        quantity=swap.base(contracts),
        price=None if is_market else amount(row, "px"),
        time_in_force=TIMES_IN_FORCE[kind],
        reduce_only=row.get("reduceOnly") in (True, "true"),
        client_id=client_id,
        self_trade_rule=SELF_TRADE.get(str(row.get("stpMode") or ""), SelfTradeRule.EXPIRE_MAKER),
    )


def _item(venue: OkxVenue, row: Row, act: Callable[[], OrderView]) -> Row:
    ts = str(venue.server_ms())
    told = {"clOrdId": str(row.get("clOrdId") or ""), "ordId": str(row.get("ordId") or ""), "tag": "", "ts": ts}
    try:
        order = act()
    except Refused as refused:
        error = refusal(refused)
    except ApiError as failure:
        error = failure
    else:
        return {**told, "clOrdId": order.client_id, "ordId": str(order.order_id), "sCode": "0", "sMsg": ""}
    venue.refusals[error.code] += 1
    return {**told, "sCode": error.code, "sMsg": error.message}


def _names(row: Row) -> tuple[int, str]:
    order_id, client_id = str(row.get("ordId") or ""), str(row.get("clOrdId") or "")
    if not order_id and not client_id:
        raise ApiError(400, "51003", "Either client order ID or order ID is required.")
    return int(order_id) if order_id.isdigit() else 0, client_id


def one(venue: OkxVenue, call: Call) -> list[Row]:
    swap = venue.swaps.named(call.params)
    order_id, client_id = _names(call.params)
    try:
        order = venue.engine.read.order(
            call.account, swap.symbol, venue.now_ms(), order_id=order_id, client_id=client_id
        )
    except Refused:
        raise ApiError(200, "51603", "Order does not exist") from None
    stale = venue.read_strike(FaultKind.STALE_READ, call)
    then = venue.past.order_at(order, venue.now_ms() - stale.delay_ms) if stale else order
    # an order that a conditional one became has no client id of its own
    is_named = order_id or not order.algo_id
    if then is None or not venue.is_visible(order) or not is_named:
        raise ApiError(200, "51603", "Order does not exist")
    return [venue.order_row(then)]


def pending(venue: OkxVenue, call: Call) -> list[Row]:
    symbol = venue.swaps.named(call.params).symbol if call.optional("instId") else None
    if venue.read_strike(FaultKind.EMPTY_OPEN_ORDERS, call):
        return []
    stale = venue.read_strike(FaultKind.STALE_READ, call)
    if stale:
        orders = venue.past.open_orders_at(call.account, symbol, venue.now_ms() - stale.delay_ms)
    else:
        orders = [one for one in venue.engine.read.open_orders(call.account, symbol) if venue.is_visible(one)]
    return page_of([venue.order_row(order) for order in orders], "ordId", call)


def history(venue: OkxVenue, call: Call) -> list[Row]:
    symbols = [venue.swaps.named(call.params).symbol] if call.optional("instId") else list(venue.instruments())
    start_ms = call.whole("begin")
    ended = [
        order
        for symbol in symbols
        for order in venue.engine.read.all_orders(call.account, symbol, venue.now_ms(), start_ms=start_ms, limit=EVERY)
        if not order.status.is_open
    ]
    return page_of([venue.order_row(order) for order in ended], "ordId", call)


def fills(venue: OkxVenue, call: Call) -> list[Row]:
    symbol = venue.swaps.named(call.params).symbol if call.optional("instId") else None
    found = venue.engine.read.user_trades(
        call.account,
        symbol,
        order_id=call.whole("ordId"),
        start_ms=call.whole("begin"),
        end_ms=call.whole("end"),
        limit=EVERY,
    )
    orders = venue.engine.read.every_order(call.account)
    ids = {(one.symbol, one.order_id): "" if one.algo_id else render.client_id(one.client_id) for one in orders}
    rows = [
        render.fill(venue.swaps.of_symbol(fill.symbol), fill, ids.get((fill.symbol, fill.order_id), ""))
        for fill in found
    ]
    return page_of(rows, "billId", call)


def page_of(rows: list[Row], key: str, call: Call) -> list[Row]:
    """Return the newest rows first, those older than the id that `after` names."""
    ordered = sorted(rows, key=lambda row: int(row[key]), reverse=True)
    after = call.whole("after")
    return [row for row in ordered if not after or int(row[key]) < after][: call.limit()]


def countdown(venue: OkxVenue, call: Call) -> list[Row]:
    seconds = call.whole("timeOut")
    low, high = COUNTDOWN_S
    if seconds and not low <= seconds <= high:
        raise ApiError(200, "51000", "Parameter timeOut error")
    for symbol in venue.instruments():
        venue.tell(venue.engine.set_countdown(call.account, symbol, seconds * 1000, venue.now_ms()))
    until = venue.server_ms() + seconds * 1000 if seconds else 0
    return [{"triggerTime": str(until), "tag": "", "ts": str(venue.server_ms())}]


def _trade(action: str, path: str, handler: Handler, limit: int = 60) -> Endpoint:
    return Endpoint(action=action, method="POST", path=path, handler=handler, limit=limit, has_items=True)


def _read(action: str, path: str, handler: Handler, limit: int) -> Endpoint:
    return Endpoint(action=action, method="GET", path=path, handler=handler, limit=limit)


ENDPOINTS = (
    _trade("order.place", "/api/v5/trade/order", place),
    _trade("batch.place", "/api/v5/trade/batch-orders", place, 300),
    _trade("order.cancel", "/api/v5/trade/cancel-order", cancel),
    _trade("batch.cancel", "/api/v5/trade/cancel-batch-orders", cancel, 300),
    _read("order.status", "/api/v5/trade/order", one, 60),
    _read("orders.open", "/api/v5/trade/orders-pending", pending, 60),
    _read("orders.all", "/api/v5/trade/orders-history", history, 40),
    _read("orders.all", "/api/v5/trade/orders-history-archive", history, 20),
    _read("trades.own", "/api/v5/trade/fills", fills, 60),
    _read("trades.own", "/api/v5/trade/fills-history", fills, 10),
    Endpoint(
        action="orders.countdown",
        method="POST",
        path="/api/v5/trade/cancel-all-after",
        handler=countdown,
        limit=2,
    ),
)
SOCKET_OPS = {
    "order": ENDPOINTS[0],
    "batch-orders": ENDPOINTS[1],
    "cancel-order": ENDPOINTS[2],
    "batch-cancel-orders": ENDPOINTS[3],
}
