"""A deployment on a Ray that runs already: a second `run` joins it or refuses, and Ray outlives its stop."""

from __future__ import annotations

import stat
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from actors.settings.account import configuration_hash, load_settings
from tests.live_control import VenueControl, still_venue
from tests.ray.gridmesh_shell import Shell
from tests.ray.own_ray import OwnRay, own_ray

PATIENCE_S = 180.0
ETH: dict[str, Any] = {
    "symbol": "ETHUSDT",
    "interval": 2,
    "anchor": 3000,
    "amount": 60,
    "buy_window": 3,
    "max_lots": 10,
    "leverage": 5,
    "min_rest_s": "0.5",
}
SECTIONS: dict[str, dict[str, Any]] = {
    "account": {"max_notional": 2000, "daily_loss": 500},
    "risk": {"enabled": False, "required_positions": 10},
}

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def venue() -> Iterator[VenueControl]:
    with still_venue() as started:
        yield started


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return Shell(tmp_path_factory.mktemp("second") / "home")


@pytest.fixture(scope="module")
def ray(shell: Shell) -> Iterator[OwnRay]:
    with own_ray(shell.environment) as started:
        shell.environment["RAY_AUTH_TOKEN_PATH"] = str(started.token_path)
        yield started


def write(shell: Shell, venue: VenueControl, ray: OwnRay, **changes: Any) -> Path:
    runtime = {"address": ray.address, "slots_per_actor": 8, "reconcile_s": 2, "log_json": True}
    return shell.write_config(venue, [{**ETH, **changes}], runtime=runtime, **SECTIONS)


def until_it_quotes(shell: Shell, venue: VenueControl) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while len(venue.own_orders("ETHUSDT", is_open=True)) < 3:
        assert time.monotonic() < deadline, shell.run("status").out
        time.sleep(0.3)


@pytest.fixture(scope="module")
def config(shell: Shell, venue: VenueControl, ray: OwnRay) -> Path:
    """The configuration of a deployment that was launched and quotes."""
    path = write(shell, venue, ray)
    launched = shell.run("run", path, "--json")
    assert launched.code == 0, launched.err
    assert launched.json["launched"] == "trial"
    until_it_quotes(shell, venue)
    return path


def scraped(ray: OwnRay) -> dict[str, list[Sample]]:
    """Return what Ray's own metrics endpoint tells of us, by the family's name."""
    with urllib.request.urlopen(ray.metrics_url, timeout=60) as reply:
        families = list(text_string_to_metric_families(reply.read().decode()))
    return {
        family.name.removeprefix("ray_"): family.samples
        for family in families
        if family.name.startswith("ray_gridmesh_")
    }


def test_a_second_run_of_the_same_joins(shell: Shell, config: Path) -> None:
    joined = shell.run("run", config, "--json")

    assert joined.code == 0, joined.err
    assert joined.json["attached"] is True
    assert [row["symbol"] for row in joined.json["symbols"]] == ["ETHUSDT"]


def test_ray_s_metrics_show_what_the_actors_do(config: Path, ray: OwnRay) -> None:
    wanted = {
        *("gridmesh_holds", "gridmesh_own_orders", "gridmesh_lots", "gridmesh_slots", "gridmesh_lane_waiting"),
        *("gridmesh_journal_append_us", "gridmesh_inner_queue", "gridmesh_unacknowledged", "gridmesh_orders_sent"),
        *("gridmesh_quote_age_ms", "gridmesh_price_is_fresh"),
    }
    deadline = time.monotonic() + PATIENCE_S
    actors = {"gateway/binanceusdm/main", "feed/ETHUSDT"}
    while True:
        found = scraped(ray)
        resting = {one.labels["purpose"]: one.value for one in found.get("gridmesh_own_orders", [])}
        queues = {one.labels["actor"] for one in found.get("gridmesh_inner_queue", [])}
        if wanted <= set(found) and (resting, queues) == ({"entry": 3, "exit": 0}, actors):
            break
        assert time.monotonic() < deadline, f"not shown: {sorted(wanted - set(found))}, {resting}, {queues}"
        time.sleep(1)


def test_a_run_of_another_configuration_is_refused_and_both_are_named(
    shell: Shell, venue: VenueControl, ray: OwnRay, config: Path
) -> None:
    first = configuration_hash(load_settings(config, {}))
    other = write(shell, venue, ray, max_lots=9)
    refused = shell.run("run", other, "--json")

    assert refused.code == 7, refused.out
    assert f"configuration is {first}, this one's {configuration_hash(load_settings(other, {}))}" in refused.out
    assert len(venue.own_orders("ETHUSDT", is_open=True)) == 3, "it trades on undisturbed"


def test_status_and_stop_find_it_and_ray_stays(shell: Shell, venue: VenueControl, ray: OwnRay, config: Path) -> None:
    status = shell.run("status", "--json")
    assert status.code == 0, status.err
    assert status.json["state"] == "running"
    assert stat.S_IMODE((shell.home / "trial.json").stat().st_mode) == 0o600

    stopped = shell.run("stop", "--json")
    assert stopped.code == 0, stopped.err
    assert venue.own_orders("ETHUSDT", is_open=True) == []
    assert shell.run("status").code == 3
    assert ray.process.is_running(), "Ray was not ours to end"

    again = shell.run("run", write(shell, venue, ray, max_lots=9), "--json")
    assert again.code == 0, again.err
    until_it_quotes(shell, venue)
    assert shell.run("stop", "--json").code == 0


def test_log_lines_of_every_actor_are_json_when_asked(config: Path, ray: OwnRay) -> None:
    logs = (ray.folder / "session_latest" / "logs").resolve()
    lines = [line for file in logs.glob("worker-*") for line in file.read_text().splitlines() if "actor" in line]
    ours = [orjson.loads(line) for line in lines if line.startswith("{")]

    assert {"gateway/binanceusdm/main", "coordinator"} <= {line["actor"] for line in ours}
    assert [line for line in lines if "actor=gateway" in line] == [], "no line is left in the console's form"


def test_after_a_refusal_the_mended_configuration_trades(
    shell: Shell, venue: VenueControl, ray: OwnRay, config: Path
) -> None:
    """A gateway that has refused keeps its words; the next run has one of its own."""
    shell.run("stop")
    wrong = shell.run("run", write(shell, venue, ray, amount=1), "--json")
    assert wrong.code == 0, wrong.err
    deadline = time.monotonic() + PATIENCE_S
    while shell.run("status", "--json").json.get("state") != "refused":
        assert time.monotonic() < deadline, "it is not refused"
        time.sleep(0.5)

    mended = shell.run("run", write(shell, venue, ray), "--json")

    assert mended.code == 0, mended.out
    until_it_quotes(shell, venue)
    assert shell.run("stop", "--json").code == 0
