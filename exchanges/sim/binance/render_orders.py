"""Orders, fills and conditional orders as JSON; the key sets are those of the venue's documents."""

from __future__ import annotations

from typing import Any

from exchanges.sim.algo_orders import AlgoStatus, AlgoView
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.orders import Fill, OrderView
from exchanges.sim.server.text import average_text, money, plain, price_text, quantity_text
from grid.order import Side

Json = dict[str, Any]


def _terms(instrument: SimInstrument, order: OrderView) -> Json:
    """Return what every answer about an order holds."""
    return {
        "orderId": order.order_id,
        "symbol": order.symbol,
        "status": order.status.value,
        "clientOrderId": order.client_id,
        "price": price_text(instrument, order.price),
        "origQty": quantity_text(instrument, order.quantity),
        "executedQty": quantity_text(instrument, order.filled),
        "timeInForce": order.time_in_force.value,
        "type": order.type.value,
        "reduceOnly": order.reduce_only,
        "closePosition": order.close_position,
        "side": order.side.value,
        "positionSide": "BOTH",
        "stopPrice": plain(order.stop_price),
        "workingType": order.working_type.value,
        "priceProtect": False,
        "origType": order.original_type.value,
        "priceMatch": "NONE",
        "selfTradePreventionMode": order.self_trade_rule.value,
        "goodTillDate": order.good_till_ms,
        "updateTime": order.updated_ms,
    }


def acknowledgement(instrument: SimInstrument, order: OrderView, *, with_average: bool) -> Json:
    """Answer placing or cancelling. `with_average` adds the two fields that left these answers on 2026-07-15."""
    reply = _terms(instrument, order)
    reply["cumQty"] = reply["executedQty"]
    if with_average:
        reply["avgPrice"] = average_text(instrument, order.average_price)
        reply["cumQuote"] = plain(order.quote_filled)
    return reply


def amendment(instrument: SimInstrument, order: OrderView, *, with_average: bool, modify_id: int) -> Json:
    reply = acknowledgement(instrument, order, with_average=with_average)
    return {**reply, "pair": order.symbol, "modifyId": modify_id}


def order_row(instrument: SimInstrument, order: OrderView) -> Json:
    """Answer a query for an order."""
    return {
        **_terms(instrument, order),
        "avgPrice": average_text(instrument, order.average_price),
        "cumQuote": plain(order.quote_filled),
        "time": order.created_ms,
    }


def order_history_row(instrument: SimInstrument, order: OrderView) -> Json:
    return {
        **order_row(instrument, order),
        "pair": order.symbol,
        "cumBase": quantity_text(instrument, order.filled),
    }


def trade_row(instrument: SimInstrument, fill: Fill) -> Json:
    """One row of `userTrades`. The venue gives no client id here."""
    price, quantity = instrument.price(fill.price), instrument.quantity(fill.quantity)
    return {
        "symbol": fill.symbol,
        "pair": fill.symbol,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "side": fill.side.value,
        "price": plain(price),
        "qty": plain(quantity),
        "baseQty": plain(quantity),
        "realizedPnl": money(fill.realised),
        "marginAsset": instrument.quote,
        "quoteQty": plain(price * quantity),
        "commission": money(fill.commission),
        "commissionAsset": fill.commission_asset,
        "time": fill.time_ms,
        "positionSide": "BOTH",
        "buyer": fill.side is Side.BUY,
        "maker": fill.is_maker,
    }


def _algo_terms(instrument: SimInstrument, algo: AlgoView) -> Json:
    return {
        "algoId": algo.algo_id,
        "clientAlgoId": algo.client_id,
        "algoType": "CONDITIONAL",
        "orderType": algo.type.value,
        "symbol": algo.symbol,
        "side": algo.side.value,
        "positionSide": "BOTH",
        "timeInForce": algo.time_in_force.value,
        "quantity": quantity_text(instrument, algo.quantity),
        "algoStatus": algo.status.value,
        "triggerPrice": plain(algo.trigger_price),
        "price": plain(algo.price),
        "icebergQuantity": None,
        "selfTradePreventionMode": algo.self_trade_rule.value,
        "workingType": algo.working_type.value,
        "priceMatch": "NONE",
        "closePosition": algo.close_position,
        "priceProtect": algo.price_protect,
        "reduceOnly": algo.reduce_only,
        "createTime": algo.created_ms,
        "updateTime": algo.updated_ms,
        "triggerTime": algo.triggered_ms,
        "goodTillDate": 0,
    }


def algo_acknowledgement(instrument: SimInstrument, algo: AlgoView) -> Json:
    return {
        **_algo_terms(instrument, algo),
        "activatePrice": plain(algo.activation_price) if algo.activation_price is not None else "",
        "callbackRate": plain(algo.callback_rate) if algo.callback_rate is not None else "",
    }


def _algo_outcome(instrument: SimInstrument, algo: AlgoView) -> Json:
    return {
        "actualOrderId": str(algo.order_id) if algo.order_id else "",
        "actualPrice": average_text(instrument, algo.average_price),
        "tpOrderType": "",
    }


def algo_row(instrument: SimInstrument, algo: AlgoView) -> Json:
    """Answer a query for one conditional order."""
    return {
        **_algo_terms(instrument, algo),
        **_algo_outcome(instrument, algo),
        "actualType": _actual_type(algo),
        "actualQty": quantity_text(instrument, algo.filled),
    }


def algo_list_row(instrument: SimInstrument, algo: AlgoView) -> Json:
    zero = average_text(instrument, algo.average_price * 0)
    return {
        **_algo_terms(instrument, algo),
        **_algo_outcome(instrument, algo),
        "tpTriggerPrice": zero,
        "tpPrice": zero,
        "slTriggerPrice": zero,
        "slPrice": zero,
    }


def algo_event_body(instrument: SimInstrument, algo: AlgoView) -> Json:
    """Return `o` of ALGO_UPDATE."""
    return {
        "caid": algo.client_id,
        "aid": algo.algo_id,
        "at": "CONDITIONAL",
        "o": algo.type.value,
        "s": algo.symbol,
        "S": algo.side.value,
        "ps": "BOTH",
        "f": algo.time_in_force.value,
        "q": quantity_text(instrument, algo.quantity),
        "X": algo.status.value,
        "ai": str(algo.order_id) if algo.order_id else "",
        "ap": average_text(instrument, algo.average_price),
        "aq": quantity_text(instrument, algo.filled),
        "act": _actual_type(algo) or "0",
        "tp": plain(algo.trigger_price),
        "p": plain(algo.price),
        "V": algo.self_trade_rule.value,
        "wt": algo.working_type.value,
        "pm": "NONE",
        "cp": algo.close_position,
        "pP": algo.price_protect,
        "R": algo.reduce_only,
        "tt": algo.triggered_ms,
        "gtd": 0,
        "rm": algo.reject_reason,
    }


def _actual_type(algo: AlgoView) -> str:
    if not algo.order_id or algo.status is AlgoStatus.TRIGGERING:
        return ""
    return "MARKET" if algo.price == 0 else "LIMIT"
