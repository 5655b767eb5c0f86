"""Builds the account's actors in their worker processes: gateway, reconciler, coordinator."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from actors.deployment.roster import Roster
from actors.settings.deployment import DeploymentSettings

if TYPE_CHECKING:
    from actors.coordinator import Coordinator
    from actors.order_gateway import OrderGateway
    from actors.reconciler import Reconciler
    from actors.runtime.crew import RayCrew
    from actors.runtime.hosted import Surroundings
    from actors.settings.account import Settings


def order_gateway(around: Surroundings, *, settings: Settings) -> OrderGateway:
    """Build the order gateway; the only actor that reads the keys and imports ccxt."""
    from actors.journal.place import open_journal
    from actors.order_gateway import OrderGateway
    from actors.ownership.builder import ownership
    from actors.settings.credentials import account_keys
    from actors.venues import market_venue, trading_venue

    return OrderGateway(
        name=around.name,
        settings=settings,
        roster=Roster.of(settings),
        venue=lambda: trading_venue(settings, account_keys(settings)),
        market=lambda: market_venue(settings),
        journal=partial(open_journal, settings),
        ownership=ownership(settings, account_keys(settings), around.clock, actor=around.actor_id),
        outbox=around.courier,
        clock=around.clock,
        gauges=around.gauges,
        run=around.actor_id,
    )


def reconciler(around: Surroundings, *, settings: Settings) -> Reconciler:
    """Build the reconciler."""
    from actors.reconciler import Reconciler

    crew = _crew(DeploymentSettings.of(settings))
    return Reconciler(
        name=around.name,
        period_s=float(settings.runtime.reconcile_s),
        ask_gateway=partial(crew.ask, Roster.of(settings).gateway),
    )


def coordinator(around: Surroundings, *, settings: DeploymentSettings) -> Coordinator:
    """Build the coordinator."""
    from importlib.metadata import version

    from actors.coordinator import Coordinator

    return Coordinator(
        settings=settings,
        crew=_crew(settings),
        clock=around.clock,
        is_restarted=around.is_restarted,
        version=version("gridmesh"),
        incarnation=around.incarnation,
        gauges=around.gauges,
    )


def _crew(settings: DeploymentSettings) -> RayCrew:
    from actors.runtime.cluster import Cluster
    from actors.runtime.crew import RayCrew

    here = Cluster(address="", deployment=settings.deployment, dashboard_url="", token_path=None, is_ours=False)
    return RayCrew(settings, here)
