"""Two symbols whose ladders share one slot actor and one feed, under the real `gridmesh run`: killed, one removed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import psutil
import pytest
import yaml

from tests.ray.real_run import RealRun

pytestmark = pytest.mark.long

GATEWAY = "gateway/binanceusdm/main"
FEED, SLOTS = PACKS = ("feed/ETHUSDT+1", "slot/ETHUSDT+1")


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RealRun]:
    started = RealRun(tmp_path, runtime={"slots_per_actor": 100, "symbols_per_actor": 20})
    document = yaml.safe_load(started.config.read_text())
    document["symbols"].append({**document["symbols"][0], "symbol": "BTCUSDT", "interval": 40, "amount": 150})
    started.config.write_text(yaml.safe_dump(document))
    yield started
    started.end()


def entries(run: RealRun, symbol: str) -> set[str]:
    """Return the prices at which its entries rest."""
    resting = run.venue.own_orders(symbol, is_open=True)
    return {row["price"] for row, identity in resting if not identity.purpose.closing}


def jump(run: RealRun) -> None:
    """Move both markets by some levels, away from where their entries rest."""
    before = {symbol: entries(run, symbol) for symbol in ("ETHUSDT", "BTCUSDT")}
    for symbol in before:
        run.venue.verb("tape", action="jump", symbol=symbol, percent="0.4")
    for symbol, prices in before.items():
        run.until(lambda s=symbol, p=prices: entries(run, s) - p, f"{symbol} follows its price")  # type: ignore[misc]


def kill(run: RealRun, name: str, *served: str) -> None:
    former = run.kill(name)
    run.until(lambda: run.ask("process", name) not in (None, former), f"{name} has a new life")
    run.until(lambda: serves(run, name) == list(served), f"{name} serves {' and '.join(served)}")


def serves(run: RealRun, name: str) -> list[str]:
    seen = run.picture(name)
    return [] if seen.get("waits_for") else list(seen.get("symbols", ()))


def explains(run: RealRun, symbol: str) -> bool:
    """Whether `explain` tells of an order of the symbol; of the other, of another magnitude, it tells no level."""
    code, told = run.command("explain", symbol)
    assert (code, told["symbol"], told["silent"]) == (0, symbol, [])
    assert all((Decimal(level["price"]) > 10_000) == (symbol == "BTCUSDT") for level in told["levels"])
    return any(level["order"] for level in told["levels"])


def test_a_shared_slot_actor_serves_both_ladders_over_a_kill_and_one_after_the_other_has_left(run: RealRun) -> None:
    run.start()
    run.until_running()
    run.until(lambda: entries(run, "ETHUSDT") and entries(run, "BTCUSDT"), "both are quoted")
    slots = [row["name"] for row in run.picture("coordinator")["actors"] if row["name"].startswith("slot/")]
    assert slots == [SLOTS]
    nice = {psutil.Process(pid).nice() for pid in (run.pid, *(run.ask("process", name) for name in (*PACKS, GATEWAY)))}
    assert len(nice) == 1, "actors give way to nobody to whom their launcher does not"

    for pack in PACKS:
        kill(run, pack, "ETHUSDT", "BTCUSDT")
        jump(run)
    for symbol in ("ETHUSDT", "BTCUSDT"):
        run.until(lambda s=symbol: explains(run, s), f"{symbol} is explained")  # type: ignore[misc]

    code, answer = run.command("remove", "ETHUSDT")
    assert (code, answer["done"]) == (0, True), answer
    for pack in PACKS:
        kill(run, pack, "BTCUSDT")
    before = entries(run, "BTCUSDT")
    run.venue.verb("tape", action="jump", symbol="BTCUSDT", percent="0.4")
    run.until(lambda: entries(run, "BTCUSDT") - before, "the other goes on")

    code, answer = run.command("stop")
    assert code == 0, answer
    assert run.venue.own_orders(is_open=True) == []
    assert run.wait() == 0
