"""SIGKILL of every kind of actor, of the driver and of the venue, under the real `gridmesh run`, in a moving market."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from actors.gateway.stop_points import VARIABLE
from tests.crash_truth import not_true, true_lots
from tests.ray.real_run import RealRun

GATEWAY, FEED, SLOT = "gateway/binanceusdm/main", "feed/ETHUSDT", "slot/ETHUSDT/00"
VICTIMS = (FEED, SLOT, "risk", "reconciler/binanceusdm/main", GATEWAY, "coordinator", GATEWAY)
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRun]:
    made = RealRun(tmp_path_factory.mktemp("crash"))
    try:
        yield made
    finally:
        made.end()


def jump(run: RealRun, percent: str) -> None:
    run.venue.verb("tape", action="jump", symbol="ETHUSDT", percent=percent)


def trades(run: RealRun) -> bool:
    """Whether it is whole: watched, ready, free of holds, and quoting."""
    gateway = run.picture(GATEWAY)
    entries = [row for row, identity in run.venue.own_orders(is_open=True) if not identity.purpose.closing]
    told = run.picture("coordinator")
    is_watched = told.get("state") == "running" and all(row["health"] == "up" for row in told["actors"])
    return bool(is_watched and gateway.get("is_ready") and not gateway.get("holds") and entries)


def see_it_whole(run: RealRun) -> None:
    run.until(lambda: trades(run), "it trades again")
    run.until(lambda: run.breaches(GATEWAY) == [], "book and venue agree")


def test_each_actor_may_die_while_the_market_moves(run: RealRun) -> None:
    run.start()
    run.until_running()
    see_it_whole(run)

    for step, victim in enumerate(VICTIMS):
        former = run.kill(victim)
        jump(run, "-0.3" if step % 2 == 0 else "0.2")
        run.until(lambda v=victim, f=former: run.ask("process", v) not in (None, f), f"{victim} has a new life")  # type: ignore[misc]
        see_it_whole(run)

    # Asked after the coordinator's own restart: it tells of the deaths that it lived to see.
    run.until(lambda: set(restarts(run).items()) >= {(GATEWAY, 1), (FEED, 0), (SLOT, 0)}, "the restart is told")
    assert run.picture(GATEWAY)["symbols"]["ETHUSDT"]["entry_fills"] > 0
    assert not_doubled(run) == []


def restarts(run: RealRun) -> dict[str, int]:
    return {row["name"]: row["restarts"] for row in run.picture("coordinator").get("actors", [])}


def not_doubled(run: RealRun) -> list[str]:
    return true_lots(run.venue.account(), "ETHUSDT")[2]


def test_a_killed_driver_takes_everything_with_it_and_the_journal_brings_it_back(run: RealRun) -> None:
    before = run.picture(GATEWAY)["symbols"]["ETHUSDT"]
    run.kill_driver()
    jump(run, "-2")

    # What the journal says now is what the venue says, but for what was filled since.
    gross_before = Decimal(before["grid_profit_gross"])
    run.start(**{VARIABLE: "before_commit:1"})

    # This one dies whenever it wants to place: that has to be seen, and a stop has to work all the same.
    run.until(lambda: is_loop_told(run), "the crash loop is told")
    code, status = run.command("status")
    assert code in (0, 6)
    assert any("again and again" in sentence for sentence in status["troubles"])
    code, said = run.command("stop")
    assert (code, said["done"]) == (0, True), said
    assert run.wait() == 0
    assert run.venue.own_orders(is_open=True) == []
    assert list(not_true(run.settings, run.venue.account())) == []

    run.start()
    run.until_running()
    see_it_whole(run)
    after = run.picture(GATEWAY)["symbols"]["ETHUSDT"]
    assert after["round_trips"] >= before["round_trips"]
    assert Decimal(after["grid_profit_gross"]) >= gross_before
    assert not_doubled(run) == []


def is_loop_told(run: RealRun) -> bool:
    return any("again and again" in sentence for sentence in run.picture("coordinator").get("troubles", []))


def test_a_dead_venue_holds_entries_and_one_that_forgot_everything_erases_no_lot(run: RealRun) -> None:
    jump(run, "-0.3")
    run.until(lambda: run.picture(GATEWAY)["symbols"]["ETHUSDT"]["lots"] > 0, "it holds lots")
    run.kill_venue()
    run.until(lambda: "order_stream" in causes(run), "entries are held")
    sent = run.picture(GATEWAY)["counts"]["orders_sent"]
    lots = run.picture(GATEWAY)["symbols"]["ETHUSDT"]["lots"]

    run.restart_venue()
    run.until(lambda: "reconcile" in causes(run), "the lost position is named")

    gateway = run.picture(GATEWAY)
    assert gateway["symbols"]["ETHUSDT"]["lots"] == lots
    assert gateway["counts"]["orders_sent"] >= sent
    assert [row for row, identity in run.venue.own_orders() if not identity.purpose.closing] == []
    code, said = run.command("stop")
    assert (code, said["done"]) == (0, True), said
    assert run.wait() == 0


def causes(run: RealRun) -> list[str]:
    return [hold["cause"] for hold in run.picture(GATEWAY).get("holds", [])]
