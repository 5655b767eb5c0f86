"""Placing and cancelling orders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from exchanges.sim.gate import render
from exchanges.sim.gate.call import Call, Counted, Endpoint
from exchanges.sim.gate.contracts import read_size, symbol_of
from exchanges.sim.gate.errors import ApiError, order_not_found, wrong_parameter
from exchanges.sim.gate.venue import NAMED_FOR_MS, GateVenue
from exchanges.sim.orders import NewOrder, OrderType, OrderView, SelfTradeRule, TimeInForce
from exchanges.sim.refusal import Refused
from grid.order import Side

PREFIX = "/api/v4/futures/{settle}"
BATCH_MAX = 10
TEXT_MAX = 28
TIMES_IN_FORCE = {
    "gtc": TimeInForce.GTC,
    "ioc": TimeInForce.IOC,
    "fok": TimeInForce.FOK,
    "poc": TimeInForce.GTX,
}
COUNTDOWN_MIN_S = 5


def place(venue: GateVenue, call: Call) -> Any:
    return _shown(venue, call, _place(venue, call, call.params))


def place_batch(venue: GateVenue, call: Call) -> Any:
    if not 0 < len(call.rows) <= BATCH_MAX:
        raise ApiError(400, "INVALID_PARAM_VALUE", f"a batch holds 1 to {BATCH_MAX} orders")
    answers: list[Any] = []
    for row in call.rows:
        try:
            placed = _place(venue, call, row if isinstance(row, dict) else {})
            answers.append({"succeeded": True, **_shown(venue, call, placed)})
        except Refused as refusal:
            answers.append(_failed(venue.refused(refusal)))
        except ApiError as error:
            answers.append(_failed(error))
    return answers


def cancel(venue: GateVenue, call: Call) -> Any:
    found = find(venue, call, call.text("order_id"))
    if not found.status.is_open:
        raise ApiError(400, "ORDER_FINISHED", "Order has been finished")
    placed = venue.engine.cancel(call.account, found.symbol, venue.now_ms(), order_id=found.order_id)
    venue.tell(placed.events)
    return _shown(venue, call, placed.order)


def cancel_all(venue: GateVenue, call: Call) -> Any:
    symbol, side = symbol_of(call.text("contract")), call.optional("side")
    sides = {"": (Side.BUY, Side.SELL), "bid": (Side.BUY,), "ask": (Side.SELL,)}.get(side)
    if sides is None:
        raise wrong_parameter("side")
    gone: list[Any] = []
    for view in venue.engine.read.open_orders(call.account, symbol):
        if view.side in sides:
            placed = venue.engine.cancel(call.account, symbol, venue.now_ms(), order_id=view.order_id)
            venue.tell(placed.events)
            gone.append(_shown(venue, call, placed.order))
    return gone


def cancel_batch(venue: GateVenue, call: Call) -> Any:
    answers: list[Any] = []
    for name in call.rows:
        try:
            cancel(venue, replace(call, params={"order_id": str(name)}))
            answers.append({"id": str(name), "user_id": venue.user(call.account), "succeeded": True, "message": ""})
        except ApiError as error:
            told = {"id": str(name), "user_id": venue.user(call.account), "succeeded": False}
            answers.append({**told, "message": error.label})
    return answers


def countdown(venue: GateVenue, call: Call) -> Any:
    """Start, renew or end the countdown of one contract, or of all."""
    timeout_s = call.whole("timeout")
    if timeout_s and timeout_s < COUNTDOWN_MIN_S:
        raise wrong_parameter("timeout")
    name = call.optional("contract")
    symbols = [venue.instrument(symbol_of(name)).symbol] if name else list(venue.instruments())
    for symbol in symbols:
        venue.tell(venue.engine.set_countdown(call.account, symbol, timeout_s * 1000, venue.now_ms()))
    return {"triggerTime": venue.server_ms() + timeout_s * 1000 if timeout_s else 0}


def find(venue: GateVenue, call: Call, name: str) -> OrderView:
    """Return an order by its number or its text; the text of an ended one is forgotten after a minute."""
    for symbol in venue.instruments():
        try:
            if name.startswith("t-"):
                view = venue.engine.read.order(call.account, symbol, venue.now_ms(), client_id=name.removeprefix("t-"))
                if not view.status.is_open and venue.now_ms() - view.updated_ms > NAMED_FOR_MS:
                    break
                return view
            if name.isdecimal():
                return venue.engine.read.order(call.account, symbol, venue.now_ms(), order_id=int(name))
        except Refused:
            continue
    raise order_not_found()


def _place(venue: GateVenue, call: Call, asked: Mapping[str, Any]) -> OrderView:
    order = _read(venue, call, asked)
    placed = venue.engine.submit(call.account, order, venue.now_ms())
    venue.hide_for_a_while(venue.subject(replace(call, params=dict(asked))), placed.order)
    venue.tell(placed.events)
    return placed.order


def _read(venue: GateVenue, call: Call, asked: Mapping[str, Any]) -> NewOrder:
    part = replace(call, params=dict(asked))
    contract = venue.contract(symbol_of(part.text("contract")))
    size, price = read_size(part.params.get("size")), part.amount("price")
    if not contract.in_parts and size != size.to_integral_value():
        raise wrong_parameter("size")
    force = TIMES_IN_FORCE.get(part.optional("tif", "gtc") or "gtc")
    if force is None or (not price and force not in (TimeInForce.IOC, TimeInForce.FOK)):
        raise wrong_parameter("tif")
    if not size:
        raise ApiError(400, "SIZE_TOO_SMALL", "size is 0")
    return NewOrder(
        symbol=contract.instrument.symbol,
        side=Side.BUY if size > 0 else Side.SELL,
        type=OrderType.LIMIT if price else OrderType.MARKET,
        quantity=contract.quantity(size),
        price=price or None,
        time_in_force=force if price else TimeInForce.GTC,
        reduce_only=part.claim("reduce_only"),
        client_id=_client_id(part.optional("text")),
        self_trade_rule=SelfTradeRule.EXPIRE_TAKER,
    )


def _client_id(text: str) -> str:
    if text in ("", "api", "web", "app"):
        return ""
    name = text.removeprefix("t-")
    if not text.startswith("t-") or not 0 < len(name) <= TEXT_MAX:
        raise wrong_parameter("text")
    return name


def _shown(venue: GateVenue, call: Call, view: OrderView) -> Any:
    contract = venue.contract(view.symbol)
    return render.order(contract, view, venue.user(call.account), as_text=call.sizes_as_text)


def _failed(error: ApiError) -> Any:
    return {"succeeded": False, "label": error.label, "detail": error.message}


ENDPOINTS = (
    Endpoint(
        action="order.place", method="POST", path=f"{PREFIX}/orders", handler=place, counted=Counted.ORDERS, status=201
    ),
    Endpoint(
        action="batch.place", method="POST", path=f"{PREFIX}/batch_orders", handler=place_batch, counted=Counted.ORDERS
    ),
    Endpoint(
        action="order.cancel", method="DELETE", path=PREFIX + "/orders/{order_id}", handler=cancel,
        counted=Counted.CANCELS,
    ),
    Endpoint(
        action="orders.cancel_all", method="DELETE", path=f"{PREFIX}/orders", handler=cancel_all,
        counted=Counted.CANCELS,
    ),
    Endpoint(
        action="batch.cancel", method="POST", path=f"{PREFIX}/batch_cancel_orders", handler=cancel_batch,
        counted=Counted.CANCELS,
    ),
    Endpoint(
        action="orders.countdown", method="POST", path=f"{PREFIX}/countdown_cancel_all", handler=countdown,
    ),
)  # fmt: skip
