"""What a stop says of itself: by mode, and never better than what was verified."""

from __future__ import annotations

from typing import Any

import pytest

from actors.deployment_view import stop_report


def stopped(mode: str, *, verified: bool = True, lots: int = 0) -> dict[str, Any]:
    symbol = {"lots": lots, "lot_quantity": "0.040", "lot_cost": "120", "grid_profit": "1", "total_profit": "-2"}
    return {"state": "stopped", "final": {"mode": mode, "verified": verified, "symbols": {"ETHUSDT": symbol}}}


@pytest.mark.parametrize(
    ("mode", "words"),
    [("keep", "no own order is left"), ("leave_exits", "exits rest"), ("flatten", "no own order is left")],
)
def test_each_mode_says_what_it_left_at_the_venue(mode: str, words: str) -> None:
    report = stop_report(stopped(mode))

    assert report["done"]
    assert words in report["said"][0]


def test_a_flatten_that_left_lots_is_not_done() -> None:
    report = stop_report(stopped("flatten", lots=2))

    assert not report["done"]
    assert "2 lots are left" in report["said"][1]


def test_a_kept_position_is_done_and_named_with_size_and_cost() -> None:
    report = stop_report(stopped("keep", lots=2))

    assert report["done"]
    assert "2 lots of 0.040 stay, cost 120" in report["said"][1]


def test_what_was_not_verified_is_not_done() -> None:
    report = stop_report(stopped("keep", verified=False))

    assert not report["done"]
    assert "NOT verified" in report["said"][0]
