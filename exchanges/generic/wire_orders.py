"""Orders and trades as ccxt unifies them, in ticks and steps."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from exchanges import wire
from exchanges.errors import BadReply
from exchanges.generic.contracts import Contract, Contracts
from grid.instrument import OffGrid
from grid.order import Fill, OrderReport, OrderStatus, Side
from grid.stop import StopReport, StopStatus

NAMELESS = "nameless-"
"""Begins the id of an order that was sent without one: no client id has a hyphen here."""
ENDED = {"canceled": OrderStatus.CANCELED, "expired": OrderStatus.EXPIRED, "rejected": OrderStatus.REJECTED}
TRIGGERS = ("triggerPrice", "stopPrice", "stopLossPrice", "takeProfitPrice")
ALIVE = ("open", "closed", "canceling")


def rows(value: Any, where: str) -> list[wire.Row]:
    """Return a list of unified rows."""
    return [wire.mapping(row, where) for row in wire.sequence(value, where)]


def is_conditional(row: wire.Row) -> bool:
    """Whether an order waits for a price; some venues list those among the others."""
    return any(row.get(price) not in (None, "", "0", 0) for price in TRIGGERS)


def report(row: wire.Row, contracts: Contracts, prefix: str = "") -> OrderReport:
    """Return one order; `prefix` is what the venue puts before client ids."""
    where = "order"
    contract = contracts.of_row(row, where)
    quantity = contract.amount(_needed(row, "amount", where), f"{where}.amount")
    filled = contract.amount(row.get("filled") or 0, f"{where}.filled")
    order_id = _needed_text(row, "id", where)
    return OrderReport(
        symbol=contract.symbol,
        order_id=order_id,
        client_id=client_id(row, order_id, prefix),
        side=side(row, where),
        status=_status(row, quantity, filled, where),
        price=_order_price(contract, row, where),
        quantity=quantity,
        filled=filled,
        closing=row.get("reduceOnly") is True,
        venue_ms=_time(row, where),
    )


def made_ms(row: wire.Row) -> int:
    """Return when an order was made, 0 where the venue does not say."""
    return int(row.get("timestamp") or 0)


def trade(row: wire.Row, contracts: Contracts) -> Fill | None:
    """Return one fill of the account, or None where its fee is not told: its trade is read then."""
    where = "trade"
    contract = contracts.of_row(row, where)
    fee = row.get("fee") or {}
    if not isinstance(fee, dict) or fee.get("cost") is None:
        return None
    way = side(row, where)
    return Fill(
        symbol=contract.symbol,
        order_id=_needed_text(row, "order", where),
        trade_id=_needed_text(row, "id", where),
        client_id="",
        side=way,
        price=_fill_price(contract, row, way, where),
        quantity=_positive(contract.steps(_needed(row, "amount", where), f"{where}.amount"), "amount", where),
        fee=wire.exact(fee["cost"], f"{where}.fee.cost"),
        fee_asset=str(fee.get("currency") or contract.instrument.quote),
        is_maker=row.get("takerOrMaker") == "maker",
        venue_ms=wire.integer(row, "timestamp", where),
    )


def client_id(row: wire.Row, order_id: str, prefix: str) -> str:
    """Return the client id as we sent it; for an order without one a name that says whose it is."""
    told = row.get("clientOrderId")
    return str(told).removeprefix(prefix) if told else f"{NAMELESS}{order_id}"


def side(row: wire.Row, where: str) -> Side:
    """Return which way it trades."""
    value = wire.text(row, "side", where)
    if value not in ("buy", "sell"):
        raise BadReply(f"{where}.side: expected buy or sell, got {value!r}")
    return Side(value.upper())


def _status(row: wire.Row, quantity: int, filled: int, where: str) -> OrderStatus:
    state = row.get("status")
    if state in ENDED:
        return ENDED[state]
    if state not in ALIVE:
        raise BadReply(f"{where}.status: unknown state {wire.shown(state)} of an order")
    if filled >= quantity:
        return OrderStatus.FILLED
    if state == "closed":
        return OrderStatus.CANCELED
    return OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.NEW


def _order_price(contract: Contract, row: wire.Row, where: str) -> int:
    """Return the price in ticks, rounded down; 0 at market. A foreign order may stand between two ticks."""
    if row.get("price") is None:
        return 0
    price = wire.decimal(row, "price", where)
    if price < 0:
        raise BadReply(f"{where}.price: expected 0 or more, got {price}")
    try:
        return contract.instrument.ticks_floor(price)
    except InvalidOperation:
        raise BadReply(f"{where}.price: {price} is too large to count") from None


def _fill_price(contract: Contract, row: wire.Row, way: Side, where: str) -> int:
    """Return a trade's price; one between two ticks, as liquidations have, is rounded against us."""
    price: Decimal = wire.decimal(row, "price", where)
    instrument = contract.instrument
    try:
        return _positive(instrument.ticks(price), "price", where)
    except InvalidOperation:
        raise BadReply(f"{where}.price: {price} is too large to count") from None
    except OffGrid:
        rounded = instrument.ticks_floor(price) if way is Side.SELL else instrument.ticks_ceil(price)
        return _positive(rounded, "price", where)


def _time(row: wire.Row, where: str) -> int:
    for key in ("lastUpdateTimestamp", "lastTradeTimestamp", "timestamp"):
        if row.get(key) is not None:
            return wire.integer(row, key, where)
    return 0


def _needed(row: wire.Row, key: str, where: str) -> Any:
    found = row.get(key)
    if found is None:
        raise BadReply(f"{where}.{key}: missing")
    return found


def _needed_text(row: wire.Row, key: str, where: str) -> str:
    found = str(_needed(row, key, where))
    if not found or len(found) > wire.TEXT_LENGTH_MAX:
        raise BadReply(f"{where}.{key}: expected an id, got {wire.shown(found)}")
    return found


def _positive(found: int, key: str, where: str) -> int:
    """A trade of nothing, or for nothing, is a wrong message: booked, it would move the lot the wrong way."""
    if found <= 0:
        raise BadReply(f"{where}.{key}: a trade of {found}")
    return found


def stop(row: wire.Row, contracts: Contracts, prefix: str) -> StopReport:
    """Return one waiting conditional order."""
    where = "conditional order"
    contract = contracts.of_row(row, where)
    algo_id = _needed_text(row, "id", where)
    trigger = next((row[key] for key in TRIGGERS if row.get(key) not in (None, "", "0", 0)), 0)
    return StopReport(
        symbol=contract.symbol,
        client_id=client_id(row, algo_id, prefix),
        algo_id=algo_id,
        side=side(row, where),
        status=StopStatus.WAITING,
        trigger=contract.instrument.ticks_floor(wire.exact(trigger, f"{where}.trigger")),
        closes_position=False,
    )
