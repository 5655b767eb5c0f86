"""What this process knows of its own orders beyond the venue's word: their ids there, and which cancels were asked."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from exchanges import wire
from exchanges.generic import wire_orders
from exchanges.generic.contracts import Contracts
from grid.order import OrderReport, OrderStatus

KEPT = 20_000
POST_ONLY_MS = 2_000
"""A post-only order that ends unfilled so soon after it was made, and not by us, would have taken."""


class OurOrders:
    """Bounded memory; whatever is forgotten is found again in the venue's lists."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._order_ids: OrderedDict[str, str] = OrderedDict()
        self._cancelled: OrderedDict[str, None] = OrderedDict()

    def placed(self, client_id: str, order_id: str) -> None:
        """Remember an order that the venue acknowledged."""
        self._order_ids[client_id] = order_id
        while len(self._order_ids) > KEPT:
            self._order_ids.popitem(last=False)

    def cancelling(self, client_id: str) -> None:
        """Remember that we asked for its cancel."""
        self._cancelled[client_id] = None
        while len(self._cancelled) > KEPT:
            self._cancelled.popitem(last=False)

    def order_id(self, client_id: str) -> str:
        """Return the venue's id of an order of ours, or an empty text."""
        return self._order_ids.get(client_id, "")

    def report(self, row: wire.Row, contracts: Contracts) -> OrderReport:
        """Return an order as the venue tells it, with the reason of its end where only we can know it."""
        told = wire_orders.report(row, contracts, self._prefix)
        if not told.client_id.startswith(wire_orders.NAMELESS):
            self.placed(told.client_id, told.order_id)
        made_ms = wire_orders.made_ms(row)
        is_sudden = told.status is OrderStatus.CANCELED and not told.filled and told.client_id not in self._cancelled
        is_passive = row.get("postOnly") is True or row.get("timeInForce") == "PO"
        if is_sudden and is_passive and made_ms and told.venue_ms - made_ms <= POST_ONLY_MS:
            return replace(told, status=OrderStatus.EXPIRED, expiry_reason="post_only")
        return told
