"""What deploy/ shows is really there: a real Prometheus scrapes a real run, and every panel's query gives data."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from actors.runtime.metric_names import DECLARED, Kind
from tests.ports import free_ports
from tests.ray.prometheus_server import DEPLOY, PrometheusServer, prometheus
from tests.ray.real_run import DEPLOYMENT, RealRun

DASHBOARD = DEPLOY / "grafana" / "gridmesh.json"
CANDLES = {"stream": "*@kline*"}
READINGS = {"endpoint": "GET *positionRisk"}
SLOT = "slot/ETHUSDT/00"
PATIENCE_S = 180.0
SELDOM = {
    "gridmesh_orders_refused",
    "gridmesh_taker_fills",
    "gridmesh_resends",
    "gridmesh_account_lease_left_ms",
}
"""What a sound run on one host may leave at nothing; their panels show 0 then."""

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRun]:
    (port,) = free_ports(1)
    over: dict[str, Any] = {
        "runtime": {"metrics_port": port},
        "risk": {"stale_s": 2, "min_hold_s": 1},
    }
    made = RealRun(tmp_path_factory.mktemp("metrics"), **over)
    made.metrics_port = port
    try:
        made.start(RAY_metrics_report_interval_ms="1000")
        made.until_running()
        yield made
    finally:
        made.end()


@pytest.fixture(scope="module")
def server(run: RealRun, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    with prometheus(tmp_path_factory.mktemp("prometheus"), f"127.0.0.1:{run.metrics_port}") as started:
        live_through_something(run)
        yield started


def live_through_something(run: RealRun) -> None:
    """Lots are bought and sold, a halt comes and goes, streams are cut, an actor dies, the venue fails once."""
    run.venue.fault("frozen_stream", scope=CANDLES)
    for percent in ("-0.3", "0.35", "-0.3", "0.35"):
        run.venue.verb("tape", action="jump", symbol="ETHUSDT", percent=percent)
        time.sleep(1)
    run.venue.fault("bad_gateway", scope=READINGS, count=2)
    run.kill(SLOT)
    run.until(lambda: run.picture("risk").get("phase") == "halted", "deaf to the candles, risk halts")
    run.until(lambda: run.venue.strikes("bad_gateway"), "a reading of the account has failed")
    run.venue.heal()
    run.venue.fault("forced_cut", count=1)
    run.until(lambda: run.picture("risk").get("phase") == "go", "it resumes")


def expressions() -> list[tuple[str, str]]:
    """Return (panel, expression) of each query of the dashboard, its variables put in."""
    document = json.loads(DASHBOARD.read_text())
    found = [
        (panel["title"], target["expr"])
        for panel in document["panels"]
        if panel["type"] != "row"
        for target in panel["targets"]
    ]
    values = {"$deployment": DEPLOYMENT, "$account": ".*", "$symbol": ".+", "$__rate_interval": "30s"}
    return [(title, re.sub(r"\$\w+", lambda match: values[match.group()], expr)) for title, expr in found]


def numbers(server: PrometheusServer, expression: str) -> list[float]:
    """Return the values that are numbers: a quantile of nothing is none."""
    values = [float(row["value"][1]) for row in server.query(expression)]
    return [value for value in values if not math.isnan(value)]


def shown(server: PrometheusServer) -> set[str]:
    """Return the names of all series of ours that Prometheus has just now."""
    return {row["metric"]["__name__"] for row in server.query('{__name__=~"ray_gridmesh_.+"}')}


def missing_of(wanted: dict[str, str], found: set[str]) -> list[str]:
    return [name for name, series in wanted.items() if series not in found]


def until_none(run: RealRun, missing: Callable[[], list[Any]], what: str) -> None:
    """Wait until nothing is missing, while the market goes up and down."""
    deadline, step = time.monotonic() + PATIENCE_S, 0
    while left := missing():
        assert time.monotonic() < deadline, f"{what}: {left}"
        run.venue.verb("tape", action="jump", symbol="ETHUSDT", percent="-0.2" if step % 2 else "0.2")
        step += 1
        time.sleep(1)


def test_every_declared_series_is_scraped(run: RealRun, server: PrometheusServer) -> None:
    ends = {Kind.GAUGE: "", Kind.COUNTER: "_total", Kind.HISTOGRAM: "_count"}
    wanted = {name: f"ray_{name}{ends[one.kind]}" for name, one in DECLARED.items() if name not in SELDOM}

    until_none(run, lambda: missing_of(wanted, shown(server)), "not scraped")

    assert server.labels("deployment", "ray_gridmesh_heartbeat_s") == [DEPLOYMENT]
    assert server.labels("symbol", "ray_gridmesh_lots") == ["ETHUSDT"]
    assert numbers(server, "max(ray_gridmesh_lots_max)") == [30]


def test_every_panel_of_the_dashboard_has_data(run: RealRun, server: PrometheusServer) -> None:
    queries = expressions()
    assert len(queries) > 60

    until_none(run, lambda: [one for one in queries if not numbers(server, one[1])], "panels without data")


def test_an_expression_without_data_would_be_seen(server: PrometheusServer) -> None:
    assert numbers(server, 'max(ray_gridmesh_lots{deployment="another"})') == []
    assert numbers(server, "max(ray_gridmesh_lost)") == []


def test_every_alarm_is_evaluated_and_a_sound_run_rings_none_that_is_critical(
    run: RealRun, server: PrometheusServer
) -> None:
    def evaluated() -> list[tuple[str, Any]]:
        return [(rule["name"], rule.get("lastError")) for rule in server.rules() if rule["health"] != "ok"]

    until_none(run, evaluated, "not evaluated")
    rules = server.rules()
    ringing = [rule["name"] for rule in rules if rule["state"] == "firing" and rule["labels"]["severity"] == "critical"]
    assert ringing == []


def states(server: PrometheusServer) -> dict[str, str]:
    return {rule["name"]: rule["state"] for rule in server.rules()}


@pytest.mark.long
def test_a_run_that_is_gone_is_an_alarm(run: RealRun, server: PrometheusServer) -> None:
    run.kill_driver()
    deadline = time.monotonic() + PATIENCE_S
    while {states(server)[name] for name in ("GridmeshSilent", "GridmeshNotScraped")} & {"inactive"}:
        assert time.monotonic() < deadline, states(server)
        time.sleep(1)
