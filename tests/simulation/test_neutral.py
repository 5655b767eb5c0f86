"""Neutral grids under faults: schedules of which each has one."""

from __future__ import annotations

import pytest

from exchanges.desk.turning import Turning
from grid.book import Book
from grid.kind_records import SideTurned
from tests.simulation.faults import Kind
from tests.simulation.run import Run
from tests.simulation.schedule import Schedule, draw_schedule
from tests.simulation.traits import Trait

FAST = range(10)
LONG = [range(first, first + 50) for first in range(2_000, 2_400, 50)]


def schedules(seeds: range) -> list[Schedule]:
    """Return the seeds' schedules, each with its own traits and a neutral grid."""
    return [draw_schedule(seed, traits=draw_schedule(seed).traits | {Trait.NEUTRAL}) for seed in seeds]


def violations(seeds: range) -> dict[int, list[str]]:
    results = (Run(schedule).run() for schedule in schedules(seeds))
    return {result.seed: result.violations for result in results if result.violations}


def test_no_schedule_of_a_neutral_grid_breaks_an_invariant_and_grids_turn_around() -> None:
    runs = [Run(schedule) for schedule in schedules(FAST)]

    assert [run.run().violations for run in runs] == [[] for _ in runs]
    assert sum(book.turns for run in runs for book in run.world.book.symbols.values()) > 0


@pytest.mark.long
@pytest.mark.parametrize("seeds", LONG, ids=str)
def test_no_further_schedule_of_a_neutral_grid_breaks_an_invariant(seeds: range) -> None:
    assert violations(seeds) == {}


LATE_KINDS = (Kind.CANCEL_LOST, Kind.LATECOMER, Kind.ACCEPTED_LATE, Kind.REPLY_LATE)


@pytest.mark.long
def test_a_turn_before_the_entries_are_gone_is_found() -> None:
    def turn(book: Book, record: SideTurned) -> None:
        symbol = book.symbol(record.symbol)
        symbol.present, symbol.turns = record.generation, symbol.turns + 1

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Turning, "_is_still", lambda self, book: True)
        patch.setattr(Turning, "_is_compared", lambda self, symbol, now: True)
        patch.setattr(Book, "_turn", turn)

        drawn = [draw_schedule(seed, kinds=LATE_KINDS, traits=frozenset({Trait.NEUTRAL})) for seed in (1, 3, 5)]
        found = [violation for schedule in drawn for violation in Run(schedule).run().violations]

    assert any("no_orders_of_both_sides_rest" in violation for violation in found)
