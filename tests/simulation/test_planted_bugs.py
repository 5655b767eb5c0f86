"""Each kind of fault matters: for each there is a bug that only it, and its kin, brings to light."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.simulation.faults import Kind
from tests.simulation.planted import BUGS
from tests.simulation.planted.bug import Bug
from tests.simulation.run import Run
from tests.simulation.schedule import Schedule, draw_schedule

pytestmark = pytest.mark.long

CALM_SEED = 1
ELSEWHERE_SEEDS = (3,)


def schedules(bug: Bug) -> Iterator[Schedule]:
    """Yield schedules in which nothing but the bug's own kind of fault strikes."""
    return (draw_schedule(seed, kinds=(bug.kind,)) for seed in bug.seeds)


def fails(schedule: Schedule) -> bool:
    return bool(Run(schedule).run().violations)


def test_every_kind_of_fault_has_its_bug() -> None:
    assert {bug.kind for bug in BUGS} == set(Kind)
    assert len(BUGS) == len(Kind)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.kind.value)
def test_a_planted_bug_is_found_by_its_fault(bug: Bug) -> None:
    with pytest.MonkeyPatch.context() as patch:
        bug.plant(patch)

        assert any(fails(schedule) for schedule in schedules(bug))


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.kind.value)
def test_a_planted_bug_is_not_found_without_its_fault(bug: Bug) -> None:
    others = tuple(kind for kind in Kind if kind is not bug.kind and kind not in bug.kin)
    with pytest.MonkeyPatch.context() as patch:
        bug.plant(patch)

        assert not fails(replace(draw_schedule(CALM_SEED), faults=()))
        for seed in ELSEWHERE_SEEDS:
            assert not fails(draw_schedule(seed, kinds=others))
