"""What accounts are told: executions, orders, positions, wallets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from exchanges.sim.algo_orders import AlgoStatus
from exchanges.sim.bybit import render_account, render_orders
from exchanges.sim.venue_events import AccountEvent, AlgoEvent, LeverageEvent, OrderEvent, VenueEvent
from exchanges.sim.views import PositionView

if TYPE_CHECKING:
    from exchanges.sim.bybit.venue import BybitVenue

SILENT = (AlgoStatus.TRIGGERING, AlgoStatus.FINISHED)
"""States of the engine for which the venue has no event of their own."""


class PrivateStreams:
    """Sends each account its events: an execution, then its order, then the position and the wallet.

    With `account_update_first` the position comes before the execution that caused it: the venue promises no order
    between its topics.
    """

    def __init__(self, venue: BybitVenue) -> None:
        self._venue = venue

    def send(self, events: Sequence[VenueEvent]) -> None:
        ordered = list(events)
        if self._venue.behaviour.account_update_first:
            ordered.sort(key=lambda event: not isinstance(event, AccountEvent))
        for event in ordered:
            match event:
                case OrderEvent():
                    self._send_order(event)
                case AlgoEvent() if event.algo.status not in SILENT:
                    self._send_algo(event)
                case AccountEvent():
                    self._send_account(event)
                case LeverageEvent():
                    held = self._venue.engine.read.position(event.account, event.symbol)
                    self._publish("position", event.account, [self._position(held)], symbol=event.symbol)

    def _send_order(self, event: OrderEvent) -> None:
        order = event.order
        instrument = self._venue.instrument(order.symbol)
        if event.fill is not None:
            row = render_orders.execution_row(instrument, event.fill, order, order.left)
            self._publish("execution", event.account, [row], symbol=order.symbol, client_id=order.client_id)
        row = {"category": "linear", **render_orders.order_row(instrument, order)}
        self._publish("order", event.account, [row], symbol=order.symbol, client_id=order.client_id)

    def _send_algo(self, event: AlgoEvent) -> None:
        algo = event.algo
        row = {"category": "linear", **render_orders.algo_row(self._venue.instrument(algo.symbol), algo)}
        self._publish("order", event.account, [row], symbol=algo.symbol, client_id=algo.client_id)

    def _send_account(self, event: AccountEvent) -> None:
        rows = [self._position(held) for held in event.positions]
        symbol = event.positions[0].symbol if len(event.positions) == 1 else ""
        if rows:
            self._publish("position", event.account, rows, symbol=symbol)
        if event.balances:
            wallet = render_account.wallet(self._venue.engine.read.account(event.account))
            self._publish("wallet", event.account, [wallet], symbol="")

    def _position(self, held: PositionView) -> dict[str, Any]:
        instrument = self._venue.instrument(held.symbol)
        return {"category": "linear", **render_account.position(instrument, held, entry_key="entryPrice")}

    def _publish(
        self, topic: str, account: str, rows: list[dict[str, Any]], *, symbol: str, client_id: str = ""
    ) -> None:
        self._venue.private_sent[topic] += 1
        sent_ms = self._venue.server_ms()
        self._venue.hub.publish_private(topic, account, rows, sent_ms=sent_ms, symbol=symbol, client_id=client_id)
