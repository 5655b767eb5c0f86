"""Account, positions and bills as JSON."""

from __future__ import annotations

from typing import Any

from exchanges.sim.instrument import SimInstrument
from exchanges.sim.server.text import money, plain, quantity_text
from exchanges.sim.views import AccountView, Income, MarginType, PositionView

Json = dict[str, Any]
ONE_WAY, HEDGED = "one_way_mode", "hedge_mode"


def margin_word(held: PositionView) -> str:
    return "isolated" if held.margin_type is MarginType.ISOLATED else "crossed"


def account(view: AccountView, held: PositionView | None) -> Json:
    """Return the account; read for one symbol, with that symbol's settings."""
    asset = view.assets[0]
    row: Json = {
        "marginCoin": asset.asset,
        "locked": money(asset.initial_margin),
        "available": money(asset.available),
        "crossedMaxAvailable": money(asset.available),
        "isolatedMaxAvailable": money(asset.available),
        "maxTransferOut": money(min(asset.available, asset.wallet)),
        "accountEquity": money(asset.margin_balance),
        "usdtEquity": money(asset.margin_balance),
        "btcEquity": "0",
        "crossedRiskRate": "0",
        "unrealizedPL": money(asset.unrealised) if asset.unrealised else "",
        "coupon": "0",
        "crossedUnrealizedPL": money(asset.unrealised),
        "isolatedUnrealizedPL": "0",
        "assetMode": "single",
    }
    if held is None:
        return row
    return {
        **row,
        "crossedMarginLeverage": str(held.leverage),
        "isolatedLongLever": str(held.leverage),
        "isolatedShortLever": str(held.leverage),
        "marginMode": margin_word(held),
        "posMode": HEDGED if view.hedge_mode else ONE_WAY,
    }


def position(held: PositionView, instrument: SimInstrument, *, is_streamed: bool = False) -> Json:
    row: Json = {
        ("instId" if is_streamed else "symbol"): held.symbol,
        "marginCoin": "USDT",
        "holdSide": "long" if held.quantity > 0 else "short",
        "marginSize": money(held.position_initial_margin),
        "marginMode": margin_word(held),
        "posMode": ONE_WAY,
        "total": quantity_text(instrument, abs(held.quantity)),
        "available": quantity_text(instrument, abs(held.quantity)),
        "leverage": held.leverage if is_streamed else str(held.leverage),
        "achievedProfits": plain(held.realised),
        "openPriceAvg": plain(held.entry_price),
        "unrealizedPL": money(held.unrealised),
        "liquidationPrice": plain(held.liquidation_price),
        "keepMarginRate": "0.004",
        "breakEvenPrice": plain(held.break_even_price),
        "markPrice": plain(held.mark_price),
        "totalFee": "",
        "deductedFee": "0",
        "assetMode": "single",
        "cTime": str(held.updated_ms),
        "uTime": str(held.updated_ms),
    }
    if is_streamed:
        return {**row, "posId": "1", "frozen": "0", "autoMargin": "off"}
    return {**row, "openDelegateSize": "0", "locked": "0", "marginRatio": "0", "takeProfit": "", "stopLoss": ""}


def bills(rows: list[Income], sides: dict[int, str]) -> list[Json]:
    """Return ledger rows as bills: what a trade realised and what it cost are one bill. `sides` is by trade."""
    found: dict[tuple[str, int], Json] = {}
    for number, row in enumerate(rows, 1):
        key = (row.symbol, row.trade_id) if row.trade_id else ("", -number)
        bill = found.setdefault(
            key,
            {
                "billId": str(number),
                "symbol": row.symbol,
                "amount": "0",
                "fee": "0",
                "feeByCoupon": "",
                "businessType": _word(row, sides),
                "coin": row.asset,
                "balance": "0",
                "cTime": str(row.time_ms),
            },
        )
        bill["fee" if row.kind == "COMMISSION" else "amount"] = money(row.amount)
    return list(found.values())


def _word(row: Income, sides: dict[int, str]) -> str:
    match row.kind:
        case "FUNDING_FEE":
            return "contract_settle_fee"
        case "TRANSFER":
            return "trans_from_exchange" if row.amount >= 0 else "trans_to_exchange"
        case "INSURANCE_CLEAR":
            return "burst_sell"
    return sides.get(row.trade_id, "buy")
