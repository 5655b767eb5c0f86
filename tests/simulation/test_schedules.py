"""Seeded schedules as tests: a fixed few with every test run, many more with the long one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import tests.simulation.__main__ as program
from grid import decision
from grid.sizing import entry_quantity
from tests.simulation.faults import Kind
from tests.simulation.run import STEPS_MIN, Run
from tests.simulation.schedule import draw_schedule
from tests.simulation.traits import Trait

ROOT = Path(__file__).resolve().parents[2]
FAST = [range(first, first + 10) for first in range(0, 40, 10)]
LONG = [range(first, first + 50) for first in range(1_000, 1_400, 50)]
EVERYTHING = range(150)


def violations(seeds: range) -> dict[int, list[str]]:
    results = (Run(draw_schedule(seed)).run() for seed in seeds)
    return {result.seed: result.violations for result in results if result.violations}


@pytest.mark.parametrize("seeds", FAST, ids=str)
def test_no_schedule_breaks_an_invariant(seeds: range) -> None:
    assert violations(seeds) == {}


@pytest.mark.long
@pytest.mark.parametrize("seeds", LONG, ids=str)
def test_no_further_schedule_breaks_an_invariant(seeds: range) -> None:
    assert violations(seeds) == {}


def test_schedules_draw_every_fault_and_every_trait() -> None:
    schedules = [draw_schedule(seed) for seed in EVERYTHING]
    kinds = Counter(fault.kind for schedule in schedules for fault in schedule.faults)
    traits = Counter(trait for schedule in schedules for trait in schedule.traits)

    assert set(kinds) == set(Kind)
    assert set(traits) == set(Trait)
    assert sum(len(schedule.settings.grids) for schedule in schedules) > len(schedules)


def test_a_seed_is_the_same_schedule_and_the_same_run_every_time() -> None:
    def trace(seed: int) -> list[tuple[int, str, str]]:
        rows: list[tuple[int, str, str]] = []
        Run(draw_schedule(seed), trace=lambda at_ms, what, about: rows.append((at_ms, what, str(about)))).run()
        return rows

    first, second = trace(17), trace(17)

    assert len(first) > STEPS_MIN
    assert first == second


def simulate(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.simulation"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def test_the_last_line_is_json_and_progress_goes_elsewhere() -> None:
    done = simulate(FIRST="40", SEEDS="3", SEED="")

    told = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 0, done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert {"schedules", "steps", "faults", "violations", "seconds"} <= told.keys()
    assert (told["schedules"], told["violations"]) == (3, 0)
    assert told["steps_least"] >= STEPS_MIN


def test_a_seed_is_replayed_with_every_step_in_words() -> None:
    done = simulate(SEED="40")

    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert lines[0].startswith("seed 40: ")
    assert any(" FAULT " in line for line in lines)
    assert any(line.split()[1] == "place" for line in lines[1:-1])
    assert json.loads(lines[-1])["schedules"] == 1


def test_a_failure_is_shrunk_traced_and_ends_with_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        decision, "entry_quantity", lambda amount, price, rules: entry_quantity(amount, price, rules) - 1
    )

    code = program.replay(40)

    lines = capsys.readouterr().out.splitlines()
    assert code == 1
    assert json.loads(lines[-1])["violations"] > 0
    assert any("faults, 0 are enough" in line for line in lines)
    assert any(" VIOLATION " in line and "what_rests_is_what_should" in line for line in lines)
    assert "replay: make simulate SEED=40" in lines
