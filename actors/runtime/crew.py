"""The coordinator's hands: creates, asks and ends the actors of a deployment through Ray."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import ray
from ray.exceptions import RayError

from actors.actor_names import MAIN
from actors.deployment.roster import Roster, place_of
from actors.errors import NotRunning
from actors.gateway.grids import milliseconds, risk_rules
from actors.runtime.cluster import Cluster
from actors.runtime.plan import ActorPlan
from actors.settings.account import Settings
from actors.settings.deployment import DeploymentSettings

LOCAL = "local"
ANSWER_S = 2.0
TRIFLE = 0.001


class RayCrew:
    """The `Crew` over Ray. Every question has a time limit; no answer is None, and means only that."""

    def __init__(self, settings: DeploymentSettings, cluster: Cluster) -> None:
        self._settings = settings
        self._cluster = cluster
        self._rosters = {one.account_name: Roster.of(one) for one in settings.accounts}

    def enlist(self, name: str) -> None:
        """Create the actor, or adopt the living one."""
        self._cluster.create(self.plan(name))

    def ask(self, name: str, question: str, *arguments: Any) -> Any:
        """Return the actor's answer, or None."""
        return self.ask_all((name,), question, *arguments)[name]

    def ask_all(self, names: Iterable[str], question: str, *arguments: Any) -> dict[str, Any]:
        """Ask several at once and return their answers; None for who did not answer in time."""
        return ask_all(self._cluster, names, question, *arguments, timeout_s=ANSWER_S)

    def incarnations(self, names: Iterable[str]) -> dict[str, str | None]:
        """Return which life of each actor answers; None for who does not."""
        return call_all(self._cluster, names, lambda handle: handle.incarnation.remote(), timeout_s=ANSWER_S)

    def is_there(self, name: str) -> bool:
        """Whether an actor of that name exists, dead for a moment or not."""
        try:
            self._cluster.find(name)
        except NotRunning:
            return False
        return True

    def dismiss(self, names: Iterable[str]) -> None:
        """End the actors for good."""
        self._cluster.end_actors(tuple(names))

    def regroup(self, settings: Settings, roster: Roster) -> None:
        """Take over who takes part for an account from now on."""
        self._settings = self._settings.with_account(settings)
        self._rosters = {**self._rosters, settings.account_name: roster}

    def plan(self, name: str) -> ActorPlan:
        """Return the plan of the actor of that name."""
        settings, roster = self._account_of(name)
        kind, build, arguments = self._role(name, settings, roster)
        return ActorPlan(
            name=name,
            account=settings.account_name or MAIN if name in roster.own else "",
            deployment=self._settings.deployment,
            kind=kind,
            build=build,
            arguments=arguments,
            resources=self._resources(name, settings, roster),
            log_as_json=self._settings.runtime.log_json,
        )

    def gateways(self) -> tuple[str, ...]:
        """Return the names of the accounts' gateways."""
        return tuple(roster.gateway for roster in self._rosters.values())

    def _account_of(self, name: str) -> tuple[Settings, Roster]:
        """Return whose actor it is; for those that all share, the first account."""
        for settings in self._settings.accounts:
            roster = self._rosters[settings.account_name]
            if name in roster.own or name in (roster.risk, roster.coordinator):
                return settings, roster
        raise NotRunning(f"{name} is no actor of this deployment")

    def _resources(self, name: str, settings: Settings, roster: Roster) -> dict[str, float]:
        """Return a trifle of the custom resource of the node where the actor has to be: nothing is used up by that."""
        place = place_of(name, settings, roster)
        if place is None and name not in roster.movable and self._is_bound:
            # The launcher's host, which the coordinator then shares: Ray names each node by its address.
            place = f"node:{ray.util.get_node_ip_address()}"  # type: ignore[no-untyped-call]
        return {place: TRIFLE} if place is not None else {}

    @property
    def _is_bound(self) -> bool:
        """Whether the accounts' actors belong to one host: where a journal is that is a file of it."""
        is_file = any(one.is_journal_file for one in self._settings.accounts)
        return is_file and self._settings.runtime.address != LOCAL

    def _role(self, name: str, settings: Settings, roster: Roster) -> tuple[str, str, dict[str, Any]]:
        place = {"place": settings.venue.place}
        if name == roster.gateway:
            return "OrderGateway", "actors.runtime.account_builders:order_gateway", {"settings": settings}
        if name == roster.coordinator:
            return "Coordinator", "actors.runtime.account_builders:coordinator", {"settings": self._settings}
        if name == roster.reconciler:
            return "Reconciler", "actors.runtime.account_builders:reconciler", {"settings": settings}
        if name == roster.risk:
            return "RiskSupervisor", "actors.runtime.builders:risk_supervisor", self._supervision()
        if name in roster.feed_list:
            layouts = tuple(roster.layouts[symbol] for symbol, feed in roster.feeds.items() if feed == name)
            push = {"push_interval_ms": settings.runtime.push_interval_ms}
            return (
                "PriceFeed",
                "actors.runtime.builders:price_feed",
                {"gateway": roster.gateway, "layouts": layouts, **push, **place},
            )
        return "GridSlot", "actors.runtime.builders:grid_slot", self._slot(name, roster)

    def _supervision(self) -> dict[str, Any]:
        """Return what the one supervisor is told of all accounts."""
        accounts, watched = self._settings.accounts, self._settings.watched
        return {
            "wards": {self._rosters[one.account_name].gateway: one.account.drawdown for one in accounts},
            "rules": risk_rules(watched),
            "interval": watched.risk.interval,
            "place": watched.venue.place,
        }

    def _slot(self, name: str, roster: Roster) -> dict[str, Any]:
        layouts = roster.layouts_of(name)
        if not layouts:
            raise NotRunning(f"{name} is no actor of this deployment")
        period_ms, slots = milliseconds(self._settings.runtime.reconcile_s), roster.slots
        return {
            "layouts": layouts,
            "index": layouts[0].names().index(name),
            "gateway": roster.gateway,
            "feed": roster.feeds[layouts[0].symbol],
            "reconcile_ms": period_ms,
            # In turns: they begin within a moment of each other, and all at once they would take the processors.
            "first_reconcile_ms": period_ms * (slots.index(name) + 1) // len(slots),
        }


def ask_all(cluster: Cluster, names: Iterable[str], question: str, *arguments: Any, timeout_s: float) -> dict[str, Any]:
    """Ask several actors at once; None for who did not answer in time, or is not there."""
    return call_all(cluster, names, lambda handle: handle.ask.remote(question, *arguments), timeout_s=timeout_s)


def call_all(cluster: Cluster, names: Iterable[str], call: Callable[[Any], Any], *, timeout_s: float) -> dict[str, Any]:
    """Call several actors at once; None for who did not answer in time, or is not there."""
    pending = {name: _pose(cluster, name, call) for name in names}
    waiting = [reference for reference in pending.values() if reference is not None]
    ready = set(ray.wait(waiting, num_returns=len(waiting), timeout=timeout_s)[0]) if waiting else set()
    return {name: _value(ref) if ref is not None and ref in ready else None for name, ref in pending.items()}


def _pose(cluster: Cluster, name: str, call: Callable[[Any], Any]) -> Any:
    try:
        return call(cluster.find(name))
    except NotRunning:
        return None


def _value(reference: Any) -> Any:
    try:
        return ray.get(reference, timeout=ANSWER_S)
    except RayError:
        return None
