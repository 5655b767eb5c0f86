"""Numbers for people: rounded, whole, never with an exponent, never `None`."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from actors.commands import output
from actors.commands.numbers import lots, money, plain
from actors.commands.observe import render_explain, render_status
from actors.commands.output import emit
from actors.trials.demo_view import one_line

STATUS: dict[str, Any] = {
    "deployment": "trial",
    "state": "running",
    "owner_epoch": None,
    "holds": [],
    "symbols": [
        {
            "symbol": "1000PEPEUSDT",
            "state": "trading",
            "price": "123456.78901",
            "lots": 12,
            "max_lots": 12,
            "position": "123456789.001",
            "foreign": "0E-8",
            "entries": 50,
            "exits": 50,
            "grid_profit": "0E-11",
            "total_profit": "-12345.67890123456789",
        }
    ],
    "account": {"wallet": "1234567.123456789", "equity": "0.00000001", "unexplained": None, "day_opening": None},
}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("0E-11", "0"),
        ("0.00000001", "0"),
        ("-0.004567", "-0.0046"),
        ("1234.5678", "1234.57"),
        ("1E+3", "1000.00"),
        (None, "-"),
        ("", "-"),
        ("many", "many"),
        ("1e400", "1e400"),
    ],
)
def test_money_is_rounded(value: object, words: str) -> None:
    assert money(value) == words


@pytest.mark.parametrize(("value", "words"), [("0.0010", "0.0010"), ("0E-8", "0"), ("1E-8", "0.00000001"), (None, "-")])
def test_a_quantity_keeps_its_digits(value: object, words: str) -> None:
    assert plain(value) == words


def test_one_lot_is_no_lots() -> None:
    assert (lots(0), lots(1), lots(2)) == ("0 lots", "1 lot", "2 lots")


@pytest.mark.parametrize("columns", [80, 100, 130, 200])
def test_status_is_readable_in_any_width(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))

    emit(STATUS, as_json=False, render=lambda: render_status(STATUS))

    shown = capsys.readouterr().out
    assert output.width() == columns
    assert all(number in shown for number in ("123456.78901", "123456789.001", "-12345.68", "1234567.12"))
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= columns
    assert "None" not in shown
    assert "0E-" not in shown


def test_explain_is_readable_at_80_columns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    level = {
        "level": -12,
        "price": "123456.78",
        "order": "BUY 0.020 @ 123456.78",
        "target": "123458.78",
        "reason": "max_lots",
        "detail": "words " * 20,
    }
    answer = {"symbol": "BTCUSDT", "price": None, "levels": [level]}

    emit(answer, as_json=False, render=lambda: render_explain(answer))

    shown = capsys.readouterr().out
    assert "123456.78 " in shown
    assert "123458.78" in shown
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= 80


RESTING = {"phase": "live", "trigger": "2668.00", "client_id": "g1", "missing": "", "retry_ms": None}
MISSING = {
    **RESTING,
    "phase": None,
    "trigger": None,
    "missing": "-4130 another one rests",
    "retry_ms": 1,
    "retry": "10:00:00",
}


@pytest.mark.parametrize(
    ("stop", "words"),
    [
        (RESTING, ["BTCUSDT: the exchange-side stop rests at 2668.00"]),
        (MISSING, ["BTCUSDT: no exchange-side stop rests: -4130 another one rests; again at 10:00:00"]),
        (None, []),
    ],
)
def test_the_exchange_side_stop_is_one_line_where_one_is_configured(
    capsys: pytest.CaptureFixture[str], stop: dict[str, object] | None, words: list[str]
) -> None:
    status = {**STATUS, "symbols": [{**STATUS["symbols"][0], "symbol": "BTCUSDT", "stop": stop}]}
    explained: dict[str, object] = {"symbol": "BTCUSDT", "price": None, "levels": [], "stop": stop}
    for answer, render in ((status, render_status), (explained, render_explain)):
        emit(answer, as_json=False, render=partial(render, answer))
        assert [line for line in capsys.readouterr().out.splitlines() if "exchange-side" in line] == words


WAITING = {"price": "2990", "way": "fall", "is_fired": False, "at_ms": 1}
BUYING = {"is_planned": True, "levels": [3, 4], "limit": "3003.00", "reason": ""}


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"trigger": WAITING}, ["BTCUSDT: begins once the mark price has come to 2990 by a fall"]),
        ({"trigger": {**WAITING, "is_fired": True}, "opening": {**BUYING, "levels": []}}, []),
        ({"opening": BUYING}, ["BTCUSDT: 2 lots that it begins with are to be bought up to 3003.00"]),
        ({"opening": {**BUYING, "is_planned": False}}, ["BTCUSDT: begins with a position that is not bought yet"]),
    ],
)
def test_what_a_grid_waits_for_is_one_line_in_status_and_explain(
    capsys: pytest.CaptureFixture[str], told: dict[str, object], words: list[str]
) -> None:
    status = {**STATUS, "symbols": [{**STATUS["symbols"][0], "symbol": "BTCUSDT", **told}]}
    explained: dict[str, object] = {"symbol": "BTCUSDT", "price": None, "levels": [], **told}
    for answer, render in ((status, render_status), (explained, render_explain)):
        emit(answer, as_json=False, render=partial(render, answer))
        assert [line for line in capsys.readouterr().out.splitlines() if "begin" in line] == words


def test_which_side_of_a_neutral_grid_works_is_one_line_in_status_and_explain(
    capsys: pytest.CaptureFixture[str],
) -> None:
    turning = {"works": "long", "waits": "short", "turns_at": "3001.00", "why": "2 lots are held", "turns": 3}
    status = {**STATUS, "symbols": [{**STATUS["symbols"][0], "symbol": "BTCUSDT", "turning": turning}]}
    explained: dict[str, object] = {"symbol": "BTCUSDT", "price": None, "levels": [], "turning": turning}
    for answer, render in ((status, render_status), (explained, render_explain)):
        emit(answer, as_json=False, render=partial(render, answer))
        told = " ".join(capsys.readouterr().out.split())
        words = (
            "BTCUSDT: works long; short waits until nothing is held and the price has come to 3001.00: 2 lots are held"
        )
        assert words in told


def test_a_line_of_a_run_says_each_word_once_and_counts_in_english() -> None:
    symbol = {"price": "2996.1", "entries": 1, "exits": 0, "lots": 1, "round_trips": 2}
    seen = {"state": "running", "gateway": {"symbols": {"ETHUSDT": symbol}, "holds": [{"cause": "risk"}]}}

    assert one_line({}, "") == "starting"
    assert one_line({"state": "starting", "waiting_for": ["feed/ETHUSDT"]}, "") == "starting: waits for feed/ETHUSDT"
    assert one_line(seen, "7 s left") == (
        "running, 7 s left: ETHUSDT 2996.1 (1 entry, 0 exits, 1 lot, 2 round trips); held by risk"
    )
