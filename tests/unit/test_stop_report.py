"""What a stop says of itself: by mode, and never better than what was verified."""

from __future__ import annotations

from typing import Any

import pytest

from actors.deployment.view import stop_report
from actors.runtime import launch


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


def several(**parts: dict[str, Any]) -> dict[str, Any]:
    whole = [{"refusals": [], "refusal_code": 0, **part} for part in parts.values()]
    refusals = [f"{name}: {one}" for name, part in parts.items() for one in part.get("refusals", ())]
    code = max(part["refusal_code"] for part in whole)
    accounts = dict(zip(parts, whole, strict=True))
    return {"state": "stopped", "accounts": accounts, "refusals": refusals, "refusal_code": code}


REFUSED = {"state": "refused", "refusals": ["leverage 50 is above 10"], "refusal_code": 7, "final": {}}


def test_several_accounts_are_done_only_if_each_is_verified() -> None:
    report = stop_report(several(alpha=stopped("keep"), beta=stopped("keep", verified=False)))

    assert not report["done"]
    assert report["said"][0] == "alpha: no own order is left: verified at the venue"
    assert any(line.startswith("beta: NOT verified") for line in report["said"])
    assert stop_report(several(alpha=stopped("keep"), beta=stopped("keep")))["done"]


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"alpha": stopped("keep"), "beta": stopped("keep")}, 0),
        ({"alpha": stopped("keep"), "beta": stopped("keep", verified=False)}, 1),
        ({"alpha": stopped("keep"), "beta": REFUSED}, 7),
        ({"alpha": stopped("keep"), "beta": {**REFUSED, "refusal_code": 4}}, 4),
    ],
)
def test_a_run_in_which_an_account_was_refused_says_so_by_its_end(
    parts: dict[str, dict[str, Any]], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert launch._verdict(several(**parts), as_json=False) == code

    said = capsys.readouterr()
    assert "alpha: no own order is left" in said.out
    assert ("beta: leverage 50 is above 10" in said.err) == (code > 1)
