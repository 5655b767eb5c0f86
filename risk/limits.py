"""Caps on inventory and orders, asked before each placement: who may rest, who makes room, and why one must wait."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from grid.reasons import Reason

VENUE_RESERVE = 5
"""Places under the venue's own limit that stay free, for orders placed by hand between two readings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestingOrder:
    """One live or possibly live order of ours on the symbol. `price` in ticks."""

    client_id: str
    price: int
    closing: bool
    is_cancelling: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolExposure:
    """What one symbol commits, in quote currency: lots at cost, entries (possibly live ones too) at their price."""

    lots_cost: Decimal
    entries_notional: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A symbol's part of the book at the moment of asking.

    `exits_waiting` counts exits that should rest and do not yet: an entry never takes their place. Quantities bought by
    part-filled entries count in `lots` and not again as a live entry, or the other way round, as the caller books them.
    """

    reference: int
    """Best bid (best ask for a short grid) in ticks: nearness is measured from it."""
    resting: Sequence[RestingOrder]
    lots: int
    max_lots: int
    order_cap: int
    account_notional: Decimal
    account_notional_max: Decimal
    exits_waiting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The order that wants to rest. `notional` in quote currency; it counts for entries only."""

    price: int
    closing: bool
    notional: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """It may be placed now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evict:
    """Cancel these entries, then ask again: the place is free only once they are verified gone."""

    client_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """It has to wait; `reason` in the specification's words, `text` with the figures."""

    reason: Reason
    text: str


Admission = Admitted | Evict | Idle


def order_cap(*, configured: int, venue_limit: int, foreign: int) -> int:
    """Return how many orders of ours may rest on a symbol: the venue counts those of others too."""
    return max(0, min(configured, venue_limit - foreign - VENUE_RESERVE))


def account_notional(symbols: Iterable[SymbolExposure]) -> Decimal:
    """Return what all symbols commit together."""
    return sum((symbol.lots_cost + symbol.entries_notional for symbol in symbols), Decimal(0))


def admit(candidate: Candidate, standing: Standing) -> Admission:
    """Answer one candidate.

    Exits are never refused for inventory or notional, and take the place of the farthest entries. Entries take nobody's
    place: a resting entry leaves by the window's own rule, not because a nearer one came.
    """
    return _admit_exit(standing) if candidate.closing else _admit_entry(candidate, standing)


def _admit_exit(standing: Standing) -> Admission:
    excess = len(standing.resting) + 1 - standing.order_cap
    if excess <= 0:
        return Admitted()
    leaving = sum(1 for order in standing.resting if order.is_cancelling)
    entries = [order for order in standing.resting if not order.closing and not order.is_cancelling]
    needed = excess - leaving
    if needed <= 0:
        return Idle(reason=Reason.ORDER_CAP, text=f"waiting for {leaving} cancels under a cap of {standing.order_cap}")
    if needed > len(entries):
        text = f"{len(standing.resting)} orders rest, the cap is {standing.order_cap}, no entry is left to make room"
        return Idle(reason=Reason.EXIT_DEFERRED, text=text)
    farthest = sorted(entries, key=lambda order: (-abs(order.price - standing.reference), order.client_id))
    return Evict(client_ids=tuple(order.client_id for order in farthest[:needed]))


def _admit_entry(candidate: Candidate, standing: Standing) -> Admission:
    entries = sum(1 for order in standing.resting if not order.closing)
    if standing.lots + entries >= standing.max_lots:
        text = f"{standing.lots} lots and {entries} live entries of max_lots {standing.max_lots}"
        return Idle(reason=Reason.MAX_LOTS, text=text)
    committed = standing.account_notional + candidate.notional
    if committed > standing.account_notional_max:
        text = f"{committed} would be committed, account.max_notional is {standing.account_notional_max}"
        return Idle(reason=Reason.MAX_NOTIONAL, text=text)
    counted = len(standing.resting) + standing.exits_waiting
    if counted >= standing.order_cap:
        text = f"{counted} orders rest or are exits that wait for a place, the cap is {standing.order_cap}"
        return Idle(reason=Reason.ORDER_CAP, text=text)
    return Admitted()
