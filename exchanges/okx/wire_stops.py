"""Conditional orders, which the venue keeps apart from its orders: from replies and lists, and as they trigger."""

from __future__ import annotations

from typing import Any

from exchanges import wire
from exchanges.errors import BadReply
from exchanges.okx.contracts import Contracts
from exchanges.okx.wire_orders import NAMELESS, side
from exchanges.okx.wire_rules import rows
from grid.stop import StopReport, StopStatus

KINDS = ("conditional,oco", "trigger", "move_order_stop", "smart_iceberg", "twap", "chase")
"""The venue lists one kind at a time, but for the two that it lists together."""
STATES = {
    "live": StopStatus.WAITING,
    "pause": StopStatus.WAITING,
    "effective": StopStatus.TRIGGERED,
    "partially_effective": StopStatus.TRIGGERED,
    "canceled": StopStatus.ENDED,
    "order_failed": StopStatus.FAILED,
    "partially_failed": StopStatus.FAILED,
}
WHOLE = "1"


def reports(reply: Any, contracts: Contracts) -> list[StopReport]:
    """Return every waiting conditional order of a list on instruments that are traded here."""
    return [report(row, contracts) for row in rows(reply, "orders-algo") if row.get("instId") not in contracts.others]


def report(row: wire.Row, contracts: Contracts) -> StopReport:
    """Return one conditional order. Its trigger is 0 where it has none (a chase, a split order)."""
    where = "order-algo"
    contract = contracts.of_row(row, where)
    algo_id = wire.text(row, "algoId", where)
    told = next((key for key in ("slTriggerPx", "tpTriggerPx", "triggerPx") if row.get(key)), None)
    status = _status(row, where)
    return StopReport(
        symbol=contract.symbol,
        client_id=str(row.get("algoClOrdId") or f"{NAMELESS}{algo_id}"),
        algo_id=algo_id,
        side=side(row, where),
        status=status,
        trigger=contract.instrument.ticks_floor(wire.decimal(row, told, where)) if told else 0,
        closes_position=row.get("closeFraction") == WHOLE,
        order_id=_order_id(row),
        reason=str(row.get("failCode") or "") if status is StopStatus.FAILED else "",
    )


def triggered(row: wire.Row, contracts: Contracts) -> StopReport | None:
    """Return the conditional order that an order came of; None for an order that was placed as such."""
    where = "orders"
    client_id = row.get("algoClOrdId")
    if not client_id:
        return None
    return StopReport(
        symbol=contracts.of_row(row, where).symbol,
        client_id=str(client_id),
        algo_id=str(row.get("algoId", "")),
        side=side(row, where),
        status=StopStatus.TRIGGERED,
        trigger=0,
        closes_position=True,
        order_id=wire.text(row, "ordId", where),
    )


def _status(row: wire.Row, where: str) -> StopStatus:
    state = wire.text(row, "state", where)
    if state not in STATES:
        raise BadReply(f"{where}.state: unknown state {wire.shown(state)} of a conditional order")
    return STATES[state]


def _order_id(row: wire.Row) -> str:
    """Return the order that it became, the first where there are several."""
    several = row.get("ordIdList")
    first = several[0] if isinstance(several, list) and several else row.get("ordId")
    return str(first or "")
