"""`gridmesh run` on paper as a process of its own: what it says, SIGKILL of its gateway, and a second start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ray.real_run import RealRun
from tests.venue.test_paper_live import kept

GATEWAY = "gateway/binanceusdm/main"
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RealRun]:
    made = RealRun(tmp_path, paper={"balance": 5000}, journal={"path": str(tmp_path / "crash.sqlite")})
    try:
        yield made
    finally:
        made.end()


def symbol(run: RealRun) -> dict[str, object]:
    found: dict[str, object] = run.picture(GATEWAY).get("symbols", {}).get("ETHUSDT", {})
    return found


def agrees(run: RealRun) -> bool:
    _, position, orders, fills = kept(run.settings)
    seen = run.picture(GATEWAY)
    told = seen.get("symbols", {}).get("ETHUSDT", {})
    if not seen.get("is_ready") or not told:
        return False
    in_book = {row["order"]["client_id"] for row in told["levels"] if row["order"]}
    counted = told["entry_fills"] + told["exit_fills"]
    return (
        position.quantity == round(float(told["position"]) * 1000)
        and len(fills) == counted
        and in_book == {one.client_id for one in orders}
    )


def test_it_trades_on_paper_says_so_everywhere_and_survives_a_kill(run: RealRun) -> None:
    run.start()
    run.until_running()
    assert run.log().index('"trading":"paper"') < run.log().index('"state":"starting"')
    code, status = run.command("status")
    assert (code, status["trading"]) == (0, "paper")
    assert run.command("explain", "ETHUSDT")[1]["trading"] == "paper"

    run.until(lambda: int(str(symbol(run).get("entries", 0))) == 2, "two entries rest on paper")
    run.venue.verb("tape", action="jump", symbol="ETHUSDT", percent="-0.2")
    run.until(lambda: int(str(symbol(run).get("entry_fills", 0))) >= 1, "it has bought")
    run.kill(GATEWAY)
    run.until(lambda: agrees(run), "the gateway is back, and book and paper account agree")
    assert run.venue.account()["orders"] == []

    code, stopped = run.command("stop")
    assert code == 0, stopped
    assert run.wait() == 0
    _, _, orders, fills = kept(run.settings)
    assert orders == []

    run.start()
    run.until_running()
    run.until(lambda: agrees(run), "the second run goes on with the account")
    assert kept(run.settings)[3][: len(fills)] == fills
    code, stopped = run.command("stop")
    assert code == 0, stopped
    assert run.wait() == 0
