"""Positions, balances, fees, risk tiers and ledger rows."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from exchanges import wire
from exchanges.bybit.wire_orders import SIDES
from exchanges.errors import BadReply, NotSupported
from exchanges.port import Account, ConfigurationChanged, FeeRates, Income, MaintenanceTier, Position
from grid.order import Side

ONE_WAY = 0
ISOLATED, CROSS, PORTFOLIO = "ISOLATED_MARGIN", "REGULAR_MARGIN", "PORTFOLIO_MARGIN"
CLASSIC = 1
TRADE_KINDS = ("TRADE", "LIQUIDATION", "ADL", "DELIVERY")
TRANSFERS = ("TRANSFER_IN", "TRANSFER_OUT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Modes:
    """How the whole account is margined."""

    margin: str

    @property
    def is_isolated(self) -> bool:
        """Whether each position has a margin of its own."""
        return self.margin == ISOLATED


def modes(result: wire.Row) -> Modes:
    """Return the account's modes; raises `NotSupported` for an account that is no unified one."""
    where = "account/info"
    if wire.integer(result, "unifiedMarginStatus", where) <= CLASSIC:
        raise NotSupported("bybit: a classic account; a unified trading account is required")
    return Modes(margin=wire.text(result, "marginMode", where))


def is_one_way(row: wire.Row) -> bool:
    """Whether a row of a position list is one of one-way mode."""
    return wire.integer(row, "positionIdx", "position") == ONE_WAY


def is_flat(row: wire.Row) -> bool:
    """Whether a row of a position list holds nothing."""
    return wire.decimal(row, "size", "position") == 0


def position(row: wire.Row, instruments: wire.Instruments, *, is_isolated: bool, entry_key: str) -> Position:
    """Return a position of a list (`avgPrice` is the entry) or of the private stream (`entryPrice`)."""
    where = "position"
    instrument = wire.instrument_of(instruments, row, "symbol", where)
    size = wire.amount(instrument, row, "size", where)
    liquidation = _or_zero(row, "liqPrice")
    return Position(
        symbol=instrument.symbol,
        quantity=size * _sign(row, size),
        entry_price=_or_zero(row, entry_key),
        mark_price=_or_zero(row, "markPrice"),
        unrealised=_or_zero(row, "unrealisedPnl"),
        liquidation=liquidation if liquidation > 0 and size else None,
        leverage=int(_or_zero(row, "leverage")),
        is_isolated=is_isolated,
        venue_ms=_moment(row),
    )


def streamed(
    row: wire.Row, instruments: wire.Instruments, known: dict[str, Position]
) -> list[Position | ConfigurationChanged]:
    """Return what a position event says: a change of leverage or of the mode, and the position itself.

    The event does not tell how the account is margined: that is the last one read.
    """
    if not is_one_way(row):
        symbol = wire.text(row, "symbol", "position")
        words = f"hedge mode: index {row['positionIdx']} of {symbol}"
        return [ConfigurationChanged(what=words, symbol=symbol)]
    before = known.get(wire.text(row, "symbol", "position"))
    told = position(row, instruments, is_isolated=before.is_isolated if before else False, entry_key="entryPrice")
    if before is None or before.leverage == told.leverage:
        return [told]
    words = f"leverage of {told.symbol} is {told.leverage}"
    return [ConfigurationChanged(what=words, symbol=told.symbol), told]


def account(balances: wire.Row, chosen: Modes, quote_asset: str, *, is_one_way: bool, can_trade: bool) -> Account:
    """Return the account from its unified wallet.

    Collateral in other coins moves the margin with prices that are not ours: that, and the portfolio mode, count as
    several assets.
    """
    where = "wallet-balance"
    listed = wire.sequence(balances.get("list"), f"{where}.list")
    if len(listed) != 1:
        raise BadReply(f"{where}: {len(listed)} wallets")
    wallet = wire.mapping(listed[0], where)
    coins = [wire.mapping(value, f"{where}.coin") for value in wire.sequence(wallet.get("coin"), f"{where}.coin")]
    found = [coin for coin in coins if coin.get("coin") == quote_asset]
    if not found:
        raise BadReply(f"{where}.coin: no row for {quote_asset}")
    others = [coin for coin in coins if coin.get("coin") != quote_asset and _backs_margin(coin)]
    return Account(
        wallet=wire.decimal(found[0], "walletBalance", where),
        available=_available(wallet, found[0]),
        unrealised=_or_zero(found[0], "unrealisedPnl"),
        is_one_way=is_one_way,
        is_multi_asset=bool(others) or chosen.margin == PORTFOLIO,
        can_trade=can_trade,
    )


def can_trade(result: wire.Row) -> bool:
    """Whether the key may place orders of contracts."""
    where = "query-api"
    rights = wire.mapping(result.get("permissions"), f"{where}.permissions")
    contracts = wire.sequence(rights.get("ContractTrade"), f"{where}.ContractTrade")
    return wire.integer(result, "readOnly", where) == 0 and "Order" in contracts


def fee_rates(result: wire.Row, symbol: str) -> FeeRates:
    """Return what the account pays on one symbol."""
    where = "fee-rate"
    for value in wire.sequence(result.get("list"), f"{where}.list"):
        row = wire.mapping(value, where)
        if row.get("symbol") == symbol:
            maker, taker = wire.decimal(row, "makerFeeRate", where), wire.decimal(row, "takerFeeRate", where)
            return FeeRates(symbol=symbol, maker=maker, taker=taker)
    raise BadReply(f"{where}: no row for {symbol}")


def tiers(rows: list[Any], symbol: str) -> list[MaintenanceTier]:
    """Return a symbol's risk tiers, smallest notional first."""
    where = "risk-limit"
    found: list[MaintenanceTier] = []
    for row in (wire.mapping(value, where) for value in rows):
        if row.get("symbol") == symbol:
            found.append(_tier(row, found[-1].notional_cap if found else Decimal(0)))
    if not found:
        raise BadReply(f"{where}: no row for {symbol}")
    return found


def income(result: wire.Row) -> list[Income]:
    """Return one page of the ledger. A trade is one row at the venue: its fee and its profit are two of ours."""
    rows = [wire.mapping(value, "transaction-log") for value in wire.sequence(result.get("list"), "transaction-log")]
    return [told for row in rows for told in _income(row)]


def _income(row: wire.Row) -> list[Income]:
    where = "transaction-log"
    kind, change = wire.text(row, "type", where), _or_zero(row, "change")
    is_contract = row.get("category") == "linear"
    if kind in TRADE_KINDS and is_contract:
        # the change of the wallet is the profit less the fee, to the last digit
        fee = _or_zero(row, "fee")
        parts = {"COMMISSION": -fee, "REALIZED_PNL": change + fee}
    elif kind == "SETTLEMENT" and is_contract:
        parts = {"FUNDING_FEE": change}
    elif kind in TRANSFERS:
        parts = {"TRANSFER": change}
    else:
        parts = {kind: change}
    return [
        Income(
            kind=name,
            transaction_id=_ledger_id(row),
            symbol=wire.text(row, "symbol", where) if is_contract else "",
            asset=wire.text(row, "currency", where),
            amount=amount,
            venue_ms=wire.integer(row, "transactionTime", where),
        )
        for name, amount in parts.items()
        if amount
    ]


def _ledger_id(row: wire.Row) -> str:
    """Return what identifies a row; older answers have no id of their own, but the trade's."""
    told = row.get("id") or row.get("tradeId") or ""
    if not isinstance(told, str) or not told:
        raise BadReply(f"transaction-log.id: expected text, got {wire.shown(told)}")
    return told


def _tier(row: wire.Row, floor: Decimal) -> MaintenanceTier:
    where = "risk-limit"
    initial, leverage = wire.decimal(row, "initialMargin", where), wire.decimal(row, "maxLeverage", where)
    # some answers give rates in percent: the initial one times the leverage is 1 where they are parts
    scale = 100 if initial * leverage > 10 else 1
    return MaintenanceTier(
        notional_floor=floor,
        notional_cap=wire.decimal(row, "riskLimitValue", where),
        rate=wire.decimal(row, "maintenanceMargin", where) / scale,
        deduction=_or_zero(row, "mmDeduction"),
        leverage_max=int(leverage),
    )


def _available(wallet: wire.Row, coin: wire.Row) -> Decimal:
    """Return what may back new orders. The account's own figure is empty while margin is isolated."""
    if wallet.get("totalAvailableBalance"):
        return wire.decimal(wallet, "totalAvailableBalance", "wallet-balance")
    held = sum((_or_zero(coin, key) for key in ("totalPositionIM", "totalOrderIM", "locked")), Decimal(0))
    return wire.decimal(coin, "walletBalance", "wallet-balance") - held


def _backs_margin(coin: wire.Row) -> bool:
    counts = coin.get("collateralSwitch") is True and coin.get("marginCollateral") is True
    return counts and _or_zero(coin, "walletBalance") != 0


def _sign(row: wire.Row, size: int) -> int:
    """Return +1 for a long position, -1 for a short one; a flat one names no side."""
    if not size:
        return 0
    told = wire.text(row, "side", "position")
    if told not in SIDES:
        raise BadReply(f"position.side: expected Buy or Sell, got {wire.shown(told)}")
    return 1 if SIDES[told] is Side.BUY else -1


def _moment(row: wire.Row) -> int:
    return wire.integer(row, "updatedTime", "position") if row.get("updatedTime") != "" else 0


def _or_zero(row: wire.Row, key: str) -> Decimal:
    """Return a number that the venue leaves empty where there is none."""
    return wire.decimal(row, key, "account") if row.get(key) not in ("", None) else Decimal(0)
