"""Placing and cancelling orders."""

from __future__ import annotations

from typing import Any

from exchanges.sim.kucoinfutures.contracts import Contract, contract
from exchanges.sim.kucoinfutures.errors import SUCCESS, malformed, refused, wrong_margin_mode
from exchanges.sim.kucoinfutures.venue import KucoinVenue
from exchanges.sim.orders import NewOrder, OrderType, SelfTradeRule, TimeInForce
from exchanges.sim.refusal import Reason, Refused
from exchanges.sim.server.request import ApiError, Endpoint, Malformed, Request
from exchanges.sim.server.windows import Kind
from exchanges.sim.views import MarginType
from grid.order import Side

PLACE_MAX, CANCEL_MAX, CLIENT_ID_MAX = 20, 10, 40
TYPES = {"limit": OrderType.LIMIT, "market": OrderType.MARKET}
SIDES = {"buy": Side.BUY, "sell": Side.SELL}
FORCES = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
RULES = {
    "": SelfTradeRule.NONE,
    "CN": SelfTradeRule.EXPIRE_TAKER,
    "CO": SelfTradeRule.EXPIRE_MAKER,
    "CB": SelfTradeRule.EXPIRE_BOTH,
}
MARGIN_MODES = {"ISOLATED": MarginType.ISOLATED, "CROSS": MarginType.CROSSED}


def place(venue: KucoinVenue, request: Request) -> Any:
    order_id = _placed(venue, request)
    return {"orderId": order_id, "clientOid": request.text("clientOid")}


def place_batch(venue: KucoinVenue, request: Request) -> Any:
    """Place each order by itself; each has an answer of its own."""
    rows = request.params.get("")
    if not isinstance(rows, list) or not 1 <= len(rows) <= PLACE_MAX or not all(isinstance(row, dict) for row in rows):
        raise Malformed("orders")
    answers = []
    for row in rows:
        one = request.of(row)
        told = {"orderId": None, "clientOid": one.optional("clientOid"), "symbol": one.optional("symbol")}
        try:
            told = {**told, "orderId": _placed(venue, one), "code": SUCCESS, "msg": "success"}
        except (Refused, ApiError, Malformed) as refusal:
            error = _error(refusal)
            told = {**told, "code": error.code, "msg": error.message}
        answers.append(told)
    return answers


def cancel(venue: KucoinVenue, request: Request) -> Any:
    """Cancel by the venue's id, which names no symbol."""
    return {"cancelledOrderIds": [_cancelled(venue, request.account, request.text("orderId"))]}


def cancel_by_client_id(venue: KucoinVenue, request: Request) -> Any:
    client_id = request.text("clientOid")
    _cancel(venue, request.account, contract(venue, request.text("symbol")), client_id=client_id)
    return {"clientOid": client_id}


def cancel_batch(venue: KucoinVenue, request: Request) -> Any:
    by_id, by_client_id = request.params.get("orderIdsList"), request.params.get("clientOidsList")
    rows = by_id if by_id is not None else by_client_id
    if not isinstance(rows, list) or not 1 <= len(rows) <= CANCEL_MAX:
        raise Malformed("orderIdsList")
    return [_cancelled_row(venue, request, row) for row in rows]


def cancel_all(venue: KucoinVenue, request: Request) -> Any:
    held = [contract(venue, request.text("symbol"))] if request.has("symbol") else []
    symbols = [one.symbol for one in held] or list(venue.instruments())
    gone: list[str] = []
    for symbol in symbols:
        gone += [str(order.order_id) for order in venue.engine.read.open_orders(request.account, symbol)]
        venue.tell(venue.engine.cancel_all(request.account, symbol, venue.now_ms()))
    return {"cancelledOrderIds": gone}


def _placed(venue: KucoinVenue, request: Request) -> str:
    held = contract(venue, request.text("symbol"))
    client_id = request.text("clientOid")
    if len(client_id) > CLIENT_ID_MAX:
        raise Malformed("clientOid")
    kind = request.word("type", TYPES, "limit")
    is_post_only = request.flag("postOnly") and kind is OrderType.LIMIT
    force = request.word("timeInForce", FORCES, "GTC") if kind is OrderType.LIMIT else TimeInForce.GTC
    if is_post_only and force in (TimeInForce.IOC, TimeInForce.FOK):
        raise Malformed("postOnly")
    if request.optional("positionSide", "BOTH") != "BOTH":
        raise ApiError("330011", "Your order is in Hedge Mode, while your account is set to One-Way Mode.")
    _check_margin_mode(venue, request, held)
    order = NewOrder(
        symbol=held.symbol,
        side=request.word("side", SIDES),
        type=kind,
        quantity=held.quantity(request.amount("size")),
        price=request.amount("price") if kind is OrderType.LIMIT else None,
        time_in_force=TimeInForce.GTX if is_post_only else force,
        reduce_only=request.flag("reduceOnly") or request.flag("closeOrder"),
        client_id=client_id,
        self_trade_rule=request.word("stp", RULES),
    )
    placed = venue.engine.submit(request.account, order, venue.now_ms())
    venue.hide_for_a_while(request.subject, placed.order)
    venue.tell(placed.events)
    return str(placed.order.order_id)


def _check_margin_mode(venue: KucoinVenue, request: Request, held: Contract) -> None:
    """Hold the order to the symbol's margin mode: one that names none is an isolated one."""
    wanted = request.word("marginMode", MARGIN_MODES, "ISOLATED")
    if venue.engine.read.position(request.account, held.symbol).margin_type is not wanted:
        raise wrong_margin_mode()


def _cancelled(venue: KucoinVenue, account: str, order_id: str) -> str:
    order = venue.own_order(account, order_id)
    if order is None:
        raise Refused(Reason.ORDER_UNKNOWN)
    _cancel(venue, account, Contract(instrument=venue.instrument(order.symbol)), order_id=order.order_id)
    return order_id


def _cancel(venue: KucoinVenue, account: str, held: Contract, *, order_id: int = 0, client_id: str = "") -> None:
    placed = venue.engine.cancel(account, held.symbol, venue.now_ms(), order_id=order_id, client_id=client_id)
    venue.tell(placed.events)


def _cancelled_row(venue: KucoinVenue, request: Request, row: Any) -> dict[str, Any]:
    one = request.of(row if isinstance(row, dict) else {"orderId": row})
    told = {"orderId": one.optional("orderId") or None, "clientOid": one.optional("clientOid") or None}
    try:
        if told["clientOid"]:
            _cancel(venue, one.account, contract(venue, one.text("symbol")), client_id=one.text("clientOid"))
        else:
            _cancelled(venue, one.account, one.text("orderId"))
    except (Refused, ApiError, Malformed) as refusal:
        error = _error(refusal)
        return {**told, "code": error.code, "msg": error.message}
    return {**told, "code": "200", "msg": "success"}


def _error(refusal: Refused | ApiError | Malformed) -> ApiError:
    if isinstance(refusal, ApiError):
        return refusal
    return refused(refusal) if isinstance(refusal, Refused) else malformed(refusal)


def _write(action: str, method: str, path: str, handler: Any, weight: int) -> Endpoint[KucoinVenue]:
    kinds = (Kind.WEIGHT, Kind.ORDERS)
    return Endpoint(action=action, method=method, path=path, handler=handler, weight=weight, kinds=kinds)


ENDPOINTS: tuple[Endpoint[KucoinVenue], ...] = (
    _write("order.place", "POST", "/api/v1/orders", place, 2),
    _write("batch.place", "POST", "/api/v1/orders/multi", place_batch, 20),
    _write("batch.cancel", "DELETE", "/api/v1/orders/multi-cancel", cancel_batch, 20),
    _write("cancel_all", "DELETE", "/api/v1/orders", cancel_all, 10),
    _write("order.cancel", "DELETE", "/api/v1/orders/client-order/{clientOid}", cancel_by_client_id, 1),
    _write("order.cancel", "DELETE", "/api/v1/orders/{orderId}", cancel, 1),
)
