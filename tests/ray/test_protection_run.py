"""What protects the lots while we do not live, under the real `gridmesh run`: the countdown and the stop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.crash_truth import true_lots
from tests.ray.real_run import RealRun

GATEWAY = "gateway/binanceusdm/main"
COUNTDOWN_S = 10
SYMBOL: dict[str, Any] = {
    "countdown_s": COUNTDOWN_S,
    "cancels_manual_orders": True,
    # the tape's jumps move trades and quotes, and leave the mark alone
    "exchange_stop": {"distance": "1%", "working_type": "last"},
    "max_lots": 4,
}
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRun]:
    made = RealRun(tmp_path_factory.mktemp("protection"), symbol=SYMBOL, risk={"min_hold_s": 1})
    try:
        yield made
    finally:
        made.end()


def resting(run: RealRun) -> list[dict[str, Any]]:
    return [row for row, _ in run.venue.own_orders(is_open=True)]


def waiting_stops(run: RealRun) -> list[str]:
    return [row["clientAlgoId"] for row in run.venue.account()["algoOrders"] if row["algoStatus"] == "NEW"]


def lots(run: RealRun) -> int:
    found: int = run.picture(GATEWAY).get("symbols", {}).get("ETHUSDT", {}).get("lots", 0)
    return found


def holds(run: RealRun) -> set[str]:
    return {hold["cause"] for hold in run.picture(GATEWAY).get("holds", [])}


def see_it_whole(run: RealRun) -> None:
    run.until(lambda: not holds(run) and resting(run), "it trades")
    run.until(lambda: run.breaches(GATEWAY) == [], "book and venue agree")


def jump(run: RealRun, percent: str) -> None:
    run.venue.verb("tape", action="jump", symbol="ETHUSDT", percent=percent)


def test_the_venue_cancels_for_a_killed_run_and_the_next_places_anew_without_doubled_lots(run: RealRun) -> None:
    run.start()
    run.until_running()
    see_it_whole(run)
    jump(run, "-0.2")
    run.until(lambda: lots(run), "a lot is held")
    run.until(lambda: waiting_stops(run), "a stop covers it")
    stop = waiting_stops(run)

    run.family()
    assert run.process is not None
    run.process.kill()
    left = {row["clientOrderId"] for row in resting(run)}
    assert left  # nobody took them away in order
    run.kill_driver()
    run.process = None
    run.until(lambda: not resting(run), "the venue cancels what rests")
    ended = {row["clientOrderId"]: row["status"] for row, _ in run.venue.own_orders()}
    assert "CANCELED" in {ended[one] for one in left}
    # It takes orders only: what covers the lots stays.
    assert [one for one in waiting_stops(run) if one in stop] or not run.venue.account()["positions"]

    run.start()
    run.until_running()
    see_it_whole(run)
    assert true_lots(run.venue.account(), "ETHUSDT")[2] == []


def test_a_triggered_stop_holds_until_the_operator_releases_it_by_name(run: RealRun) -> None:
    if run.process is None:
        run.start()
        run.until_running()
    see_it_whole(run)
    jump(run, "-0.2")
    run.until(lambda: lots(run) and waiting_stops(run), "a lot is covered")
    jump(run, "-3")

    run.until(lambda: "stop_loss" in holds(run), "the stop-loss holds")
    run.until(lambda: lots(run) == 0, "the lots are sold")
    code, told = run.command("status")
    assert code == 6
    assert any(hold["cause"] == "stop_loss" and "exchange-side stop" in hold["reason"] for hold in told["holds"])
    code, told = run.command("explain", "ETHUSDT")
    assert (code, told["stop"]["phase"]) == (0, None)

    code, told = run.command("resume")  # the operator's own hold is another one
    assert "stop_loss" in holds(run)
    code, told = run.command("resume", "--stop-loss", "ETHUSDT")
    assert code == 0, told

    run.until(lambda: "stop_loss" not in holds(run), "it is released")
    see_it_whole(run)
    code, told = run.command("stop")
    assert code == 0, told
    assert run.wait() == 0
    assert (resting(run), waiting_stops(run)) == ([], [])
