"""Placing, amending and cancelling orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from exchanges.sim.binance import render_orders as render
from exchanges.sim.binance.call import Call
from exchanges.sim.binance.endpoint import Effect, Endpoint
from exchanges.sim.binance.errors import ApiError, malformed_parameter, missing_parameter, unknown_order
from exchanges.sim.binance.order_reading import new_order, side_of
from exchanges.sim.binance.venue import Venue
from exchanges.sim.refusal import Refused

BATCH_MAX = 5
DONE_ALL = {"code": 200, "msg": "The operation of cancel all open order is done."}


def order_names(call: Call) -> tuple[int, str]:
    """Return (order id, client id) of a call that must name one of them."""
    order_id = call.optional_whole("orderId") or 0
    client_id = call.optional("origClientOrderId")
    if not order_id and not client_id:
        raise ApiError(400, -1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
    return order_id, client_id


def place(venue: Venue, call: Call) -> Any:
    placed = venue.engine.submit(call.account, new_order(call), venue.now_ms())
    venue.hide_for_a_while(venue.subject(call), placed.order)
    venue.tell(placed.events)
    wants_result = call.optional("newOrderRespType", "ACK") == "RESULT"
    order = placed.order if wants_result else placed.accepted
    return render.acknowledgement(venue.instrument(order.symbol), order, with_average=venue.behaviour.acks_with_average)


def check(venue: Venue, call: Call) -> Any:
    """Judge an order without placing it."""
    venue.engine.check(call.account, new_order(call), venue.now_ms())
    return {}


def modify(venue: Venue, call: Call) -> Any:
    order_id, client_id = order_names(call)
    placed = venue.engine.modify(
        call.account,
        call.symbol(),
        venue.now_ms(),
        side=side_of(call),
        quantity=call.amount("quantity"),
        price=call.amount("price"),
        order_id=order_id,
        client_id=client_id,
    )
    venue.tell(placed.events)
    venue.modify_ids += 1
    return render.amendment(
        venue.instrument(placed.accepted.symbol),
        placed.accepted,
        with_average=venue.behaviour.acks_with_average,
        modify_id=venue.modify_ids,
    )


def cancel(venue: Venue, call: Call) -> Any:
    order_id, client_id = order_names(call)
    placed = venue.engine.cancel(call.account, call.symbol(), venue.now_ms(), order_id=order_id, client_id=client_id)
    venue.tell(placed.events)
    return render.acknowledgement(
        venue.instrument(placed.order.symbol), placed.order, with_average=venue.behaviour.acks_with_average
    )


def cancel_all(venue: Venue, call: Call) -> Any:
    symbol = venue.instrument(call.symbol()).symbol
    venue.tell(venue.engine.cancel_all(call.account, symbol, venue.now_ms()))
    return DONE_ALL


def countdown(venue: Venue, call: Call) -> Any:
    symbol = venue.instrument(call.symbol()).symbol
    countdown_ms = call.whole("countdownTime")
    if countdown_ms < 0:
        raise malformed_parameter("countdownTime")
    venue.tell(venue.engine.set_countdown(call.account, symbol, countdown_ms, venue.now_ms()))
    return {"symbol": symbol, "countdownTime": str(countdown_ms)}


def _each(venue: Venue, calls: list[Call], act: Callable[[Venue, Call], Any]) -> list[Any]:
    """Act on every part of a batch by itself; a refused one answers with its error in its place."""
    answers: list[Any] = []
    for part in calls:
        try:
            answers.append(act(venue, part))
        except Refused as refusal:
            answers.append(venue.refused(refusal).body())
        except ApiError as error:
            answers.append(error.body())
    return answers


def _batch(call: Call) -> list[Call]:
    rows = _listed(call, "batchOrders")
    if not all(isinstance(row, dict) for row in rows):
        raise malformed_parameter("batchOrders")
    return [call.with_params({name: _text(value) for name, value in row.items() if value is not None}) for row in rows]


def _listed(call: Call, name: str) -> list[Any]:
    try:
        rows = orjson.loads(call.text(name))
    except orjson.JSONDecodeError:
        raise malformed_parameter(name) from None
    if not isinstance(rows, list) or not rows:
        raise malformed_parameter(name)
    return rows


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _at_most_five(calls: list[Call]) -> list[Call]:
    if len(calls) > BATCH_MAX:
        raise ApiError(400, -4082, "Invalid number of batch orders.")
    return calls


def place_batch(venue: Venue, call: Call) -> Any:
    return _each(venue, _at_most_five(_batch(call)), place)


def modify_batch(venue: Venue, call: Call) -> Any:
    return _each(venue, _at_most_five(_batch(call)), modify)


def cancel_batch(venue: Venue, call: Call) -> Any:
    if call.has("orderIdList"):
        names = [{"orderId": str(value)} for value in _listed(call, "orderIdList")]
    elif call.has("origClientOrderIdList"):
        names = [{"origClientOrderId": str(value)} for value in _listed(call, "origClientOrderIdList")]
    else:
        raise missing_parameter("orderIdList")
    if len(names) > 2 * BATCH_MAX:
        raise unknown_order()
    symbol = call.symbol()
    return _each(venue, [call.with_params({"symbol": symbol, **name}) for name in names], cancel)


ENDPOINTS = (
    Endpoint(
        action="order.place", method="POST", path="/fapi/v1/order", handler=place, effect=Effect.TRADE, weight=0,
        orders_10s=1, orders_1m=1,
    ),
    Endpoint(
        action="order.test", method="POST", path="/fapi/v1/order/test", handler=check, effect=Effect.TRADE,
    ),
    Endpoint(
        action="order.modify", method="PUT", path="/fapi/v1/order", handler=modify, effect=Effect.TRADE, weight=0,
        orders_10s=1, orders_1m=1,
    ),
    Endpoint(action="order.cancel", method="DELETE", path="/fapi/v1/order", handler=cancel, effect=Effect.TRADE),
    Endpoint(
        action="batch.place", method="POST", path="/fapi/v1/batchOrders", handler=place_batch, effect=Effect.TRADE,
        weight=5, orders_10s=5, orders_1m=1,
    ),
    Endpoint(
        action="batch.modify", method="PUT", path="/fapi/v1/batchOrders", handler=modify_batch, effect=Effect.TRADE,
        weight=5, orders_10s=5, orders_1m=1,
    ),
    Endpoint(
        action="batch.cancel", method="DELETE", path="/fapi/v1/batchOrders", handler=cancel_batch,
        effect=Effect.TRADE,
    ),
    Endpoint(
        action="orders.cancel_all", method="DELETE", path="/fapi/v1/allOpenOrders", handler=cancel_all,
        effect=Effect.TRADE,
    ),
    Endpoint(
        action="orders.countdown", method="POST", path="/fapi/v1/countdownCancelAll", handler=countdown,
        effect=Effect.SETTING, weight=10,
    ),
)  # fmt: skip
