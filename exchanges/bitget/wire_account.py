"""Positions, balances, fees, tiers and bills."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from exchanges import wire
from exchanges.errors import BadReply, NotSupported
from exchanges.port import Account, ConfigurationChanged, FeeRates, Income, MaintenanceTier, Position

ONE_WAY = "one_way_mode"
CROSSED, ISOLATED = "crossed", "isolated"
SIDES = {"long": 1, "buy": 1, "short": -1, "sell": -1}
FUNDING, TRANSFER = "FUNDING_FEE", "TRANSFER"
TRANSFERS = ("trans_from_", "trans_to_")
TRADED = frozenset({"buy", "sell", "open_long", "open_short", "close_long", "close_short"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A symbol's settings at the venue: an order has to name the margin mode."""

    margin_mode: str
    leverage: int


def changed_terms(symbol: str, before: Terms, now: Terms) -> list[ConfigurationChanged]:
    """Return what somebody changed between two readings: the venue tells settings, not that they are others."""
    changes = []
    if now.leverage != before.leverage:
        words = f"leverage of {symbol} is {now.leverage}"
        changes.append(ConfigurationChanged(what=words, symbol=symbol, leverage=now.leverage))
    if now.margin_mode != before.margin_mode:
        changes.append(ConfigurationChanged(what=f"margin mode of {symbol} is {now.margin_mode}", symbol=symbol))
    return changes


def terms(data: Any) -> Terms:
    """Return a symbol's settings from the account as read for it."""
    row = wire.mapping(data, "account")
    mode = _margin_mode(row, "account")
    key = "crossedMarginLeverage" if mode == CROSSED else "isolatedLongLever"
    return Terms(margin_mode=mode, leverage=_whole(row, key, "account"))


def account(data: Any) -> Account:
    """Return the account. The venue does not tell here whether the key may trade: the first order does."""
    row = wire.mapping(data, "account")
    unrealised = _or_zero(row, "unrealizedPL", "account")
    free = "crossedMaxAvailable" if _margin_mode(row, "account") == CROSSED else "isolatedMaxAvailable"
    return Account(
        wallet=wire.decimal(row, "accountEquity", "account") - unrealised,
        available=wire.decimal(row, free, "account"),
        unrealised=unrealised,
        is_one_way=wire.text(row, "posMode", "account") == ONE_WAY,
        is_multi_asset=row.get("assetMode") == "union",
        can_trade=True,
    )


def position(row: wire.Row, instruments: wire.Instruments, *, symbol_key: str = "symbol") -> Position:
    """Return one position of a list or of the stream; raises `NotSupported` for one side of a hedge."""
    where = "position"
    instrument = wire.instrument_of(instruments, row, symbol_key, where)
    if wire.text(row, "posMode", where) != ONE_WAY:
        raise NotSupported(f"{instrument.symbol} holds a position of hedge mode: one-way mode is required")
    held_side = wire.text(row, "holdSide", where)
    if held_side not in SIDES:
        raise BadReply(f"{where}.holdSide: expected long or short, got {held_side!r}")
    liquidation = _or_zero(row, "liquidationPrice", where)
    return Position(
        symbol=instrument.symbol,
        quantity=SIDES[held_side] * wire.amount(instrument, row, "total", where),
        entry_price=wire.decimal(row, "openPriceAvg", where),
        mark_price=wire.decimal(row, "markPrice", where),
        unrealised=_or_zero(row, "unrealizedPL", where),
        liquidation=liquidation if liquidation > 0 else None,
        leverage=_whole(row, "leverage", where),
        is_isolated=_margin_mode(row, where) == ISOLATED,
        venue_ms=wire.integer(row, "uTime" if row.get("uTime") else "cTime", where),
    )


def flat(symbol: str, settings: Terms, venue_ms: int) -> Position:
    """Return the position of a symbol that holds nothing: the venue lists none then."""
    return Position(
        symbol=symbol,
        quantity=0,
        entry_price=Decimal(0),
        mark_price=Decimal(0),
        unrealised=Decimal(0),
        liquidation=None,
        leverage=settings.leverage,
        is_isolated=settings.margin_mode == ISOLATED,
        venue_ms=venue_ms,
    )


def fee_rates(data: Any, symbol: str) -> FeeRates:
    """Return what the account pays on one symbol."""
    row = wire.mapping(data, "trade-rate")
    return FeeRates(
        symbol=symbol,
        maker=wire.decimal(row, "makerFeeRate", "trade-rate"),
        taker=wire.decimal(row, "takerFeeRate", "trade-rate"),
    )


def tiers(rows: Any, symbol: str) -> list[MaintenanceTier]:
    """Return a symbol's tiers, smallest notional first.

    The rate of a tier is that of the whole position, without a deduction: the higher figure of the two readings of the
    venue's page.
    """
    where = "query-position-lever"
    found = [
        MaintenanceTier(
            notional_floor=wire.decimal(row, "startUnit", where),
            notional_cap=wire.decimal(row, "endUnit", where),
            rate=wire.decimal(row, "keepMarginRate", where),
            deduction=Decimal(0),
            leverage_max=_whole(row, "leverage", where),
        )
        for row in (wire.mapping(value, where) for value in wire.sequence(rows, where))
        if row.get("symbol") == symbol
    ]
    if not found:
        raise BadReply(f"{where}: no tier for {symbol}")
    return sorted(found, key=lambda tier: tier.notional_floor)


def income(row: wire.Row) -> list[Income]:
    """Return the ledger rows of one bill: what a trade realised and what it cost stand in one bill here."""
    where = "bill"
    word = wire.text(row, "businessType", where)
    amount, fee = wire.decimal(row, "amount", where), _or_zero(row, "fee", where)
    kind = _kind(word)
    parts = [(kind, amount)] if amount or kind != "REALIZED_PNL" else []
    if fee:
        parts.append(("COMMISSION", fee))
    return [
        Income(
            kind=name,
            transaction_id=wire.text(row, "billId", where),
            symbol=wire.text(row, "symbol", where) if row.get("symbol") else "",
            asset=wire.text(row, "coin", where),
            amount=part,
            venue_ms=wire.integer(row, "cTime", where),
        )
        for name, part in parts
    ]


def _kind(word: str) -> str:
    if word == "contract_settle_fee":
        return FUNDING
    if word.startswith(TRANSFERS):
        return TRANSFER
    return "REALIZED_PNL" if word in TRADED else word.upper()


def _margin_mode(row: wire.Row, where: str) -> str:
    """Return `crossed` or `isolated`; some addresses write `cross`."""
    told = wire.text(row, "marginMode", where)
    if told in (CROSSED, "cross"):
        return CROSSED
    if told != ISOLATED:
        raise BadReply(f"{where}.marginMode: expected crossed or isolated, got {told!r}")
    return ISOLATED


def _whole(row: wire.Row, key: str, where: str) -> int:
    """Return a leverage, which the stream writes as a number and the lists as text."""
    found = wire.decimal(row, key, where)
    if found != int(found):
        raise BadReply(f"{where}.{key}: expected a whole number, got {found}")
    return int(found)


def _or_zero(row: wire.Row, key: str, where: str) -> Decimal:
    return wire.decimal(row, key, where) if row.get(key) not in (None, "") else Decimal(0)
