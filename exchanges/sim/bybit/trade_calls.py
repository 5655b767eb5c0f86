"""Placing, amending and cancelling: each is acknowledged by its ids, and told on the stream."""

from __future__ import annotations

from enum import Enum
from typing import Any, TypeVar

from exchanges.sim.algo_orders import NewAlgoOrder
from exchanges.sim.bybit.call import CATEGORY, Answer, Call, Endpoint
from exchanges.sim.bybit.errors import NOT_UNIQUE, ORDER_ABSENT, ApiError, parameter
from exchanges.sim.bybit.ids import order_uid, read_uid
from exchanges.sim.bybit.venue import BybitVenue
from exchanges.sim.orders import NewOrder, OrderType, SelfTradeRule, TimeInForce, WorkingType
from exchanges.sim.refusal import Refused
from grid.order import Side

BATCH_MAX = 20
SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
TYPES = {"Limit": OrderType.LIMIT, "Market": OrderType.MARKET}
TIMES_IN_FORCE = {
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    "PostOnly": TimeInForce.GTX,
}
SELF_TRADE = {
    "None": SelfTradeRule.NONE,
    "CancelMaker": SelfTradeRule.EXPIRE_MAKER,
    "CancelTaker": SelfTradeRule.EXPIRE_TAKER,
    "CancelBoth": SelfTradeRule.EXPIRE_BOTH,
}
TRIGGERS = {"MarkPrice": WorkingType.MARK_PRICE, "LastPrice": WorkingType.CONTRACT_PRICE}
RISES = 1
W = TypeVar("W", bound=Enum)


def place(venue: BybitVenue, call: Call) -> Answer:
    call.check_category()
    return _named(*_place(venue, call))


def place_batch(venue: BybitVenue, call: Call) -> Answer:
    return _each(venue, call, _place)


def cancel(venue: BybitVenue, call: Call) -> Answer:
    call.check_category()
    return _named(*_cancel(venue, call))


def cancel_batch(venue: BybitVenue, call: Call) -> Answer:
    return _each(venue, call, _cancel)


def amend(venue: BybitVenue, call: Call) -> Answer:
    call.check_category()
    symbol, order_id, _, client_id = _target(call)
    order = venue.engine.read.open_order(call.account, symbol, order_id=order_id, client_id=client_id)
    instrument = venue.instrument(symbol)
    placed = venue.engine.modify(
        call.account,
        symbol,
        venue.now_ms(),
        side=order.side,
        quantity=call.amount("qty") if call.has("qty") else instrument.quantity(order.quantity),
        price=call.amount("price") if call.has("price") else instrument.price(order.price),
        order_id=order.order_id,
    )
    venue.tell(placed.events)
    return _named(order_uid(order.order_id, order.algo_id), order.client_id)


def cancel_all(venue: BybitVenue, call: Call) -> Answer:
    call.check_category()
    symbols = [call.symbol()] if call.has("symbol") else list(venue.instruments())
    gone: list[dict[str, str]] = []
    for symbol in symbols:
        for order in venue.engine.read.open_orders(call.account, symbol):
            gone.append({"orderId": order_uid(order.order_id, order.algo_id), "orderLinkId": order.client_id})
        venue.tell(venue.engine.cancel_all(call.account, symbol, venue.now_ms()))
        if call.optional("orderFilter") != "Order":
            venue.tell(venue.engine.cancel_all_algos(call.account, symbol, venue.now_ms()))
    return Answer(result={"list": gone, "success": "1"})


def _place(venue: BybitVenue, call: Call) -> tuple[str, str]:
    symbol, link_id = venue.instrument(call.symbol()).symbol, call.optional("orderLinkId")
    if call.whole("positionIdx"):
        raise ApiError(10001, "position idx not match position mode")
    if link_id and venue.knows(call.account, symbol, link_id):
        raise ApiError(NOT_UNIQUE, "OrderLinkedID is duplicate")
    if call.has("triggerPrice"):
        return _place_conditional(venue, call, symbol, link_id)
    kind = _word(call, "orderType", TYPES)
    order = NewOrder(
        symbol=symbol,
        side=_word(call, "side", SIDES),
        type=kind,
        quantity=call.amount("qty"),
        price=call.amount("price") if kind is OrderType.LIMIT else None,
        time_in_force=_word(call, "timeInForce", TIMES_IN_FORCE, "GTC") if kind is OrderType.LIMIT else TimeInForce.GTC,
        reduce_only=call.claim("reduceOnly"),
        client_id=link_id,
        self_trade_rule=_word(call, "smpType", SELF_TRADE, "None"),
    )
    placed = venue.engine.submit(call.account, order, venue.now_ms())
    venue.hide_for_a_while(venue.subject(call), placed.order)
    venue.tell(placed.events)
    return order_uid(placed.order.order_id), link_id


def _place_conditional(venue: BybitVenue, call: Call, symbol: str, link_id: str) -> tuple[str, str]:
    """Take a conditional order at market. The venue's side of it follows from its direction: a stop, or a profit."""
    if _word(call, "orderType", TYPES) is not OrderType.MARKET:
        raise parameter("orderType")
    side, rises = _word(call, "side", SIDES), call.whole("triggerDirection") == RISES
    closes = call.claim("closeOnTrigger") and call.claim("reduceOnly") and call.amount("qty") == 0
    order = NewAlgoOrder(
        symbol=symbol,
        side=side,
        type=OrderType.STOP_MARKET if rises == (side is Side.BUY) else OrderType.TAKE_PROFIT_MARKET,
        quantity=None if closes else call.amount("qty"),
        trigger_price=call.amount("triggerPrice"),
        reduce_only=call.claim("reduceOnly") and not closes,
        close_position=closes,
        client_id=link_id,
        working_type=_word(call, "triggerBy", TRIGGERS, "LastPrice"),
    )
    algo, events = venue.engine.submit_algo(call.account, order, venue.now_ms())
    venue.tell(events)
    return order_uid(0, algo.algo_id), link_id


def _cancel(venue: BybitVenue, call: Call) -> tuple[str, str]:
    symbol, order_id, algo_id, client_id = _target(call)
    venue.instrument(symbol)
    algo = venue.waiting(call.account, symbol, algo_id, client_id)
    if algo is not None:
        gone, events = venue.engine.cancel_algo(call.account, venue.now_ms(), algo_id=algo.algo_id)
        venue.tell(events)
        return order_uid(0, gone.algo_id), gone.client_id
    if algo_id:
        raise ApiError(ORDER_ABSENT, "order not exists or too late to cancel")
    placed = venue.engine.cancel(call.account, symbol, venue.now_ms(), order_id=order_id, client_id=client_id)
    venue.tell(placed.events)
    return order_uid(placed.order.order_id, placed.order.algo_id), placed.order.client_id


def _target(call: Call) -> tuple[str, int, int, str]:
    """Return symbol, number of the order, number of the conditional order, client id: what an order is named by."""
    if not call.has("orderId"):
        return call.symbol(), 0, 0, call.text("orderLinkId")
    order_id, algo_id = read_uid(call.text("orderId"))
    if not order_id and not algo_id:
        raise ApiError(ORDER_ABSENT, "order not exists or too late to cancel")
    return call.symbol(), order_id, algo_id, ""


def _each(venue: BybitVenue, call: Call, act: Any) -> Answer:
    """Do each row of a batch by itself; what was refused stands beside the list, at the same place."""
    call.check_category()
    rows = call.params.get("request")
    if not isinstance(rows, list) or not 1 <= len(rows) <= BATCH_MAX or not all(isinstance(r, dict) for r in rows):
        raise parameter("request")
    listed: list[dict[str, str]] = []
    outcomes: list[dict[str, object]] = []
    for row in rows:
        one = call.of(row)
        try:
            uid, link_id = act(venue, one)
            outcomes.append({"code": 0, "msg": "OK"})
        except (Refused, ApiError) as refusal:
            error = venue.refused(refusal) if isinstance(refusal, Refused) else refusal
            uid, link_id = "", one.optional("orderLinkId")
            outcomes.append({"code": error.code, "msg": error.message})
        now_ms = str(venue.server_ms())
        listed.append(
            {
                "category": CATEGORY,
                "symbol": one.optional("symbol"),
                "orderId": uid,
                "orderLinkId": link_id,
                "createAt": now_ms if uid else "",
            }
        )
    return Answer(result={"list": listed}, beside={"list": outcomes})


def _named(uid: str, link_id: str) -> Answer:
    return Answer(result={"orderId": uid, "orderLinkId": link_id})


def _word(call: Call, name: str, words: dict[str, W], default: str = "") -> W:
    text = call.optional(name, default)
    if text not in words:
        raise parameter(name)
    return words[text]


ENDPOINTS = (
    Endpoint(action="order.place", method="POST", path="/v5/order/create", handler=place, counted="orders"),
    Endpoint(action="order.modify", method="POST", path="/v5/order/amend", handler=amend, counted="amends"),
    Endpoint(action="order.cancel", method="POST", path="/v5/order/cancel", handler=cancel, counted="cancels"),
    Endpoint(
        action="batch.place",
        method="POST",
        path="/v5/order/create-batch",
        handler=place_batch,
        counted="orders",
        is_batch=True,
    ),
    Endpoint(
        action="batch.cancel",
        method="POST",
        path="/v5/order/cancel-batch",
        handler=cancel_batch,
        counted="cancels",
        is_batch=True,
    ),
    Endpoint(
        action="orders.cancel_all",
        method="POST",
        path="/v5/order/cancel-all",
        handler=cancel_all,
        counted="cancel-alls",
    ),
)
