"""The accounts' channels: orders, which tell no fee; trades, which do; positions, which follow both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from exchanges.sim.gate import render
from exchanges.sim.orders import Execution, Fill
from exchanges.sim.refusal import Refused
from exchanges.sim.venue_events import AccountEvent, LeverageEvent, OrderEvent, VenueEvent

if TYPE_CHECKING:
    from exchanges.sim.gate.venue import GateVenue

ORDERS, TRADES, POSITIONS = "futures.orders", "futures.usertrades", "futures.positions"
CHANNELS = (ORDERS, TRADES, POSITIONS)


class PrivateStreams:
    """Sends each account its events in the order in which they happened."""

    def __init__(self, venue: GateVenue) -> None:
        self._venue = venue

    def send(self, events: Sequence[VenueEvent]) -> None:
        for event in events:
            match event:
                case OrderEvent():
                    self._send_order(event)
                case AccountEvent():
                    for held in event.positions:
                        self._send_position(event.account, held.symbol, event.time_ms)
                case LeverageEvent():
                    self._send_position(event.account, event.symbol, event.time_ms)
                case _:
                    pass

    def client_id(self, account: str, fill: Fill) -> str:
        """Return the client id of the order that a fill is of."""
        try:
            found = self._venue.engine.read.order(account, fill.symbol, fill.time_ms, order_id=fill.order_id)
        except Refused:
            return ""
        return found.client_id

    def _send_order(self, event: OrderEvent) -> None:
        venue, view = self._venue, event.order
        contract = venue.contract(view.symbol)
        is_new = event.execution is Execution.NEW
        told = render.order_event(contract, view, venue.user(event.account), is_new=is_new)
        self._publish(ORDERS, event.account, told, view.symbol, view.client_id)
        if event.fill is not None:
            trade = render.trade_event(contract, event.fill, view.client_id)
            self._publish(TRADES, event.account, trade, view.symbol, view.client_id)

    def _send_position(self, account: str, symbol: str, time_ms: int) -> None:
        venue = self._venue
        held = venue.engine.read.position(account, symbol)
        told = render.position_event(venue.contract(symbol), held, venue.user(account), time_ms)
        self._publish(POSITIONS, account, told, symbol)

    def _publish(self, channel: str, account: str, row: Any, symbol: str, client_id: str = "") -> None:
        self._venue.private_sent[channel] += 1
        self._venue.hub.publish_private(channel, account, [row], symbol=symbol, client_id=client_id)
