"""The venue is gone: halt and stop answer in their time, and say what is not verified."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ray.real_run import RealRun

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRun]:
    started = RealRun(Path(tmp_path_factory.mktemp("dead")))
    try:
        started.start()
        started.until_running()
        started.kill_venue()
        yield started
    finally:
        started.end()


def test_halt_sets_the_hold_and_says_that_nothing_is_verified(run: RealRun) -> None:
    code, answer = run.command("halt", "--reason", "storm", "--timeout", "40", timeout_s=200)
    again, second = run.command("halt", "--reason", "later", "--timeout", "40", timeout_s=200)

    assert (code, answer["done"]) == (1, False)
    assert "the hold is set; entries are NOT verified gone: the venue does not answer" in answer["said"][0]
    assert "gridmesh panic" in answer["said"][-1]
    assert again == 1
    assert any("its first reason stands: storm" in line for line in second["said"])


def test_stop_says_what_it_waits_for(run: RealRun) -> None:
    code, answer = run.command("stop", "--timeout", "40", timeout_s=200)

    assert (code, answer["done"]) == (1, False)
    assert "NOT stopped yet" in answer["said"][0]
    assert "gridmesh panic" in answer["said"][-1]
