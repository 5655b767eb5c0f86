"""Conditional orders, from the lists in which the venue keeps them apart from its orders."""

from __future__ import annotations

from typing import Any

from exchanges import wire
from exchanges.okx.contracts import Contracts
from exchanges.okx.wire_orders import NAMELESS, side
from exchanges.okx.wire_rules import rows
from grid.stop import StopReport, StopStatus

KINDS = ("conditional,oco", "trigger", "move_order_stop", "iceberg", "twap", "chase")
"""The venue lists one kind at a time, but for the two that it lists together."""


def reports(reply: Any, contracts: Contracts) -> list[StopReport]:
    """Return every waiting conditional order of a list on instruments that are traded here."""
    return [report(row, contracts) for row in rows(reply, "orders-algo") if row.get("instId") not in contracts.others]


def report(row: wire.Row, contracts: Contracts) -> StopReport:
    """Return one waiting conditional order. Its trigger is 0 where it has none (a chase, a split order)."""
    where = "orders-algo"
    contract = contracts.of_row(row, where)
    algo_id = wire.text(row, "algoId", where)
    told = next((key for key in ("slTriggerPx", "tpTriggerPx", "triggerPx") if row.get(key)), None)
    return StopReport(
        symbol=contract.symbol,
        client_id=str(row.get("algoClOrdId") or f"{NAMELESS}{algo_id}"),
        algo_id=algo_id,
        side=side(row, where),
        status=StopStatus.WAITING,
        trigger=contract.instrument.ticks_floor(wire.decimal(row, told, where)) if told else 0,
        closes_position=row.get("closeFraction") == "1",
        order_id=str(row.get("ordId") or ""),
    )
