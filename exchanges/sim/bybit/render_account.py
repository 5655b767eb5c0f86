"""Balances, positions, tiers and the ledger as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from exchanges.sim.bybit.ids import order_uid, trade_uid
from exchanges.sim.bybit.render_orders import SIDES, link_id
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.orders import Fill, OrderView
from exchanges.sim.server.text import money, plain, quantity_text
from exchanges.sim.views import AccountView, AssetView, Income, PositionView

Json = dict[str, Any]
TRADED = ("COMMISSION", "REALIZED_PNL")
KINDS = {"FUNDING_FEE": "SETTLEMENT", "INSURANCE_CLEAR": "LIQUIDATION"}


def wallet(view: AccountView) -> Json:
    main = view.assets[0]
    return {
        "accountType": "UNIFIED",
        "accountLTV": "0",
        "accountIMRate": "0",
        "accountMMRate": "0",
        "totalEquity": money(main.margin_balance),
        "totalWalletBalance": money(main.wallet),
        "totalMarginBalance": money(main.margin_balance),
        "totalAvailableBalance": money(main.available),
        "totalPerpUPL": money(main.unrealised),
        "totalInitialMargin": money(main.initial_margin),
        "totalMaintenanceMargin": money(main.maintenance_margin),
        "coin": [_coin(asset, is_main=asset is main) for asset in view.assets],
    }


def _coin(asset: AssetView, *, is_main: bool) -> Json:
    return {
        "coin": asset.asset,
        "equity": money(asset.margin_balance),
        "usdValue": money(asset.margin_balance),
        "walletBalance": money(asset.wallet),
        "free": "",
        "locked": "0",
        "borrowAmount": "0",
        "availableToBorrow": "",
        "availableToWithdraw": money(asset.available),
        "accruedInterest": "0",
        "totalOrderIM": money(asset.order_initial_margin),
        "totalPositionIM": money(asset.position_initial_margin),
        "totalPositionMM": money(asset.maintenance_margin),
        "unrealisedPnl": money(asset.unrealised),
        "cumRealisedPnl": "0",
        "bonus": "0",
        "collateralSwitch": is_main,
        "marginCollateral": True,
        "spotHedgingQty": "0",
    }


def position(
    instrument: SimInstrument, held: PositionView, *, index: int = 0, entry_key: str = "avgPrice", seq: int = 0
) -> Json:
    """Return a position; `entry_key` is `avgPrice` in lists and `entryPrice` on the stream."""
    size = abs(held.quantity)
    return {
        "positionIdx": index,
        "riskId": 1,
        "riskLimitValue": plain(held.notional_max),
        "symbol": held.symbol,
        "side": ("Buy" if held.quantity > 0 else "Sell") if held.quantity else "",
        "size": quantity_text(instrument, size) if size else "0",
        entry_key: plain(held.entry_price),
        "positionValue": plain(abs(held.notional)),
        "tradeMode": 0,
        "positionStatus": "Normal",
        "autoAddMargin": 0,
        "adlRankIndicator": 0,
        "leverage": str(held.leverage),
        "positionBalance": money(held.isolated_margin),
        "markPrice": plain(held.mark_price),
        "liqPrice": plain(held.liquidation_price) if held.liquidation_price and size else "",
        "bustPrice": "",
        "positionMM": money(held.maintenance_margin),
        "positionIM": money(held.position_initial_margin),
        "tpslMode": "Full",
        "takeProfit": "",
        "stopLoss": "",
        "trailingStop": "0",
        "unrealisedPnl": money(held.unrealised) if size else "",
        "curRealisedPnl": money(held.realised),
        "cumRealisedPnl": money(held.realised),
        "seq": seq,
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
        "createdTime": str(held.updated_ms),
        "updatedTime": str(held.updated_ms),
    }


def tiers(instrument: SimInstrument) -> list[Json]:
    return [
        {
            "id": bracket.number,
            "symbol": instrument.symbol,
            "riskLimitValue": plain(bracket.notional_cap),
            "maintenanceMargin": plain(bracket.rate),
            "initialMargin": plain(round(Decimal(1) / bracket.leverage_max, 6)),
            "isLowestRisk": int(bracket.number == 1),
            "maxLeverage": f"{bracket.leverage_max}.00",
            "mmDeduction": plain(bracket.cum) if bracket.cum else "",
        }
        for bracket in instrument.brackets
    ]


def ledger(
    instruments: dict[str, SimInstrument],
    rows: Iterable[Income],
    fills: dict[tuple[str, int], tuple[Fill, OrderView]],
    quote: str,
) -> list[Json]:
    """Return the ledger, oldest first: what a trade earned and cost is one row."""
    made: list[Json] = []
    told: set[tuple[str, int]] = set()
    for row in rows:
        if row.asset != quote:
            continue
        if row.kind not in TRADED:
            made.append(_other(row))
            continue
        key = (row.symbol, row.trade_id)
        if key in fills and key not in told:
            told.add(key)
            made.append(_trade(instruments[row.symbol], *fills[key], quote))
    return made


def _trade(instrument: SimInstrument, fill: Fill, order: OrderView, quote: str) -> Json:
    fee = fill.commission if fill.commission_asset == quote else Decimal(0)
    uid = trade_uid(fill.symbol, fill.trade_id)
    return {
        **_blank(f"{fill.order_id}_{uid}", fill.time_ms, quote),
        "symbol": fill.symbol,
        "category": "linear",
        "side": SIDES[fill.side],
        "type": "TRADE",
        "qty": quantity_text(instrument, fill.quantity),
        "tradePrice": plain(instrument.price(fill.price)),
        "fee": plain(fee),
        "cashFlow": plain(fill.realised),
        "change": plain(fill.realised - fee),
        "tradeId": uid,
        "orderId": order_uid(fill.order_id, order.algo_id),
        "orderLinkId": link_id(order.client_id),
    }


def _other(row: Income) -> Json:
    kind = KINDS.get(row.kind, row.kind)
    if row.kind == "TRANSFER":
        kind = "TRANSFER_IN" if row.amount >= 0 else "TRANSFER_OUT"
    is_funding = row.kind == "FUNDING_FEE"
    return {
        **_blank(f"{row.kind}_{row.tran_id}", row.time_ms, row.asset),
        "symbol": row.symbol,
        "category": "linear" if row.symbol else "",
        "type": kind,
        "funding": plain(row.amount) if is_funding else "",
        "cashFlow": "0" if is_funding else plain(row.amount),
        "change": plain(row.amount),
    }


def _blank(row_id: str, time_ms: int, currency: str) -> Json:
    return {
        "id": row_id,
        "symbol": "",
        "category": "",
        "side": "None",
        "transactionTime": str(time_ms),
        "type": "",
        "qty": "0",
        "size": "0",
        "currency": currency,
        "tradePrice": "0",
        "funding": "",
        "fee": "0",
        "cashFlow": "0",
        "change": "0",
        "cashBalance": "",
        "feeRate": "0",
        "bonusChange": "",
        "tradeId": "",
        "orderId": "",
        "orderLinkId": "",
        "transSubType": "",
    }
