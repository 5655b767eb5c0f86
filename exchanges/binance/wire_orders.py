"""Orders and trades, from replies and from the private stream."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from exchanges import wire
from exchanges.errors import BadReply
from grid.instrument import Instrument, OffGrid
from grid.order import Fill, OrderReport, OrderStatus, OrderUpdate, Side

STATUSES = {
    **{status.value: status for status in OrderStatus},
    "EXPIRED_IN_MATCH": OrderStatus.EXPIRED,
    "NEW_INSURANCE": OrderStatus.NEW,
    "NEW_ADL": OrderStatus.NEW,
}
TRADE, LIQUIDATION_TRADE = "TRADE", "CALCULATED"


def report(row: wire.Row, instruments: wire.Instruments) -> OrderReport:
    """Return an order of a REST or WebSocket reply."""
    where = "order"
    instrument = wire.instrument_of(instruments, row, "symbol", where)
    filled_key = "executedQty" if "executedQty" in row else "cumQty"
    return OrderReport(
        symbol=instrument.symbol,
        order_id=str(wire.integer(row, "orderId", where)),
        client_id=wire.text(row, "clientOrderId", where),
        side=side(row, "side", where),
        status=status(row, "status", where),
        price=order_price(instrument, row, "price", where),
        quantity=wire.amount(instrument, row, "origQty", where),
        filled=wire.amount(instrument, row, filled_key, where),
        closing=wire.flag(row, "reduceOnly", where),
        venue_ms=wire.integer(row, "updateTime", where),
        expiry_reason=row["status"] if row["status"] == "EXPIRED_IN_MATCH" else "",
    )


def reports(message: Any, instruments: wire.Instruments) -> list[OrderReport]:
    """Return every order of a list; one that can't be read spoils the list."""
    rows: Iterable[Any] = wire.sequence(message, "orders")
    return [report(wire.mapping(row, "orders"), instruments) for row in rows]


def update(message: wire.Row, instruments: wire.Instruments) -> OrderUpdate:
    """Return an ORDER_TRADE_UPDATE. The fill is there where the event is a trade, liquidations included."""
    where = "ORDER_TRADE_UPDATE.o"
    row = wire.mapping(message.get("o"), where)
    instrument = wire.instrument_of(instruments, row, "s", where)
    execution = wire.text(row, "x", where)
    told = OrderReport(
        symbol=instrument.symbol,
        order_id=str(wire.integer(row, "i", where)),
        client_id=wire.text(row, "c", where),
        side=side(row, "S", where),
        status=status(row, "X", where),
        price=order_price(instrument, row, "p", where),
        quantity=wire.amount(instrument, row, "q", where),
        filled=wire.amount(instrument, row, "z", where),
        closing=wire.flag(row, "R", where),
        venue_ms=wire.integer(row, "T", where),
        expiry_reason=_expiry_reason(row, execution),
    )
    if execution not in (TRADE, LIQUIDATION_TRADE):
        return OrderUpdate(report=told)
    return OrderUpdate(report=told, fill=_streamed_fill(row, told, instrument, execution))


def trade(row: wire.Row, instruments: wire.Instruments) -> Fill:
    """Return one row of the account's trade history, which tells no client id."""
    where = "userTrades"
    instrument = wire.instrument_of(instruments, row, "symbol", where)
    return Fill(
        symbol=instrument.symbol,
        order_id=str(wire.integer(row, "orderId", where)),
        trade_id=str(wire.integer(row, "id", where)),
        client_id="",
        side=side(row, "side", where),
        # a row does not say how it was traded; off the tick only a liquidation can be, and that takes
        price=_fill_price(instrument, row, ("price", "side"), where, by_decree=not wire.flag(row, "maker", where)),
        quantity=_positive(wire.steps(instrument, row, "qty", where), "qty", where),
        fee=wire.decimal(row, "commission", where),
        fee_asset=wire.text(row, "commissionAsset", where),
        is_maker=wire.flag(row, "maker", where),
        venue_ms=wire.integer(row, "time", where),
    )


def side(row: wire.Row, key: str, where: str) -> Side:
    """Return which way an order trades."""
    value = wire.text(row, key, where)
    if value not in (Side.BUY.value, Side.SELL.value):
        raise BadReply(f"{where}.{key}: expected BUY or SELL, got {value!r}")
    return Side(value)


def status(row: wire.Row, key: str, where: str) -> OrderStatus:
    """Return the order's state."""
    value = wire.text(row, key, where)
    if value not in STATUSES:
        raise BadReply(f"{where}.{key}: unknown order status {value!r}")
    return STATUSES[value]


def order_price(instrument: Instrument, row: wire.Row, key: str, where: str) -> int:
    """Return an order's price in ticks, rounded down.

    Exact for every order that the present tick allows. A foreign order placed under an older, finer tick is rounded:
    it must not make the account's whole list unreadable.
    """
    price = wire.decimal(row, key, where)
    if price < 0:
        raise BadReply(f"{where}.{key}: expected 0 or more, got {price}")
    try:
        return instrument.ticks_floor(price)
    except InvalidOperation:
        raise BadReply(f"{where}.{key}: {price} is too large to count") from None


def _streamed_fill(row: wire.Row, told: OrderReport, instrument: Instrument, execution: str) -> Fill:
    where = "ORDER_TRADE_UPDATE.o"
    return Fill(
        symbol=told.symbol,
        order_id=told.order_id,
        trade_id=str(wire.integer(row, "t", where)),
        client_id=told.client_id,
        side=told.side,
        price=_fill_price(instrument, row, ("L", "S"), where, by_decree=execution == LIQUIDATION_TRADE),
        quantity=_positive(wire.steps(instrument, row, "l", where), "l", where),
        # the venue leaves both fields out of a trade that cost nothing
        fee=wire.decimal(row, "n", where) if "n" in row else Decimal(0),
        fee_asset=wire.text(row, "N", where) if "N" in row else instrument.quote,
        is_maker=wire.flag(row, "m", where),
        venue_ms=told.venue_ms,
    )


def _fill_price(instrument: Instrument, row: wire.Row, keys: tuple[str, str], where: str, *, by_decree: bool) -> int:
    """Return a trade's price, its and its side's fields being `keys`; `by_decree`: the venue may have traded itself."""
    key, side_key = keys
    price = wire.decimal(row, key, where)
    try:
        return _positive(instrument.ticks(price), key, where)
    except InvalidOperation:
        raise BadReply(f"{where}.{key}: {price} is too large to count") from None
    except OffGrid as error:
        if not by_decree:
            raise BadReply(f"{where}.{key}: {error}") from None
        # taken over at the bankruptcy price, which no tick binds; the fill is foreign, the loss is rounded against us
        is_sell = side(row, side_key, where) is Side.SELL
        rounded = instrument.ticks_floor(price) if is_sell else instrument.ticks_ceil(price)
        return _positive(rounded, key, where)


def _positive(found: int, key: str, where: str) -> int:
    """A trade of nothing, or for nothing, is a wrong message: booked, it would move the lot the wrong way."""
    if found <= 0:
        raise BadReply(f"{where}.{key}: a trade of {found}")
    return found


def _expiry_reason(row: wire.Row, execution: str) -> str:
    """Return the venue's number for an expiry (`er`), `post_only` where one has none; nothing while there is none.

    The venue numbers every other reason to expire; what is left to a post-only order is that it would have taken.
    """
    told = row.get("er", "0")
    if isinstance(told, bool) or not isinstance(told, str | int) or len(str(told)) > wire.SHOWN_MAX:
        raise BadReply(f"ORDER_TRADE_UPDATE.o.er: expected a number, got {wire.shown(told)}")
    reason = str(told)
    if reason != "0":
        return reason
    return "post_only" if execution == "EXPIRED" and row.get("f") == "GTX" else ""
