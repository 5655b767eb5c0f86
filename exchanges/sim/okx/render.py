"""The account's orders, trades, positions and bills as the venue writes them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from exchanges.sim.algo_orders import AlgoStatus, AlgoView
from exchanges.sim.okx.contracts import Swap
from exchanges.sim.orders import ExpiryReason, Fill, OrderStatus, OrderType, OrderView, TimeInForce, WorkingType
from exchanges.sim.server.text import plain
from exchanges.sim.views import Income, MarginType, PositionView

Json = dict[str, Any]
STATES = {
    OrderStatus.NEW: "live",
    OrderStatus.PARTIALLY_FILLED: "partially_filled",
    OrderStatus.FILLED: "filled",
}
SOURCES = {
    ExpiryReason.NONE: ("1", "Order canceled by user"),
    ExpiryReason.SELF_TRADE: ("32", "Self trade prevention"),
    ExpiryReason.IOC_REMAINDER: ("14", "The IOC order was partially canceled due to incompletely filled"),
    ExpiryReason.IOC_SELF_TRADE: ("32", "Self trade prevention"),
    ExpiryReason.REDUCE_ONLY: ("23", "Reduce-only order canceled: it no longer fits the position"),
    ExpiryReason.LIQUIDATION: ("3", "Order canceled as risk cancellation was triggered"),
    ExpiryReason.GOOD_TILL: ("0", "Order canceled by system"),
    ExpiryReason.DELISTED: ("7", "Futures contract delivery"),
    ExpiryReason.STOP_TRIGGERED: ("21", "The TP/SL order was canceled because the position had been closed"),
    ExpiryReason.MARKET_REMAINDER: ("14", "The IOC order was partially canceled due to incompletely filled"),
    ExpiryReason.POST_ONLY: ("31", "The post-only order will take liquidity in maker orders"),
}
CATEGORIES = (
    ("autoclose-", "full_liquidation"),
    ("adl_autoclose", "adl"),
    ("settlement_autoclose-", "delivery"),
)
ORDER_TYPES = {
    TimeInForce.GTX: "post_only",
    TimeInForce.IOC: "ioc",
    TimeInForce.FOK: "fok",
}
ALGO_STATES = {
    AlgoStatus.NEW: "live",
    AlgoStatus.TRIGGERING: "effective",
    AlgoStatus.TRIGGERED: "effective",
    AlgoStatus.FINISHED: "effective",
    AlgoStatus.CANCELED: "canceled",
    AlgoStatus.EXPIRED: "canceled",
    AlgoStatus.REJECTED: "order_failed",
}
BILL_TYPES = {"TRANSFER": "1", "FUNDING_FEE": "8", "INSURANCE_CLEAR": "10"}


def mode_of(margin_type: MarginType) -> str:
    return "cross" if margin_type is MarginType.CROSSED else "isolated"


def order(swap: Swap, view: OrderView, mode: str, fills: Sequence[Fill] = ()) -> Json:
    """Return an order; `fills` are all of its own, the last one being told apart."""
    is_over = view.status not in STATES
    source, words = SOURCES[view.expiry_reason] if is_over else ("", "")
    last = fills[-1] if fills and view.status in (OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED) else None
    is_market = view.type is not OrderType.LIMIT
    return {
        "instType": "SWAP",
        "instId": swap.inst_id,
        "ccy": "",
        "ordId": str(view.order_id),
        "clOrdId": "" if view.algo_id else client_id(view.client_id),
        "algoClOrdId": client_id(view.client_id) if view.algo_id else "",
        "algoId": str(view.algo_id or ""),
        "tag": "",
        "px": "" if is_market else swap.price(view.price),
        "sz": swap.size(view.quantity),
        "pnl": plain(sum((fill.realised for fill in fills), Decimal(0))),
        "ordType": "market" if is_market else ORDER_TYPES.get(view.time_in_force, "limit"),
        "side": view.side.value.lower(),
        "posSide": "net",
        "tdMode": mode,
        "accFillSz": swap.size(view.filled),
        "avgPx": plain(view.average_price) if view.filled else "",
        "state": STATES.get(view.status, "canceled"),
        "lever": "",
        "fee": plain(-sum((fill.commission for fill in fills), Decimal(0))),
        "feeCcy": swap.instrument.quote,
        "rebate": "0",
        "rebateCcy": swap.instrument.quote,
        "source": "",
        "category": next((word for start, word in CATEGORIES if view.client_id.startswith(start)), "normal"),
        "reduceOnly": "true" if view.reduce_only else "false",
        "cancelSource": source,
        "cancelSourceReason": words,
        "cTime": str(view.created_ms),
        "uTime": str(view.updated_ms),
        "tradeId": str(last.trade_id) if last else "",
        "fillPx": swap.price(last.price) if last else "",
        "fillSz": swap.size(last.quantity) if last else "0",
        "fillTime": str(last.time_ms) if last else "",
    }


def order_event(swap: Swap, view: OrderView, mode: str, fill: Fill | None, fills: Sequence[Fill]) -> Json:
    """Return an event of the orders channel: with a fill, its fee too."""
    row = order(swap, view, mode, [*[one for one in fills if one != fill], fill] if fill else ())
    return {
        **row,
        "fillFee": plain(-fill.commission) if fill else "0",
        "fillFeeCcy": fill.commission_asset if fill else "",
        "fillPnl": plain(fill.realised) if fill else "0",
        "execType": ("M" if fill.is_maker else "T") if fill else "",
        "code": "0",
        "msg": "",
        "reqId": "",
        "amendResult": "",
    }


def algo(swap: Swap, view: AlgoView) -> Json:
    """Return a conditional order, whether it waits or not."""
    became = str(view.order_id or "")
    return {
        "instType": "SWAP",
        "instId": swap.inst_id,
        "algoId": str(view.algo_id),
        "algoClOrdId": client_id(view.client_id),
        "clOrdId": "",
        "ordId": became,
        "ordIdList": [became] if became else [],
        "ordType": "conditional",
        "side": view.side.value.lower(),
        "posSide": "net",
        "sz": "" if view.close_position else swap.size(view.quantity),
        "closeFraction": "1" if view.close_position else "",
        "reduceOnly": "true" if view.reduce_only else "false",
        "slTriggerPx": plain(view.trigger_price),
        "slTriggerPxType": "mark" if view.working_type is WorkingType.MARK_PRICE else "last",
        "slOrdPx": "-1",
        "tpTriggerPx": "",
        "triggerPx": "",
        "state": ALGO_STATES[view.status],
        "failCode": view.reject_reason and "51000",
        "cTime": str(view.created_ms),
        "uTime": str(view.updated_ms),
    }


def client_id(told: str) -> str:
    """Return what the venue shows of an id: orders made by hand, or by the venue itself, have none."""
    return told if told.isalnum() else ""


def fill(swap: Swap, one: Fill, told: str) -> Json:
    """Return a row of the account's trades."""
    return {
        "instType": "SWAP",
        "instId": swap.inst_id,
        "tradeId": str(one.trade_id),
        "ordId": str(one.order_id),
        "clOrdId": told,
        "billId": f"{one.time_ms}{one.trade_id:012d}",
        "tag": "",
        "fillPx": swap.price(one.price),
        "fillSz": swap.size(one.quantity),
        "fillPnl": plain(one.realised),
        "side": one.side.value.lower(),
        "posSide": "net",
        "execType": "M" if one.is_maker else "T",
        "feeCcy": one.commission_asset,
        "fee": plain(-one.commission),
        "ts": str(one.time_ms),
        "fillTime": str(one.time_ms),
    }


def position(swap: Swap, held: PositionView) -> Json:
    """Return a position; of a flat one most is empty."""
    is_held = held.quantity != 0
    return {
        "instType": "SWAP",
        "instId": swap.inst_id,
        "mgnMode": mode_of(held.margin_type),
        "posId": str(swap.code),
        "posSide": "net",
        "pos": swap.size(held.quantity),
        "posCcy": "",
        "availPos": swap.size(held.quantity) if is_held else "",
        "avgPx": plain(held.entry_price) if is_held else "",
        "markPx": plain(held.mark_price) if is_held else "",
        "upl": plain(held.unrealised) if is_held else "0",
        "lever": str(held.leverage),
        "liqPx": plain(held.liquidation_price) if is_held and held.liquidation_price else "",
        "imr": plain(held.position_initial_margin) if is_held else "",
        "mmr": plain(held.maintenance_margin) if is_held else "",
        "margin": plain(held.isolated_wallet) if held.margin_type is MarginType.ISOLATED else "",
        "notionalUsd": plain(abs(held.notional)),
        "realizedPnl": plain(held.realised),
        "ccy": swap.instrument.quote,
        "adl": "0",
        "cTime": str(held.updated_ms),
        "uTime": str(held.updated_ms),
    }


def bills(rows: Sequence[Income], inst_ids: dict[str, str]) -> list[Json]:
    """Return ledger rows, oldest first. A trade's profit and fee are one bill."""
    made: list[Json] = []
    before: Income | None = None
    for row in rows:
        is_second = (
            before is not None
            and row.trade_id
            and (before.trade_id, before.symbol, before.kind)
            == (
                row.trade_id,
                row.symbol,
                "REALIZED_PNL",
            )
        )
        one = _bill(row, inst_ids)
        if is_second:
            profit = made.pop()
            one["pnl"] = profit["pnl"]
            one["balChg"] = plain(Decimal(profit["balChg"]) + row.amount)
        made.append(one)
        before = row
    return made


def _bill(row: Income, inst_ids: dict[str, str]) -> Json:
    return {
        "instType": "SWAP" if row.symbol else "",
        "instId": inst_ids.get(row.symbol, ""),
        "billId": str(row.tran_id),
        "type": BILL_TYPES.get(row.kind, "2"),
        "subType": "",
        "ccy": row.asset,
        "balChg": plain(row.amount),
        "pnl": plain(row.amount) if row.kind == "REALIZED_PNL" else "0",
        "fee": plain(row.amount) if row.kind == "COMMISSION" else "0",
        "ts": str(row.time_ms),
    }
