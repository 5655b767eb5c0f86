"""Orders, conditional orders and executions as JSON, for lists and for the private stream."""

from __future__ import annotations

from typing import Any

from exchanges.sim.algo_orders import AlgoStatus, AlgoView
from exchanges.sim.bybit.ids import order_uid, trade_uid
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.orders import (
    ExpiryReason,
    Fill,
    OrderStatus,
    OrderType,
    OrderView,
    TimeInForce,
    WorkingType,
)
from exchanges.sim.server.text import plain, price_text, quantity_text
from grid.order import Side

Json = dict[str, Any]

STATUSES = {
    OrderStatus.NEW: "New",
    OrderStatus.PARTIALLY_FILLED: "PartiallyFilled",
    OrderStatus.FILLED: "Filled",
    OrderStatus.CANCELED: "Cancelled",
    OrderStatus.EXPIRED: "Cancelled",
    OrderStatus.EXPIRED_IN_MATCH: "Cancelled",
}
ALGO_STATUSES = {
    AlgoStatus.NEW: "Untriggered",
    AlgoStatus.TRIGGERING: "Triggered",
    AlgoStatus.TRIGGERED: "Triggered",
    AlgoStatus.FINISHED: "Filled",
    AlgoStatus.CANCELED: "Deactivated",
    AlgoStatus.EXPIRED: "Deactivated",
    AlgoStatus.REJECTED: "Rejected",
}
SIDES = {Side.BUY: "Buy", Side.SELL: "Sell"}
TIMES_IN_FORCE = {
    TimeInForce.GTC: "GTC",
    TimeInForce.IOC: "IOC",
    TimeInForce.FOK: "FOK",
    TimeInForce.GTX: "PostOnly",
    TimeInForce.GTD: "GTC",
}
CANCELLED_BY = {
    ExpiryReason.NONE: "CancelByUser",
    ExpiryReason.REDUCE_ONLY: "CancelByReduceOnly",
    ExpiryReason.SELF_TRADE: "CancelBySmp",
    ExpiryReason.IOC_SELF_TRADE: "CancelBySmp",
    ExpiryReason.LIQUIDATION: "CancelAllBeforeLiq",
    ExpiryReason.DELISTED: "CancelBySettle",
}
REJECTED_BY = {
    ExpiryReason.POST_ONLY: "EC_PostOnlyWillTakeLiquidity",
    ExpiryReason.IOC_REMAINDER: "EC_CancelForNoFullFill",
    ExpiryReason.MARKET_REMAINDER: "EC_CancelForNoFullFill",
}
TRIGGERS = {WorkingType.MARK_PRICE: "MarkPrice", WorkingType.CONTRACT_PRICE: "LastPrice"}
BY_VENUE = (
    ("autoclose-", "CreateByLiq", "BustTrade"),
    ("adl_autoclose", "CreateByAdl_PassThrough", "AdlTrade"),
    ("settlement_autoclose-", "CreateBySettle", "Settle"),
)
OF_OTHER_HANDS = "web_"


def created_by(client_id: str) -> tuple[str, str]:
    """Return how an order was created, and of which kind its executions are."""
    return next(((made, kind) for prefix, made, kind in BY_VENUE if client_id.startswith(prefix)), _BY_USER)


_BY_USER = ("CreateByUser", "Trade")


def link_id(client_id: str) -> str:
    """Return the client's id; orders of the venue's own making and of its pages have none."""
    is_named = created_by(client_id) == _BY_USER and not client_id.startswith(OF_OTHER_HANDS)
    return client_id if is_named else ""


def order_row(instrument: SimInstrument, order: OrderView) -> Json:
    is_conditional = order.algo_id > 0
    is_open = order.status.is_open
    ended = not is_open and order.status is not OrderStatus.FILLED
    return {
        "orderId": order_uid(order.order_id, order.algo_id),
        "orderLinkId": link_id(order.client_id),
        "blockTradeId": "",
        "symbol": order.symbol,
        "price": price_text(instrument, order.price),
        "qty": quantity_text(instrument, order.quantity),
        "side": SIDES[order.side],
        "isLeverage": "",
        "positionIdx": 0,
        "orderStatus": STATUSES[order.status],
        "createType": "CreateByStopOrder" if is_conditional else created_by(order.client_id)[0],
        "cancelType": CANCELLED_BY.get(order.expiry_reason, "UNKNOWN") if ended else "UNKNOWN",
        "rejectReason": REJECTED_BY.get(order.expiry_reason, "EC_NoError") if ended else "EC_NoError",
        "avgPrice": plain(order.average_price) if order.filled else "",
        "leavesQty": quantity_text(instrument, order.left) if is_open else "0",
        "leavesValue": plain(instrument.price(order.price) * instrument.quantity(order.left)) if is_open else "0",
        "cumExecQty": quantity_text(instrument, order.filled) if order.filled else "0",
        "cumExecValue": plain(order.quote_filled),
        "cumExecFee": "0",
        "timeInForce": "IOC" if order.type is OrderType.MARKET else TIMES_IN_FORCE[order.time_in_force],
        "orderType": "Market" if order.type is OrderType.MARKET else "Limit",
        "stopOrderType": "Stop" if is_conditional else "",
        "orderIv": "",
        "triggerPrice": plain(order.stop_price) if is_conditional else "",
        "takeProfit": "",
        "stopLoss": "",
        "tpTriggerBy": "",
        "slTriggerBy": "",
        "triggerDirection": _direction(order.side) if is_conditional else 0,
        "triggerBy": TRIGGERS[order.working_type] if is_conditional else "",
        "lastPriceOnCreated": "",
        "reduceOnly": order.reduce_only,
        "closeOnTrigger": order.close_position,
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "tpslMode": "",
        "tpLimitPrice": "",
        "slLimitPrice": "",
        "placeType": "",
        "createdTime": str(order.created_ms),
        "updatedTime": str(order.updated_ms),
    }


def algo_row(instrument: SimInstrument, algo: AlgoView) -> Json:
    """Return a conditional order that has not become an order, or never did."""
    return {
        "orderId": order_uid(0, algo.algo_id),
        "orderLinkId": link_id(algo.client_id),
        "blockTradeId": "",
        "symbol": algo.symbol,
        "price": plain(algo.price),
        "qty": quantity_text(instrument, algo.quantity),
        "side": SIDES[algo.side],
        "isLeverage": "",
        "positionIdx": 0,
        "orderStatus": ALGO_STATUSES[algo.status],
        "createType": "CreateByUser",
        "cancelType": "CancelByUser" if algo.status is AlgoStatus.CANCELED else "UNKNOWN",
        "rejectReason": "EC_Others" if algo.status is AlgoStatus.REJECTED else "EC_NoError",
        "avgPrice": "",
        "leavesQty": quantity_text(instrument, algo.quantity),
        "leavesValue": "0",
        "cumExecQty": "0",
        "cumExecValue": "0",
        "cumExecFee": "0",
        "timeInForce": "IOC",
        "orderType": "Market" if algo.type in (OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET) else "Limit",
        "stopOrderType": "Stop",
        "orderIv": "",
        "triggerPrice": plain(algo.trigger_price),
        "takeProfit": "",
        "stopLoss": "",
        "tpTriggerBy": "",
        "slTriggerBy": "",
        "triggerDirection": _direction(algo.side),
        "triggerBy": TRIGGERS[algo.working_type],
        "lastPriceOnCreated": "",
        "reduceOnly": algo.reduce_only or algo.close_position,
        "closeOnTrigger": algo.close_position,
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "tpslMode": "",
        "tpLimitPrice": "",
        "slLimitPrice": "",
        "placeType": "",
        "createdTime": str(algo.created_ms),
        "updatedTime": str(algo.updated_ms),
    }


def execution_row(instrument: SimInstrument, fill: Fill, order: OrderView, left: int) -> Json:
    """Return one execution; `left` is what it left open of its order."""
    made, kind = created_by(order.client_id)
    value = instrument.price(fill.price) * instrument.quantity(fill.quantity)
    rate = fill.commission / value if value else fill.commission
    return {
        "category": "linear",
        "symbol": fill.symbol,
        "orderId": order_uid(fill.order_id, order.algo_id),
        "orderLinkId": link_id(order.client_id),
        "side": SIDES[fill.side],
        "orderPrice": price_text(instrument, order.price),
        "orderQty": quantity_text(instrument, order.quantity),
        "leavesQty": quantity_text(instrument, left) if left else "0",
        "createType": "CreateByStopOrder" if order.algo_id else made,
        "orderType": "Market" if order.type is OrderType.MARKET else "Limit",
        "stopOrderType": "Stop" if order.algo_id else "UNKNOWN",
        "execFee": plain(fill.commission),
        "feeCurrency": fill.commission_asset,
        "execId": trade_uid(fill.symbol, fill.trade_id),
        "execPrice": price_text(instrument, fill.price),
        "execQty": quantity_text(instrument, fill.quantity),
        "execType": kind,
        "execValue": plain(value),
        "execTime": str(fill.time_ms),
        "isMaker": fill.is_maker,
        "feeRate": plain(round(rate, 8)),
        "tradeIv": "",
        "markIv": "",
        "markPrice": "",
        "indexPrice": "",
        "underlyingPrice": "",
        "blockTradeId": "",
        "closedSize": "",
        "isLeverage": "0",
        "execPnl": plain(fill.realised),
        "seq": fill.trade_id,
    }


def _direction(side: Side) -> int:
    return 1 if side is Side.BUY else 2
