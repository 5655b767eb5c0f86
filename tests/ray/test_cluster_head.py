"""The head is gone for longer than a minute, and comes back with what it knew from Redis: nobody stops for that."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.crash_truth import true_lots
from tests.ray.cluster_run import GATEWAY, SYMBOLS, ClusterRun, cluster_run

AWAY_S = 75.0
"""Longer than Ray's own patience of 60 s, after which nodes without a head would end."""
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture
def run() -> Iterator[ClusterRun]:
    with cluster_run() as made:
        yield made


def jump(run: ClusterRun, percent: str) -> None:
    run.venue.verb("tape", action="jump", symbol="ETHUSDT", percent=percent)


def sent(run: ClusterRun, since_s: float) -> list[bool]:
    """Return of each order sent since then whether it closes."""
    return [i.purpose.closing for row, i in run.venue.own_orders() if row["time"] > since_s * 1000]


def test_trading_goes_on_without_a_head_and_the_next_one_knows_everybody(run: ClusterRun) -> None:
    one, two = run.hosts.add("one"), run.hosts.add("two")
    run.start_head()
    run.start_account(one)
    run.start_worker(two, **{SYMBOLS: 1})
    run.until(run.trades, "it trades")
    places = run.places()
    names = list(places)
    assert places[GATEWAY] == one.address
    assert places["feed/ETHUSDT"] == places["slot/ETHUSDT/00"] == two.address
    lives = {name: run.ask("lives", name) for name in names}

    run.hosts.lose(run.head)
    lost_s = time.time()
    for step in range(5):
        time.sleep(AWAY_S / 5)
        jump(run, "-0.25" if step % 2 == 0 else "0.2")
    late_s = lost_s + 62
    run.until(lambda: {True, False} <= set(sent(run, late_s)), "entries and exits are sent all the same")
    run.hosts.plug(run.head)
    run.start_head()
    started_s = time.time()
    run.until(lambda: run.places() == places, "the new head knows where everybody is")
    print(f"\nhead away for {started_s - lost_s:.0f} s; known again {time.time() - started_s:.0f} s after its start")

    assert {name: run.ask("lives", name) for name in names} == lives, "nobody was started again"
    run.until(run.trades, "it trades")
    run.until(lambda: run.breaches(GATEWAY) == [], "book and venue agree")
    assert true_lots(run.venue.account(), "ETHUSDT")[2] == []
    assert {identity.owner_epoch for _, identity in run.venue.own_orders()} == {1}
    run.look_from(one)
    code, said = run.command("stop")
    assert (code, said["done"]) == (0, True), said
    assert run.venue.own_orders(is_open=True) == []
