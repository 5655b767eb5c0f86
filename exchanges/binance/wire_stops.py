"""Conditional orders, from replies, lists and the private stream: the venue keeps them apart from its orders."""

from __future__ import annotations

from typing import Any

from exchanges import wire
from exchanges.binance.wire_orders import order_price, side
from exchanges.errors import BadReply
from grid.stop import StopReport, StopStatus

STATUSES = {
    "NEW": StopStatus.WAITING,
    "TRIGGERING": StopStatus.TRIGGERED,
    "TRIGGERED": StopStatus.TRIGGERED,
    "FINISHED": StopStatus.TRIGGERED,
    "REJECTED": StopStatus.FAILED,
    "CANCELED": StopStatus.ENDED,
    "EXPIRED": StopStatus.ENDED,
}


def report(row: wire.Row, instruments: wire.Instruments) -> StopReport:
    """Return a conditional order of a reply or a list."""
    where = "algoOrder"
    instrument = wire.instrument_of(instruments, row, "symbol", where)
    return StopReport(
        symbol=instrument.symbol,
        client_id=wire.text(row, "clientAlgoId", where),
        algo_id=str(wire.integer(row, "algoId", where)),
        side=side(row, "side", where),
        status=_status(row, "algoStatus", where),
        trigger=order_price(instrument, row, "triggerPrice", where),
        closes_position=wire.flag(row, "closePosition", where),
        # an acknowledgement has none
        order_id=_order_id(row.get("actualOrderId")),
    )


def reports(message: Any, instruments: wire.Instruments) -> list[StopReport]:
    """Return every conditional order of a list; one that can't be read spoils the list."""
    rows = wire.sequence(message, "openAlgoOrders")
    return [report(wire.mapping(row, "openAlgoOrders"), instruments) for row in rows]


def update(message: wire.Row, instruments: wire.Instruments) -> StopReport:
    """Return an ALGO_UPDATE."""
    where = "ALGO_UPDATE.o"
    row = wire.mapping(message.get("o"), where)
    instrument = wire.instrument_of(instruments, row, "s", where)
    return StopReport(
        symbol=instrument.symbol,
        client_id=wire.text(row, "caid", where),
        algo_id=str(wire.integer(row, "aid", where)),
        side=side(row, "S", where),
        status=_status(row, "X", where),
        trigger=order_price(instrument, row, "tp", where),
        closes_position=wire.flag(row, "cp", where),
        order_id=_order_id(row.get("ai")),
        reason=str(row.get("rm", "")),
    )


def _status(row: wire.Row, key: str, where: str) -> StopStatus:
    value = wire.text(row, key, where)
    if value not in STATUSES:
        raise BadReply(f"{where}.{key}: unknown status {value!r} of a conditional order")
    return STATUSES[value]


def _order_id(value: object) -> str:
    """Return the id of the order that it became; the venue says "" or 0 before."""
    return str(value) if value not in (None, "", "0", 0) else ""
