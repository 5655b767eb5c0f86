"""Several accounts in one configuration: what each has for itself, what they share, and what no two may have."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from actors.deployment.roster import Roster
from actors.errors import NotFound
from actors.settings.account import configuration_hash, load_settings
from actors.settings.deployment import DeploymentSettings, deployment_hash, load_deployment, show_deployment
from grid.errors import ConfigError

VENUE = {
    "rest_url": "http://127.0.0.1:9180",
    "ws_url": "ws://127.0.0.1:9180",
    "api_key_env": "KEY_A",
    "api_secret_env": "SECRET_A",
}
OWN: dict[str, Any] = {
    "venue": VENUE,
    "symbols": [{"symbol": "ETHUSDT", "interval": 2, "amount": 60, "buy_window": 3, "max_lots": 10}],
    "account": {"max_notional": 2000, "daily_loss": 100},
}
A = {"name": "a", **OWN}
B = {"name": "b", **OWN, "venue": {**VENUE, "name": "bybit"}}
Load = Callable[..., DeploymentSettings]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def read(environ: dict[str, str] | None = None, /, **document: Any) -> DeploymentSettings:
        path = tmp_path / "several.yaml"
        path.write_text(yaml.safe_dump({"deployment": "both", **document}))
        return load_deployment(path, environ or {})

    return read


def test_a_configuration_without_a_list_is_one_account_without_a_name(load: Load, tmp_path: Path) -> None:
    made = load(**OWN)

    assert made == DeploymentSettings.of(load_settings(tmp_path / "several.yaml", {}))
    assert made.names == ("",)
    assert deployment_hash(made) == configuration_hash(made.accounts[0])
    assert Roster.of(made.accounts[0]).gateway == "gateway/binanceusdm/main"
    assert made.accounts[0].real_journal_path.name == "both.sqlite"


def test_each_account_has_its_own_and_all_share_the_rest(load: Load) -> None:
    made = load(accounts=[A, B], risk={"max_leverage": 7}, runtime={"look_ahead": 5})

    assert made.names == ("a", "b")
    assert [one.venue.name for one in made.accounts] == ["binanceusdm", "bybit"]
    assert [one.risk.max_leverage for one in made.accounts] == [7, 7]
    assert [one.runtime.look_ahead for one in made.accounts] == [5, 5]
    assert [one.real_journal_path.name for one in made.accounts] == ["both.a.sqlite", "both.b.sqlite"]
    assert made.watched.account_name == "a"
    rosters = [Roster.of(one) for one in made.accounts]
    assert [roster.gateway for roster in rosters] == ["gateway/binanceusdm/a", "gateway/bybit/b"]
    assert [roster.feeds["ETHUSDT"] for roster in rosters] == ["feed/a/ETHUSDT", "feed/b/ETHUSDT"]
    assert not rosters[0].own & rosters[1].own


def test_no_actor_is_told_another_accounts_name(load: Load) -> None:
    made = pickle.loads(pickle.dumps(load(accounts=[A, B], watch_account="b")))

    assert made.names == ("a", "b")
    assert made.watched.account_name == "b"


def test_what_it_shows_reads_as_the_same(load: Load, tmp_path: Path) -> None:
    made = load(accounts=[A, B], watch_account="b", risk={"errors_max": 9})
    again = tmp_path / "again.yaml"
    again.write_text(yaml.safe_dump(show_deployment(made)))

    assert load_deployment(again, {}) == made
    assert deployment_hash(load_deployment(again, {})) == deployment_hash(made)


def test_the_hash_knows_the_accounts_and_not_their_order(load: Load) -> None:
    first = deployment_hash(load(accounts=[A, B], watch_account="a"))

    assert deployment_hash(load(accounts=[B, A], watch_account="a")) == first
    assert deployment_hash(load(accounts=[A, B], watch_account="b")) != first
    assert deployment_hash(load(accounts=[A, {**B, "name": "c"}])) != first


def test_the_environment_reaches_into_the_list(load: Load) -> None:
    made = load({"GRIDMESH__ACCOUNTS__1__ACCOUNT__MAX_NOTIONAL": "700"}, accounts=[A, B])

    assert [one.account.max_notional for one in made.accounts] == [2000, 700]


@pytest.mark.parametrize(
    ("document", "key", "rule"),
    [
        ({"accounts": [A, B], "venue": VENUE}, "venue", "excludes accounts"),
        ({"accounts": [A, B], "symbols": OWN["symbols"]}, "symbols", "excludes accounts"),
        ({"accounts": [A, B], "account": {}}, "account", "excludes accounts"),
        ({"accounts": [A, {**B, "name": "a"}]}, "accounts[1].name", "is the name of accounts[0] too"),
        ({"accounts": [A, {**B, "name": "A/b"}]}, "accounts[1].name", "small letters"),
        ({"accounts": [A, OWN]}, "accounts[1].name", "small letters"),
        ({"accounts": [A, {**A, "name": "b"}]}, "accounts[1].venue.api_key_env", "is the key of accounts[0] too"),
        (
            {"accounts": [{**A, "journal": {"path": "x"}}, {**B, "journal": {"path": "x"}}]},
            "accounts[1].journal.path",
            "is the journal of accounts[0] too",
        ),
        (
            {
                "accounts": [
                    {**A, "journal": {"url_env": "URL"}, "ownership": {"store": "redis://h/0"}},
                    {**B, "journal": {"url_env": "URL"}, "ownership": {"store": "redis://h/0"}},
                ]
            },
            "accounts[1].journal.url_env",
            "is the journal of accounts[0] too",
        ),
        ({"accounts": [A, {**B, "risk": {}}]}, "accounts[1].risk", "stands at the top"),
        ({"accounts": [A, {**B, "wallet": 1}]}, "accounts[1].wallet", "no such key; known here: name, venue"),
        ({"accounts": [A, {**B, "api_key": "x"}]}, "accounts[1].api_key", "secrets never stand here"),
        ({"accounts": [A, {**B, "account": {}}]}, "accounts[1].account.max_notional", "is required"),
        ({"accounts": [A, "b"]}, "accounts[1]", "has to be a section"),
        ({"accounts": []}, "accounts", "1 to 20 accounts"),
        ({"accounts": {"a": OWN}}, "accounts", "has to be a list"),
        ({"accounts": [A, B], "watch_account": "c"}, "watch_account", "the name of one of the accounts"),
        ({"accounts": [A, B], "wach_account": "a"}, "wach_account", "no such key beside accounts"),
        ({**OWN, "watch_account": "a"}, "watch_account", "no such key"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_key_value_and_rule(
    load: Load, document: dict[str, Any], key: str, rule: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        load(**document)

    errors = getattr(refused.value, "errors", (refused.value,))
    assert any(error.key == key and rule in error.rule for error in errors), str(refused.value)


def test_everything_that_is_wrong_is_said_at_once_and_what_is_shared_only_once(load: Load) -> None:
    with pytest.raises(ConfigError) as refused:
        load(
            accounts=[{**A, "account": {"max_notional": 1, "daily_loss": 1}}, {**B, "account": {}}], risk={"watch": []}
        )

    keys = [error.key for error in refused.value.errors]  # type: ignore[attr-defined]
    assert keys.count("risk.watch") == 1
    assert {"accounts[1].account.max_notional", "accounts[1].account.daily_loss"} <= set(keys)


def test_a_command_for_one_account_names_those_there_are(load: Load, tmp_path: Path) -> None:
    made = load(accounts=[A, B])

    with pytest.raises(NotFound, match="no account c in both: there are a, b"):
        made.chosen("c")
    with pytest.raises(ConfigError, match="several accounts"):
        load_settings(tmp_path / "several.yaml", {})


def test_the_example_that_ships_is_valid() -> None:
    made = load_deployment(Path(__file__).parents[2] / "configs" / "accounts.example.yaml", {})

    assert made.names == ("alpha", "beta")
    assert made.watched.account_name == "alpha"
    assert all(one.is_paper for one in made.accounts), "it trades on paper until somebody consents"
    assert not any(one.is_paper for one in made.for_live().accounts)
