"""Orders and fills as JSON, for answers and for the private topics."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.sim.kucoinfutures.contracts import Contract
from exchanges.sim.orders import Fill, OrderStatus, OrderType, OrderView, TimeInForce
from exchanges.sim.server.text import plain

Json = dict[str, Any]
NS_IN_MS = 1_000_000
FORCES = {TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}


def kind(order: OrderView) -> str:
    return "limit" if order.type is OrderType.LIMIT else "market"


def side(order: OrderView) -> str:
    return order.side.value.lower()


def margin_mode(*, is_isolated: bool) -> str:
    return "ISOLATED" if is_isolated else "CROSS"


def order_row(held: Contract, order: OrderView, *, leverage: int, is_isolated: bool) -> Json:
    """Return an order of a reply. An ended one says whether anything of it was cancelled, not why."""
    is_open = order.status.is_open
    is_cancelled = not is_open and order.status is not OrderStatus.FILLED
    filled_value = plain(order.quote_filled)
    price = held.price(order.price) if order.price else None
    return {
        "id": str(order.order_id),
        "symbol": held.name,
        "type": kind(order),
        "side": side(order),
        "price": price,
        "size": order.quantity,
        "value": plain(held.value(order.price, order.quantity)) if order.price else filled_value,
        "dealValue": filled_value,
        "dealSize": order.filled,
        "stp": "",
        "stop": "",
        "stopPriceType": "",
        "stopTriggered": False,
        "stopPrice": None,
        "timeInForce": FORCES.get(order.time_in_force, "GTC"),
        "postOnly": order.time_in_force is TimeInForce.GTX,
        "hidden": False,
        "iceberg": False,
        "leverage": str(leverage),
        "forceHold": False,
        "closeOrder": False,
        "visibleSize": None,
        "clientOid": order.client_id,
        "remark": None,
        "tags": None,
        "isActive": is_open,
        "cancelExist": is_cancelled,
        "createdAt": order.created_ms,
        "updatedAt": order.updated_ms,
        "endAt": None if is_open else order.updated_ms,
        "orderTime": order.created_ms * NS_IN_MS,
        "settleCurrency": held.instrument.quote,
        "marginMode": margin_mode(is_isolated=is_isolated),
        "positionSide": "BOTH",
        "avgDealPrice": plain(order.average_price) if order.filled else "0",
        "filledSize": order.filled,
        "filledValue": filled_value,
        "status": "open" if is_open else "done",
        "reduceOnly": order.reduce_only,
    }


def fill_row(held: Contract, fill: Fill, order: OrderView | None) -> Json:
    """Return one trade of the account; it tells no client id."""
    value = held.value(fill.price, fill.quantity)
    return {
        "symbol": held.name,
        "tradeId": str(fill.trade_id),
        "orderId": str(fill.order_id),
        "side": fill.side.value.lower(),
        "liquidity": "maker" if fill.is_maker else "taker",
        "forceTaker": False,
        "price": held.price(fill.price),
        "size": fill.quantity,
        "value": plain(value),
        "openFeePay": plain(fill.commission),
        "closeFeePay": "0",
        "stop": "",
        "feeRate": plain(_rate(fill.commission, value)),
        "fixFee": "0",
        "feeCurrency": fill.commission_asset,
        "tradeTime": fill.time_ms * NS_IN_MS,
        "marginMode": "CROSS",
        "fee": plain(fill.commission),
        "settleCurrency": held.instrument.quote,
        "orderType": kind(order) if order else "market",
        "tradeType": "trade",
        "createdAt": fill.time_ms,
    }


def _rate(fee: Decimal, value: Decimal) -> Decimal:
    return (fee / value).quantize(Decimal("0.000001")) if value else Decimal(0)


def order_event(
    held: Contract, order: OrderView, word: str, fill: Fill | None, *, is_isolated: bool, sent_ms: int
) -> Json:
    """Return the change of an order. `word` says what happened; a match names its fill, without the fee of it."""
    is_over = word in ("filled", "canceled")
    event: Json = {
        "orderId": str(order.order_id),
        "symbol": held.name,
        "type": word,
        "status": "done" if is_over else word if word == "match" else "open",
        "orderType": kind(order),
        "side": side(order),
        "price": held.price(order.price) if order.price else "0",
        "size": str(order.quantity),
        "remainSize": "0" if is_over else str(order.left),
        "filledSize": str(order.filled),
        "canceledSize": str(order.left) if word == "canceled" else "0",
        "clientOid": order.client_id,
        "orderTime": str(order.created_ms * NS_IN_MS),
        "marginMode": margin_mode(is_isolated=is_isolated),
        "positionSide": "BOTH",
        "tradeType": "trade",
        "ts": sent_ms * NS_IN_MS,
    }
    if fill is None:
        return event
    liquidity = "maker" if fill.is_maker else "taker"
    return {
        **event,
        "liquidity": liquidity,
        "feeType": f"{liquidity}Fee",
        "matchPrice": held.price(fill.price),
        "matchSize": str(fill.quantity),
        "tradeId": str(fill.trade_id),
        "ts": fill.time_ms * NS_IN_MS,
    }
