"""`gridmesh add` and `remove` against a real run through Ray, packed and not, its gateway killed in between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from actors.run_file import read
from actors.settings.account import configuration_hash
from tests.ray.real_run import DEPLOYMENT, RealRun

pytestmark = pytest.mark.long

GATEWAY = "gateway/binanceusdm/main"
SHAPES: Mapping[str, Mapping[str, int]] = {
    "one level an actor": {"slots_per_actor": 1, "symbols_per_actor": 1},
    "all levels an actor": {"slots_per_actor": 1000, "symbols_per_actor": 20},
}


@pytest.fixture(params=SHAPES)
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealRun]:
    started = RealRun(tmp_path, runtime=SHAPES[request.param])
    yield started
    started.end()


def roster(run: RealRun) -> dict[str, str]:
    return {row["symbol"]: row["state"] for row in run.picture(GATEWAY).get("roster", [])}


def test_a_symbol_joins_and_another_leaves_over_a_killed_gateway(run: RealRun) -> None:
    run.start()
    run.until_running()
    document: dict[str, Any] = yaml.safe_load(run.config.read_text())
    ladder = {**document["symbols"][0], "symbol": "BTCUSDT", "interval": 40, "amount": 150}
    document["symbols"].append(ladder)
    run.config.write_text(yaml.safe_dump(document))

    code, answer = run.command("add", str(run.config), "BTCUSDT")
    assert (code, answer["done"]) == (0, True), answer
    home = {"GRIDMESH_HOME": str(run.home)}
    assert read(DEPLOYMENT, home).configuration_hash == configuration_hash(run.settings)
    run.until(lambda: run.venue.own_orders("BTCUSDT"), "the new one has placed an order")

    run.kill(GATEWAY)
    run.until(lambda: roster(run) == {"BTCUSDT": "joined"}, "the next gateway knows of it")
    run.until(lambda: run.picture(GATEWAY).get("is_ready"), "it is ready")

    code, answer = run.command("remove", "ETHUSDT")
    assert (code, answer["done"]) == (0, True), answer
    assert run.venue.own_orders("ETHUSDT", is_open=True) == []
    assert run.ask("snapshot", "slot/ETHUSDT/00") is None
    assert roster(run)["ETHUSDT"] == "left"

    code, answer = run.command("stop")
    assert code == 0, answer
    assert run.venue.own_orders(is_open=True) == []
    assert run.wait() == 0
