"""Positions, balances, fees, brackets and ledger rows as ccxt unifies them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from exchanges import wire
from exchanges.errors import BadReply, NotSupported
from exchanges.generic.contracts import Contract, Contracts
from exchanges.generic.wire_orders import rows
from exchanges.port import Account, FeeRates, Income, MaintenanceTier, Position
from grid.order import Fill

NO_END = Decimal("1e15")


def positions(reply: Any, contracts: Contracts, *, by_side: bool = False) -> list[Position]:
    """Return every position on linear swaps, flat ones included where the venue lists them."""
    found: dict[str, Position] = {}
    for row in rows(reply, "positions"):
        if row.get("symbol") not in contracts.by_unified:
            continue
        if row.get("hedged") is True and not by_side and _number(row, "contracts"):
            raise NotSupported(f"hedge mode: a {row.get('side')} position in {row['symbol']}")
        read = position(row, contracts)
        known = found.get(read.symbol)
        if known is not None and known.quantity and read.quantity:
            raise NotSupported(f"positions on both sides of {read.symbol}")
        if known is None or read.quantity:
            found[read.symbol] = read
    return list(found.values())


def position(row: wire.Row, contracts: Contracts) -> Position:
    """Return one position."""
    where = "position"
    contract = contracts.of_row(row, where)
    held = contract.steps(row.get("contracts") or 0, f"{where}.contracts")
    if held and row.get("side") not in ("long", "short"):
        raise BadReply(f"{where}.side: expected long or short, got {wire.shown(row.get('side'))}")
    liquidation = _number(row, "liquidationPrice")
    return Position(
        symbol=contract.symbol,
        quantity=-abs(held) if row.get("side") == "short" else abs(held),
        entry_price=_number(row, "entryPrice"),
        mark_price=_number(row, "markPrice"),
        unrealised=_number(row, "unrealizedPnl"),
        liquidation=liquidation if liquidation > 0 and held else None,
        leverage=int(_number(row, "leverage")),
        is_isolated=row.get("marginMode") == "isolated",
        venue_ms=int(row.get("timestamp") or 0),
    )


def flat(symbol: str, *, mark: Decimal, leverage: int, is_isolated: bool, venue_ms: int) -> Position:
    """Return the position of a symbol that the venue's list has not."""
    return Position(
        symbol=symbol,
        quantity=0,
        entry_price=Decimal(0),
        mark_price=mark,
        unrealised=Decimal(0),
        liquidation=None,
        leverage=leverage,
        is_isolated=is_isolated,
        venue_ms=venue_ms,
    )


def account(
    balance: Any, held: Sequence[Position], quote_asset: str, *, is_one_way: bool, total_holds_unrealised: bool
) -> Account:
    """Return the account from its balance and its positions."""
    row = wire.mapping(balance, "balance").get(quote_asset)
    if not isinstance(row, dict) or row.get("total") is None:
        raise BadReply(f"balance: no row for {quote_asset}")
    unrealised = sum((one.unrealised for one in held), Decimal(0))
    total = wire.decimal(row, "total", "balance")
    return Account(
        wallet=total - unrealised if total_holds_unrealised else total,
        available=wire.decimal(row, "free", "balance") if row.get("free") is not None else Decimal(0),
        unrealised=unrealised,
        is_one_way=is_one_way,
        is_multi_asset=False,
        can_trade=True,
    )


def fee_rates(row: Any, contract: Contract) -> FeeRates:
    """Return what the account pays on a symbol."""
    told = wire.mapping(row, "trading fee")
    return FeeRates(
        symbol=contract.symbol,
        maker=wire.decimal(told, "maker", "trading fee"),
        taker=wire.decimal(told, "taker", "trading fee"),
    )


def tiers(reply: Any, contract: Contract, mark: Decimal) -> list[MaintenanceTier]:
    """Return the brackets, smallest first. Nothing is deducted: a bracket's rate holds for the whole position."""
    where = "tiers"
    read = sorted(rows(reply, where), key=lambda row: _cap(row, where))
    if not read:
        raise BadReply(f"{where}: no row for {contract.unified}")
    found: list[MaintenanceTier] = []
    floor = Decimal(0)
    for row in read:
        # ccxt gives sizes as the venue does: in the quote's notional, or in contracts, which the mark price values
        unit = contract.value * mark if row.get("currency") == contract.instrument.base else Decimal(1)
        cap = _cap(row, where) * unit
        if cap <= floor:
            raise BadReply(f"{where}.maxNotional: {cap} does not follow {floor}")
        found.append(
            MaintenanceTier(
                notional_floor=floor,
                notional_cap=cap,
                rate=wire.decimal(row, "maintenanceMarginRate", where),
                deduction=Decimal(0),
                leverage_max=max(1, int(_number(row, "maxLeverage"))),
            )
        )
        floor = cap
    return found


def _cap(row: wire.Row, where: str) -> Decimal:
    """Return where a bracket ends; the last one may have no end."""
    told = row.get("maxNotional")
    return wire.exact(told, f"{where}.maxNotional") if told is not None else NO_END


def commission(fill: Fill) -> Income:
    """Return a fill's fee as a row of the ledger."""
    return Income(
        kind="COMMISSION",
        transaction_id=f"{fill.order_id}/{fill.trade_id}",
        symbol=fill.symbol,
        asset=fill.fee_asset,
        amount=-fill.fee,
        venue_ms=fill.venue_ms,
    )


def funding(row: wire.Row, contracts: Contracts, quote_asset: str) -> Income:
    """Return a payment of funding; ccxt's amount is positive where it is received."""
    where = "funding"
    contract = contracts.of_row(row, where)
    venue_ms = wire.integer(row, "timestamp", where)
    return Income(
        kind="FUNDING_FEE",
        transaction_id=str(row.get("id") or f"{contract.symbol}/{venue_ms}"),
        symbol=contract.symbol,
        asset=str(row.get("code") or quote_asset),
        amount=wire.decimal(row, "amount", where),
        venue_ms=venue_ms,
    )


def _number(row: wire.Row, key: str) -> Decimal:
    told = row.get(key)
    return wire.exact(told, f"position.{key}") if told not in (None, "") else Decimal(0)
