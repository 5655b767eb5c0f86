"""The host of the gateway is parted from the others, but not from the venue: what an old owner may do, and a new one.

All of the deployment is on that host, and the journal's database is on the venue's network: nothing but the lease stops
the old owner. Its own feed and slots go on asking, and its journal takes what they ask for.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.crash_truth import true_lots
from tests.ray.cluster_run import COORDINATOR, FEED, GATEWAY, SILENT_AFTER_S, SYMBOLS, ClusterRun, cluster_run
from tests.ray.hosts import VENUE, Host

SLACK_S = 1.0
"""From the decision to send until the venue has written the order's time."""
SHORT_S, LONG_S = 20.0, 90.0
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def run() -> Iterator[ClusterRun]:
    with cluster_run(journal_by=VENUE) as made:
        yield made


@pytest.fixture(scope="module")
def pair(run: ClusterRun) -> tuple[Host, Host]:
    """The host on which everything is, and the one that could have it too."""
    one, two = run.hosts.add("one"), run.hosts.add("two")
    run.start_head()
    run.start_account(one, **{SYMBOLS: 1})
    run.until(run.trades, "it trades")
    assert set(run.places().values()) == {one.address}
    run.start_account(two, **{SYMBOLS: 1})
    run.joins(two)
    return one, two


def jump(run: ClusterRun, percent: str) -> None:
    run.venue.verb("tape", action="jump", symbol="ETHUSDT", percent=percent)


def times_s(run: ClusterRun, owner_epoch: int) -> list[float]:
    """Return when the venue took each order of an owner."""
    return [row["time"] / 1000 for row, identity in run.venue.own_orders() if identity.owner_epoch == owner_epoch]


def fills(run: ClusterRun) -> int:
    return len(run.venue.account()["fills"])


def see_it_whole(run: ClusterRun) -> None:
    run.until(run.trades, "it trades")
    run.until(lambda: run.breaches(GATEWAY) == [], "book and venue agree")
    assert true_lots(run.venue.account(), "ETHUSDT")[2] == [], "a held lot was bought again"


def test_a_cut_of_20_s_silences_the_owner_and_nobody_takes_over(run: ClusterRun, pair: tuple[Host, Host]) -> None:
    one, _ = pair
    life, bought = run.ask("lives", GATEWAY), fills(run)
    run.hosts.cut(one)
    cut_s = time.time()
    time.sleep(SILENT_AFTER_S + SLACK_S)
    jump(run, "-0.3")  # buys fill: their exits and the next entries are due, and nothing may leave
    time.sleep(max(0.0, cut_s + SHORT_S - time.time()))
    silent = [at_s for at_s in times_s(run, 1) if at_s > cut_s + SILENT_AFTER_S + SLACK_S]
    assert fills(run) > bought
    run.hosts.join(one)

    assert silent == []
    see_it_whole(run)
    assert set(run.places().values()) == {one.address}
    assert (run.ask("lives", GATEWAY), run.picture(GATEWAY)["owner_epoch"]) == (life, 1)
    assert [at_s for at_s in times_s(run, 1) if at_s > cut_s + SHORT_S], "it goes on"


def test_a_cut_of_90_s_hands_over_and_the_old_owner_comes_back_to_nothing(
    run: ClusterRun, pair: tuple[Host, Host]
) -> None:
    one, two = pair
    run.until(run.trades, "it trades")
    run.hosts.cut(one)
    cut_s = time.time()
    jump(run, "-0.2")
    run.until(lambda: run.places().get(GATEWAY) == two.address, "the gateway is on the other host")
    moved_s = time.time() - cut_s
    run.until(lambda: times_s(run, 2), "the new owner has sent")
    sent_s = times_s(run, 2)[0] - cut_s
    run.until(run.trades, "the new owner trades")
    trades_s = time.time() - cut_s
    time.sleep(max(0.0, cut_s + LONG_S - time.time()))
    print(f"\ncut of {LONG_S:.0f} s: moved after {moved_s:.0f} s, first order {sent_s:.0f} s, quoting {trades_s:.0f} s")
    assert max(times_s(run, 1)) < cut_s + SILENT_AFTER_S + SLACK_S
    assert max(times_s(run, 1)) < min(times_s(run, 2))
    lives = {name: run.ask("lives", name) for name in (GATEWAY, FEED, COORDINATOR)}

    run.hosts.join(one)
    run.until(lambda: not one.is_on, "the node that was given up has ended")
    see_it_whole(run)
    assert {name: run.ask("lives", name) for name in lives} == lives, "what came back has ended nobody"
    assert set(run.places().values()) == {two.address}
    assert max(times_s(run, 1)) < cut_s + SILENT_AFTER_S + SLACK_S

    run.start_account(one, **{SYMBOLS: 1})
    run.joins(one)
    jump(run, "-0.2")
    see_it_whole(run)
    epochs = [identity.owner_epoch for _, identity in run.venue.own_orders()]
    assert [pair for pair in pairwise(epochs) if pair[1] < pair[0]] == [], "owners followed each other"
    run.look_from(two)
    code, said = run.command("stop")
    assert (code, said["done"]) == (0, True), said
    assert run.venue.own_orders(is_open=True) == []
