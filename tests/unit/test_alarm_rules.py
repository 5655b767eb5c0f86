"""The alarms of deploy/prometheus-rules.yml, played by Prometheus's own tool, and the numbers that they name."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from actors.runtime.metric_names import DECLARED, Kind

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy" / "prometheus-rules.yml"
PLAYED = Path(__file__).with_name("alarm_rules.yml")
NAME = re.compile(r"ray_(gridmesh_\w+)")
ENDS = {Kind.GAUGE: ("",), Kind.COUNTER: ("_total",), Kind.HISTOGRAM: ("_bucket", "_count", "_sum")}
EXPORTED = {name + end for name, one in DECLARED.items() for end in ENDS[one.kind]}


def promtool(folder: Path, *arguments: str) -> str:
    """Run it; returns what it said where it found something wrong."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not here: Debian's package prometheus has it")
    ended = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, timeout=280, check=False)
    return "" if ended.returncode == 0 else ended.stdout + ended.stderr


def play(folder: Path, rules: str) -> str:
    (folder / RULES.name).write_text(rules)
    (folder / PLAYED.name).write_text(PLAYED.read_text())
    return promtool(folder, "test", "rules", PLAYED.name)


def test_the_configurations_are_what_prometheus_accepts() -> None:
    for name in ("prometheus.yml", "prometheus-compose.yml"):
        assert promtool(RULES.parent, "check", "config", name) == ""


def test_the_alarms_ring_when_they_should(tmp_path: Path) -> None:
    assert play(tmp_path, RULES.read_text()) == ""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('ray_gridmesh_holds{cause!~"operator|trigger"}) == 1', 'ray_gridmesh_holds{cause!~"operator"}) == 2'),
        ("ray_gridmesh_price_is_fresh) == 0", "ray_gridmesh_price_is_fresh) == 1"),
        ("abs(ray_gridmesh_unexplained_quote)", "(ray_gridmesh_unexplained_quote)"),
        ("unless on (deployment, account)", "and on (deployment, account)"),
        ('{stream=~"mark/.*"}', ""),
    ],
)
def test_a_wrong_alarm_would_be_seen(tmp_path: Path, right: str, wrong: str) -> None:
    rules = RULES.read_text()
    assert rules.count(right) == 1

    assert "FAILED" in play(tmp_path, rules.replace(right, wrong))


def test_alarms_and_panels_name_only_numbers_that_exist() -> None:
    panels = (ROOT / "deploy" / "grafana" / "gridmesh.json").read_text()
    named = {*NAME.findall(RULES.read_text()), *NAME.findall(panels)}

    assert named - EXPORTED == set()


def test_every_declared_number_is_on_the_dashboard() -> None:
    panels = json.loads((ROOT / "deploy" / "grafana" / "gridmesh.json").read_text())["panels"]
    shown = {name for panel in panels for one in panel.get("targets", ()) for name in NAME.findall(one["expr"])}

    assert [name for name, one in DECLARED.items() if not shown & {name + end for end in ENDS[one.kind]}] == []


def test_every_alarm_says_what_to_do() -> None:
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]

    assert [rule["alert"] for rule in rules if set(rule["annotations"]) != {"summary", "action"}] == []
    assert {rule["labels"]["severity"] for rule in rules} <= {"critical", "warning", "info"}
