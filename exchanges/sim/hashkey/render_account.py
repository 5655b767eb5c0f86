"""Balances, positions and ledger as JSON."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.sim.hashkey.contracts import Contract
from exchanges.sim.server.text import plain
from exchanges.sim.views import AccountView, AssetView, Income, MarginType, PositionView

Json = dict[str, Any]
FLOWS = {
    "REALIZED_PNL": (28, "PNL"),
    "COMMISSION": (3, "FEE"),
    "FUNDING_FEE": (32, "FUNDING_SETTLEMENT"),
    "TRANSFER": (51, "USER_ACCOUNT_TRANSFER"),
    "INSURANCE_CLEAR": (31, "LIQUIDATION"),
}


def balance(asset: AssetView) -> Json:
    """Return the wallet: what positions would realise is told beside it."""
    return {
        "balance": plain(asset.wallet),
        "availableBalance": plain(asset.available),
        "positionMargin": plain(asset.position_initial_margin),
        "orderMargin": plain(asset.order_initial_margin),
        "asset": asset.asset,
        "crossUnRealizedPnl": plain(asset.cross_unrealised),
    }


def position(held: PositionView, contract: Contract, last: int, *, closing: int) -> Json:
    """Return what one side of a contract holds, less for new orders what others close; valued as it was entered."""
    size = abs(held.quantity)
    return {
        "symbol": contract.name,
        "side": side(held),
        "avgPrice": plain(held.entry_price),
        "position": str(size),
        "available": str(size - closing),
        "leverage": str(held.leverage),
        "lastPrice": contract.price(last),
        "positionValue": plain(held.entry_price * size * contract.multiplier),
        "liquidationPrice": plain(held.liquidation_price),
        "margin": plain(held.position_initial_margin),
        "marginRate": "",
        "unrealizedPnL": plain(held.unrealised),
        "profitRate": "0",
        "realizedPnL": plain(held.realised),
        "minMargin": plain(held.maintenance_margin),
    }


def side(held: PositionView) -> str:
    return "LONG" if held.quantity > 0 else "SHORT"


def position_event(held: PositionView, contract: Contract, side: str, *, sent_ms: int) -> Json:
    size = abs(held.quantity)
    return {
        "e": "outboundContractPositionInfo",
        "E": str(sent_ms),
        "A": "1",
        "s": contract.name,
        "S": side,
        "p": plain(held.entry_price),
        "P": str(size),
        "a": str(size),
        "f": plain(held.liquidation_price),
        "m": plain(held.position_initial_margin),
        "r": plain(held.realised),
        "up": plain(held.unrealised),
        "pr": "0",
        "pv": plain(held.entry_price * size * contract.multiplier),
        "v": str(held.leverage),
        "mt": margin_type(held),
        "mm": plain(held.maintenance_margin),
    }


def margin_type(held: PositionView) -> str:
    return "ISOLATED" if held.margin_type is MarginType.ISOLATED else "CROSS"


def account_event(view: AccountView, *, sent_ms: int) -> Json:
    asset = view.assets[0]
    told = {"a": asset.asset, "f": plain(asset.available), "l": plain(asset.initial_margin), "r": ""}
    return {"e": "outboundContractAccountInfo", "E": str(sent_ms), "T": True, "W": True, "D": True, "B": [told]}


def ledger(row: Income, total: Decimal) -> Json:
    number, word = FLOWS.get(row.kind, (0, row.kind))
    return {
        "id": str(row.tran_id),
        "accountId": "1",
        "coin": row.asset,
        "coinId": row.asset,
        "coinName": row.asset,
        "flowTypeValue": number,
        "flowType": word,
        "flowName": "",
        "change": plain(row.amount),
        "total": plain(total),
        "created": str(row.time_ms),
    }
