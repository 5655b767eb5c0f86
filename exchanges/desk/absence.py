"""Whether an order that once lived is really gone: one empty list and one "not found" prove nothing (rules 7 and 18).

An order that the venue gave an id is absent only after two look-ups apart, readings of open orders without it, and
its own trades. Until then its slot keeps it, and no second exit is sent for the lot.
"""

from __future__ import annotations

from dataclasses import dataclass

from exchanges.desk.commands import ReadOpenOrders, ReadTrades
from exchanges.desk.core import Core
from exchanges.desk.events import OpenOrdersRead
from grid.symbol_book import OrderEntry

APART_MS = 2_000
READINGS = 2
"""So many readings without it and without anything known; one that held something known suffices."""


@dataclass(slots=True)
class _Doubt:
    """What speaks against an order so far."""

    unfound_ms: int | None = None
    readings: int = 0
    is_proven: bool = False


class Absence:
    """Collects the proofs, by client id."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._doubts: dict[str, _Doubt] = {}

    def on_open_orders(self, read: OpenOrdersRead) -> None:
        """Count a reading against every order that it lacks, and for every one that it shows."""
        listed = {report.client_id for report in read.reports or ()}
        live = {order.client_id for order in self._core.book.live_orders()}
        weight = READINGS if listed & live else 1
        for client_id in [one for one in self._doubts if one in listed or one not in live]:
            del self._doubts[client_id]
        for order in self._core.book.live_orders():
            if order.order_id and order.client_id not in listed:
                self._doubts.setdefault(order.client_id, _Doubt()).readings += weight

    def on_unfound(self, order: OrderEntry, begun_ms: int) -> None:
        """Take a look-up that found nothing: ask for what is still lacking as a proof."""
        doubt = self._doubts.setdefault(order.client_id, _Doubt())
        if doubt.unfound_ms is None:
            doubt.unfound_ms = begun_ms
        if doubt.readings < READINGS:
            self._core.command(ReadOpenOrders())
        elif begun_ms - doubt.unfound_ms >= APART_MS:
            doubt.is_proven = True
            self._core.command(ReadTrades(symbol=order.symbol, since_ms=0, order_id=order.order_id))

    def is_proven(self, order: OrderEntry) -> bool:
        """Whether only its trades were lacking."""
        doubt = self._doubts.get(order.client_id)
        return doubt is not None and doubt.is_proven

    def forget(self, client_id: str) -> None:
        """The order is there, or over."""
        self._doubts.pop(client_id, None)
