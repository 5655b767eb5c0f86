"""Orders and trades, from replies and from the private stream."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from exchanges import wire
from exchanges.errors import BadReply
from grid.instrument import Instrument, OffGrid
from grid.order import Fill, OrderReport, OrderRequest, OrderStatus, OrderUpdate, Side

STATUSES = {
    "New": OrderStatus.NEW,
    "Untriggered": OrderStatus.NEW,
    "Triggered": OrderStatus.NEW,
    "PartiallyFilled": OrderStatus.PARTIALLY_FILLED,
    "Filled": OrderStatus.FILLED,
    "Cancelled": OrderStatus.CANCELED,
    "PartiallyFilledCanceled": OrderStatus.CANCELED,
    "Deactivated": OrderStatus.CANCELED,
    "Rejected": OrderStatus.REJECTED,
}
SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
POST_ONLY = "EC_PostOnlyWillTakeLiquidity"
BY_USER = "CancelByUser"
NOTHING = ("", "UNKNOWN", "EC_NoError", "EC_PerCancelRequest")
DECREES = {
    "CreateByLiq": "autoclose-",
    "CreateByTakeOver_PassThrough": "autoclose-",
    "CreateByAdl_PassThrough": "adl_autoclose",
    "CreateBySettle": "settlement_autoclose-",
    "BustTrade": "autoclose-",
    "AdlTrade": "adl_autoclose",
    "Delivery": "settlement_autoclose-",
    "Settle": "settlement_autoclose-",
}
"""What the venue itself does to a position, by how an order or a trade came about: our word before its id."""
TRADES = ("Trade", "AdlTrade", "BustTrade", "Delivery", "Settle", "BlockTrade", "MovePosition")
"""Executions that move the position; the venue lists funding among them."""
BY_DECREE = ("AdlTrade", "BustTrade", "Delivery", "Settle")


def report(row: wire.Row, instruments: wire.Instruments) -> OrderReport:
    """Return an order of a list or of the private stream."""
    where = "order"
    instrument = wire.instrument_of(instruments, row, "symbol", where)
    told = status(row, "orderStatus", where)
    reason = _expiry_reason(row, told)
    return OrderReport(
        symbol=instrument.symbol,
        order_id=wire.text(row, "orderId", where),
        client_id=client_id(row, where),
        side=side(row, "side", where),
        status=OrderStatus.EXPIRED if reason and told.is_terminal and told is not OrderStatus.FILLED else told,
        price=order_price(instrument, row, "price", where),
        quantity=wire.amount(instrument, row, "qty", where),
        filled=wire.amount(instrument, row, "cumExecQty", where),
        closing=wire.flag(row, "reduceOnly", where),
        venue_ms=wire.integer(row, "updatedTime", where),
        expiry_reason=reason,
    )


def acknowledged(ack: wire.Row, request: OrderRequest) -> OrderReport:
    """Return an accepted order. The venue acknowledges with ids alone: what became of it, it tells later."""
    where = "order.create"
    told = wire.text(ack, "orderLinkId", where)
    if told != request.client_id:
        raise BadReply(f"{where}.orderLinkId: asked about {request.client_id}, answered {wire.shown(told)}")
    return OrderReport(
        symbol=request.symbol,
        order_id=wire.text(ack, "orderId", where),
        client_id=request.client_id,
        side=request.side,
        status=OrderStatus.NEW,
        price=request.price,
        quantity=request.quantity,
        filled=0,
        closing=request.closing,
        venue_ms=wire.integer(ack, "time", where),
    )


def update(row: wire.Row, instruments: wire.Instruments) -> OrderUpdate | None:
    """Return an execution of the private stream with the state in which it left its order; None for funding.

    An execution does not tell whether its order only reduces: the order's own event does.
    """
    where = "execution"
    if wire.text(row, "execType", where) not in TRADES:
        return None
    instrument = wire.instrument_of(instruments, row, "symbol", where)
    fill = _fill(row, instrument, client_id(row, where))
    quantity, left = wire.amount(instrument, row, "orderQty", where), wire.amount(instrument, row, "leavesQty", where)
    told = OrderReport(
        symbol=instrument.symbol,
        order_id=fill.order_id,
        client_id=fill.client_id,
        side=fill.side,
        status=OrderStatus.PARTIALLY_FILLED if left else OrderStatus.FILLED,
        price=order_price(instrument, row, "orderPrice", where),
        quantity=quantity,
        filled=quantity - left,
        closing=False,
        venue_ms=fill.venue_ms,
    )
    return OrderUpdate(report=told, fill=fill)


def trades(result: wire.Row, instruments: wire.Instruments) -> list[Fill]:
    """Return one page of the account's trades, which by the port's word tell no client id."""
    found: list[Fill] = []
    for value in wire.sequence(result.get("list"), "execution.list"):
        row = wire.mapping(value, "execution.list")
        if wire.text(row, "execType", "execution") in TRADES:
            found.append(_fill(row, wire.instrument_of(instruments, row, "symbol", "execution"), ""))
    return found


def client_id(row: wire.Row, where: str) -> str:
    """Return our id of an order; of an order that has none, what made it and the venue's id.

    Orders by which the venue itself closes a position get the words by which the desk knows such orders.
    """
    told = wire.text(row, "orderLinkId", where)
    if told:
        return told
    made = str(row.get("createType", "")), str(row.get("execType", ""))
    prefix = next((DECREES[word] for word in made if word in DECREES), "foreign-")
    return prefix + wire.text(row, "orderId", where)


def side(row: wire.Row, key: str, where: str) -> Side:
    """Return which way an order trades."""
    value = wire.text(row, key, where)
    if value not in SIDES:
        raise BadReply(f"{where}.{key}: expected Buy or Sell, got {wire.shown(value)}")
    return SIDES[value]


def status(row: wire.Row, key: str, where: str) -> OrderStatus:
    """Return the order's state."""
    value = wire.text(row, key, where)
    if value not in STATUSES:
        raise BadReply(f"{where}.{key}: unknown order status {wire.shown(value)}")
    return STATUSES[value]


def order_price(instrument: Instrument, row: wire.Row, key: str, where: str) -> int:
    """Return an order's price in ticks, rounded down; an order at market may have none.

    Exact for every order that the present tick allows. A foreign order placed under an older, finer tick is rounded:
    it must not make the account's whole list unreadable.
    """
    price = wire.decimal(row, key, where) if row.get(key) != "" else Decimal(0)
    if price < 0:
        raise BadReply(f"{where}.{key}: expected 0 or more, got {price}")
    try:
        return instrument.ticks_floor(price)
    except InvalidOperation:
        raise BadReply(f"{where}.{key}: {price} is too large to count") from None


def _fill(row: wire.Row, instrument: Instrument, owner: str) -> Fill:
    where = "execution"
    by_decree = row.get("execType") in BY_DECREE
    return Fill(
        symbol=instrument.symbol,
        order_id=wire.text(row, "orderId", where),
        trade_id=wire.text(row, "execId", where),
        client_id=owner,
        side=side(row, "side", where),
        price=_fill_price(instrument, row, by_decree=by_decree),
        quantity=_positive(wire.steps(instrument, row, "execQty", where), "execQty"),
        fee=_fee(row),
        fee_asset=str(row.get("feeCurrency") or instrument.quote),
        is_maker=wire.flag(row, "isMaker", where),
        venue_ms=wire.integer(row, "execTime", where),
    )


def _fee(row: wire.Row) -> Decimal:
    """Return the fee, positive where we pay; a trade that cost nothing may tell none."""
    return wire.decimal(row, "execFee", "execution") if row.get("execFee") != "" else Decimal(0)


def _fill_price(instrument: Instrument, row: wire.Row, *, by_decree: bool) -> int:
    """Return a trade's price; `by_decree`: the venue traded it, at a price that no tick binds."""
    price = wire.decimal(row, "execPrice", "execution")
    try:
        return _positive(instrument.ticks(price), "execPrice")
    except InvalidOperation:
        raise BadReply(f"execution.execPrice: {price} is too large to count") from None
    except OffGrid as error:
        if not by_decree:
            raise BadReply(f"execution.execPrice: {error}") from None
        is_sell = side(row, "side", "execution") is Side.SELL
        # the loss is rounded against us
        return _positive(instrument.ticks_floor(price) if is_sell else instrument.ticks_ceil(price), "execPrice")


def _positive(found: int, key: str) -> int:
    """A trade of nothing, or for nothing, is a wrong message: booked, it would move the lot the wrong way."""
    if found <= 0:
        raise BadReply(f"execution.{key}: a trade of {found}")
    return found


def _expiry_reason(row: wire.Row, told: OrderStatus) -> str:
    """Return why the venue ended the order, empty where a person or nobody did; `post_only` where it would have taken.

    A cancel that was asked for is told as `CancelByUser` or, by older documents, as `UNKNOWN` without a reason.
    """
    if not told.is_terminal or told is OrderStatus.FILLED:
        return ""
    rejected, cancelled = _word(row, "rejectReason"), _word(row, "cancelType")
    if rejected == POST_ONLY:
        return "post_only"
    if rejected not in NOTHING:
        return rejected
    return "" if cancelled in (*NOTHING, BY_USER) else cancelled


def _word(row: wire.Row, key: str) -> str:
    value: Any = row.get(key, "")
    if not isinstance(value, str) or len(value) > wire.SHOWN_MAX:
        raise BadReply(f"order.{key}: expected a word, got {wire.shown(value)}")
    return value
