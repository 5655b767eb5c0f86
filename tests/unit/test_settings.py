"""Settings: what is accepted, what is refused, and with which words."""

from __future__ import annotations

import copy
import pickle
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from actors.private_files import run_folder
from actors.settings.account import Settings, configuration_hash, load_settings, show_config
from actors.settings.errors import ConfigErrors, known_keys
from actors.settings.paper import Trading
from grid.errors import ConfigError
from grid.ladder import Spacing
from grid.neutral import GridKind

CONFIGS = Path(__file__).parents[2] / "configs"
SMALLEST: dict[str, Any] = {
    "deployment": "trial",
    "venue": {"rest_url": "http://127.0.0.1:1", "ws_url": "ws://127.0.0.1:1"},
    "symbols": [{"symbol": "ETHUSDT", "interval": 2, "amount": 30, "buy_window": 3, "max_lots": 5}],
    "account": {"max_notional": 100, "daily_loss": 10},
}


def load(folder: Path, document: object, environ: dict[str, str] | None = None) -> Settings:
    path = folder / "trial.yaml"
    path.write_text(document if isinstance(document, str) else yaml.safe_dump(document))
    return load_settings(path, environ or {})


def changed(**at: object) -> dict[str, Any]:
    """Return the smallest document with values put at paths such as `symbols__0__amount`; None takes the key away."""
    document = copy.deepcopy(SMALLEST)
    for path, value in at.items():
        *steps, last = path.split("__")
        place: Any = document
        for step in steps:
            place = place[int(step)] if step.isdigit() else place.setdefault(step, {})
        if value is None:
            place.pop(last)
        else:
            place[last] = value
    return document


def refused(folder: Path, document: object, environ: dict[str, str] | None = None) -> list[ConfigError]:
    with pytest.raises(ConfigError) as caught:
        load(folder, document, environ)
    return list(caught.value.errors) if isinstance(caught.value, ConfigErrors) else [caught.value]


def test_the_smallest_file_gets_the_documented_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path, SMALLEST)

    assert settings.gateway.orders_per_second == 25
    assert settings.gateway.burst == 30
    assert settings.gateway.recv_window_ms == 2000
    assert settings.symbols[0].side is GridKind.LONG
    assert settings.symbols[0].spacing is Spacing.ARITHMETIC
    assert settings.symbols[0].min_rest_s == 5
    assert settings.symbols[0].entry_slack == 1
    assert settings.runtime.slots_per_actor == 1
    assert not settings.symbols[0].exit_taker


@pytest.mark.parametrize("written", ["0.1", "0.3", "1e-7", "2999.99", "0.1000000000000000055511151231257827"])
def test_a_number_keeps_every_digit_that_was_written(tmp_path: Path, written: str) -> None:
    text = yaml.safe_dump(SMALLEST).replace("interval: 2", f"interval: {written}")

    settings = load(tmp_path, text)

    assert settings.symbols[0].interval == Decimal(written)


def test_a_float_made_by_a_program_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"0\.1 stays 0\.1"):
        Settings.model_validate(changed(symbols__0__amount=0.1))


def test_settings_do_not_change(tmp_path: Path) -> None:
    settings = load(tmp_path, SMALLEST)

    with pytest.raises(ValidationError, match="frozen"):
        settings.symbols[0].amount = Decimal(1)  # type: ignore[misc]


def test_settings_travel_between_processes(tmp_path: Path) -> None:
    settings = load(tmp_path, SMALLEST)

    assert pickle.loads(pickle.dumps(settings)) == settings


@pytest.mark.parametrize(
    ("at", "key", "value", "rule"),
    [
        ({"symbols__0__amount": "-3"}, "symbols[0].amount", "-3", "above 0"),
        ({"symbols__0__amount": "nan"}, "symbols[0].amount", "nan", "finite"),
        ({"symbols__0__interval": "1e400"}, "symbols[0].interval", "1e400", "between 0.0"),
        ({"symbols__0__interval": "1e-400"}, "symbols[0].interval", "1e-400", "between 0.0"),
        ({"symbols__0__anchor": "1" * 45}, "symbols[0].anchor", "1" * 45, "between 0.0"),
        ({"account__max_notional": "9e99999999"}, "account.max_notional", "9e99999999", "between 0.0"),
        ({"symbols__0__max_lots": "9" * 5000}, "symbols[0].max_lots", "9" * 80 + "...", "digits"),
        ({"symbols__0__amount": "many"}, "symbols[0].amount", "many", "a number"),
        ({"symbols__0__buy_window": "2.5"}, "symbols[0].buy_window", "2.5", "whole number"),
        ({"symbols__0__side": "up"}, "symbols[0].side", "up", "'long', 'short' or 'neutral'"),
        ({"symbols__0__max_lots": None}, "symbols[0].max_lots", "(missing)", "required"),
        ({"symbols__0__interval": None}, "symbols[0].interval", "(missing)", "required for arithmetic"),
        ({"symbols__0__ratio": "1.1"}, "symbols[0].ratio", "1.1", "no meaning for arithmetic"),
        (
            {"symbols__0__spacing": "geometric", "symbols__0__interval": None, "symbols__0__ratio": "1.000000000001"},
            "symbols[0].ratio",
            "1.000000000001",
            "at least 1.0001",
        ),
        ({"symbols__0__leverage": "20"}, "symbols[0].leverage", "20", "risk.max_leverage, 10"),
        ({"symbols__0__amount": "101"}, "symbols[0].amount", "101", "account.max_notional, 100"),
        ({"symbols__0__symbol": "eth usdt"}, "symbols[0].symbol", "eth usdt", "capitals"),
        ({"deployment": "My Run"}, "deployment", "My Run", "small letters"),
        ({"account__daily_loss": None}, "account.daily_loss", "(missing)", "required"),
        ({"account__drawdown": "1"}, "account.drawdown", "1", "below 1"),
        ({"symbols": []}, "symbols", "a list", "at least 1"),
        ({"risk__interval": "7m"}, "risk.interval", "7m", "one of 1s, 1m"),
        ({"risk__watch": ["A", "B"], "risk__trigger_symbols": 3}, "risk.trigger_symbols", "3", "at most 2"),
        ({"risk__detector": "loud"}, "risk.detector", "loud", "'fall' or 'volume'"),
        ({"risk__fall_min": "0.04"}, "risk.fall_min", "0.04", "at most fall_max, 0.03"),
        ({"risk__watch": ["A", "A"]}, "risk.watch", "A, A", "twice"),
        ({"risk__average_window": 30}, "risk.average_window", "30", "belongs to the volume detector"),
        ({"risk__detector": "volume", "risk__fall_window": 5}, "risk.fall_window", "5", "risk.detector is volume"),
        ({"runtime__address": "auto"}, "runtime.address", "auto", "local or host:port"),
        ({"runtime__dashboard": "maybe"}, "runtime.dashboard", "maybe", "true or false"),
        ({"venue__ws_url": None}, "venue.ws_url", "(missing)", "on production"),
        ({"venue__rest_url": "ftp://x"}, "venue.rest_url", "ftp://x", "http://"),
        ({"venue__rest_url": "http://x:99999"}, "venue.rest_url", "http://x:99999", "port"),
        ({"venue__name": "nyse"}, "venue.name", "nyse", "binanceusdm"),
        (
            {"venue__name": "bybit", "symbols__0__countdown_s": 60, "symbols__0__cancels_manual_orders": True},
            "symbols[0].countdown_s",
            "60",
            "does not exist at bybit",
        ),
        ({"paper__latency_min_ms": 90}, "paper.latency_min_ms", "90", "at most latency_max_ms, 80"),
        ({"paper__balance": "0"}, "paper.balance", "0", "above 0"),
        ({"venue": {"testnet": "true", "live": "true"}}, "venue.testnet", "True", "excludes live"),
        ({"symbols__0__amout": "3"}, "symbols[0].amout", "3", "did you mean symbols[0].amount?"),
        ({"gatway": {"burst": 3}}, "gatway", "a section", "did you mean gateway?"),
        ({"venue__burst": "3"}, "venue.burst", "3", "did you mean gateway.burst?"),
        ({"journal__colour": "red"}, "journal.colour", "red", "known here: path"),
    ],
)
def test_an_error_names_key_value_and_rule(tmp_path: Path, at: dict[str, Any], key: str, value: str, rule: str) -> None:
    (error,) = refused(tmp_path, changed(**at))

    assert error.key == key
    assert str(error.value) == value
    assert rule in error.rule


def test_all_errors_come_at_once(tmp_path: Path) -> None:
    document = changed(deployment="A", symbols__0__amount=-1, gateway={"brust": 3})

    errors = refused(tmp_path, document)

    assert [error.key for error in errors] == ["deployment", "symbols[0].amount", "gateway.brust"]
    with pytest.raises(ConfigError, match=r"3 settings are wrong:\n  deployment = A: .*\n  symbols\[0\].*\n  gateway"):
        load(tmp_path, document)


def test_a_symbol_stands_once(tmp_path: Path) -> None:
    (error,) = refused(tmp_path, changed(symbols=[SMALLEST["symbols"][0], SMALLEST["symbols"][0]]))

    assert error.key == "symbols[1].symbol"


def test_a_geometric_ladder_needs_a_ratio_instead(tmp_path: Path) -> None:
    document = changed(symbols__0__spacing="geometric", symbols__0__interval=None, symbols__0__ratio="1.002")

    assert load(tmp_path, document).symbols[0].ratio == Decimal("1.002")


class TestEnvironment:
    def test_it_wins_over_the_file_and_reaches_list_items(self, tmp_path: Path) -> None:
        environ = {
            "GRIDMESH__SYMBOLS__0__AMOUNT": "20.10",
            "GRIDMESH__GATEWAY__BURST": "7",
            "GRIDMESH__RISK__WATCH": "[BTCUSDT, ETHUSDT]",
            "GRIDMESH_HOME": "/nowhere",
        }

        settings = load(tmp_path, SMALLEST, environ)

        assert settings.symbols[0].amount == Decimal("20.10")
        assert settings.gateway.burst == 7
        assert settings.risk.watch == ("BTCUSDT", "ETHUSDT")

    def test_it_may_add_a_list_item_and_empty_a_key(self, tmp_path: Path) -> None:
        second = "{symbol: BTCUSDT, interval: 20, amount: 30, buy_window: 2, max_lots: 3}"
        environ = {"GRIDMESH__SYMBOLS__1": second, "GRIDMESH__SYMBOLS__0__ANCHOR": "null"}

        settings = load(tmp_path, changed(symbols__0__anchor=3000), environ)

        assert [ladder.symbol for ladder in settings.symbols] == ["ETHUSDT", "BTCUSDT"]
        assert settings.symbols[0].anchor is None

    def test_a_misspelt_variable_is_an_error_and_not_ignored(self, tmp_path: Path) -> None:
        (error,) = refused(tmp_path, SMALLEST, {"GRIDMESH__GATEWAY__BRUST": "7"})

        assert error.key == "gateway.brust"
        assert "gateway.burst" in error.rule

    @pytest.mark.parametrize(
        "name", ["GRIDMESH__SYMBOLS__7__AMOUNT", "GRIDMESH__SYMBOLS__FIRST__AMOUNT", "GRIDMESH____X"]
    )
    def test_a_variable_that_points_nowhere_is_named(self, tmp_path: Path, name: str) -> None:
        (error,) = refused(tmp_path, SMALLEST, {name: "1"})

        assert error.key == name


class TestFile:
    def test_one_that_is_absent_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"absent\.yaml: no such file"):
            load_settings(tmp_path / "absent.yaml", {})

    def test_what_is_no_yaml_is_refused_with_the_line(self, tmp_path: Path) -> None:
        (error,) = refused(tmp_path, "deployment: trial\nvenue: {name: [\n")

        assert "line" in str(error.value)

    def test_a_key_that_stands_twice_is_refused(self, tmp_path: Path) -> None:
        (error,) = refused(tmp_path, "deployment: a\ndeployment: b\n")

        assert error.key == "deployment"
        assert "line 2" in error.rule

    def test_a_bare_list_is_refused(self, tmp_path: Path) -> None:
        (error,) = refused(tmp_path, "- a\n- b\n")

        assert "not a list" in error.rule

    def test_words_that_yaml_would_turn_into_truth_stay_text(self, tmp_path: Path) -> None:
        assert load(tmp_path, changed(deployment="no")).deployment == "no"

    def test_a_relative_path_starts_at_the_file(self, tmp_path: Path) -> None:
        settings = load(tmp_path, changed(journal__path="book/a.sqlite"))

        assert settings.journal_path == tmp_path / "book" / "a.sqlite"


def test_the_journal_lies_in_the_run_folder_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDMESH_HOME", str(tmp_path / "home"))

    assert load(tmp_path, SMALLEST).journal_path == tmp_path / "home" / "trial.sqlite"
    assert run_folder({}) == Path("~/.gridmesh").expanduser()


class TestHash:
    def test_it_sees_values_and_not_how_they_are_written(self, tmp_path: Path) -> None:
        one = configuration_hash(load(tmp_path, changed(symbols__0__amount="30")))

        assert one == configuration_hash(load(tmp_path, changed(symbols__0__amount="30.00")))
        assert one == configuration_hash(load(tmp_path, SMALLEST, {"GRIDMESH__SYMBOLS__0__AMOUNT": "3e1"}))
        assert one != configuration_hash(load(tmp_path, changed(symbols__0__amount="30.01")))
        assert re.fullmatch("[0-9a-f]{16}", one)

    def test_a_default_written_out_changes_nothing(self, tmp_path: Path) -> None:
        one = configuration_hash(load(tmp_path, SMALLEST))

        assert one == configuration_hash(load(tmp_path, changed(gateway__burst=30)))


@pytest.mark.parametrize("name", ["demo.yaml", "practice.yaml", "paper.yaml", "live.example.yaml"])
def test_the_configurations_that_ship_are_valid(name: str) -> None:
    settings = load_settings(CONFIGS / name, {})

    assert settings.venue.live == (name == "live.example.yaml")
    assert settings.trading is (Trading.PRACTICE if name in ("demo.yaml", "practice.yaml") else Trading.PAPER)


def test_the_live_example_explains_every_key_with_its_default() -> None:
    text = (CONFIGS / "live.example.yaml").read_text()
    defaults = show_config(load_settings(CONFIGS / "live.example.yaml", {}))

    for key, field in known_keys(Settings).items():
        name = key.rsplit(".", 1)[-1]
        assert re.search(rf"^[ #-]*{name}: ", text, re.MULTILINE), f"{key} is not in live.example.yaml"
        assert field.description, f"{key} has no description"
    for section in ("gateway", "runtime"):
        for name, value in defaults[section].items():
            if value is None:
                continue  # an example stands there, and "Left out" says what that means
            shown = str(value).lower() if isinstance(value, bool) else str(value)
            assert re.search(rf"^  # {name}: {re.escape(shown)}$", text, re.MULTILINE), f"{section}.{name}: {shown}"


def test_show_config_is_plain_and_complete(tmp_path: Path) -> None:
    shown = show_config(load(tmp_path, SMALLEST))

    assert shown["symbols"][0]["amount"] == "30"
    assert shown["symbols"][0]["side"] == "long"
    assert set(shown) == set(Settings.model_fields)
