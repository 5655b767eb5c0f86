"""The accounts' private streams: events to frames, listen keys to connections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from exchanges.sim.binance import render_events as render
from exchanges.sim.venue_events import (
    AccountEvent,
    AlgoEvent,
    AlgoRejectEvent,
    LeverageEvent,
    MarginCallEvent,
    OrderEvent,
    VenueEvent,
)

if TYPE_CHECKING:
    from exchanges.sim.binance.venue import Venue


class PrivateStreams:
    """Sends each account its events in the venue's order, or with ACCOUNT_UPDATE first where that is switched on."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def send(self, events: Sequence[VenueEvent]) -> None:
        ordered = _account_updates_first(events) if self._venue.behaviour.account_update_first else events
        for event in ordered:
            for payload in self._payloads(event):
                self._publish(event, payload)

    def expire(self, account: str) -> None:
        """End the account's listen key now and say so to its connections."""
        held = self._venue.listen_keys.expire(account)
        if held is not None:
            self._say_expired(held.account, held.key)

    def sweep(self, now_ms: int) -> None:
        for held in self._venue.listen_keys.take_expired(now_ms):
            self._say_expired(held.account, held.key)

    def _say_expired(self, account: str, key: str) -> None:
        payload = render.listen_key_expired(key, sent_ms=self._venue.server_ms())
        self._venue.hub.publish_private(key, account, payload)
        self._venue.hub.forget_key(key)

    def _publish(self, event: VenueEvent, payload: dict[str, Any]) -> None:
        account = getattr(event, "account", "")
        name = payload["e"]
        self._venue.private_sent[name] += 1
        key = self._venue.listen_keys.key_of(account, self._venue.now_ms())
        if key is None:
            return
        order = event.order if isinstance(event, OrderEvent) else None
        self._venue.hub.publish_private(
            key,
            account,
            payload,
            symbol=_symbol_of(event),
            client_id=order.client_id if order else "",
        )

    def _payloads(self, event: VenueEvent) -> list[dict[str, Any]]:
        venue, sent_ms = self._venue, self._venue.server_ms()
        match event:
            case OrderEvent():
                instrument = venue.instrument(event.order.symbol)
                full = render.order_trade_update(instrument, event, sent_ms=sent_ms)
                short = render.trade_lite(instrument, event, sent_ms=sent_ms)
                return [short, full] if short else [full]
            case AccountEvent():
                return [render.account_update(venue.instruments(), event, sent_ms=sent_ms)]
            case LeverageEvent():
                return [render.account_config_update(event, sent_ms=sent_ms)]
            case MarginCallEvent():
                return [render.margin_call(venue.instruments(), event, sent_ms=sent_ms)]
            case AlgoEvent():
                return [render.algo_update(venue.instrument(event.algo.symbol), event, sent_ms=sent_ms)]
            case AlgoRejectEvent():
                return [render.trigger_reject(event, sent_ms=sent_ms)]
            case _:
                return []


def _symbol_of(event: VenueEvent) -> str:
    """Return the one symbol that an event is about; empty where it is about the account or several."""
    match event:
        case OrderEvent():
            return event.order.symbol
        case AlgoEvent():
            return event.algo.symbol
        case AccountEvent() if len(event.positions) == 1:
            return event.positions[0].symbol
        case LeverageEvent() | AlgoRejectEvent():
            return event.symbol
        case _:
            return ""


def _account_updates_first(events: Sequence[VenueEvent]) -> list[VenueEvent]:
    """Move each ACCOUNT_UPDATE before the order event that it follows."""
    ordered: list[VenueEvent] = []
    for event in events:
        if isinstance(event, AccountEvent) and ordered and isinstance(ordered[-1], OrderEvent):
            ordered.insert(len(ordered) - 1, event)
        else:
            ordered.append(event)
    return ordered
