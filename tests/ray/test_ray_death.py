"""Parts of Ray itself die under a run: it says so in one line, ends, leaves no process, and the next one goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest

from actors.exit_codes import ExitCode
from actors.run_file import path_of
from tests.crash_truth import not_true
from tests.ray.real_run import DEPLOYMENT, RealRun
from tests.ray.test_crash_run import GATEWAY, jump, not_doubled, see_it_whole

RAYLET, CONTROL_STORE = "raylet", "gcs_server"
END_S = 240.0
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRun]:
    made = RealRun(tmp_path_factory.mktemp("raydeath"))
    try:
        yield made
    finally:
        made.end()


@pytest.mark.parametrize("victim", [RAYLET, CONTROL_STORE])
def test_a_run_whose_ray_dies_says_so_and_ends_and_the_next_one_goes_on(run: RealRun, victim: str) -> None:
    run.start()
    run.until_running()
    see_it_whole(run)
    jump(run, "-0.3")
    run.until(lambda: run.picture(GATEWAY)["symbols"]["ETHUSDT"]["lots"] > 0, "it holds lots")
    before = run.picture(GATEWAY)["symbols"]["ETHUSDT"]

    said_before = len(run.log())
    [found] = run.relatives(victim)
    found.kill()
    jump(run, "-2")

    assert run.wait(END_S) == ExitCode.RUN_DIED
    assert run.left_of_the_family(END_S) == []
    [last] = [line for line in run.log()[said_before:].splitlines() if line.startswith('{"error"')]
    assert "has died" in json.loads(last)["error"]["message"]
    assert "gridmesh panic CONFIG" in last
    assert not path_of(DEPLOYMENT, {"GRIDMESH_HOME": str(run.home)}).exists()
    code, status = run.command("status")
    assert code == ExitCode.NOT_RUNNING, status

    run.start()
    run.until_running()
    see_it_whole(run)
    after = run.picture(GATEWAY)["symbols"]["ETHUSDT"]
    assert after["round_trips"] >= before["round_trips"]
    assert Decimal(after["grid_profit_gross"]) >= Decimal(before["grid_profit_gross"])
    assert not_doubled(run) == []
    code, said = run.command("stop")
    assert (code, said["done"]) == (0, True), said
    assert run.wait() == 0
    assert list(not_true(run.settings, run.venue.account())) == []
