"""The verbs without a run, over a configuration of two accounts on two venues of different protocols."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from actors.panic import cancelling as panic
from actors.settings.deployment import load_deployment
from exchanges.sim.server.options import DEMO_KEY, DEMO_SECRET
from tests.live_accounts import several, several_settings
from tests.live_control import VenueControl, still_venue
from tests.unit.command_line import CommandLine, Ended
from tests.venue.running_venue import RunningVenue, running, still_options
from tests.venue.trading_account import TradingAccount, own_id

LADDER = {"symbol": "ETHUSDT", "interval": 2, "amount": 60, "buy_window": 3, "max_lots": 10, "leverage": 5}
PROTOCOLS = {"alpha": "binanceusdm", "beta": "bybit"}


@dataclass(frozen=True, slots=True)
class Bench:
    """The configuration, and each account as another program would see it."""

    config: Path
    shell: CommandLine
    venues: dict[str, RunningVenue]
    document: dict[str, Any]

    def at(self, name: str) -> TradingAccount:
        return TradingAccount(self.venues[name], self.config, self.shell)

    def run(self, *arguments: object) -> Ended:
        return self.shell.run(*arguments)

    def change(self, name: str, **sections: dict[str, Any]) -> None:
        """Write the configuration anew with some keys of an account changed."""
        own = next(one for one in self.document["accounts"] if one["name"] == name)
        for section, keys in sections.items():
            own.setdefault(section, {}).update(keys)
        self.config.write_text(yaml.safe_dump(self.document))


@pytest.fixture(scope="module")
def venues() -> Iterator[dict[str, RunningVenue]]:
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(running(replace(still_options(), protocol=protocol)))
            for name, protocol in PROTOCOLS.items()
        }


@pytest.fixture
def fresh() -> Iterator[dict[str, VenueControl]]:
    """Venues at which nobody has traded yet."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(still_venue(replace(still_options(), protocol=protocol)))
            for name, protocol in PROTOCOLS.items()
        }


@pytest.fixture
def bench(
    venues: dict[str, RunningVenue],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Bench]:
    monkeypatch.setenv("GRIDMESH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TRIAL_KEY", DEMO_KEY)
    monkeypatch.setenv("TRIAL_SECRET", DEMO_SECRET)
    monkeypatch.setattr(panic, "READ_PAUSE_S", 0.3)
    keys = {"api_key_env": "TRIAL_KEY", "api_secret_env": "TRIAL_SECRET"}
    document: dict[str, Any] = {
        "deployment": "trial",
        "accounts": [
            {
                "name": name,
                "venue": {"name": PROTOCOLS[name], "rest_url": venue.rest_url, "ws_url": venue.ws_url, **keys},
                "symbols": [dict(LADDER)],
                "account": {"max_notional": 2000, "daily_loss": 100},
                "gateway": {"recv_window_ms": 1500},
            }
            for name, venue in venues.items()
        ],
        "risk": {"required_positions": 10},
    }
    made = Bench(tmp_path / "trial.yaml", CommandLine(monkeypatch, capsys), venues, document)
    made.config.write_text(yaml.safe_dump(document))
    yield made
    for name in venues:
        account = made.at(name)
        if held := account.position():
            account.move_position(-held)


def test_check_looks_at_each_account_and_tells_them_apart(bench: Bench) -> None:
    ended = bench.run("check", bench.config, "--json")

    assert ended.code == 0, ended.out
    assert [(one["name"], one["ready"]) for one in ended.json["accounts"]] == [("alpha", True), ("beta", True)]
    bench.change("beta", venue={"api_key_env": "TRIAL_ABSENT"})
    wrong = bench.run("check", bench.config, "--json")
    assert wrong.code == 4
    assert [one["ready"] for one in wrong.json["accounts"]] == [True, False]
    assert bench.run("check", bench.config, "--account", "alpha").code == 0
    assert bench.run("check", bench.config, "--account", "gamma").code == 2


def test_on_paper_each_account_has_a_file_of_its_own_and_needs_no_keys(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRIAL_KEY")
    for name in PROTOCOLS:
        bench.change(name, paper={"balance": 5000})

    ended = bench.run("check", bench.config, "--json")
    shown = bench.run("plan", bench.config)

    assert ended.code == 0, ended.out
    assert {one["trading"] for one in ended.json["accounts"]} == {"paper"}
    files = [(one.journal_path, one.paper_account_path) for one in load_deployment(bench.config).accounts]
    assert len({path for pair in files for path in pair}) == 4
    assert shown.code == 0
    assert ("account alpha" in shown.out, "account beta" in shown.out) == (True, True)


def test_a_key_that_two_accounts_share_under_two_names_is_found(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    alpha = bench.document["accounts"][0]
    monkeypatch.setenv("TRIAL_OTHER_KEY", DEMO_KEY)
    bench.change("beta", venue={**alpha["venue"], "api_key_env": "TRIAL_OTHER_KEY"})

    ended = bench.run("check", bench.config)
    started = bench.run("run", bench.config)

    assert (ended.code, started.code) == (4, 4)
    assert "accounts[1].venue.api_key_env" in ended.out
    assert "holds the key of accounts[0] too" in started.err


def test_plan_shows_the_ladder_of_each(bench: Bench) -> None:
    ended = bench.run("plan", bench.config, "--price", "beta/ETHUSDT=2900", "--json")

    assert ended.code == 0, ended.err
    bids = {one["name"]: one["symbols"][0]["bid"] for one in ended.json["accounts"]}
    assert float(bids["beta"]) < 2901 < float(bids["alpha"])


def test_panic_clears_both_and_sells_where_it_is_told(bench: Bench) -> None:
    for name in PROTOCOLS:
        bench.at(name).place(own_id("ETHUSDT", 1))
    bench.at("beta").move_position(20)

    unnamed = bench.run("panic", bench.config, "--sell-lots", "ETHUSDT=0.02")
    ended = bench.run("panic", bench.config, "--sell-lots", "beta/ETHUSDT=0.02", "--json")

    assert unnamed.code == 4
    assert "alpha/ETHUSDT=0.02 or beta/ETHUSDT=0.02" in unnamed.err
    assert ended.code == 0, ended.out
    assert [(one["name"], one["clear"], one["cancelled"]) for one in ended.json["accounts"]] == [
        ("alpha", True, 1),
        ("beta", True, 1),
    ]
    assert [bench.at(name).open_ids() for name in PROTOCOLS] == [set(), set()]
    assert bench.at("beta").position() == 0


def test_panic_on_one_account_leaves_the_others_orders(bench: Bench) -> None:
    for name in PROTOCOLS:
        bench.at(name).place(own_id("ETHUSDT", 2))

    ended = bench.run("panic", bench.config, "--account", "beta", "--json")

    assert ended.code == 0, ended.out
    assert [bench.at(name).open_ids() for name in PROTOCOLS] == [{own_id("ETHUSDT", 2)}, set()]
    assert bench.run("panic", bench.config).code == 0


def test_an_account_that_cannot_be_reached_keeps_panic_from_no_other(bench: Bench) -> None:
    bench.at("beta").place(own_id("ETHUSDT", 3))
    bench.change("alpha", venue={"api_key_env": "TRIAL_ABSENT"})

    ended = bench.run("panic", bench.config)

    assert ended.code == 4
    assert "alpha: FAILED" in ended.out
    assert "beta: 1 own order cancelled; none is left" in ended.out
    assert bench.at("beta").open_ids() == set()


def test_a_key_that_one_venue_refuses_keeps_panic_from_no_other(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    place = bench.at("beta").place
    for sequence in range(4, 16):
        place(own_id("ETHUSDT", sequence), price=str(2900 - 2 * sequence))
    monkeypatch.setenv("TRIAL_WRONG", "w" * 64)
    bench.change("alpha", venue={"api_key_env": "TRIAL_WRONG"})

    ended = bench.run("panic", bench.config, "--json")

    assert ended.code == 4
    assert [(one["name"], one["clear"]) for one in ended.json["accounts"]] == [("alpha", False), ("beta", True)]
    assert "-2015" in ended.json["accounts"][0]["error"]
    assert bench.at("beta").open_ids() == set()


def test_each_has_a_journal_of_its_own_and_export_and_recover_go_over_both(
    bench: Bench, tmp_path: Path, fresh: dict[str, VenueControl]
) -> None:
    controls = fresh
    (tmp_path / "live").mkdir()
    settings = several_settings(tmp_path / "live", controls)
    with several(settings, controls) as whole:
        for one in whole.accounts.values():
            one.until(lambda one=one: len(one.entries()) == 3, "it quotes")  # type: ignore[misc]
        whole.accounts["beta"].walk("2997")
        assert whole.accounts["beta"].symbol()["lots"] == 1
        for one in whole.accounts.values():
            one.stop()
    config = tmp_path / "live" / "several.yaml"
    document = yaml.safe_load(config.read_text())
    for one in document["accounts"]:
        one["venue"].update(api_key_env="TRIAL_KEY", api_secret_env="TRIAL_SECRET")
    config.write_text(yaml.safe_dump(document))
    journals = {one.account_name: one.journal_path for one in load_deployment(config).accounts}

    exported = bench.run("export", config)
    lines = [json.loads(line) for line in exported.out.splitlines()]
    assert {line["account"] for line in lines} == {"alpha", "beta"}
    assert {line["account"] for line in lines if line.get("kind") == "fill"} == {"beta"}

    journals["beta"].unlink()
    ended = bench.run("recover", config, "--json")
    assert ended.code == 0, ended.out
    assert [(one["name"], one["found"], len(one.get("lots", ()))) for one in ended.json["accounts"]] == [
        ("alpha", "sound", 0),
        ("beta", "missing", 1),
    ]


def test_the_configuration_is_shown_in_its_own_form(bench: Bench, tmp_path: Path) -> None:
    shown = bench.run("show-config", bench.config)
    again = tmp_path / "again.yaml"
    again.write_text(shown.out)

    assert shown.code == 0
    assert load_deployment(again) == load_deployment(bench.config)
