"""Placing and cancelling orders."""

from __future__ import annotations

from typing import Any

from exchanges.sim.bitget.call import Call, Endpoint
from exchanges.sim.bitget.errors import CANCEL_ABSENT, DUPLICATE, ApiError, parameter
from exchanges.sim.bitget.venue import BitgetVenue
from exchanges.sim.orders import NewOrder, OrderType, SelfTradeRule, TimeInForce
from exchanges.sim.refusal import Refused
from grid.order import Side

BATCH_MAX = 50
TYPES = {"limit": OrderType.LIMIT, "market": OrderType.MARKET}
SIDES = {"buy": Side.BUY, "sell": Side.SELL}
CLAIMS = {"yes": True, "no": False}
FORCES = {"gtc": TimeInForce.GTC, "ioc": TimeInForce.IOC, "fok": TimeInForce.FOK, "post_only": TimeInForce.GTX}
RULES = {
    "none": SelfTradeRule.NONE,
    "cancel_taker": SelfTradeRule.EXPIRE_TAKER,
    "cancel_maker": SelfTradeRule.EXPIRE_MAKER,
    "cancel_both": SelfTradeRule.EXPIRE_BOTH,
}
MARGIN_MODES = {"crossed": "crossed", "isolated": "isolated"}


def place(venue: BitgetVenue, call: Call) -> Any:
    call.check_product()
    return _placed(venue, call)


def place_batch(venue: BitgetVenue, call: Call) -> Any:
    """Place each order by itself; what was refused stands in a list of its own."""
    call.check_product()
    rows = call.params.get("orderList")
    if not isinstance(rows, list) or not 1 <= len(rows) <= BATCH_MAX or not all(isinstance(row, dict) for row in rows):
        raise parameter("orderList")
    shared = {name: call.params.get(name) for name in ("symbol", "productType", "marginMode", "marginCoin")}
    taken: list[Any] = []
    failed: list[Any] = []
    for row in rows:
        one = call.of({**shared, **row, "symbol": shared["symbol"]})
        try:
            taken.append(_placed(venue, one))
        except (Refused, ApiError) as refusal:
            error = venue.refused(refusal) if isinstance(refusal, Refused) else refusal
            told = {"orderId": "", "clientOid": one.optional("clientOid")}
            failed.append({**told, "errorMsg": error.message, "errorCode": error.code})
    return {"successList": taken, "failureList": failed}


def cancel(venue: BitgetVenue, call: Call) -> Any:
    call.check_product()
    return _cancelled(venue, call)


def cancel_batch(venue: BitgetVenue, call: Call) -> Any:
    """Cancel the named orders of a symbol, or all of them where none is named."""
    call.check_product()
    symbol, rows = venue.instrument(call.symbol()).symbol, call.params.get("orderIdList")
    if rows is None:
        open_orders = venue.engine.read.open_orders(call.account, symbol)
        rows = [{"orderId": str(order.order_id)} for order in open_orders]
    if not isinstance(rows, list) or len(rows) > BATCH_MAX or not all(isinstance(row, dict) for row in rows):
        raise parameter("orderIdList")
    gone: list[Any] = []
    failed: list[Any] = []
    for row in rows:
        one = call.of({**row, "symbol": symbol})
        try:
            gone.append(_cancelled(venue, one))
        except (Refused, ApiError) as refusal:
            error = venue.refused(refusal) if isinstance(refusal, Refused) else refusal
            told = {"orderId": one.optional("orderId"), "clientOid": one.optional("clientOid")}
            failed.append({**told, "errorMsg": error.message, "errorCode": error.code})
    return {"successList": gone, "failureList": failed}


def _placed(venue: BitgetVenue, call: Call) -> dict[str, Any]:
    symbol, client_id = venue.instrument(call.symbol()).symbol, call.optional("clientOid")
    call.text("marginCoin")
    _check_margin_mode(venue, call, symbol)
    if client_id and venue.knows(call.account, symbol, client_id):
        raise ApiError(DUPLICATE, "Duplicate clientOid")
    kind = call.word("orderType", TYPES)
    order = NewOrder(
        symbol=symbol,
        side=call.word("side", SIDES),
        type=kind,
        quantity=call.amount("size"),
        price=call.amount("price") if kind is OrderType.LIMIT else None,
        time_in_force=call.word("force", FORCES, "gtc") if kind is OrderType.LIMIT else TimeInForce.GTC,
        reduce_only=call.word("reduceOnly", CLAIMS, "no"),
        client_id=client_id,
        self_trade_rule=call.word("stpMode", RULES, "none"),
    )
    made_room = order.reduce_only and _make_room(venue, call.account, order)
    placed = venue.engine.submit(call.account, order, venue.now_ms())
    venue.hide_for_a_while(venue.subject(call), placed.order)
    venue.tell(placed.events)
    return {"clientOid": placed.order.client_id, "orderId": None if made_room else str(placed.order.order_id)}


def _check_margin_mode(venue: BitgetVenue, call: Call, symbol: str) -> None:
    wanted = call.word("marginMode", MARGIN_MODES)
    if venue.engine.read.position(call.account, symbol).margin_type.value.lower() != wanted:
        raise ApiError("40808", "Parameter verification exception margin mode")


def _make_room(venue: BitgetVenue, account: str, order: NewOrder) -> bool:
    """Cancel reduce-only orders, the oldest first, until the new one fits into the position with them.

    Whoever asks learns of it only in that the answer names no order id.
    """
    now_ms = venue.now_ms()
    venue.engine.check(account, order, now_ms)
    held = abs(venue.engine.read.position(account, order.symbol).quantity)
    wanted = venue.instrument(order.symbol).steps(order.quantity)
    resting = [
        one
        for one in venue.engine.read.open_orders(account, order.symbol)
        if one.reduce_only and one.side is order.side
    ]
    made_room = False
    for oldest in sorted(resting, key=lambda one: one.order_id):
        if wanted + sum(one.left for one in resting) <= held:
            break
        resting.remove(oldest)
        venue.tell(venue.engine.cancel(account, order.symbol, now_ms, order_id=oldest.order_id).events)
        made_room = True
    return made_room


def _cancelled(venue: BitgetVenue, call: Call) -> dict[str, Any]:
    symbol = venue.instrument(call.symbol()).symbol
    order_id, client_id = call.optional("orderId"), call.optional("clientOid")
    if not order_id and not client_id:
        raise parameter("orderId")
    if order_id and not order_id.isdecimal():
        raise ApiError(CANCEL_ABSENT, "Order does not exist")
    number = int(order_id) if order_id else 0
    placed = venue.engine.cancel(call.account, symbol, venue.now_ms(), order_id=number, client_id=client_id)
    venue.tell(placed.events)
    return {"orderId": str(placed.order.order_id), "clientOid": placed.order.client_id}


def _write(action: str, path: str, handler: Any) -> Endpoint:
    return Endpoint(action=action, method="POST", path=f"/api/v2/mix/order/{path}", handler=handler)


ENDPOINTS = (
    _write("order.place", "place-order", place),
    _write("batch.place", "batch-place-order", place_batch),
    _write("order.cancel", "cancel-order", cancel),
    _write("batch.cancel", "batch-cancel-orders", cancel_batch),
)
