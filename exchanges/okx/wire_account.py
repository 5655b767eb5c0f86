"""Positions, balances, modes, fees, brackets and ledger rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from exchanges import wire
from exchanges.errors import BadReply, NotSupported
from exchanges.okx.contracts import Contract, Contracts
from exchanges.okx.wire_rules import only_row, rows
from exchanges.port import Account, FeeRates, Income, MaintenanceTier, Position

ONE_WAY = "net"
MULTI_CURRENCY = ("3", "4")
"""Account modes in which one currency backs another."""
WITHOUT_SWAPS = "1"
BILL_TRANSFER, BILL_FUNDING = "1", "8"
KINDS = {BILL_TRANSFER: "TRANSFER", BILL_FUNDING: "FUNDING_FEE"}


def positions(reply: Any, contracts: Contracts) -> list[Position]:
    """Return every position that is not flat. Raises `NotSupported` where one side of a hedge holds."""
    found: dict[str, Position] = {}
    for row in rows(reply, "positions"):
        if row.get("instId") in contracts.others or _is_flat(row):
            continue
        if wire.text(row, "posSide", "positions") != ONE_WAY:
            raise NotSupported(f"hedge mode: a {row['posSide']} position in {row.get('instId')}")
        read = position(row, contracts)
        if found.setdefault(read.symbol, read) != read:
            raise BadReply(f"positions: two different rows for {read.symbol}")
    return list(found.values())


def position(row: wire.Row, contracts: Contracts) -> Position:
    """Return one position, of a reply or of the stream; the venue leaves out what a flat one has not."""
    where = "positions"
    contract = contracts.of_row(row, where)
    liquidation = _told(row, "liqPx", where)
    return Position(
        symbol=contract.symbol,
        quantity=contract.steps(row, "pos", where) if row.get("pos", "") != "" else 0,
        entry_price=_told(row, "avgPx", where) or Decimal(0),
        mark_price=_told(row, "markPx", where) or Decimal(0),
        unrealised=_told(row, "upl", where) or Decimal(0),
        liquidation=liquidation if liquidation else None,
        leverage=int(_told(row, "lever", where) or 0),
        is_isolated=wire.text(row, "mgnMode", where) == "isolated",
        venue_ms=wire.integer(row, "uTime", where),
    )


def flat(contract: Contract, *, mark: Decimal, leverage: int, is_isolated: bool, venue_ms: int) -> Position:
    """Return the position of a symbol that the venue's list has not: it lists none that is flat."""
    return Position(
        symbol=contract.symbol,
        quantity=0,
        entry_price=Decimal(0),
        mark_price=mark,
        unrealised=Decimal(0),
        liquidation=None,
        leverage=leverage,
        is_isolated=is_isolated,
        venue_ms=venue_ms,
    )


def leverages(reply: Any) -> dict[tuple[str, str], int]:
    """Return leverage by instrument and margin mode."""
    return {
        (wire.text(row, "instId", "leverage-info"), wire.text(row, "mgnMode", "leverage-info")): int(
            wire.decimal(row, "lever", "leverage-info")
        )
        for row in rows(reply, "leverage-info")
    }


def marks(reply: Any) -> dict[str, tuple[Decimal, int]]:
    """Return mark price and venue time by instrument."""
    where = "mark-price"
    return {
        wire.text(row, "instId", where): (wire.decimal(row, "markPx", where), wire.integer(row, "ts", where))
        for row in rows(reply, where)
    }


def account(balances: Any, configuration: Any, quote_asset: str) -> Account:
    """Return the account from its balance and its configuration."""
    held, modes = only_row(balances, "balance"), only_row(configuration, "config")
    details = [wire.mapping(row, "balance.details") for row in wire.sequence(held.get("details"), "balance.details")]
    found = next((row for row in details if row.get("ccy") == quote_asset), None)
    if found is None:
        raise BadReply(f"balance.details: no row for {quote_asset}")
    mode = wire.text(modes, "acctLv", "config")
    available = "availEq" if found.get("availEq", "") != "" else "availBal"
    return Account(
        wallet=wire.decimal(found, "cashBal", "balance.details"),
        available=wire.decimal(found, available, "balance.details"),
        unrealised=_told(found, "upl", "balance.details") or Decimal(0),
        is_one_way=wire.text(modes, "posMode", "config") == "net_mode",
        is_multi_asset=mode in MULTI_CURRENCY,
        can_trade=mode != WITHOUT_SWAPS and "trade" in wire.text(modes, "perm", "config").split(","),
    )


def fee_rates(reply: Any, contract: Contract) -> FeeRates:
    """Return what the account pays on one swap. The venue writes what is charged as a negative number."""
    row = only_row(reply, "trade-fee")
    groups = [wire.mapping(one, "trade-fee.feeGroup") for one in row.get("feeGroup") or []]
    for group in groups:
        if contract.fee_group and group.get("groupId") == contract.fee_group:
            return _rates(group, ("maker", "taker"), contract)
    suffix = "U" if contract.instrument.quote == "USDT" else "USDC"
    return _rates(row, (f"maker{suffix}", f"taker{suffix}"), contract)


def tiers(reply: Any, contract: Contract, mark: Decimal) -> list[MaintenanceTier]:
    """Return the brackets, smallest first, their sizes valued at the mark price.

    The venue states sizes in contracts, and a position pays the rate of its bracket on the whole: nothing is deducted.
    """
    where = "position-tiers"
    read = sorted(rows(reply, where), key=lambda row: wire.integer(row, "tier", where))
    if not read:
        raise BadReply(f"{where}: no row for {contract.inst_id}")
    found: list[MaintenanceTier] = []
    floor = Decimal(0)
    for row in read:
        cap = contract.notional(wire.decimal(row, "maxSz", where), mark)
        found.append(
            MaintenanceTier(
                notional_floor=floor,
                notional_cap=cap,
                rate=wire.decimal(row, "mmr", where),
                deduction=Decimal(0),
                leverage_max=int(wire.decimal(row, "maxLever", where)),
            )
        )
        floor = cap
    return found


def income(row: wire.Row, symbols: Mapping[str, Contract]) -> list[Income]:
    """Return what one bill tells: a trade's is profit and fee in one, which are two rows to us."""
    where = "bills"
    kind = wire.text(row, "type", where)
    contract = symbols.get(str(row.get("instId", "")))
    symbol = contract.symbol if contract is not None else str(row.get("instId", ""))

    def one(word: str, amount: Decimal) -> Income:
        return Income(
            kind=word,
            transaction_id=wire.text(row, "billId", where),
            symbol=symbol,
            asset=wire.text(row, "ccy", where),
            amount=amount,
            venue_ms=wire.integer(row, "ts", where),
        )

    if kind in KINDS:
        return [one(KINDS[kind], wire.decimal(row, "balChg", where))]
    profit, fee = _told(row, "pnl", where) or Decimal(0), _told(row, "fee", where) or Decimal(0)
    if not profit and not fee:
        return [one(f"BILL_{kind}", wire.decimal(row, "balChg", where))]
    told = (("REALIZED_PNL", profit), ("COMMISSION", fee))
    return [one(word, amount) for word, amount in told if amount]


def wanted_flat(found: Collection[Position], wanted: Collection[str]) -> list[str]:
    """Return the wanted symbols that a reading has not."""
    held = {position.symbol for position in found}
    return [symbol for symbol in wanted if symbol not in held]


def _rates(row: wire.Row, keys: tuple[str, str], contract: Contract) -> FeeRates:
    maker, taker = (-wire.decimal(row, key, "trade-fee") for key in keys)
    return FeeRates(symbol=contract.symbol, maker=maker, taker=taker)


def _is_flat(row: wire.Row) -> bool:
    return row.get("pos", "") in ("", "0") or wire.decimal(row, "pos", "positions") == 0


def _told(row: wire.Row, key: str, where: str) -> Decimal | None:
    """Return a number; None where the venue leaves it empty."""
    return None if row.get(key, "") in ("", None) else wire.decimal(row, key, where)
