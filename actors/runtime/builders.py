"""Builds the plain actors in their worker processes; each function imports only what its actor needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.actor_names import SlotLayout

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from actors.grid_slot import GridSlot
    from actors.price_feed import PriceFeed
    from actors.risk_supervisor import RiskSupervisor
    from actors.runtime.hosted import Surroundings
    from actors.settings.venue import VenuePlace
    from exchanges.port import MarketVenue
    from risk.rules import RiskRules


def grid_slot(
    around: Surroundings,
    *,
    layouts: tuple[SlotLayout, ...],
    index: int,
    gateway: str,
    feed: str,
    reconcile_ms: int,
    first_reconcile_ms: int,
) -> GridSlot:
    """Build a slot actor."""
    from actors.grid_slot import GridSlot

    return GridSlot(
        layouts=layouts,
        index=index,
        gateway=gateway,
        feed=feed,
        outbox=around.courier,
        waker=around.waker,
        clock=around.clock,
        reconcile_ms=reconcile_ms,
        first_reconcile_ms=first_reconcile_ms,
    )


def price_feed(
    around: Surroundings,
    *,
    gateway: str,
    layouts: tuple[SlotLayout, ...],
    place: VenuePlace,
    push_interval_ms: int,
) -> PriceFeed:
    """Build a price feed."""
    from actors.price_feed import PriceFeed

    return PriceFeed(
        name=around.name,
        gateway=gateway,
        layouts=layouts,
        market=lambda: _market(around, place),
        outbox=around.courier,
        clock=around.clock,
        push_interval_ms=push_interval_ms,
        gauges=around.gauges,
    )


def risk_supervisor(
    around: Surroundings,
    *,
    wards: Mapping[str, Decimal | None],
    rules: RiskRules,
    interval: str,
    place: VenuePlace,
) -> RiskSupervisor:
    """Build the risk supervisor."""
    from actors.risk_supervisor import RiskSupervisor

    return RiskSupervisor(
        name=around.name,
        wards=wards,
        rules=rules,
        interval=interval,
        market=lambda: _market(around, place),
        outbox=around.courier,
        clock=around.clock,
        gauges=around.gauges,
    )


def _market(around: Surroundings, place: VenuePlace) -> MarketVenue:
    from actors.venues import market_at

    return market_at(place, around.clock, around.incarnation)
