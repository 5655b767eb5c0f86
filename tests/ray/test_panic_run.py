"""`gridmesh panic` beside a run that trades: the run ends first, then nothing of ours is left at the venue."""

from __future__ import annotations

import psutil
import pytest

from tests.processes import left_of
from tests.ray.real_run import RealRun


@pytest.mark.timeout(600)
def test_panic_ends_the_run_with_its_actors_and_leaves_no_order(tmp_path_factory: pytest.TempPathFactory) -> None:
    run = RealRun(tmp_path_factory.mktemp("panic"))
    try:
        run.start()
        run.until_running()
        run.until(lambda: open_orders(run), "its orders rest")
        family = psutil.Process(run.pid).children(recursive=True)

        code, answer = run.command("panic", str(run.config), "--timeout", "100", timeout_s=300)

        assert (code, answer["clear"]) == (0, True)
        assert f"process {run.pid}) was running and has been ended" in answer["said"][0]
        assert run.wait() == -9
        assert left_of(family, 120) == []
        assert not open_orders(run)
    finally:
        run.end()


def open_orders(run: RealRun) -> list[str]:
    """Return the client ids that rest at the venue, by its own account."""
    alive = ("NEW", "PARTIALLY_FILLED")
    orders = run.venue_process.truth()["accounts"]["main"]["orders"]
    return [order["clientOrderId"] for order in orders if order["status"] in alive]
