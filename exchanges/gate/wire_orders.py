"""Orders and trades, from replies and from the account's channels."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from exchanges import wire
from exchanges.errors import BadReply
from exchanges.gate.contracts import Contract, Contracts, contract_of, steps_of
from exchanges.gate.requests import TEXT_PREFIX
from grid.instrument import Instrument, OffGrid
from grid.order import Fill, OrderReport, OrderStatus, Side

ENDS = {"filled": OrderStatus.FILLED, "cancelled": OrderStatus.CANCELED}
"""Every other word for an end is an expiry, and the word its reason: `ioc`, `reduce_out`, `position_closed`, `stp`."""
DECREES = {
    "liquidation": "autoclose-",
    "insurance": "autoclose-",
    "auto_deleveraging": "adl_autoclose-",
    "settlement": "settlement_autoclose-",
}
"""What the venue writes on its own orders, and how client ids of such begin with us (`exchanges.desk.decrees`)."""
MILLISECONDS_FROM = 10**11
"""A time above this is in milliseconds: in seconds it would be 5138 years away."""
TIMES = ("update_time_ms", "finish_time_ms", "update_time", "finish_time", "create_time_ms", "create_time")
POINTS = "POINT"


def report(row: wire.Row, contracts: Contracts) -> OrderReport:
    """Return an order of a reply or of the order channel."""
    where = "order"
    contract = contract_of(contracts, row, "contract", where)
    size = steps_of(contract, row, "size", where)
    left = abs(steps_of(contract, row, "left", where))
    quantity = abs(size)
    if left > quantity:
        raise BadReply(f"{where}.left: {left} of {quantity} steps")
    status = _status(row, quantity, quantity - left)
    order_id = _id(row, "id", where)
    return OrderReport(
        symbol=contract.instrument.symbol,
        order_id=order_id,
        client_id=client_id(row.get("text"), order_id),
        side=Side.BUY if size > 0 else Side.SELL,
        status=status,
        price=order_price(contract.instrument, row, "price", where),
        quantity=quantity,
        filled=quantity - left,
        closing=_closes(row, where),
        venue_ms=venue_ms(row, where),
        expiry_reason=str(row.get("finish_as", ""))[: wire.SHOWN_MAX] if status is OrderStatus.EXPIRED else "",
    )


def reports(message: Any, contracts: Contracts) -> list[OrderReport]:
    """Return every order of a list; one that can't be read spoils the list."""
    return [report(wire.mapping(row, "orders"), contracts) for row in wire.sequence(message, "orders")]


def trade(row: wire.Row, contracts: Contracts) -> Fill:
    """Return one trade of the account, from its history or its channel."""
    where = "usertrades"
    contract = contract_of(contracts, row, "contract", where)
    size = steps_of(contract, row, "size", where)
    order_id = _id(row, "order_id", where)
    role = wire.text(row, "role", where)
    if role not in ("maker", "taker") or not size:
        raise BadReply(f"{where}: a trade of {size} as {wire.shown(role)}")
    side = Side.BUY if size > 0 else Side.SELL
    fee, asset = _fee(row, contract, where)
    return Fill(
        symbol=contract.instrument.symbol,
        order_id=order_id,
        trade_id=_id(row, "trade_id" if "trade_id" in row else "id", where),
        client_id=client_id(row.get("text"), order_id),
        side=side,
        price=_fill_price(contract.instrument, row, side, where, by_decree=role == "taker"),
        quantity=abs(size),
        fee=fee,
        fee_asset=asset,
        is_maker=role == "maker",
        venue_ms=venue_ms(row, where),
    )


def client_id(text: Any, order_id: str) -> str:
    """Return the client id of an order's text: ours, a decree's, or who placed it with the order's own number."""
    if not isinstance(text, str) or not text or text == "-":
        return f"unnamed-{order_id}"
    if text.startswith(TEXT_PREFIX):
        return text.removeprefix(TEXT_PREFIX)
    prefix = next((prefix for word, prefix in DECREES.items() if text.startswith(word)), f"{text}-")
    return f"{prefix}{order_id}"[: wire.SHOWN_MAX]


def venue_ms(row: wire.Row, where: str) -> int:
    """Return when it last changed: the venue tells seconds, fractions of them, or milliseconds."""
    for key in TIMES:
        if row.get(key):
            told = wire.decimal(row, key, where)
            return int(told if told > MILLISECONDS_FROM else told * 1000)
    raise BadReply(f"{where}: no time")


def order_price(instrument: Instrument, row: wire.Row, key: str, where: str) -> int:
    """Return an order's price in ticks, rounded down: a foreign one may be older than the tick. 0 is at market."""
    price = wire.decimal(row, key, where)
    if price < 0:
        raise BadReply(f"{where}.{key}: expected 0 or more, got {price}")
    try:
        return instrument.ticks_floor(price)
    except InvalidOperation:
        raise BadReply(f"{where}.{key}: {price} is too large to count") from None


def _status(row: wire.Row, quantity: int, filled: int) -> OrderStatus:
    word = wire.text(row, "status", "order")
    if word == "open":
        return OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.NEW
    if word != "finished":
        raise BadReply(f"order.status: unknown order status {wire.shown(word)}")
    if quantity and filled == quantity:
        return OrderStatus.FILLED
    return ENDS.get(wire.text(row, "finish_as", "order"), OrderStatus.EXPIRED)


def _closes(row: wire.Row, where: str) -> bool:
    return wire.flag(row, "is_reduce_only", where) or row.get("is_close") is True


def _fee(row: wire.Row, contract: Contract, where: str) -> tuple[Decimal, str]:
    """Return the fee and its asset: points, where the account pays in them."""
    fee = wire.decimal(row, "fee", where)
    points = wire.decimal(row, "point_fee", where) if row.get("point_fee") else Decimal(0)
    return (points, POINTS) if points and not fee else (fee, contract.instrument.quote)


def _fill_price(instrument: Instrument, row: wire.Row, side: Side, where: str, *, by_decree: bool) -> int:
    """Return a trade's price in ticks; `by_decree`: the venue may have traded itself, off the tick, against us."""
    price = wire.decimal(row, "price", where)
    try:
        found = instrument.ticks(price)
    except InvalidOperation:
        raise BadReply(f"{where}.price: {price} is too large to count") from None
    except OffGrid as error:
        if not by_decree:
            raise BadReply(f"{where}.price: {error}") from None
        found = instrument.ticks_floor(price) if side is Side.SELL else instrument.ticks_ceil(price)
    if found <= 0:
        raise BadReply(f"{where}.price: a trade at {price}")
    return found


def _id(row: wire.Row, key: str, where: str) -> str:
    return str(wire.integer(row, key, where))
