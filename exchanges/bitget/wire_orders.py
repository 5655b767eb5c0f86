"""Orders and trades, from replies and from the private stream."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from exchanges import wire
from exchanges.errors import BadReply
from grid.instrument import Instrument, OffGrid
from grid.order import Fill, OrderReport, OrderRequest, OrderStatus, OrderUpdate, Side

STATUSES = {
    "init": OrderStatus.NEW,
    "new": OrderStatus.NEW,
    "live": OrderStatus.NEW,
    "partially_filled": OrderStatus.PARTIALLY_FILLED,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "cancelled": OrderStatus.CANCELED,
}
SIDES = {"buy": Side.BUY, "sell": Side.SELL}
DECREES = (
    ("burst_", "autoclose-"),
    ("reduce_", "autoclose-"),
    ("dte_sys_adl_", "adl_autoclose-"),
    ("delivery_", "settlement_autoclose-"),
)
"""How the venue's own trades are told apart, and the words by which the desk knows such an order."""
MAKERS = {"M": True, "maker": True, "T": False, "taker": False}
NORMAL_CANCEL = ("", "normal_cancel")
REJECTION_MS = 500
"""A post-only order that was cancelled so soon was never in the book: the venue's words do not always say so."""


def acknowledged(ack: Any, request: OrderRequest) -> OrderReport:
    """Return our order as accepted: the acknowledgement names it and tells nothing else.

    The venue leaves its own id out where a reduce-only order made it cancel others.
    """
    row = wire.mapping(ack, "place-order")
    told = row.get("clientOid")
    if told not in (request.client_id, None, ""):
        raise BadReply(f"place-order.clientOid: asked about {request.client_id}, answered {wire.shown(told)}")
    order_id = row.get("orderId") or ""
    if not isinstance(order_id, str) or (not order_id and not told):
        raise BadReply("place-order: names no order")
    return OrderReport(
        symbol=request.symbol,
        order_id=order_id,
        client_id=request.client_id,
        side=request.side,
        status=OrderStatus.NEW,
        price=request.price,
        quantity=request.quantity,
        filled=0,
        closing=request.closing,
        venue_ms=0,
    )


def report(row: wire.Row, instruments: wire.Instruments) -> OrderReport:
    """Return an order of a REST reply."""
    state = "state" if "state" in row else "status"
    return _report(row, wire.instrument_of(instruments, row, "symbol", "order"), state, "baseVolume", "order")


def reports(rows: Iterable[Any], instruments: wire.Instruments) -> list[OrderReport]:
    """Return every order of a list; one that can't be read spoils the list."""
    return [report(wire.mapping(row, "orders"), instruments) for row in rows]


def update(row: wire.Row, instruments: wire.Instruments) -> OrderUpdate:
    """Return an event of the `orders` channel, with its fill where it tells one whole.

    A fill without its fee is left out: the filled quantity says that it is missing, and the trades tell it.
    """
    where = "orders"
    instrument = wire.instrument_of(instruments, row, "instId", where)
    told = _report(row, instrument, "status", "accBaseVolume", where)
    is_trade = bool(row.get("tradeId")) and row.get("baseVolume") not in (None, "", "0")
    if not is_trade or told.status is OrderStatus.CANCELED or row.get("fillFee") in (None, ""):
        return OrderUpdate(report=told)
    fill = Fill(
        symbol=told.symbol,
        order_id=told.order_id,
        trade_id=wire.text(row, "tradeId", where),
        client_id=told.client_id,
        side=told.side,
        price=_fill_price(instrument, row, "fillPrice", where, by_decree=bool(_decree(row, told.order_id))),
        quantity=_positive(wire.steps(instrument, row, "baseVolume", where), "baseVolume", where),
        fee=-wire.decimal(row, "fillFee", where),
        fee_asset=wire.text(row, "fillFeeCoin", where),
        is_maker=_is_maker(row, where),
        venue_ms=wire.integer(row, "fillTime" if row.get("fillTime") else "uTime", where),
    )
    return OrderUpdate(report=told, fill=fill)


def trade(row: wire.Row, instruments: wire.Instruments) -> Fill:
    """Return one row of the account's trades, which tells no client id."""
    where = "fills"
    instrument = wire.instrument_of(instruments, row, "symbol", where)
    fees = [wire.mapping(value, where) for value in wire.sequence(row.get("feeDetail"), f"{where}.feeDetail")]
    if len(fees) != 1:
        raise BadReply(f"{where}.feeDetail: {len(fees)} fees for one trade")
    order_id = wire.text(row, "orderId", where)
    return Fill(
        symbol=instrument.symbol,
        order_id=order_id,
        trade_id=wire.text(row, "tradeId", where),
        client_id="",
        side=side(row, "side", where),
        price=_fill_price(instrument, row, "price", where, by_decree=bool(_decree(row, order_id))),
        quantity=_positive(wire.steps(instrument, row, "baseVolume", where), "baseVolume", where),
        fee=-wire.decimal(fees[0], "totalFee", where),
        fee_asset=wire.text(fees[0], "feeCoin", where),
        is_maker=_is_maker(row, where),
        venue_ms=wire.integer(row, "cTime", where),
    )


def side(row: wire.Row, key: str, where: str) -> Side:
    """Return which way an order trades."""
    value = wire.text(row, key, where)
    if value not in SIDES:
        raise BadReply(f"{where}.{key}: expected buy or sell, got {value!r}")
    return SIDES[value]


def order_price(instrument: Instrument, row: wire.Row, key: str, where: str) -> int:
    """Return an order's price in ticks, rounded down; 0 for an order at market.

    Exact for every order that the present tick allows. A foreign order placed under an older, finer tick is rounded:
    it must not make the account's whole list unreadable.
    """
    price = wire.decimal(row, key, where) if row.get(key) not in (None, "") else Decimal(0)
    if price < 0:
        raise BadReply(f"{where}.{key}: expected 0 or more, got {price}")
    try:
        return instrument.ticks_floor(price)
    except InvalidOperation:
        raise BadReply(f"{where}.{key}: {price} is too large to count") from None


def _report(row: wire.Row, instrument: Instrument, status_key: str, filled_key: str, where: str) -> OrderReport:
    order_id = wire.text(row, "orderId", where)
    told = wire.text(row, status_key, where)
    if told not in STATUSES:
        raise BadReply(f"{where}.{status_key}: unknown order status {told!r}")
    filled = wire.amount(instrument, row, filled_key, where) if row.get(filled_key) not in (None, "") else 0
    # an order that was never changed has no time of a change
    time_key = "uTime" if row.get("uTime") not in (None, "") else "cTime"
    return OrderReport(
        symbol=instrument.symbol,
        order_id=order_id,
        client_id=_decree(row, order_id) or _client_id(row, where),
        side=side(row, "side", where),
        status=STATUSES[told],
        price=order_price(instrument, row, "price", where),
        quantity=wire.amount(instrument, row, "size", where),
        filled=filled,
        closing=str(row.get("reduceOnly", "")).lower() == "yes",
        venue_ms=wire.integer(row, time_key, where),
        expiry_reason=_expiry_reason(row, filled, where) if STATUSES[told] is OrderStatus.CANCELED else "",
    )


def _client_id(row: wire.Row, where: str) -> str:
    return wire.text(row, "clientOid", where) if row.get("clientOid") is not None else ""


def _decree(row: wire.Row, order_id: str) -> str:
    """Return the client id of an order of the venue's own, empty for anybody else's."""
    told = row.get("tradeSide")
    words = told if isinstance(told, str) else ""
    return next((f"{ours}{order_id}" for theirs, ours in DECREES if words.startswith(theirs)), "")


def _expiry_reason(row: wire.Row, filled: int, where: str) -> str:
    """Return why the venue ended an order: its own word, `post_only` for one that would have taken."""
    told = row.get("cancelReason") or ""
    if not isinstance(told, str) or len(told) > wire.SHOWN_MAX:
        raise BadReply(f"{where}.cancelReason: expected a word, got {wire.shown(told)}")
    if row.get("force") == "post_only" and not filled:
        if "post_only" in told:
            return "post_only"
        if told in NORMAL_CANCEL and row.get("uTime") and row.get("cTime"):
            lived_ms = wire.integer(row, "uTime", where) - wire.integer(row, "cTime", where)
            return "post_only" if lived_ms <= REJECTION_MS else ""
    return "" if told in NORMAL_CANCEL else told


def _is_maker(row: wire.Row, where: str) -> bool:
    told = wire.text(row, "tradeScope", where)
    if told not in MAKERS:
        raise BadReply(f"{where}.tradeScope: expected maker or taker, got {told!r}")
    return MAKERS[told]


def _fill_price(instrument: Instrument, row: wire.Row, key: str, where: str, *, by_decree: bool) -> int:
    """Return a trade's price; `by_decree`: the venue traded itself, at a price that no tick binds."""
    price = wire.decimal(row, key, where)
    try:
        return _positive(instrument.ticks(price), key, where)
    except InvalidOperation:
        raise BadReply(f"{where}.{key}: {price} is too large to count") from None
    except OffGrid as error:
        if not by_decree:
            raise BadReply(f"{where}.{key}: {error}") from None
        # the fill is foreign, and the loss is rounded against us
        is_sell = side(row, "side", where) is Side.SELL
        rounded = instrument.ticks_floor(price) if is_sell else instrument.ticks_ceil(price)
        return _positive(rounded, key, where)


def _positive(found: int, key: str, where: str) -> int:
    """A trade of nothing, or for nothing, is a wrong message: booked, it would move the lot the wrong way."""
    if found <= 0:
        raise BadReply(f"{where}.{key}: a trade of {found}")
    return found
