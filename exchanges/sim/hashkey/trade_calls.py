"""Placing and cancelling orders."""

from __future__ import annotations

from typing import Any

from exchanges.sim.hashkey import render_orders as render
from exchanges.sim.hashkey.contracts import contract, of_symbol
from exchanges.sim.hashkey.errors import SUCCESS, malformed, refused
from exchanges.sim.hashkey.venue import HashkeyVenue
from exchanges.sim.orders import NewOrder, OrderType, OrderView, SelfTradeRule, TimeInForce
from exchanges.sim.refusal import Reason, Refused
from exchanges.sim.server.request import ApiError, Endpoint, Malformed, Request
from exchanges.sim.server.windows import Kind
from grid.order import Side

BATCH_MAX, CLIENT_ID_MAX = 20, 255
PRICES = {"INPUT": OrderType.LIMIT, "MARKET": OrderType.MARKET}
SIDES = {f"{side.value}_{word}": (side, word == "CLOSE") for side in Side for word in ("OPEN", "CLOSE")}
FORCES = {
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    "LIMIT_MAKER": TimeInForce.GTX,
}
RULES = {"EXPIRE_TAKER": SelfTradeRule.EXPIRE_TAKER, "EXPIRE_MAKER": SelfTradeRule.EXPIRE_MAKER}


def place(venue: HashkeyVenue, request: Request) -> Any:
    return shown(venue, _placed(venue, request))


def place_batch(venue: HashkeyVenue, request: Request) -> Any:
    """Place each order of one symbol by itself; each has an answer of its own."""
    rows = request.params.get("")
    if not isinstance(rows, list) or not 1 <= len(rows) <= BATCH_MAX or not all(isinstance(row, dict) for row in rows):
        raise Malformed("orders")
    if len({str(row.get("symbol")) for row in rows}) > 1:
        raise Malformed("symbol")
    return {"code": SUCCESS, "result": [_row(venue, request.of(row)) for row in rows]}


def cancel(venue: HashkeyVenue, request: Request) -> Any:
    """Cancel by either id, and tell the order as it stood before."""
    return _cancelled(venue, request.account, found(venue, request))


def cancel_by_ids(venue: HashkeyVenue, request: Request) -> Any:
    """Cancel each; the answer names those that could not be."""
    failed = []
    for order_id in request.text("ids").split(","):
        try:
            _cancelled(venue, request.account, found(venue, request.of({"orderId": order_id})))
        except Refused as refusal:
            failed.append({"orderId": order_id, "code": refused(refusal).code})
    return {"code": SUCCESS, "result": failed}


def cancel_all(venue: HashkeyVenue, request: Request) -> Any:
    """Cancel every order of a symbol, or those of one side of it."""
    held = contract(venue, request.text("symbol"))
    wanted = request.optional("side")
    for order in venue.engine.read.open_orders(request.account, held.symbol):
        if wanted in ("", order.side.value, render.side(order)):
            _cancelled(venue, request.account, order)
    return {"message": "success", "timestamp": str(venue.server_ms()), "code": SUCCESS}


def found(venue: HashkeyVenue, request: Request) -> OrderView:
    """Return the order that a request names by either id: of one client id the newest."""
    order_id, client_id = request.optional("orderId"), _client_id(request)
    if not order_id and not client_id:
        raise Malformed("orderId", is_missing=True)
    for one in reversed(venue.orders_of(request.account)):
        if (order_id and str(one.order_id) == order_id) or (not order_id and one.client_id == client_id):
            return one
    raise Refused(Reason.ORDER_ABSENT)


def shown(venue: HashkeyVenue, order: OrderView) -> render.Json:
    leverage = venue.engine.read.position(order.account, order.symbol).leverage
    return render.order_row(of_symbol(venue, order.symbol), order, leverage=leverage)


def _client_id(request: Request) -> str:
    return request.optional("clientOrderId") or request.optional("origClientOrderId")


def _placed(venue: HashkeyVenue, request: Request) -> OrderView:
    held = contract(venue, request.text("symbol"))
    if request.text("type") != "LIMIT":
        raise Malformed("type")
    client_id = request.text("clientOrderId")
    if len(client_id) > CLIENT_ID_MAX:
        raise Malformed("clientOrderId")
    side, is_closing = request.word("side", SIDES)
    kind = request.word("priceType", PRICES, "INPUT")
    force = request.word("timeInForce", FORCES, "GTC")
    if not is_closing:
        venue.check_opening(request.account, held.symbol, side)
    order = NewOrder(
        symbol=held.symbol,
        side=side,
        type=kind,
        # what is no whole number of contracts is cut to one
        quantity=int(request.amount("quantity")) * held.multiplier,
        price=request.amount("price") if kind is OrderType.LIMIT else None,
        time_in_force=force if kind is OrderType.LIMIT else TimeInForce.GTC,
        reduce_only=is_closing,
        client_id=client_id,
        self_trade_rule=request.word("stpMode", RULES, "EXPIRE_TAKER"),
    )
    placed = venue.engine.submit(request.account, order, venue.now_ms())
    venue.hide_for_a_while(request.subject, placed.order)
    venue.tell(placed.events)
    return placed.order


def _row(venue: HashkeyVenue, request: Request) -> dict[str, Any]:
    try:
        return {"code": SUCCESS, "order": shown(venue, _placed(venue, request))}
    except ApiError as error:
        return {"code": error.code, "msg": error.message}
    except Refused as refusal:
        return {"code": refused(refusal).code, "msg": refused(refusal).message}
    except Malformed as error:
        return {"code": malformed(error).code, "msg": malformed(error).message}


def _cancelled(venue: HashkeyVenue, account: str, order: OrderView) -> render.Json:
    if not order.status.is_open:
        raise Refused(Reason.ORDER_UNKNOWN)
    told = shown(venue, order)
    placed = venue.engine.cancel(account, order.symbol, venue.now_ms(), order_id=order.order_id)
    venue.tell(placed.events)
    return told


def _write(action: str, method: str, path: str, handler: Any, weight: int = 1) -> Endpoint[HashkeyVenue]:
    kinds = (Kind.WEIGHT, Kind.ORDERS) if method == "POST" else (Kind.WEIGHT,)
    return Endpoint(action=action, method=method, path=path, handler=handler, weight=weight, kinds=kinds)


ENDPOINTS: tuple[Endpoint[HashkeyVenue], ...] = (
    _write("order.place", "POST", "/api/v1/futures/order", place),
    _write("batch.place", "POST", "/api/v1/futures/batchOrders", place_batch, 5),
    _write("order.cancel", "DELETE", "/api/v1/futures/order", cancel),
    _write("batch.cancel", "DELETE", "/api/v1/futures/cancelOrderByIds", cancel_by_ids),
    _write("cancel_all", "DELETE", "/api/v1/futures/batchOrders", cancel_all),
)
