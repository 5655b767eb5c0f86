"""Orders and fills as JSON, for answers and for the private stream. Every amount is text, times of events too."""

from __future__ import annotations

from typing import Any

from exchanges.sim.hashkey.contracts import Contract
from exchanges.sim.orders import Fill, OrderStatus, OrderType, OrderView, TimeInForce
from exchanges.sim.server.text import plain

Json = dict[str, Any]
FORCES = {TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
_STATES = {
    OrderStatus.NEW: "NEW",
    OrderStatus.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    OrderStatus.FILLED: "FILLED",
}


def side(order: OrderView) -> str:
    return f"{order.side.value}_{'CLOSE' if order.reduce_only else 'OPEN'}"


def state(order: OrderView) -> str:
    """Return how an order stands; one that ended with a part filled has a word of its own."""
    return _STATES.get(order.status) or ("PARTIALLY_CANCELED" if order.filled else "CANCELED")


def kind(order: OrderView) -> str:
    """Return the type: a post-only order is told by it, one at market is a limit order all the same."""
    return "LIMIT_MAKER" if order.time_in_force is TimeInForce.GTX else "LIMIT"


def force(order: OrderView) -> str:
    default = "GTC" if order.type is OrderType.LIMIT else "IOC"
    return FORCES.get(order.time_in_force, default)


def order_row(held: Contract, order: OrderView, *, leverage: int) -> Json:
    return {
        "time": str(order.created_ms),
        "updateTime": str(order.updated_ms),
        "orderId": str(order.order_id),
        "clientOrderId": order.client_id,
        "symbol": held.name,
        "price": held.price(order.price),
        "leverage": str(leverage),
        "origQty": str(order.quantity),
        "executedQty": str(order.filled),
        "avgPrice": plain(order.average_price) if order.filled else "0",
        "marginLocked": "0",
        "type": kind(order),
        "side": side(order),
        "timeInForce": force(order),
        "status": state(order),
        "priceType": "INPUT" if order.type is OrderType.LIMIT else "MARKET",
        "contractMultiplier": plain(held.multiplier),
        "isLiquidationOrder": False,
        "indexPrice": "0",
        "liquidationType": "",
    }


def fill_row(held: Contract, fill: Fill, order: OrderView | None) -> Json:
    """Return one trade of the account; it tells no client id, and writes `isMarker` as the venue does."""
    return {
        "time": str(fill.time_ms),
        "tradeId": str(fill.trade_id),
        "orderId": str(fill.order_id),
        "symbol": held.name,
        "price": held.price(fill.price),
        "quantity": str(fill.quantity),
        "commissionAsset": fill.commission_asset,
        "commission": plain(fill.commission),
        "makerRebate": "0",
        "type": kind(order) if order else "LIMIT",
        "side": side(order) if order else f"{fill.side.value}_CLOSE",
        "realizedPnl": plain(fill.realised),
        "isMarker": fill.is_maker,
    }


def order_event(held: Contract, order: OrderView, fill: Fill | None, *, leverage: int, sent_ms: int) -> Json:
    """Return the change of an order. `Z` is price by contracts, not by what they hold; `n` is this fill's fee."""
    quote = order.quote_filled / held.multiplier
    return {
        "e": "contractExecutionReport",
        "E": str(sent_ms),
        "s": held.name,
        "c": order.client_id,
        "S": side(order),
        "o": kind(order),
        "f": force(order),
        "q": str(order.quantity),
        "p": held.price(order.price),
        "X": state(order),
        "i": str(order.order_id),
        "l": str(fill.quantity) if fill else "0",
        "z": str(order.filled),
        "L": held.price(fill.price) if fill else "0",
        "n": plain(fill.commission) if fill else "0",
        "N": fill.commission_asset if fill else "",
        "u": True,
        "w": order.status.is_open,
        "m": bool(fill and fill.is_maker),
        "O": str(order.created_ms),
        "Z": plain(quote),
        "C": order.reduce_only,
        "v": str(leverage),
        "reqAmt": "0",
        "d": str(fill.trade_id) if fill else "0",
        "r": str(order.left),
        "V": plain(order.average_price) if order.filled else "0",
        "P": "0",
        "lo": False,
        "lt": "",
    }


def ticket(held: Contract, fill: Fill, order: OrderView, *, sent_ms: int) -> Json:
    """Return one fill of the stream: without its fee."""
    return {
        "e": "ticketInfo",
        "E": str(sent_ms),
        "s": held.name,
        "q": f"{fill.quantity}.00",
        "t": str(fill.time_ms),
        "p": held.price(fill.price),
        "T": str(fill.trade_id),
        "o": str(fill.order_id),
        "c": order.client_id,
        "a": "1",
        "m": fill.is_maker,
        "S": fill.side.value,
    }
