"""The account's part of the gateway's picture: equity, its tie to the book, the day's loss, breakers. Money is text."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from actors.gateway.money import Money
from exchanges.desk.accounting import Accounting
from exchanges.order_desk import OrderDesk
from grid.account_book import AccountBook
from grid.equity import other_fees
from grid.symbol_book import SymbolBook


def account_picture(desk: OrderDesk, money: Money | None) -> dict[str, Any]:
    """Return what is known of the account; empty before the first reading."""
    if money is None or money.account is None:
        return {}
    account, kept = money.account, desk.book.account
    return {
        "wallet": str(account.wallet),
        "available": str(account.available),
        "unrealised": str(account.unrealised),
        "equity": str(account.wallet + account.unrealised),
        "equity_peak": _text(kept.peak),
        "day_opening": _text(kept.day.opening if kept.day is not None else None),
        "income": {f"{kind} {asset}": str(amount) for (kind, asset), amount in _income(kept).items()},
        "rates": {asset: str(rate.rate) for asset, rate in kept.rates.items()},
        "venue_errors": money.errors,
        "breakers": [
            {
                "symbol": one.symbol,
                "kind": one.kind,
                "reason": one.reason,
                "since_ms": one.at_ms,
                "selling": one.is_selling,
            }
            for one in kept.breakers.values()
            if one.kind
        ],
        **_tie(desk.accounting),
    }


def fees_picture(book: SymbolBook, quote: str, account: AccountBook) -> dict[str, Any]:
    """Return what fees in another coin are worth, and those without a rate as `unvalued`."""
    other = other_fees(book, quote, account)
    return {
        "other_fees_worth": str(other.worth),
        "unvalued": {asset: str(amount) for asset, amount in other.unvalued},
    }


def _tie(accounting: Accounting) -> dict[str, Any]:
    tie = accounting.tie
    if tie is None:
        return {"unexplained": None}
    return {
        "unexplained": f"{tie.unexplained.normalize():f}",
        "equity_by_book": str(tie.ours),
        "tied_ms": tie.at_ms,
        "fees_unmatched": f"{accounting.fees_unmatched().normalize():f}",
    }


def _income(kept: AccountBook) -> dict[tuple[str, str], Decimal]:
    totals: dict[tuple[str, str], Decimal] = {}
    for (kind, _, asset), amount in kept.totals.items():
        totals[(kind, asset)] = totals.get((kind, asset), Decimal(0)) + amount
    return totals


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)
