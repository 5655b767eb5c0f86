"""Orders as a client writes them: text to the engine's words, or the refusal for what is no word of the venue's."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import TypeVar

from exchanges.sim.algo_orders import NewAlgoOrder
from exchanges.sim.binance.call import Call
from exchanges.sim.binance.errors import ApiError, malformed_parameter, missing_parameter
from exchanges.sim.orders import NewOrder, OrderType, SelfTradeRule, TimeInForce, WorkingType
from grid.order import Side

E = TypeVar("E", bound=Enum)


def _word(kind: type[E], text: str, refusal: ApiError) -> E:
    try:
        return kind(text)
    except ValueError:
        raise refusal from None


def side_of(call: Call) -> Side:
    return _word(Side, call.text("side"), ApiError(400, -1117, "Invalid side."))


def type_of(call: Call) -> OrderType:
    kind = _word(OrderType, call.text("type"), ApiError(400, -1116, "Invalid orderType."))
    if kind is OrderType.LIQUIDATION:
        raise ApiError(400, -1116, "Invalid orderType.")
    return kind


def _time_in_force(call: Call) -> TimeInForce:
    text = call.optional("timeInForce", TimeInForce.GTC.value)
    return _word(TimeInForce, text, ApiError(400, -1115, "Invalid timeInForce."))


def _self_trade_rule(call: Call) -> SelfTradeRule:
    text = call.optional("selfTradePreventionMode", SelfTradeRule.EXPIRE_MAKER.value)
    return _word(SelfTradeRule, text, malformed_parameter("selfTradePreventionMode"))


def new_order(call: Call) -> NewOrder:
    side, kind = side_of(call), type_of(call)
    if kind is OrderType.LIMIT:
        for name in ("timeInForce", "quantity", "price"):
            call.text(name)
    elif kind is OrderType.MARKET:
        call.text("quantity")
        if call.has("price"):
            raise ApiError(400, -1106, "Parameter 'price' sent when not required.")
    return NewOrder(
        symbol=call.symbol(),
        side=side,
        type=kind,
        quantity=call.optional_amount("quantity") or Decimal(0),
        price=call.optional_amount("price"),
        time_in_force=_time_in_force(call),
        reduce_only=call.claim("reduceOnly"),
        client_id=call.optional("newClientOrderId"),
        position_side=call.optional("positionSide", "BOTH").upper(),
        self_trade_rule=_self_trade_rule(call),
        good_till_ms=call.optional_whole("goodTillDate") or 0,
    )


def new_algo_order(call: Call) -> NewAlgoOrder:
    if call.text("algoType") != "CONDITIONAL":
        raise malformed_parameter("algoType")
    kind = type_of(call)
    if kind in (OrderType.LIMIT, OrderType.MARKET):
        raise ApiError(400, -1116, "Invalid orderType.")
    if kind is not OrderType.TRAILING_STOP_MARKET and not call.has("triggerPrice"):
        raise missing_parameter("triggerPrice")
    working = call.optional("workingType", WorkingType.CONTRACT_PRICE.value)
    return NewAlgoOrder(
        symbol=call.symbol(),
        side=side_of(call),
        type=kind,
        quantity=call.optional_amount("quantity"),
        trigger_price=call.optional_amount("triggerPrice"),
        price=call.optional_amount("price"),
        time_in_force=_time_in_force(call),
        reduce_only=call.claim("reduceOnly"),
        close_position=call.claim("closePosition"),
        client_id=call.optional("clientAlgoId"),
        position_side=call.optional("positionSide", "BOTH").upper(),
        working_type=_word(WorkingType, working, malformed_parameter("workingType")),
        price_protect=call.claim("priceProtect"),
        self_trade_rule=_self_trade_rule(call),
        activation_price=call.optional_amount("activatePrice"),
        callback_rate=call.optional_amount("callbackRate"),
    )
