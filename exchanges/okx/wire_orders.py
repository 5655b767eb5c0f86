"""Orders and trades, from replies and from the private stream: both tell an order by the same fields."""

from __future__ import annotations

from decimal import InvalidOperation
from typing import Any

from exchanges import wire
from exchanges.errors import BadReply
from exchanges.okx.contracts import Contract, Contracts
from exchanges.okx.wire_rules import rows
from grid.instrument import OffGrid
from grid.order import Fill, OrderReport, OrderStatus, OrderUpdate, Side

OPEN = {"live": OrderStatus.NEW, "partially_filled": OrderStatus.PARTIALLY_FILLED, "filled": OrderStatus.FILLED}
CANCELED = ("canceled", "mmp_canceled")
BY_USER = ("", "1")
ENDED_BY_VENUE = {
    "2": "reduce_only",
    "6": "adl",
    "7": "delivery",
    "9": "margin",
    "13": "fill_or_kill",
    "14": "immediate_remainder",
    "17": "reduce_only",
    "20": "countdown",
    "21": "reduce_only",
    "22": "reduce_only",
    "23": "reduce_only",
    "31": "post_only",
    "32": "self_trade",
}
"""Why the venue cancelled (`cancelSource`), where we have a word for it."""
DECREES = {
    "full_liquidation": "autoclose-",
    "partial_liquidation": "autoclose-",
    "adl": "adl_autoclose-",
    "delivery": "settlement_autoclose-",
}
"""The venue's own orders have a category and no client id; these beginnings are the desk's words for them."""
NAMELESS = "nameless-"
"""Begins the id of an order that was sent without one: no client id has a hyphen here."""


def reports(reply: Any, contracts: Contracts) -> list[OrderReport]:
    """Return every order of a list on instruments that are traded here; one that can't be read spoils the list."""
    return [report(row, contracts) for row in rows(reply, "orders") if row.get("instId") not in contracts.others]


def report(row: wire.Row, contracts: Contracts) -> OrderReport:
    """Return one order."""
    where = "order"
    contract = contracts.of_row(row, where)
    status, reason = _end(row, where)
    return OrderReport(
        symbol=contract.symbol,
        order_id=wire.text(row, "ordId", where),
        client_id=client_id(row, where),
        side=side(row, where),
        status=status,
        price=_order_price(contract, row, where),
        quantity=contract.amount(row, "sz", where),
        filled=contract.amount(row, "accFillSz", where),
        closing=str(row.get("reduceOnly", "")).lower() == "true",
        venue_ms=wire.integer(row, "uTime", where),
        expiry_reason=reason,
    )


def update(row: wire.Row, contracts: Contracts) -> OrderUpdate:
    """Return one event of the order channel, with the fill that caused it where one did.

    A fill whose fee is not told is left out: the cumulative quantity tells of it, and the trades complete it.
    """
    told = report(row, contracts)
    if told.status not in (OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED):
        return OrderUpdate(report=told)
    if not row.get("tradeId") or row.get("fillFee", "") == "" or row.get("fillSz", "") in ("", "0"):
        return OrderUpdate(report=told)
    where = "orders"
    contract = contracts.of_row(row, where)
    fill = Fill(
        symbol=told.symbol,
        order_id=told.order_id,
        trade_id=wire.text(row, "tradeId", where),
        client_id=told.client_id,
        side=told.side,
        price=_fill_price(contract, row, where, by_decree=row.get("category") in DECREES),
        quantity=_positive(contract.steps(row, "fillSz", where), "fillSz", where),
        fee=-wire.decimal(row, "fillFee", where),
        fee_asset=str(row.get("fillFeeCcy") or contract.instrument.quote),
        is_maker=row.get("execType") == "M",
        venue_ms=wire.integer(row, "fillTime" if row.get("fillTime") else "uTime", where),
    )
    return OrderUpdate(report=told, fill=fill)


def trade(row: wire.Row, contracts: Contracts) -> Fill:
    """Return one row of the account's trades."""
    where = "fills"
    contract = contracts.of_row(row, where)
    return Fill(
        symbol=contract.symbol,
        order_id=wire.text(row, "ordId", where),
        trade_id=wire.text(row, "tradeId", where),
        client_id="",
        side=side(row, where),
        # a row does not say how it was traded; off the tick only a liquidation can be, and that takes
        price=_fill_price(contract, row, where, by_decree=row.get("execType") != "M"),
        quantity=_positive(contract.steps(row, "fillSz", where), "fillSz", where),
        fee=-wire.decimal(row, "fee", where),
        fee_asset=wire.text(row, "feeCcy", where),
        is_maker=row.get("execType") == "M",
        venue_ms=wire.integer(row, "fillTime" if row.get("fillTime") else "ts", where),
    )


def client_id(row: wire.Row, where: str) -> str:
    """Return the client id; for an order without one a name that says whose it is.

    One that a conditional order became has no id of its own, and tells that of the conditional one.
    """
    told = wire.text(row, "clOrdId", where) or row.get("algoClOrdId")
    if told:
        return str(told)
    beginning = DECREES.get(str(row.get("category", "")), NAMELESS)
    return f"{beginning}{wire.text(row, 'ordId', where)}"


def side(row: wire.Row, where: str) -> Side:
    """Return which way an order trades."""
    value = wire.text(row, "side", where)
    if value not in ("buy", "sell"):
        raise BadReply(f"{where}.side: expected buy or sell, got {value!r}")
    return Side(value.upper())


def _end(row: wire.Row, where: str) -> tuple[OrderStatus, str]:
    state = wire.text(row, "state", where)
    if state in OPEN:
        return OPEN[state], ""
    if state not in CANCELED:
        raise BadReply(f"{where}.state: unknown state {state!r} of an order")
    source = str(row.get("cancelSource", "")) if state == "canceled" else state
    if source in BY_USER:
        return OrderStatus.CANCELED, ""
    return OrderStatus.EXPIRED, ENDED_BY_VENUE.get(source, source[: wire.SHOWN_MAX])


def _order_price(contract: Contract, row: wire.Row, where: str) -> int:
    """Return the price in ticks, rounded down; 0 at market. A foreign order may stand between two ticks."""
    if row.get("px", "") == "":
        return 0
    price = wire.decimal(row, "px", where)
    if price < 0:
        raise BadReply(f"{where}.px: expected 0 or more, got {price}")
    try:
        return contract.instrument.ticks_floor(price)
    except InvalidOperation:
        raise BadReply(f"{where}.px: {price} is too large to count") from None


def _fill_price(contract: Contract, row: wire.Row, where: str, *, by_decree: bool) -> int:
    """Return a trade's price; `by_decree`: the venue may have traded itself, at a price that no tick binds."""
    price = wire.decimal(row, "fillPx", where)
    instrument = contract.instrument
    try:
        return _positive(instrument.ticks(price), "fillPx", where)
    except InvalidOperation:
        raise BadReply(f"{where}.fillPx: {price} is too large to count") from None
    except OffGrid as error:
        if not by_decree:
            raise BadReply(f"{where}.fillPx: {error}") from None
        # the loss is rounded against us
        is_sell = side(row, where) is Side.SELL
        return _positive(instrument.ticks_floor(price) if is_sell else instrument.ticks_ceil(price), "fillPx", where)


def _positive(found: int, key: str, where: str) -> int:
    """A trade of nothing, or for nothing, is a wrong message: booked, it would move the lot the wrong way."""
    if found <= 0:
        raise BadReply(f"{where}.{key}: a trade of {found}")
    return found
