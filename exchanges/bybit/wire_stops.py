"""Conditional orders: at this venue orders like others, told apart by what triggers them."""

from __future__ import annotations

from exchanges import wire
from exchanges.bybit.wire_orders import client_id, order_price, side
from exchanges.errors import BadReply
from grid.stop import StopReport, StopStatus

NO_STOP = ("", "UNKNOWN")
STATUSES = {
    "Untriggered": StopStatus.WAITING,
    "Triggered": StopStatus.TRIGGERED,
    "New": StopStatus.TRIGGERED,
    "PartiallyFilled": StopStatus.TRIGGERED,
    "PartiallyFilledCanceled": StopStatus.TRIGGERED,
    "Filled": StopStatus.TRIGGERED,
    "Deactivated": StopStatus.ENDED,
    "Rejected": StopStatus.FAILED,
}


def is_stop(row: wire.Row) -> bool:
    """Whether an order is, or began as, a conditional one."""
    return row.get("stopOrderType", "") not in NO_STOP


def is_waiting(row: wire.Row) -> bool:
    """Whether a conditional order has not become an order yet, and if it ended, ended as one."""
    return is_stop(row) and row.get("orderStatus") in ("Untriggered", "Triggered", "Deactivated", "Rejected")


def report(row: wire.Row, instruments: wire.Instruments) -> StopReport:
    """Return a conditional order. It keeps its id when it triggers.

    One that was cancelled after its price came (no position was left, no margin) has failed; the venue tells it apart
    from one that was taken away while it waited, which is `Deactivated`.
    """
    where = "order"
    instrument = wire.instrument_of(instruments, row, "symbol", where)
    order_id, told = wire.text(row, "orderId", where), _status(row)
    return StopReport(
        symbol=instrument.symbol,
        client_id=client_id(row, where),
        algo_id=order_id,
        side=side(row, "side", where),
        status=told,
        trigger=order_price(instrument, row, "triggerPrice", where),
        closes_position=wire.flag(row, "closeOnTrigger", where),
        order_id=order_id if told is StopStatus.TRIGGERED else "",
        reason=str(row.get("rejectReason", "")) if told is StopStatus.FAILED else "",
    )


def _status(row: wire.Row) -> StopStatus:
    value = wire.text(row, "orderStatus", "order")
    if value == "Cancelled":
        traded = wire.decimal(row, "cumExecQty", "order")
        return StopStatus.TRIGGERED if traded else StopStatus.ENDED
    if value not in STATUSES:
        raise BadReply(f"order.orderStatus: unknown status {wire.shown(value)} of a conditional order")
    return STATUSES[value]
