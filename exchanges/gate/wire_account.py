"""Positions, balances, fees, tiers and ledger rows."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges import wire
from exchanges.errors import BadReply, NotSupported
from exchanges.gate.contracts import Contracts, contract_name, contract_of, steps_of, symbol_of
from exchanges.gate.wire_market import moment_ms
from exchanges.gate.wire_orders import venue_ms
from exchanges.port import Account, ConfigurationChanged, FeeRates, Income, MaintenanceTier, Position

ONE_WAY = "single"
MULTI_ASSET_MODES = (1, 2)
"""`margin_mode` of an account that margins across currencies, or as a portfolio."""
KINDS = {"dnw": "TRANSFER", "pnl": "REALIZED_PNL", "fee": "COMMISSION", "fund": "FUNDING_FEE"}


def position(row: wire.Row, contracts: Contracts) -> Position:
    """Return a position of a reading; raises `NotSupported` for one side of a hedge that holds something."""
    where = "positions"
    contract = contract_of(contracts, row, "contract", where)
    quantity = steps_of(contract, row, "size", where)
    if wire.text(row, "mode", where) != ONE_WAY and quantity:
        raise NotSupported(f"{contract.name} holds a {row['mode']} position: one-way mode is required")
    leverage, is_isolated = _leverage(row, where)
    liquidation = wire.decimal(row, "liq_price", where)
    return Position(
        symbol=contract.instrument.symbol,
        quantity=quantity,
        entry_price=wire.decimal(row, "entry_price", where),
        mark_price=wire.decimal(row, "mark_price", where),
        unrealised=wire.decimal(row, "unrealised_pnl", where),
        liquidation=liquidation if liquidation > 0 and quantity else None,
        leverage=leverage,
        is_isolated=is_isolated,
        venue_ms=moment_ms(row, "update_time", where),
    )


def is_one_way(row: wire.Row) -> bool:
    """Whether a row is the one position of its contract, not a side of a hedge."""
    return wire.text(row, "mode", "positions") == ONE_WAY


def streamed(row: wire.Row, contracts: Contracts, known: dict[str, Position]) -> list[Position | ConfigurationChanged]:
    """Return the position of the positions channel, after a changed leverage or mode where it tells one.

    It tells neither mark nor unrealised profit: they are reckoned from the mark last read (0 before the first).
    """
    where = "positions"
    contract = contract_of(contracts, row, "contract", where)
    symbol = contract.instrument.symbol
    quantity = steps_of(contract, row, "size", where)
    if not is_one_way(row):
        words = f"hedge mode: {row['mode']} position in {symbol}"
        return [ConfigurationChanged(what=words)] if quantity else []
    leverage, is_isolated = _leverage(row, where)
    entry = wire.decimal(row, "entry_price", where)
    before = known.get(symbol)
    mark = before.mark_price if before is not None and quantity else Decimal(0)
    told = Position(
        symbol=symbol,
        quantity=quantity,
        entry_price=entry,
        mark_price=mark,
        unrealised=(mark - entry) * contract.instrument.quantity(quantity) if mark else Decimal(0),
        liquidation=None,
        leverage=leverage,
        is_isolated=is_isolated,
        venue_ms=venue_ms({**row, "update_time": row.get("time_ms") or row.get("time")}, where),
    )
    changes: list[Position | ConfigurationChanged] = []
    if before is not None and before.leverage != leverage:
        changes.append(ConfigurationChanged(what=f"leverage of {symbol} is {leverage}", symbol=symbol))
    if before is not None and before.is_isolated != is_isolated:
        words = f"margin of {symbol} is {'isolated' if is_isolated else 'crossed'}"
        changes.append(ConfigurationChanged(what=words, symbol=symbol))
    if before is not None and changes and replace(told, leverage=before.leverage).quantity == before.quantity:
        known[symbol] = replace(before, leverage=leverage, is_isolated=is_isolated)
        return changes
    return [*changes, told]


def account(message: Any, quote_asset: str) -> Account:
    """Return the account. The venue has no word for "may trade": a locked one is told by its refusals."""
    where = "accounts"
    row = wire.mapping(message, where)
    if wire.text(row, "currency", where) != quote_asset:
        raise BadReply(f"{where}.currency: {row['currency']}, expected {quote_asset}")
    mode = wire.integer(row, "margin_mode", where) if "margin_mode" in row else 0
    return Account(
        wallet=wire.decimal(row, "total", where),
        available=wire.decimal(row, "available", where),
        unrealised=wire.decimal(row, "unrealised_pnl", where),
        is_one_way=not wire.flag(row, "in_dual_mode", where) and row.get("position_mode", ONE_WAY) in (ONE_WAY, ""),
        is_multi_asset=mode in MULTI_ASSET_MODES,
        can_trade=True,
        pays_fees_in_other_asset=wire.decimal(row, "point", where) > 0 if "point" in row else False,
    )


def fee_rates(message: Any, symbol: str) -> FeeRates:
    """Return what the account pays on one symbol."""
    where = "fee"
    row = wire.mapping(wire.mapping(message, where).get(contract_name(symbol)), where)
    return FeeRates(
        symbol=symbol, maker=wire.decimal(row, "maker_fee", where), taker=wire.decimal(row, "taker_fee", where)
    )


def tiers(message: Any, symbol: str) -> list[MaintenanceTier]:
    """Return a symbol's risk tiers, smallest notional first. Where no deduction is told there is none."""
    where = "risk_limit_tiers"
    rows = [wire.mapping(row, where) for row in wire.sequence(message, where)]
    mine = [row for row in rows if row.get("contract", contract_name(symbol)) == contract_name(symbol)]
    mine.sort(key=lambda row: wire.decimal(row, "risk_limit", where))
    if not mine:
        raise BadReply(f"{where}: no row for {symbol}")
    floor, found = Decimal(0), []
    for row in mine:
        cap = wire.decimal(row, "risk_limit", where)
        found.append(
            MaintenanceTier(
                notional_floor=floor,
                notional_cap=cap,
                rate=wire.decimal(row, "maintenance_rate", where),
                deduction=wire.decimal(row, "deduction", where) if row.get("deduction") else Decimal(0),
                leverage_max=int(wire.decimal(row, "leverage_max", where)),
            )
        )
        floor = cap
    return found


def income(message: Any, asset: str) -> list[Income]:
    """Return one page of the ledger."""
    return [_income(wire.mapping(row, "account_book"), asset) for row in wire.sequence(message, "account_book")]


def _income(row: wire.Row, asset: str) -> Income:
    where = "account_book"
    kind = wire.text(row, "type", where)
    name = row.get("contract") or ""
    return Income(
        kind=KINDS.get(kind, kind.upper()),
        transaction_id=str(row["id"]) if row.get("id") else _identity(row),
        symbol=symbol_of(str(name)),
        asset=asset if not kind.startswith("point") else "POINT",
        amount=wire.decimal(row, "change", where),
        venue_ms=moment_ms(row, "time", where),
    )


def _identity(row: wire.Row) -> str:
    """Return what tells a row without a number of its own from every other."""
    return "/".join(str(row.get(key, "")) for key in ("time", "trade_id", "change", "balance"))


def _leverage(row: wire.Row, where: str) -> tuple[int, bool]:
    """Return leverage and whether margin is isolated: a leverage of 0 is cross margin, with a limit of its own."""
    own = wire.decimal(row, "leverage", where)
    if own:
        return int(own), True
    return int(wire.decimal(row, "cross_leverage_limit", where)), False
