"""Positions, balances, fees, brackets and ledger rows."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from exchanges import wire
from exchanges.errors import BadReply, NotSupported
from exchanges.port import Account, ConductIndicator, ConfigurationChanged, FeeRates, Income, MaintenanceTier, Position

ONE_WAY = "BOTH"


def positions(message: Any, instruments: wire.Instruments, wanted: Collection[str]) -> list[Position]:
    """Return every position that is not flat and those of the wanted symbols, flat or not.

    Raises `BadReply` where a wanted symbol is not in the reading, and `NotSupported` where one side of a hedge holds.
    """
    found: dict[str, Position] = {}
    for value in wire.sequence(message, "positionRisk"):
        row = wire.mapping(value, "positionRisk")
        if _is_flat(row, "positionAmt") and row.get("symbol") not in wanted:
            continue
        if wire.text(row, "positionSide", "positionRisk") != ONE_WAY:
            _refuse_hedge(row)
            continue
        read = _position(row, instruments)
        if found.setdefault(read.symbol, read) != read:
            raise BadReply(f"positionRisk: two different rows for {read.symbol}")
    missing = [symbol for symbol in wanted if symbol not in found]
    if missing:
        raise BadReply(f"positionRisk: no row for {', '.join(missing)}")
    return list(found.values())


def conduct(message: Any) -> list[ConductIndicator]:
    """Return the indicators of `apiTradingStatus`, by symbol; those under `ACCOUNT` are of the whole account."""
    where = "apiTradingStatus.indicators"
    listed = wire.mapping(wire.mapping(message, "apiTradingStatus").get("indicators"), where)
    found: list[ConductIndicator] = []
    for symbol, values in listed.items():
        for value in wire.sequence(values, where):
            row = wire.mapping(value, where)
            has_end = bool(row.get("plannedRecoverTime"))
            found.append(
                ConductIndicator(
                    symbol="" if symbol == "ACCOUNT" else str(symbol),
                    name=wire.text(row, "indicator", where),
                    value=wire.decimal(row, "value", where),
                    trigger=wire.decimal(row, "triggerValue", where),
                    is_locked=wire.flag(row, "isLocked", where),
                    recovers_ms=wire.integer(row, "plannedRecoverTime", where) if has_end else None,
                )
            )
    return found


def streamed_positions(
    message: wire.Row, instruments: wire.Instruments, known: dict[str, Position]
) -> list[Position | ConfigurationChanged]:
    """Return the positions of an ACCOUNT_UPDATE.

    The event tells quantity, entry and unrealised profit. Mark follows from them while the position is open (0 where
    it is flat); leverage is the last one `known` (0 before the first reading); liquidation is not told.
    """
    body = wire.mapping(message.get("a"), "ACCOUNT_UPDATE.a")
    venue_ms = wire.integer(message, "T", "ACCOUNT_UPDATE")
    events: list[Position | ConfigurationChanged] = []
    for value in wire.sequence(body.get("P", []), "ACCOUNT_UPDATE.a.P"):
        row = wire.mapping(value, "ACCOUNT_UPDATE.a.P")
        if wire.text(row, "ps", "ACCOUNT_UPDATE.a.P") == ONE_WAY:
            events.append(_streamed_position(row, instruments, known, venue_ms))
        elif not _is_flat(row, "pa"):
            events.append(ConfigurationChanged(what=f"hedge mode: {row['ps']} position in {row.get('s')}"))
    return events


def account(balances: Any, configuration: Any, quote_asset: str, *, burns_other_asset: bool) -> Account:
    """Return the account from its balances (`v3/account`) and its configuration (`v1/accountConfig`)."""
    held, modes = wire.mapping(balances, "account"), wire.mapping(configuration, "accountConfig")
    rows = [wire.mapping(row, "account.assets") for row in wire.sequence(held.get("assets"), "account.assets")]
    found = [row for row in rows if row.get("asset") == quote_asset]
    if not found:
        raise BadReply(f"account.assets: no row for {quote_asset}")
    return Account(
        wallet=wire.decimal(found[0], "walletBalance", "account.assets"),
        available=wire.decimal(found[0], "availableBalance", "account.assets"),
        unrealised=wire.decimal(found[0], "unrealizedProfit", "account.assets"),
        is_one_way=not wire.flag(modes, "dualSidePosition", "accountConfig"),
        is_multi_asset=wire.flag(modes, "multiAssetsMargin", "accountConfig"),
        can_trade=wire.flag(modes, "canTrade", "accountConfig"),
        pays_fees_in_other_asset=burns_other_asset,
    )


def fee_rates(message: Any) -> FeeRates:
    """Return what the account pays on one symbol."""
    row = wire.mapping(message, "commissionRate")
    return FeeRates(
        symbol=wire.text(row, "symbol", "commissionRate"),
        maker=wire.decimal(row, "makerCommissionRate", "commissionRate"),
        taker=wire.decimal(row, "takerCommissionRate", "commissionRate"),
    )


def tiers(message: Any, symbol: str) -> list[MaintenanceTier]:
    """Return a symbol's maintenance brackets, smallest notional first."""
    rows = message if isinstance(message, list) else [message]
    for value in rows:
        row = wire.mapping(value, "leverageBracket")
        if row.get("symbol") == symbol:
            brackets = wire.sequence(row.get("brackets"), "leverageBracket.brackets")
            found = [_tier(wire.mapping(entry, "leverageBracket.brackets")) for entry in brackets]
            return sorted(found, key=lambda tier: tier.notional_floor)
    raise BadReply(f"leverageBracket: no row for {symbol}")


def income(message: Any) -> list[Income]:
    """Return one page of the ledger."""
    return [_income(wire.mapping(row, "income")) for row in wire.sequence(message, "income")]


def configuration_change(message: wire.Row) -> ConfigurationChanged:
    """Return what somebody changed, in words."""
    if "ac" in message:
        row = wire.mapping(message["ac"], "ACCOUNT_CONFIG_UPDATE.ac")
        leverage = wire.integer(row, "l", "ACCOUNT_CONFIG_UPDATE.ac")
        symbol = wire.text(row, "s", "ACCOUNT_CONFIG_UPDATE.ac")
        return ConfigurationChanged(what=f"leverage of {symbol} is {leverage}", symbol=symbol, leverage=leverage)
    row = wire.mapping(message.get("ai"), "ACCOUNT_CONFIG_UPDATE.ai")
    is_on = wire.flag(row, "j", "ACCOUNT_CONFIG_UPDATE.ai")
    return ConfigurationChanged(what=f"multi-assets mode is {'on' if is_on else 'off'}")


def _position(row: wire.Row, instruments: wire.Instruments) -> Position:
    where = "positionRisk"
    instrument = wire.instrument_of(instruments, row, "symbol", where)
    liquidation = wire.decimal(row, "liquidationPrice", where)
    return Position(
        symbol=instrument.symbol,
        quantity=wire.steps(instrument, row, "positionAmt", where),
        entry_price=wire.decimal(row, "entryPrice", where),
        mark_price=wire.decimal(row, "markPrice", where),
        unrealised=wire.decimal(row, "unRealizedProfit", where),
        liquidation=liquidation if liquidation > 0 else None,
        leverage=wire.integer(row, "leverage", where),
        is_isolated=wire.text(row, "marginType", where).lower() == "isolated",
        venue_ms=wire.integer(row, "updateTime", where),
    )


def _streamed_position(
    row: wire.Row, instruments: wire.Instruments, known: dict[str, Position], venue_ms: int
) -> Position:
    where = "ACCOUNT_UPDATE.a.P"
    instrument = wire.instrument_of(instruments, row, "s", where)
    steps = wire.steps(instrument, row, "pa", where)
    entry, unrealised = wire.decimal(row, "ep", where), wire.decimal(row, "up", where)
    before = known.get(instrument.symbol)
    return Position(
        symbol=instrument.symbol,
        quantity=steps,
        entry_price=entry,
        mark_price=entry + unrealised / instrument.quantity(steps) if steps else Decimal(0),
        unrealised=unrealised,
        liquidation=None,
        leverage=before.leverage if before else 0,
        is_isolated=wire.text(row, "mt", where).lower() == "isolated",
        venue_ms=venue_ms,
    )


def _tier(row: wire.Row) -> MaintenanceTier:
    where = "leverageBracket.brackets"
    return MaintenanceTier(
        notional_floor=wire.decimal(row, "notionalFloor", where),
        notional_cap=wire.decimal(row, "notionalCap", where),
        rate=wire.decimal(row, "maintMarginRatio", where),
        deduction=wire.decimal(row, "cum", where),
        leverage_max=wire.integer(row, "initialLeverage", where),
    )


def _income(row: wire.Row) -> Income:
    return Income(
        kind=wire.text(row, "incomeType", "income"),
        transaction_id=str(wire.integer(row, "tranId", "income")),
        symbol=wire.text(row, "symbol", "income"),
        asset=wire.text(row, "asset", "income"),
        amount=wire.decimal(row, "income", "income"),
        venue_ms=wire.integer(row, "time", "income"),
    )


def _is_flat(row: wire.Row, key: str) -> bool:
    return wire.decimal(row, key, "position") == 0


def _refuse_hedge(row: wire.Row) -> None:
    if not _is_flat(row, "positionAmt"):
        raise NotSupported(f"{row.get('symbol')} holds a {row['positionSide']} position: one-way mode is required")
