"""The accounts' own channels: orders, positions, balances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from exchanges.sim.okx import render
from exchanges.sim.okx.hub import Session
from exchanges.sim.server.text import plain
from exchanges.sim.venue_events import AccountEvent, OrderEvent, VenueEvent

if TYPE_CHECKING:
    from exchanges.sim.okx.venue import OkxVenue


class PrivateStreams:
    """Sends each account its events in the venue's order."""

    def __init__(self, venue: OkxVenue) -> None:
        self._venue = venue

    def send(self, events: Sequence[VenueEvent]) -> None:
        for event in events:
            if isinstance(event, OrderEvent):
                self._send_order(event)
            elif isinstance(event, AccountEvent):
                self._send_account(event)

    def greet(self, session: Session, channel: str) -> None:
        """Send what a channel begins with: a snapshot of what is held; of orders there is none."""
        if channel == "positions":
            held = self._venue.engine.read.positions(session.account)
            rows = [render.position(self._venue.swaps.of_symbol(one.symbol), one) for one in held if one.quantity]
            self._publish(session.account, "positions", "", rows, only=session)
        elif channel == "account":
            self._publish(session.account, "account", "", [self._balances(session.account)], only=session)

    def _send_order(self, event: OrderEvent) -> None:
        venue, order = self._venue, event.order
        venue.private_sent["orders"] += 1
        swap = venue.swaps.of_symbol(order.symbol)
        fills = venue.engine.read.user_trades(event.account, order.symbol, order_id=order.order_id, limit=10_000)
        so_far = [fill for fill in fills if event.fill is None or fill.trade_id <= event.fill.trade_id]
        row = render.order_event(swap, order, venue.mode(event.account, order.symbol), event.fill, so_far)
        self._publish(event.account, "orders", order.symbol, [row], client_id=order.client_id)

    def _send_account(self, event: AccountEvent) -> None:
        venue = self._venue
        for held in event.positions:
            venue.private_sent["positions"] += 1
            row = render.position(venue.swaps.of_symbol(held.symbol), held)
            self._publish(event.account, "positions", held.symbol, [row])
        self._publish(event.account, "account", "", [self._balances(event.account)])

    def _balances(self, account: str) -> dict[str, Any]:
        view = self._venue.engine.read.account(account)
        details = [
            {
                "ccy": asset.asset,
                "cashBal": plain(asset.wallet),
                "eq": plain(asset.margin_balance),
                "availEq": plain(asset.available),
                "availBal": plain(asset.available),
                "frozenBal": plain(asset.initial_margin),
                "upl": plain(asset.unrealised),
                "uTime": str(view.time_ms),
            }
            for asset in view.assets
        ]
        return {"uTime": str(view.time_ms), "totalEq": plain(view.assets[0].margin_balance), "details": details}

    def _publish(
        self,
        account: str,
        channel: str,
        symbol: str,
        rows: list[Any],
        *,
        client_id: str = "",
        only: Session | None = None,
    ) -> None:
        hub = self._venue.hub
        inst_id = self._venue.swaps.of_symbol(symbol).inst_id if symbol else ""
        for key in dict.fromkeys(("SWAP", "ANY", inst_id, "")):
            hub.publish((channel, key), rows, symbol=symbol, account=account, client_id=client_id, only=only)
