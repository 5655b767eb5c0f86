"""Conditional orders of the account, which the venue keeps apart from its orders. We only read them."""

from __future__ import annotations

from exchanges import wire
from exchanges.bitget.wire_orders import order_price, side
from grid.stop import StopReport, StopStatus

CLOSING_WHOLE = ("pos_profit", "pos_loss")
KINDS = ("normal_plan", "track_plan", "profit_loss")
"""The lists in which the venue keeps them."""


def report(row: wire.Row, instruments: wire.Instruments) -> StopReport:
    """Return a conditional order that waits."""
    where = "orders-plan-pending"
    instrument = wire.instrument_of(instruments, row, "symbol", where)
    return StopReport(
        symbol=instrument.symbol,
        client_id=wire.text(row, "clientOid", where) if row.get("clientOid") else "",
        algo_id=wire.text(row, "orderId", where),
        side=side(row, "side", where),
        status=StopStatus.WAITING,
        trigger=order_price(instrument, row, "triggerPrice", where),
        closes_position=row.get("planType") in CLOSING_WHOLE,
    )
