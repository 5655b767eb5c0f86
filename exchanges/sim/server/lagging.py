"""Reads of an account as a client gets them: late, stale or empty where a fault says so."""

from __future__ import annotations

from exchanges.sim.orders import OrderView
from exchanges.sim.refusal import Reason, Refused
from exchanges.sim.server.core import VenueCore
from exchanges.sim.server.faults import FaultKind, Subject
from exchanges.sim.views import PositionView


def order(venue: VenueCore, found: OrderView, subject: Subject) -> OrderView:
    """Return an order as it is shown; raises `Refused` where it is not there yet."""
    shown: OrderView | None = found if venue.is_visible(found) else None
    stale = venue.strike(FaultKind.STALE_READ, subject)
    if shown is not None and stale:
        shown = venue.past.order_at(found, venue.now_ms() - stale.delay_ms)
    if shown is None:
        raise Refused(Reason.ORDER_ABSENT)
    return shown


def open_orders(venue: VenueCore, account: str, symbol: str | None, subject: Subject) -> list[OrderView]:
    """Return the open orders of a symbol, or of all, the newest first."""
    if venue.strike(FaultKind.EMPTY_OPEN_ORDERS, subject):
        return []
    stale = venue.strike(FaultKind.STALE_READ, subject)
    if stale:
        found = venue.past.open_orders_at(account, symbol, venue.now_ms() - stale.delay_ms)
    else:
        found = venue.engine.read.open_orders(account, symbol)
    return sorted((one for one in found if venue.is_visible(one)), key=lambda one: -one.order_id)


def positions(venue: VenueCore, account: str, symbol: str | None, subject: Subject) -> list[PositionView]:
    """Return the positions that hold something."""
    if venue.strike(FaultKind.EMPTY_POSITIONS, subject):
        return []
    read = venue.engine.read
    found = read.positions(account, symbol)
    stale = venue.strike(FaultKind.STALE_READ, subject)
    if stale:
        found = venue.past.positions_at(read.account(account), venue.now_ms() - stale.delay_ms, found)
    return [held for held in found if held.quantity]
