"""Two channels of one account: orders tell what is filled, trades its price and fee; together an update. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace

from grid.order import Fill, OrderReport, OrderStatus, OrderUpdate

WAIT_NS = 1_000_000_000
"""How long one channel may be behind the other before what is there is told alone."""
ORDERS_MAX = 5_000


@dataclass(slots=True)
class _Order:
    report: OrderReport | None = None
    traded: int = 0
    """Steps of the trades that were told."""
    trades: set[str] = field(default_factory=set)
    waiting: deque[Fill] = field(default_factory=deque)
    is_held: bool = False
    since_ns: int = 0


class FillJoiner:
    """Puts trades to the orders that they are of. Nothing is held for longer than `WAIT_NS`.

    An order that tells more than its trades is told alone in the end: the desk reads what is missing. A trade of an
    order that was never told comes back from `overdue`, for its order to be read.
    """

    def __init__(self) -> None:
        self._orders: OrderedDict[str, _Order] = OrderedDict()

    def order(self, report: OrderReport, now_ns: int) -> list[OrderUpdate]:
        """Take a state of an order; return what can be told."""
        known = self._of(report.order_id)
        is_old = known.report is not None and known.report.filled > report.filled
        if not is_old:
            known.report = report
        if is_old or report.filled <= known.traded:
            return [OrderUpdate(report=report)]
        if not known.is_held:
            known.is_held, known.since_ns = True, now_ns
        return self._paired(known)

    def trade(self, fill: Fill, now_ns: int) -> list[OrderUpdate]:
        """Take a trade; return what can be told. One that comes twice is told once."""
        known = self._of(fill.order_id)
        if fill.trade_id in known.trades:
            return []
        known.trades.add(fill.trade_id)
        if not known.waiting and not known.is_held:
            known.since_ns = now_ns
        known.waiting.append(fill)
        return self._paired(known)

    def overdue(self, now_ns: int) -> tuple[list[OrderUpdate], list[Fill]]:
        """Return what has waited long enough: updates, and trades whose order is not known."""
        updates: list[OrderUpdate] = []
        strangers: list[Fill] = []
        for known in self._orders.values():
            if not (known.is_held or known.waiting) or now_ns - known.since_ns < WAIT_NS:
                continue
            if known.report is None:
                strangers.extend(known.waiting)
                known.since_ns = now_ns
                continue
            if known.is_held:
                known.is_held = False
                updates.append(OrderUpdate(report=known.report))
            while known.waiting:
                updates.append(_with_more(known, known.waiting.popleft()))
        return updates, strangers

    def _of(self, order_id: str) -> _Order:
        known = self._orders.get(order_id)
        if known is None:
            known = self._orders[order_id] = _Order()
            if len(self._orders) > ORDERS_MAX:
                self._orders.popitem(last=False)
        self._orders.move_to_end(order_id)
        return known

    def _paired(self, known: _Order) -> list[OrderUpdate]:
        report, updates = known.report, list[OrderUpdate]()
        while report is not None and known.waiting and known.traded + known.waiting[0].quantity <= report.filled:
            fill = known.waiting.popleft()
            known.traded += fill.quantity
            if known.traded == report.filled:
                known.is_held = False
                updates.append(OrderUpdate(report=report, fill=fill))
            else:
                part = replace(report, status=OrderStatus.PARTIALLY_FILLED, filled=known.traded, expiry_reason="")
                updates.append(OrderUpdate(report=part, fill=fill))
        return updates


def _with_more(known: _Order, fill: Fill) -> OrderUpdate:
    """Return the order as a trade beyond what it told makes it."""
    assert known.report is not None
    known.traded += fill.quantity
    filled = max(known.traded, known.report.filled)
    status = known.report.status
    if not status.is_terminal:
        status = OrderStatus.FILLED if filled >= known.report.quantity else OrderStatus.PARTIALLY_FILLED
    known.report = replace(known.report, status=status, filled=filled, venue_ms=fill.venue_ms)
    return OrderUpdate(report=known.report, fill=fill)
