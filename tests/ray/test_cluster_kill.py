"""A host is lost as by a loss of power: that of a slot, of a feed, of the gateway. Nobody does anything about it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.crash_truth import true_lots
from tests.ray.cluster_run import ACCOUNT, COORDINATOR, FEED, GATEWAY, SYMBOLS, ClusterRun, cluster_run
from tests.ray.hosts import Host

SLOTS = "gridmesh_slots"
BTC: dict[str, Any] = {"symbol": "BTCUSDT", "interval": 25, "amount": 130, "buy_window": 2, "sell_window": 3}
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture
def run() -> Iterator[ClusterRun]:
    with cluster_run() as made:
        yield made


def jump(run: ClusterRun, percent: str) -> None:
    for symbol in ("ETHUSDT", "BTCUSDT"):
        run.venue.verb("tape", action="jump", symbol=symbol, percent=percent)


def see_it_whole(run: ClusterRun, symbols: tuple[str, ...]) -> None:
    run.until(lambda: all(quotes(run, symbol) for symbol in symbols), "every symbol is quoted")
    run.until(lambda: run.breaches(GATEWAY) == [], "book and venue agree")
    assert [text for symbol in symbols for text in true_lots(run.venue.account(), symbol)[2]] == []


def quotes(run: ClusterRun, symbol: str) -> bool:
    entries = [i for _, i in run.venue.own_orders(symbol, is_open=True) if not i.purpose.closing]
    return bool(run.trades() and entries)


def lose(run: ClusterRun, host: Host, spare: Host, victims: tuple[str, ...], symbols: tuple[str, ...]) -> None:
    """Lose the host of these actors, and see each come to life on the spare one."""
    places = run.places()
    assert {places[name] for name in victims} == {host.address}
    others = {name: run.ask("lives", name) for name in places if places[name] != host.address}
    last = max(row["orderId"] for row, _ in run.venue.own_orders())
    run.hosts.lose(host)
    lost_s = time.time()
    jump(run, "-0.25")
    run.until(lambda: {run.places().get(name) for name in victims} == {spare.address}, f"{victims[0]} has moved")
    moved_s = time.time() - lost_s
    see_it_whole(run, symbols)
    whole_s = time.time() - lost_s
    jump(run, "0.3")
    see_it_whole(run, symbols)
    assert max(row["orderId"] for row, _ in run.venue.own_orders()) > last
    print(f"\nhost of {victims[0]} lost: moved after {moved_s:.0f} s, whole after {whole_s:.0f} s")
    assert {name: run.ask("lives", name) for name in others} == others, "who lived elsewhere lives on"


def test_slots_feeds_and_the_gateway_come_to_life_elsewhere(run: ClusterRun) -> None:
    document = yaml.safe_load(run.config.read_text())
    document["symbols"].append({**document["symbols"][0], **BTC, "max_lots": 40, "place": SLOTS})
    document["account"]["max_notional"] = 9000
    document["runtime"]["symbols_per_actor"] = 2  # one feed, with the first symbol; the second has its slots elsewhere
    document["runtime"]["slots_per_actor"] = 2
    run.config.write_text(yaml.safe_dump(document))
    account, feeds, slots, spare = (run.hosts.add(name) for name in ("account", "feeds", "slots", "spare"))
    run.start_head()
    run.start_account(account)
    run.start_worker(feeds, **{SYMBOLS: 1})
    run.start_worker(slots, **{SLOTS: 1})
    symbols = ("ETHUSDT", "BTCUSDT")
    see_it_whole(run, symbols)
    run.start_account(spare, **{SYMBOLS: 1, SLOTS: 1})
    run.joins(spare)
    feed = next(name for name in run.places() if name.startswith("feed/"))

    lose(run, slots, spare, ("slot/BTCUSDT/00",), symbols)
    assert run.picture(GATEWAY)["owner_epoch"] == 1
    lose(run, feeds, spare, (feed, "slot/ETHUSDT/00"), symbols)
    assert run.picture(GATEWAY)["owner_epoch"] == 1
    lose(run, account, spare, (GATEWAY, COORDINATOR), symbols)
    assert run.picture(GATEWAY)["owner_epoch"] == 2
    by_epoch = {
        epoch: [row["time"] for row, identity in run.venue.own_orders() if identity.owner_epoch == epoch]
        for epoch in (1, 2)
    }
    assert max(by_epoch[1]) < min(by_epoch[2])
    assert run.picture(GATEWAY)["symbols"]["ETHUSDT"]["round_trips"] > 0
    run.look_from(spare)
    code, said = run.command("stop")
    assert (code, said["done"]) == (0, True), said
    assert run.venue.own_orders(is_open=True) == []


def test_a_gateway_whose_journal_is_a_file_waits_for_its_host(run: ClusterRun) -> None:
    document = yaml.safe_load(run.config.read_text())
    del document["journal"], document["runtime"]["account_place"]
    run.config.write_text(yaml.safe_dump(document))
    one, two = run.hosts.add("one"), run.hosts.add("two")
    run.start_head()
    run.start_account(one)
    run.start_account(two, **{SYMBOLS: 1})
    run.until(run.trades, "it trades")
    run.until(lambda: run.picture(GATEWAY)["symbols"]["ETHUSDT"]["entry_fills"] > 0, "it has bought")
    places = run.places()
    home = one if places[GATEWAY] == one.address else two
    assert places[GATEWAY] == places[COORDINATOR] == home.address
    assert places[FEED] == two.address
    sent = len(run.venue.own_orders())

    run.hosts.lose(home)
    run.until(lambda: GATEWAY not in run.places(), "the gateway is dead")
    time.sleep(20)
    assert GATEWAY not in run.places(), "it goes nowhere else"
    assert len(run.venue.own_orders()) == sent
    run.hosts.plug(home)
    run.start_account(home, **({SYMBOLS: 1} if home is two else {}))
    run.until(lambda: run.places().get(GATEWAY) == home.address, "it is back on its host")
    see_it_whole(run, ("ETHUSDT",))
    assert run.picture(GATEWAY)["owner_epoch"] == 2
    assert ACCOUNT not in run.config.read_text()
