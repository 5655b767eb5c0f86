"""`gridmesh demo` as a user runs it: everything starts, trades, ends, and the books agree to the last decimal."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.ray.gridmesh_shell import Shell


@pytest.mark.timeout(600)
def test_the_demo_trades_and_every_rule_holds(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)

    ended = Shell(home).run("demo", "--duration", 15, "--json", timeout_s=550)

    assert ended.code == 0, ended.out + ended.err
    result = ended.json
    assert result["violations"] == []
    assert result["symbols"] == ["ETHUSDT", "BTCUSDT"]
    assert result["seconds"] >= 15
    assert result["orders_placed"] >= 6
    assert result["fills"] > 0
    assert result["position_matches"] is True
    assert result["open_own_orders"] == result["duplicate_orders"] == 0
    assert result["round_trips"] * 2 <= result["fills"]
    assert Decimal(result["fees"]) > 0
    assert Decimal(result["realised_profit"]).is_finite()
    assert {"orders_cancelled", "halts", "recoveries"} <= result.keys()
    assert list(home.iterdir()) == [], "the demo has a home of its own"
