"""Those who share an account in a schedule: what they are like, and what befalls them and their lease store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from actors.ownership.lease import LeaseTerms
from actors.virtual.settings import HostPlan, OwnershipPlan, WorldSettings
from tests.simulation.faults import Fault, Kind
from tests.simulation.weather import stall_ms

if TYPE_CHECKING:
    from tests.simulation.hands import Hands

LEASES_MS = (6_000, 8_000)
SKEW_MS = 600


def standby(settings: WorldSettings, rng: Random) -> WorldSettings:
    """Let two hosts run the deployment. Their clocks and the store's disagree by the bound at most, all together."""
    terms = LeaseTerms(
        lease_ms=rng.choice(LEASES_MS), skew_ms=SKEW_MS, recv_window_ms=settings.desk.recv_window_ms, margin_ms=500
    )
    errors = (rng.randint(-SKEW_MS // 4, SKEW_MS // 4) for _ in range(2))
    hosts = (
        HostPlan(name="A", starts_ms=0, venue_error_ms=next(errors), is_patient=rng.random() < 0.7),
        HostPlan(
            name="Bb",
            starts_ms=rng.choice((200, 3_000, 9_000)),
            venue_error_ms=next(errors),
            is_patient=rng.random() < 0.8,
        ),
    )
    return replace(settings, ownership=OwnershipPlan(terms=terms, hosts=hosts))


def pace_ppm(terms: LeaseTerms) -> int:
    """Return how far from the true pace a clock may run: a quarter of the bound within one lease."""
    return terms.skew_ms // 4 * 1_000_000 // terms.lease_ms


def stall(hands: Hands, fault: Fault) -> None:
    """Stop the owner's gateway between two events."""
    leader = hands.world.leader
    if hands.world.gateway is not None and leader.process is not None and leader.host is not None:
        hands.weather.strike(fault, leader.name)
        leader.process.stop(stall_ms(fault))


def kill_host(hands: Hands, fault: Fault) -> None:
    """End everything on the owner's host at once, with its power or without; it is started again after a while."""
    leader = hands.world.leader
    if leader.is_up and leader.host is not None:
        hands.weather.strike(fault, leader.name)
        hands.check_journal()
        leader.fall(again_ms=fault.scaled(1_000, 20_000), is_dark=fault.size % 2 == 1)


def cut_store(hands: Hands, fault: Fault) -> None:
    """Let the owner's host not reach the store for a while."""
    leases, name = hands.world.leases, hands.world.leader.name
    if leases is None or name in leases.cut:
        return
    hands.weather.strike(fault, name)
    leases.cut.add(name)
    hands.world.agenda.after(fault.scaled(500, 18_000), "store", f"{name} reaches it", lambda: leases.cut.discard(name))


def lose_store(hands: Hands, fault: Fault) -> None:
    """Take the store away for a while, and what it knew with it."""
    leases = hands.world.leases
    if leases is None or leases.is_down:
        return
    hands.weather.strike(fault, "empty" if fault.size % 2 else "an old copy")
    leases.save()
    leases.fail()

    def again() -> None:
        leases.begin_anew(is_empty=fault.size % 2 == 1)

    hands.world.agenda.after(fault.scaled(100, 9_000), "store", "begins anew", again)


def part_clocks(hands: Hands, fault: Fault) -> None:
    """Let the store's clock step, or the owner's clock run fast or slow."""
    leases, leader, plan = hands.world.leases, hands.world.leader, hands.world.settings.ownership
    if leases is None or plan is None:
        return
    if fault.size % 2:
        leases.step_ms = fault.scaled(-plan.terms.skew_ms // 8, plan.terms.skew_ms // 8)
        hands.weather.strike(fault, f"the store's is off by {leases.step_ms} ms")
    else:
        pace = pace_ppm(plan.terms)
        rate_ppm = fault.scaled(-pace, pace)
        leader.clock.run_at(rate_ppm, hands.world.agenda.now_ms)
        hands.weather.strike(fault, f"{leader.name}'s runs by {rate_ppm} millionths faster")


def mend(hands: Hands) -> None:
    """Bring the store back, and let everybody go on."""
    leases = hands.world.leases
    if leases is None:
        return
    leases.cut.clear()
    if leases.is_down:
        leases.begin_anew(is_empty=False)
    for one in hands.world.deployments:
        if one.process is not None:
            one.process.wake()


OWNER_DEEDS: dict[Kind, Callable[[Hands, Fault], None]] = {
    Kind.OWNER_STALLS: stall,
    Kind.HOST_KILLED: kill_host,
    Kind.STORE_CUT: cut_store,
    Kind.STORE_FORGETS: lose_store,
    Kind.CLOCKS_APART: part_clocks,
}
