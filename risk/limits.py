"""Caps on inventory and orders, asked before each placement: who may rest, who makes room, and why one must wait."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
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
    is_young: bool = False
    """It rests for less than `min_rest`, and makes room for nobody."""
    notional: Decimal = Decimal(0)
    """What an entry still commits, in quote currency."""


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

    reference: int | None
    """Best bid (best ask for a short grid) in ticks: nearness is measured from it. None: unknown, nothing is nearer."""
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
    """Cancel these, then ask again: the place is free only once they are verified gone."""

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

    Exits come before entries, and what is nearer to the price before what is farther (rule 9, trading rule 11). An exit
    is never refused for inventory or notional; it takes the place of the farthest entry, or of a farther exit where no
    entry is left. An entry takes the place of a farther entry. Nobody takes the place of a nearer order, so that two
    never chase each other.
    """
    return _admit_exit(candidate, standing) if candidate.closing else _admit_entry(candidate, standing)


def _admit_exit(candidate: Candidate, standing: Standing) -> Admission:
    excess = len(standing.resting) + 1 - standing.order_cap
    if excess <= 0:
        return Admitted()
    leaving = sum(1 for order in standing.resting if order.is_cancelling)
    needed = excess - leaving
    if needed <= 0:
        return Idle(reason=Reason.ORDER_CAP, text=f"waiting for {leaving} cancels under a cap of {standing.order_cap}")
    entries = [order for order in standing.resting if not order.closing and not order.is_cancelling]
    settled = [order for order in entries if not order.is_young]
    if needed <= len(settled):
        return _evict(settled, candidate.price if standing.reference is None else standing.reference, needed)
    if entries:
        text = f"{len(entries)} entries make room once they have rested long enough"
        return Idle(reason=Reason.ORDER_CAP, text=text)
    exits = [order for order in standing.resting if order.closing and not order.is_cancelling]
    farther = [order for order in exits if _is_nearer(candidate, order, standing.reference)]
    if standing.reference is not None and needed <= len(farther):
        return _evict(farther, standing.reference, needed)
    text = f"{len(standing.resting)} orders rest, the cap is {standing.order_cap}, no farther one is left to make room"
    return Idle(reason=Reason.EXIT_DEFERRED, text=text)


def _admit_entry(candidate: Candidate, standing: Standing) -> Admission:
    obstacle = _obstacle_to_entry(candidate, standing)
    if obstacle is None:
        return Admitted()
    if any(order.is_cancelling and not order.closing for order in standing.resting):
        return obstacle  # one entry makes room already
    entries = [order for order in standing.resting if not order.closing and not order.is_young]
    farther = [order for order in entries if _is_nearer(candidate, order, standing.reference)]
    if standing.reference is None or not farther:
        return obstacle
    evict = _evict(farther, standing.reference, 1)
    gone = next(order for order in farther if order.client_id in evict.client_ids)
    room = replace(
        standing,
        resting=[order for order in standing.resting if order is not gone],
        account_notional=standing.account_notional - gone.notional,
    )
    return evict if _obstacle_to_entry(candidate, room) is None else obstacle


def _obstacle_to_entry(candidate: Candidate, standing: Standing) -> Idle | None:
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
    return None


def _is_nearer(candidate: Candidate, order: RestingOrder, reference: int | None) -> bool:
    return reference is not None and abs(candidate.price - reference) < abs(order.price - reference)


def _evict(orders: Sequence[RestingOrder], reference: int, count: int) -> Evict:
    farthest = sorted(orders, key=lambda order: (-abs(order.price - reference), order.client_id))
    return Evict(client_ids=tuple(order.client_id for order in farthest[:count]))
