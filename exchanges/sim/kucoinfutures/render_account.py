"""Account, positions and ledger as JSON. Amounts are numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.sim.kucoinfutures.contracts import Contract
from exchanges.sim.kucoinfutures.render_market import bare
from exchanges.sim.server.text import plain
from exchanges.sim.views import AccountView, AssetView, Income, MarginType, PositionView

Json = dict[str, Any]


def overview(asset: AssetView) -> Json:
    return {
        "currency": asset.asset,
        "accountEquity": bare(asset.margin_balance),
        "unrealisedPNL": bare(asset.unrealised),
        "marginBalance": bare(asset.wallet),
        "positionMargin": bare(asset.position_initial_margin),
        "orderMargin": bare(asset.order_initial_margin),
        "frozenFunds": bare(Decimal(0)),
        "availableBalance": bare(asset.available),
        "availableMargin": bare(asset.available),
        "riskRatio": bare(_ratio(asset.maintenance_margin, asset.margin_balance)),
        "maxWithdrawAmount": bare(min(asset.available, asset.wallet)),
    }


def wallet(view: AccountView, *, sent_ms: int) -> Json:
    """Return the wallet as the private topic tells it: every amount as text."""
    asset = view.assets[0]
    return {
        "currency": asset.asset,
        "walletBalance": plain(asset.wallet),
        "availableBalance": plain(asset.available),
        "holdBalance": plain(asset.initial_margin),
        "isolatedOrderMargin": "0",
        "isolatedPosMargin": "0",
        "isolatedUnPnl": "0",
        "isolatedFundingFeeMargin": "0",
        "crossOrderMargin": plain(asset.order_initial_margin),
        "crossPosMargin": plain(asset.position_initial_margin),
        "crossUnPnl": plain(asset.cross_unrealised),
        "equity": plain(asset.margin_balance),
        "totalCrossMargin": plain(asset.margin_balance),
        "version": "1",
        "timestamp": str(sent_ms),
    }


def position(held: PositionView, contract: Contract, *, now_ms: int) -> Json:
    """Return a position; `currentQty` is negative when short."""
    cost = held.entry_price * held.quantity * contract.multiplier
    is_isolated = held.margin_type is MarginType.ISOLATED
    return {
        "id": f"{contract.name}-BOTH",
        "symbol": contract.name,
        "autoDeposit": False,
        "crossMode": not is_isolated,
        "maintMarginReq": bare(contract.instrument.bracket(abs(held.notional)).rate),
        "riskLimit": bare(held.notional_max),
        "realLeverage": held.leverage,
        "leverage": held.leverage,
        "delevPercentage": 0,
        "openingTimestamp": held.updated_ms,
        "currentTimestamp": now_ms,
        "currentQty": held.quantity,
        "currentCost": bare(cost),
        "currentComm": 0,
        "unrealisedCost": bare(cost),
        "realisedCost": 0,
        "isOpen": held.quantity != 0,
        "markPrice": bare(held.mark_price),
        "markValue": bare(held.notional),
        "posCost": bare(cost),
        "posInit": bare(held.position_initial_margin),
        "posMargin": bare(held.position_initial_margin),
        "posMaint": bare(held.maintenance_margin),
        "maintMargin": bare(held.position_initial_margin),
        "realisedGrossPnl": bare(held.realised),
        "realisedPnl": bare(held.realised),
        "unrealisedPnl": bare(held.unrealised),
        "avgEntryPrice": bare(held.entry_price),
        "liquidationPrice": bare(held.liquidation_price),
        "bankruptPrice": bare(held.liquidation_price),
        "settleCurrency": contract.instrument.quote,
        "isInverse": False,
        "marginMode": "ISOLATED" if is_isolated else "CROSS",
        "positionSide": "BOTH",
    }


def ledger(row: Income, name: str, balance: Decimal) -> Json:
    """Return a row of the account's history. What a trade realised, its fee and funding all bear one name."""
    is_transfer = row.kind == "TRANSFER"
    word = ("TransferIn" if row.amount >= 0 else "TransferOut") if is_transfer else "RealisedPNL"
    return {
        "time": row.time_ms,
        "type": word,
        "amount": bare(row.amount),
        "fee": bare(-row.amount if row.kind == "COMMISSION" else Decimal(0)),
        "accountEquity": bare(balance),
        "status": "Completed",
        "remark": "" if is_transfer else name,
        "offset": row.tran_id,
        "currency": row.asset,
    }


def funding(row: Income, name: str, *, rate: Decimal, mark: Decimal) -> Json:
    return {
        "id": row.tran_id,
        "symbol": name,
        "timePoint": row.time_ms,
        "fundingRate": bare(rate),
        "markPrice": bare(mark),
        "positionQty": 0,
        "positionCost": 0,
        "funding": bare(row.amount),
        "settleCurrency": row.asset,
    }


def _ratio(part: Decimal, whole: Decimal) -> Decimal:
    return (part / whole).quantize(Decimal("0.000001")) if whole else Decimal(0)
