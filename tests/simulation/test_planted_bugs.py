"""Each kind of fault and each trait matters: for each there is a bug that only it, and its kin, brings to light."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.simulation.faults import Kind
from tests.simulation.planted import BUGS, TRAIT_BUGS
from tests.simulation.planted.bug import Bug, TraitBug
from tests.simulation.run import Run
from tests.simulation.schedule import Schedule, draw_schedule
from tests.simulation.traits import Trait

CALM_SEED = 1
ELSEWHERE_SEEDS = (3,)
FAST = {
    Kind.MESSAGE_DOUBLE,
    Kind.STREAM_DOUBLE,
    Kind.REPLY_LOST,
    Kind.FOREIGN_SELL,
    Kind.PRICE_JUMP,
    Kind.KILL_GATEWAY,
    Kind.STOP_KEEP,
    Kind.LIQUIDATION,
    Kind.STALL_AT_COMMIT,
    Kind.STALL_ASKING,
}
FAST_TRAITS = {Trait.LOW_ORDER_CAP, Trait.TRADES_APART, Trait.STANDBY}
"""One of each family is run by the test command, the rest by the long one."""


def _long_but(kept: bool) -> tuple[pytest.MarkDecorator, ...]:
    return () if kept else (pytest.mark.long,)


KIND_CASES = [pytest.param(bug, id=bug.kind.value, marks=_long_but(bug.kind in FAST)) for bug in BUGS]
TRAIT_CASES = [pytest.param(bug, id=bug.trait.value, marks=_long_but(bug.trait in FAST_TRAITS)) for bug in TRAIT_BUGS]


def schedules(bug: Bug) -> Iterator[Schedule]:
    """Yield schedules in which nothing but the bug's own kind of fault strikes."""
    return (draw_schedule(seed, kinds=(bug.kind,), traits=bug.traits) for seed in bug.seeds)


def of_trait(bug: TraitBug, traits: frozenset[Trait]) -> Iterator[Schedule]:
    """Yield schedules of deployments like that, in which only the bug's own kinds of fault strike."""
    for seed in bug.seeds:
        schedule = draw_schedule(seed, kinds=bug.kinds or tuple(Kind), traits=traits)
        yield schedule if bug.kinds else replace(schedule, faults=())


def fails(schedule: Schedule) -> bool:
    return bool(Run(schedule).run().violations)


def test_every_kind_of_fault_has_its_bug() -> None:
    assert {bug.kind for bug in BUGS} == set(Kind)
    assert len(BUGS) == len(Kind)


def test_every_trait_has_its_bug() -> None:
    assert {bug.trait for bug in TRAIT_BUGS} == set(Trait)
    assert len(TRAIT_BUGS) == len(Trait)


@pytest.mark.parametrize("bug", KIND_CASES)
def test_a_planted_bug_is_found_by_its_fault(bug: Bug) -> None:
    with pytest.MonkeyPatch.context() as patch:
        bug.plant(patch)

        assert any(fails(schedule) for schedule in schedules(bug))


@pytest.mark.parametrize("bug", KIND_CASES)
def test_a_planted_bug_is_not_found_without_its_fault(bug: Bug) -> None:
    others = tuple(kind for kind in Kind if kind is not bug.kind and kind not in bug.kin)
    with pytest.MonkeyPatch.context() as patch:
        bug.plant(patch)

        assert not fails(replace(draw_schedule(CALM_SEED, traits=bug.traits), faults=()))
        for seed in ELSEWHERE_SEEDS:
            assert not fails(draw_schedule(seed, kinds=others, traits=bug.traits))


@pytest.mark.parametrize("bug", TRAIT_CASES)
def test_a_planted_bug_is_found_by_a_deployment_of_its_trait(bug: TraitBug) -> None:
    with pytest.MonkeyPatch.context() as patch:
        bug.plant(patch)

        assert any(fails(schedule) for schedule in of_trait(bug, bug.beside | {bug.trait}))


@pytest.mark.parametrize("bug", TRAIT_CASES)
def test_a_planted_bug_is_not_found_by_a_deployment_without_its_trait(bug: TraitBug) -> None:
    with pytest.MonkeyPatch.context() as patch:
        bug.plant(patch)

        assert not any(fails(schedule) for schedule in list(of_trait(bug, bug.beside))[:3])
