"""Orders, trades and positions as JSON. Times are seconds with a fraction over REST, milliseconds in events."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson

from exchanges.sim.gate.contracts import SimContract
from exchanges.sim.orders import ExpiryReason, Fill, OrderStatus, OrderType, OrderView, TimeInForce
from exchanges.sim.server.text import plain
from exchanges.sim.views import MarginType, PositionView
from grid.order import Side

Json = dict[str, Any]
TIMES_IN_FORCE = {TimeInForce.GTC: "gtc", TimeInForce.IOC: "ioc", TimeInForce.FOK: "fok", TimeInForce.GTX: "poc"}
ENDS = {
    ExpiryReason.SELF_TRADE: "stp",
    ExpiryReason.IOC_SELF_TRADE: "stp",
    ExpiryReason.IOC_REMAINDER: "ioc",
    ExpiryReason.MARKET_REMAINDER: "ioc",
    ExpiryReason.REDUCE_ONLY: "reduce_out",
    ExpiryReason.LIQUIDATION: "liquidated",
}
DECREES = {"autoclose-": "liquidation", "adl_autoclose": "auto_deleveraging", "settlement_autoclose-": "settlement"}


def size(contract: SimContract, steps: int, *, as_text: bool) -> str | int:
    """Return a size: text with its parts where that was asked for, else a whole number, cut as the venue cuts it."""
    contracts = contract.size(steps)
    return plain(contracts.normalize() + 0) if as_text else int(contracts)


def streamed_size(contract: SimContract, steps: int) -> str | int:
    """Return a size of an event: a whole number, or text where it has parts."""
    contracts = contract.size(steps)
    return int(contracts) if contracts == int(contracts) else plain(contracts)


def text(client_id: str) -> str:
    """Return what the venue writes on an order."""
    word = next((word for prefix, word in DECREES.items() if client_id.startswith(prefix)), "")
    return word or f"t-{client_id}"


def bare(value: Decimal) -> orjson.Fragment:
    """Return an amount as events tell it: a number, not text."""
    return orjson.Fragment(plain(value))


def seconds(time_ms: int) -> float:
    return time_ms / 1000


def order(contract: SimContract, view: OrderView, user: int, *, as_text: bool) -> Json:
    sign = 1 if view.side is Side.BUY else -1
    body: Json = {
        "id": view.order_id,
        "user": user,
        "create_time": seconds(view.created_ms),
        "update_time": seconds(view.updated_ms),
        "status": "open" if view.status.is_open else "finished",
        "contract": contract.name,
        "size": size(contract, sign * view.quantity, as_text=as_text),
        "left": size(contract, sign * view.left, as_text=as_text),
        "iceberg": "0" if as_text else 0,
        **_words(contract, view),
    }
    if not view.status.is_open:
        body.update(finish_time=seconds(view.updated_ms), finish_as=finish_as(view))
    return body


def order_event(contract: SimContract, view: OrderView, user: int, *, is_new: bool) -> Json:
    sign = 1 if view.side is Side.BUY else -1
    is_open = view.status.is_open
    return {
        "id": view.order_id,
        "user": str(user),
        "create_time": view.created_ms // 1000,
        "create_time_ms": view.created_ms,
        "finish_time": 0 if is_open else view.updated_ms // 1000,
        "finish_time_ms": 0 if is_open else view.updated_ms,
        "update_time": view.updated_ms,
        "update_id": view.filled + 1,
        "status": "open" if is_open else "finished",
        "finish_as": ("_new" if is_new else "_update") if is_open else finish_as(view),
        "contract": contract.name,
        "size": streamed_size(contract, sign * view.quantity),
        "left": streamed_size(contract, sign * view.left),
        "iceberg": 0,
        **_words(contract, view),
        "refr": 0,
    }


def finish_as(view: OrderView) -> str:
    if view.status is OrderStatus.FILLED:
        return "filled"
    return ENDS.get(view.expiry_reason, "cancelled")


def trade(contract: SimContract, fill: Fill, client_id: str, *, as_text: bool, id_key: str) -> Json:
    sign = 1 if fill.side is Side.BUY else -1
    told = size(contract, sign * fill.quantity, as_text=as_text)
    return {
        id_key: str(fill.trade_id) if id_key == "trade_id" else fill.trade_id,
        "create_time": seconds(fill.time_ms),
        "contract": contract.name,
        "order_id": str(fill.order_id),
        "size": told,
        "close_size": "0" if as_text else 0,
        "price": plain(contract.instrument.price(fill.price)),
        "role": "maker" if fill.is_maker else "taker",
        "text": text(client_id),
        "fee": plain(fill.commission),
        "point_fee": "0",
    }


def trade_event(contract: SimContract, fill: Fill, client_id: str) -> Json:
    sign = 1 if fill.side is Side.BUY else -1
    return {
        "id": str(fill.trade_id),
        "create_time": fill.time_ms // 1000,
        "create_time_ms": fill.time_ms,
        "contract": contract.name,
        "order_id": str(fill.order_id),
        "size": streamed_size(contract, sign * fill.quantity),
        "price": plain(contract.instrument.price(fill.price)),
        "role": "maker" if fill.is_maker else "taker",
        "text": text(client_id),
        "fee": bare(fill.commission),
        "point_fee": 0,
    }


def position(contract: SimContract, held: PositionView, user: int, *, as_text: bool) -> Json:
    is_isolated = held.margin_type is MarginType.ISOLATED
    return {
        "user": user,
        "contract": contract.name,
        "size": size(contract, held.quantity, as_text=as_text),
        "leverage": str(held.leverage) if is_isolated else "0",
        "cross_leverage_limit": "0" if is_isolated else str(held.leverage),
        "leverage_max": str(contract.instrument.brackets[0].leverage_max),
        "risk_limit": plain(held.notional_max),
        "maintenance_rate": plain(contract.instrument.brackets[0].rate),
        "value": plain(held.notional),
        "margin": plain(held.isolated_margin if is_isolated else held.position_initial_margin),
        "entry_price": plain(held.entry_price),
        "liq_price": plain(held.liquidation_price),
        "mark_price": plain(held.mark_price),
        "initial_margin": plain(held.initial_margin),
        "maintenance_margin": plain(held.maintenance_margin),
        "unrealised_pnl": plain(held.unrealised),
        "realised_pnl": plain(held.realised),
        "history_pnl": "0",
        "last_close_pnl": "0",
        "realised_point": "0",
        "history_point": "0",
        "adl_ranking": 5,
        "pending_orders": 0,
        "close_order": None,
        "mode": "single",
        "update_time": held.updated_ms // 1000,
        "update_id": 1,
    }


def position_event(contract: SimContract, held: PositionView, user: int, time_ms: int) -> Json:
    is_isolated = held.margin_type is MarginType.ISOLATED
    return {
        "contract": contract.name,
        "user": str(user),
        "size": streamed_size(contract, held.quantity),
        "entry_price": bare(held.entry_price),
        "leverage": held.leverage if is_isolated else 0,
        "cross_leverage_limit": 0 if is_isolated else held.leverage,
        "leverage_max": contract.instrument.brackets[0].leverage_max,
        "liq_price": bare(held.liquidation_price),
        "maintenance_rate": bare(contract.instrument.brackets[0].rate),
        "margin": bare(held.isolated_margin),
        "mode": "single",
        "realised_pnl": bare(held.realised),
        "realised_point": 0,
        "history_pnl": 0,
        "history_point": 0,
        "last_close_pnl": 0,
        "risk_limit": bare(held.notional_max),
        "time": time_ms // 1000,
        "time_ms": time_ms,
        "update_id": 1,
    }


def _words(contract: SimContract, view: OrderView) -> Json:
    instrument = contract.instrument
    return {
        "price": plain(instrument.price(view.price)) if view.price else "0",
        "fill_price": plain(view.average_price) if view.filled else "0",
        "text": text(view.client_id),
        "tif": TIMES_IN_FORCE.get(view.time_in_force, "gtc"),
        "is_reduce_only": view.reduce_only,
        "is_close": view.close_position,
        "is_liq": view.type is OrderType.LIQUIDATION,
        "tkfr": plain(instrument.taker_fee),
        "mkfr": plain(instrument.maker_fee),
        "refu": 0,
        "stp_id": 0,
        "stp_act": "-",
        "amend_text": "-",
    }
