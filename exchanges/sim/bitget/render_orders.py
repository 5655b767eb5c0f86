"""Orders and fills as JSON, for answers and for the private stream."""

from __future__ import annotations

from typing import Any

from exchanges.sim.instrument import SimInstrument
from exchanges.sim.orders import ExpiryReason, Fill, OrderStatus, OrderType, OrderView, SelfTradeRule, TimeInForce
from exchanges.sim.server.text import average_text, plain, price_text, quantity_text
from grid.order import Side

Json = dict[str, Any]
STATUSES = {OrderStatus.NEW: "live", OrderStatus.PARTIALLY_FILLED: "partially_filled", OrderStatus.FILLED: "filled"}
FORCES = {TimeInForce.GTX: "post_only", TimeInForce.IOC: "ioc", TimeInForce.FOK: "fok"}
REASONS = {ExpiryReason.SELF_TRADE: "stp_cancel", ExpiryReason.IOC_SELF_TRADE: "stp_cancel"}
RULES = {
    SelfTradeRule.EXPIRE_TAKER: "cancel_taker",
    SelfTradeRule.EXPIRE_MAKER: "cancel_maker",
    SelfTradeRule.EXPIRE_BOTH: "cancel_both",
}
DECREES = (
    ("autoclose-", "burst_{}_single"),
    ("adl_autoclose", "dte_sys_adl_{}_in_single_side_mode"),
    ("settlement_autoclose-", "delivery_{}_single"),
)
"""The venue's own orders: by the engine's client id, and by the trade side that tells them here."""


def side_word(side: Side) -> str:
    return side.value.lower()


def _decree(order: OrderView) -> str:
    """Return the trade side of an order of the venue's own, empty for anybody else's."""
    words = (form for prefix, form in DECREES if order.client_id.startswith(prefix))
    return next(words, "").format(side_word(order.side))


def client_oid(order: OrderView) -> str:
    return str(order.order_id) if _decree(order) else order.client_id


def trade_side(order: OrderView) -> str:
    return _decree(order) or f"{side_word(order.side)}_single"


def _terms(held: SimInstrument, order: OrderView) -> Json:
    is_over = not order.status.is_open and order.status is not OrderStatus.FILLED
    return {
        "orderId": str(order.order_id),
        "clientOid": client_oid(order),
        "size": quantity_text(held, order.quantity),
        "price": price_text(held, order.price) if order.price else "",
        "side": side_word(order.side),
        "posSide": "net",
        "posMode": "one_way_mode",
        "tradeSide": trade_side(order),
        "force": FORCES.get(order.time_in_force, "gtc"),
        "orderType": "limit" if order.type is OrderType.LIMIT else "market",
        "marginCoin": "USDT",
        "marginMode": "crossed",
        "enterPointSource": "SYS" if _decree(order) else "API",
        "stpMode": RULES.get(order.self_trade_rule, "none"),
        # an order that the venue ended because it would have taken is told like any other cancelled one
        "cancelReason": REASONS.get(order.expiry_reason, "normal_cancel") if is_over else "",
        "priceAvg": average_text(held, order.average_price) if order.filled else "",
        "cTime": str(order.created_ms),
        "uTime": str(order.updated_ms),
    }


def order_row(held: SimInstrument, order: OrderView, *, leverage: int, is_detail: bool = False) -> Json:
    """Return an order of a reply; one address calls its state by another name than the others."""
    word = STATUSES.get(order.status, "canceled")
    return {
        **_terms(held, order),
        ("state" if is_detail else "status"): word,
        "symbol": order.symbol,
        "baseVolume": quantity_text(held, order.filled),
        "quoteVolume": plain(order.quote_filled),
        "fee": "",
        "totalProfits": "",
        "reduceOnly": "YES" if order.reduce_only else "NO",
        "leverage": str(leverage),
        "orderSource": "normal",
    }


def order_event(held: SimInstrument, order: OrderView, fill: Fill | None, *, leverage: int) -> Json:
    """Return a row of the `orders` channel, with the fill that caused it where one did."""
    row = {
        **_terms(held, order),
        "instId": order.symbol,
        "status": STATUSES.get(order.status, "canceled"),
        "accBaseVolume": quantity_text(held, order.filled),
        "reduceOnly": "yes" if order.reduce_only else "no",
        "leverage": str(leverage),
        "notionalUsd": plain(held.price(order.price) * held.quantity(order.quantity)),
        "feeDetail": [],
    }
    if fill is None:
        return row
    return {
        **row,
        "fillPrice": price_text(held, fill.price),
        "tradeId": str(fill.trade_id),
        "baseVolume": quantity_text(held, fill.quantity),
        "fillTime": str(fill.time_ms),
        "fillFee": plain(-fill.commission),
        "fillFeeCoin": fill.commission_asset,
        "fillNotionalUsd": plain(held.price(fill.price) * held.quantity(fill.quantity)),
        "tradeScope": "M" if fill.is_maker else "T",
        "pnl": plain(fill.realised),
        "feeDetail": [{"feeCoin": fill.commission_asset, "fee": plain(-fill.commission)}],
    }


def fill_row(held: SimInstrument, fill: Fill, order: OrderView | None) -> Json:
    """Return one trade of the account; it tells no client id."""
    return {
        "tradeId": str(fill.trade_id),
        "symbol": fill.symbol,
        "orderId": str(fill.order_id),
        "price": price_text(held, fill.price),
        "baseVolume": quantity_text(held, fill.quantity),
        "feeDetail": [
            {
                "deduction": "no",
                "feeCoin": fill.commission_asset,
                "totalDeductionFee": "0",
                "totalFee": plain(-fill.commission),
            }
        ],
        "side": side_word(fill.side),
        "quoteVolume": plain(held.price(fill.price) * held.quantity(fill.quantity)),
        "profit": plain(fill.realised),
        "enterPointSource": "api",
        "tradeSide": trade_side(order) if order else f"{side_word(fill.side)}_single",
        "posMode": "one_way_mode",
        "tradeScope": "maker" if fill.is_maker else "taker",
        "cTime": str(fill.time_ms),
        "uTime": str(fill.time_ms),
    }
