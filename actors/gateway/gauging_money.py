"""Money for Ray's metrics: exact up to the exporter, which alone knows floating point."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from actors.mail.outbox import Gauges
from actors.settings.account import Settings


def show_money(gauges: Gauges, symbol: str, seen: Mapping[str, Any]) -> None:
    """Show what a symbol holds and has earned; what is not known just now is not shown."""
    position, mark = Decimal(seen["position"]), seen["mark"]
    gauges.set("gridmesh_lots", seen["lots"], symbol=symbol)
    gauges.set("gridmesh_position_coins", position, symbol=symbol)
    gauges.set("gridmesh_foreign_coins", Decimal(seen["foreign"]), symbol=symbol)
    gauges.set("gridmesh_lot_cost_quote", Decimal(seen["lot_cost"]), symbol=symbol)
    gauges.set("gridmesh_grid_profit_quote", Decimal(seen["grid_profit"]), symbol=symbol)
    gauges.set("gridmesh_funding_quote", Decimal(seen["funding"]), symbol=symbol)
    for asset, amount in seen["fees"].items():
        gauges.set("gridmesh_fees", Decimal(amount), symbol=symbol, asset=asset)
    if mark is not None:
        gauges.set("gridmesh_mark_quote", Decimal(mark), symbol=symbol)
        gauges.set("gridmesh_exposure_quote", position * Decimal(mark), symbol=symbol)
    if seen["unrealised"] is not None:
        gauges.set("gridmesh_unrealised_quote", Decimal(seen["unrealised"]), symbol=symbol)
    if seen["total_profit"] is not None:
        gauges.set("gridmesh_total_profit_quote", Decimal(seen["total_profit"]), symbol=symbol)


def show_account(gauges: Gauges, settings: Settings, picture: Mapping[str, Any]) -> None:
    """Show the account and its limits; before its first reading the limits only."""
    gauges.set("gridmesh_committed_quote", sum(map(_committed, picture["symbols"].values()), Decimal(0)))
    gauges.set("gridmesh_notional_max_quote", settings.account.max_notional)
    gauges.set("gridmesh_daily_loss_max_quote", settings.account.daily_loss)
    for symbol in settings.symbols:
        gauges.set("gridmesh_lots_max", symbol.max_lots, symbol=symbol.symbol)
    account = picture["account"]
    if not account:
        return
    gauges.set("gridmesh_wallet_quote", Decimal(account["wallet"]))
    gauges.set("gridmesh_available_quote", Decimal(account["available"]))
    gauges.set("gridmesh_equity_quote", Decimal(account["equity"]))
    if account["equity_peak"] is not None:
        gauges.set("gridmesh_equity_peak_quote", Decimal(account["equity_peak"]))
    if account["day_opening"] is not None:
        gauges.set("gridmesh_day_profit_quote", Decimal(account["equity"]) - Decimal(account["day_opening"]))
    if account["unexplained"] is not None:
        gauges.set("gridmesh_unexplained_quote", Decimal(account["unexplained"]))


def _committed(seen: Mapping[str, Any]) -> Decimal:
    """Return the cost of the lots, and of live entries what is not filled yet."""
    orders = [level["order"] for level in seen["levels"] if level["order"] is not None]
    entries = [order for order in orders if order["purpose"] == "entry"]
    resting = [Decimal(o["price"]) * (Decimal(o["quantity"]) - Decimal(o["filled"])) for o in entries]
    return sum(resting, Decimal(seen["lot_cost"]))
