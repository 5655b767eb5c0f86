"""`gridmesh drill` and the soak through the real command line: everything goes wrong, and every invariant holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]


def ended(tmp_path: Path, *arguments: str) -> dict[str, Any]:
    """Run a program of ours in a home of its own and return its last line; it must end with 0."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["GRIDMESH_HOME"] = str(tmp_path)
    found = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert found.returncode == 0, f"{found.stdout[-3000:]}\n{found.stderr[-3000:]}"
    told: dict[str, Any] = json.loads(found.stdout.strip().splitlines()[-1])
    return told


def test_the_demos_configuration_passes_its_drill(tmp_path: Path) -> None:
    told = ended(tmp_path, "actors.cli", "drill", "configs/demo.yaml", "--duration", "25", "--json")

    assert told["violations"] == []
    assert all(invariant["held"] for invariant in told["invariants"])
    assert len(told["invariants"]) >= 9
    assert told["fills"] > 0
    struck = {name for name, count in told["faults"].items() if count}
    assert {"reply lost", "event doubled", "event reordered", "503", "wrong reading", "private stream cut"} <= struck
    assert abs(float(told["unexplained"])) < 0.00001
    assert list(tmp_path.iterdir()) == [], "a drill has a home of its own"


OTHER = """
deployment: other
venue: {name: okx, live: true}
symbols:
  - {symbol: ETHUSDT, interval: 2, amount: 60, buy_window: 4, max_lots: 30, leverage: 5}
account: {max_notional: 3000, daily_loss: 100}
risk: {watch: [BTCUSDT, ETHUSDT], required_positions: 5}
"""


def test_a_drill_of_another_venue_speaks_its_language(tmp_path: Path) -> None:
    config = tmp_path / "other.yaml"
    config.write_text(OTHER)

    told = ended(tmp_path, "actors.cli", "drill", str(config), "--duration", "20", "--json")

    assert told["venue"] == "okx"
    assert told["violations"] == []
    assert told["fills"] > 0
    assert {name for name, count in told["faults"].items() if count} >= {"reply lost", "private stream cut"}
