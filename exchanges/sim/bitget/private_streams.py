"""What accounts are told: orders with their fills, and always all positions that hold something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from exchanges.sim.bitget import render_account, render_orders
from exchanges.sim.venue_events import AccountEvent, LeverageEvent, OrderEvent, VenueEvent

if TYPE_CHECKING:
    from exchanges.sim.bitget.venue import BitgetVenue

CHANNELS = ("orders", "positions", "account", "fill", "orders-algo")


class PrivateStreams:
    """Sends each account its events. A position that is closed is told by its absence.

    With `account_update_first` the positions come before the order that caused them: the venue promises no order
    between its channels.
    """

    def __init__(self, venue: BitgetVenue) -> None:
        self._venue = venue

    def send(self, events: Sequence[VenueEvent]) -> None:
        ordered = list(events)
        if self._venue.behaviour.account_update_first:
            ordered.sort(key=lambda event: not isinstance(event, AccountEvent))
        for event in ordered:
            match event:
                case OrderEvent():
                    self._send_order(event)
                case AccountEvent():
                    self._send_account(event)
                case LeverageEvent():
                    self._send_positions(event.account, event.symbol)

    def positions(self, account: str) -> list[dict[str, Any]]:
        """Return every position of an account that holds something."""
        return [
            render_account.position(held, self._venue.instrument(held.symbol), is_streamed=True)
            for held in self._venue.engine.read.positions(account)
            if held.quantity
        ]

    def _send_order(self, event: OrderEvent) -> None:
        order, held = event.order, self._venue.instrument(event.order.symbol)
        leverage = self._venue.engine.read.position(event.account, order.symbol).leverage
        row = render_orders.order_event(held, order, event.fill, leverage=leverage)
        hub = self._venue.hub
        hub.publish_private("orders", event.account, [row], symbol=order.symbol, client_id=order.client_id)
        if event.fill is not None:
            fill = render_orders.fill_row(held, event.fill, order)
            told = {**fill, "clientOid": render_orders.client_oid(order), "orderType": row["orderType"]}
            hub.publish_private("fill", event.account, [told], symbol=order.symbol, client_id=order.client_id)

    def _send_account(self, event: AccountEvent) -> None:
        if event.positions:
            symbol = event.positions[0].symbol if len(event.positions) == 1 else ""
            self._send_positions(event.account, symbol)
        row = render_account.account(self._venue.engine.read.account(event.account), None)
        self._venue.hub.publish_private("account", event.account, [row])

    def _send_positions(self, account: str, symbol: str) -> None:
        self._venue.hub.publish_private("positions", account, self.positions(account), symbol=symbol)
