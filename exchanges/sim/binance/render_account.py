"""Account, balances, positions, income and brackets as JSON."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.sim.instrument import Bracket, SimInstrument
from exchanges.sim.server.text import money, plain, quantity_text
from exchanges.sim.views import AccountView, AssetView, Income, MarginType, PositionView

Json = dict[str, Any]
ALIAS = "SimA"
ZERO = Decimal(0)


def is_held(position: PositionView) -> bool:
    """Say whether v3 answers list the symbol: a position, or margin held for orders."""
    return position.quantity != 0 or position.bids_notional != 0 or position.asks_notional != 0


def _asset(asset: AssetView) -> Json:
    return {
        "asset": asset.asset,
        "walletBalance": money(asset.wallet),
        "unrealizedProfit": money(asset.unrealised),
        "marginBalance": money(asset.margin_balance),
        "maintMargin": money(asset.maintenance_margin),
        "initialMargin": money(asset.initial_margin),
        "positionInitialMargin": money(asset.position_initial_margin),
        "openOrderInitialMargin": money(asset.order_initial_margin),
        "crossWalletBalance": money(asset.cross_wallet),
        "crossUnPnl": money(asset.cross_unrealised),
        "availableBalance": money(asset.available),
        "maxWithdrawAmount": money(min(asset.available, asset.wallet)),
        "updateTime": asset.updated_ms,
    }


def _totals(account: AccountView) -> Json:
    main = account.assets[0]
    return {
        "totalInitialMargin": money(main.initial_margin),
        "totalMaintMargin": money(main.maintenance_margin),
        "totalWalletBalance": money(main.wallet),
        "totalUnrealizedProfit": money(main.unrealised),
        "totalMarginBalance": money(main.margin_balance),
        "totalPositionInitialMargin": money(main.position_initial_margin),
        "totalOpenOrderInitialMargin": money(main.order_initial_margin),
        "totalCrossWalletBalance": money(main.cross_wallet),
        "totalCrossUnPnl": money(main.cross_unrealised),
        "availableBalance": money(main.available),
        "maxWithdrawAmount": money(min(main.available, main.wallet)),
    }


def account_flags(account: AccountView) -> Json:
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": True,
        "updateTime": 0,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
    }


def account_v2(account: AccountView, instruments: dict[str, SimInstrument]) -> Json:
    return {
        **account_flags(account),
        "feeBurn": account.fee_asset != account.assets[0].asset,
        **_totals(account),
        "assets": [{**_asset(asset), "marginAvailable": True} for asset in account.assets],
        "positions": [
            {
                "symbol": held.symbol,
                "initialMargin": money(held.initial_margin),
                "maintMargin": money(held.maintenance_margin),
                "unrealizedProfit": money(held.unrealised),
                "positionInitialMargin": money(held.position_initial_margin),
                "openOrderInitialMargin": money(held.order_initial_margin),
                "leverage": str(held.leverage),
                "isolated": held.margin_type is MarginType.ISOLATED,
                "entryPrice": plain(held.entry_price),
                "breakEvenPrice": plain(held.break_even_price),
                "maxNotional": plain(held.notional_max),
                "bidNotional": plain(held.bids_notional),
                "askNotional": plain(held.asks_notional),
                "positionSide": "BOTH",
                "positionAmt": quantity_text(instruments[held.symbol], held.quantity),
                "updateTime": held.updated_ms,
            }
            for held in account.positions
        ],
    }


def account_v3(account: AccountView, instruments: dict[str, SimInstrument]) -> Json:
    return {
        **_totals(account),
        "assets": [_asset(asset) for asset in account.assets],
        "positions": [
            {
                "symbol": held.symbol,
                "positionSide": "BOTH",
                "positionAmt": quantity_text(instruments[held.symbol], held.quantity),
                "unrealizedProfit": money(held.unrealised),
                "isolatedMargin": money(held.isolated_margin),
                "notional": money(held.notional),
                "isolatedWallet": money(held.isolated_wallet),
                "initialMargin": money(held.initial_margin),
                "maintMargin": money(held.maintenance_margin),
                "updateTime": held.updated_ms,
            }
            for held in account.positions
            if is_held(held)
        ],
    }


def balances(account: AccountView) -> list[Json]:
    return [
        {
            "accountAlias": ALIAS,
            "asset": asset.asset,
            "balance": money(asset.wallet),
            "crossWalletBalance": money(asset.cross_wallet),
            "crossUnPnl": money(asset.cross_unrealised),
            "availableBalance": money(asset.available),
            "maxWithdrawAmount": money(min(asset.available, asset.wallet)),
            "marginAvailable": True,
            "updateTime": asset.updated_ms,
        }
        for asset in account.assets
    ]


def position_v2(held: PositionView, instrument: SimInstrument) -> Json:
    return {
        "entryPrice": plain(held.entry_price),
        "breakEvenPrice": plain(held.break_even_price),
        "marginType": "isolated" if held.margin_type is MarginType.ISOLATED else "cross",
        "isAutoAddMargin": "false",
        "isolatedMargin": money(held.isolated_margin),
        "leverage": str(held.leverage),
        "liquidationPrice": plain(held.liquidation_price),
        "markPrice": money(held.mark_price),
        "maxNotionalValue": plain(held.notional_max),
        "positionAmt": quantity_text(instrument, held.quantity),
        "notional": money(held.notional),
        "isolatedWallet": money(held.isolated_wallet),
        "symbol": held.symbol,
        "unRealizedProfit": money(held.unrealised),
        "positionSide": "BOTH",
        "updateTime": held.updated_ms,
    }


def position_v3(held: PositionView, instrument: SimInstrument) -> Json:
    return {
        "symbol": held.symbol,
        "positionSide": "BOTH",
        "positionAmt": quantity_text(instrument, held.quantity),
        "entryPrice": plain(held.entry_price),
        "breakEvenPrice": plain(held.break_even_price),
        "markPrice": money(held.mark_price),
        "unRealizedProfit": money(held.unrealised),
        "liquidationPrice": plain(held.liquidation_price),
        "isolatedMargin": money(held.isolated_margin),
        "notional": money(held.notional),
        "marginAsset": instrument.quote,
        "isolatedWallet": money(held.isolated_wallet),
        "initialMargin": money(held.initial_margin),
        "maintMargin": money(held.maintenance_margin),
        "positionInitialMargin": money(held.position_initial_margin),
        "openOrderInitialMargin": money(held.order_initial_margin),
        "adl": 2 if held.quantity else 0,
        "bidNotional": money(held.bids_notional),
        "askNotional": money(held.asks_notional),
        "updateTime": held.updated_ms,
    }


def income_row(row: Income) -> Json:
    return {
        "symbol": row.symbol,
        "incomeType": row.kind,
        "income": money(row.amount),
        "asset": row.asset,
        "info": row.note or row.kind,
        "time": row.time_ms,
        "tranId": row.tran_id,
        "tradeId": str(row.trade_id) if row.trade_id else "",
    }


def bracket_row(bracket: Bracket) -> Json:
    return {
        "bracket": bracket.number,
        "initialLeverage": bracket.leverage_max,
        "notionalCap": int(bracket.notional_cap),
        "notionalFloor": int(bracket.notional_floor),
        "maintMarginRatio": float(bracket.rate),
        "cum": float(bracket.cum),
    }
