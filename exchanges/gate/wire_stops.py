"""Conditional orders of the account: none is ours, since none can carry an id of ours. Read to be seen."""

from __future__ import annotations

from typing import Any

from exchanges import wire
from exchanges.gate.contracts import Contracts, contract_of, steps_of
from exchanges.gate.wire_orders import client_id, order_price
from grid.order import Side
from grid.stop import StopReport, StopStatus

FALLS = 2
"""`rule` of a trigger that waits for a price at or below its own."""


def reports(message: Any, contracts: Contracts) -> list[StopReport]:
    """Return every conditional order of a list; one that can't be read spoils the list."""
    rows = wire.sequence(message, "price_orders")
    return [_report(wire.mapping(row, "price_orders"), contracts) for row in rows]


def _report(row: wire.Row, contracts: Contracts) -> StopReport:
    where = "price_orders"
    initial, trigger = wire.mapping(row.get("initial"), where), wire.mapping(row.get("trigger"), where)
    contract = contract_of(contracts, initial, "contract", where)
    number = str(wire.integer(row, "id", where))
    size = steps_of(contract, initial, "size", where)
    is_sell = size < 0 if size else wire.integer(trigger, "rule", where) == FALLS
    return StopReport(
        symbol=contract.instrument.symbol,
        client_id=client_id(initial.get("text"), number),
        algo_id=number,
        side=Side.SELL if is_sell else Side.BUY,
        status=StopStatus.WAITING,
        trigger=order_price(contract.instrument, trigger, "price", where),
        closes_position=initial.get("is_close") is True or initial.get("close") is True,
    )
