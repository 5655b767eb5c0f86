"""Where orders go: real ones only by two words, whatever else a configuration says."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import yaml

from actors.commands.observe import render_explain, render_status
from actors.journal.errors import JournalError
from actors.journal.place import open_journal
from actors.journal.writer import Journal
from actors.settings.account import Settings, configuration_hash, load_settings
from actors.settings.credentials import account_keys, account_mark
from actors.settings.deployment import load_deployment
from actors.settings.paper import Trading
from actors.trading_words import headline, neglected
from actors.venues import trading_venue
from exchanges.paper.trading import PaperTrading
from grid.errors import ConfigError
from tests.unit.command_line import CommandLine

LOOPBACK = {"rest_url": "http://127.0.0.1:9", "ws_url": "ws://127.0.0.1:9"}
ELSEWHERE = {"rest_url": "https://fapi.example.org", "ws_url": "wss://fapi.example.org"}
KEYS = {"api_key_env": "A", "api_secret_env": "B"}
LADDER = {"symbol": "ETHUSDT", "interval": 2, "amount": 60, "buy_window": 3, "max_lots": 10}


def document(venue: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "deployment": "trial",
        "venue": venue,
        "symbols": [LADDER],
        "account": {"max_notional": 2000, "daily_loss": 100},
        **more,
    }


def load(folder: Path, venue: dict[str, Any], **more: Any) -> Settings:
    path = folder / "trial.yaml"
    path.write_text(yaml.safe_dump(document(venue, **more)))
    return load_settings(path, {})


@pytest.mark.parametrize(
    ("venue", "more", "without", "with_flag"),
    [
        ({}, {}, Trading.PAPER, None),
        ({"live": False}, {}, Trading.PAPER, None),
        ({"live": True}, {}, Trading.PAPER, Trading.LIVE),
        ({"live": True}, {"paper": {"balance": 5}}, Trading.PAPER, Trading.LIVE),
        ({"testnet": True}, {}, Trading.PRACTICE, None),
        ({"testnet": True}, {"paper": {}}, Trading.PAPER, None),
        (LOOPBACK, {}, Trading.PRACTICE, None),
        (LOOPBACK, {"paper": {}}, Trading.PAPER, None),
        ({**LOOPBACK, "live": True}, {}, Trading.PAPER, Trading.LIVE),
        # an address elsewhere may be the venue itself
        (ELSEWHERE, {}, Trading.PAPER, None),
        ({**ELSEWHERE, "live": True}, {}, Trading.PAPER, Trading.LIVE),
    ],
)
def test_it_takes_two_words(
    tmp_path: Path, venue: dict[str, Any], more: dict[str, Any], without: Trading, with_flag: Trading | None
) -> None:
    settings = load(tmp_path, venue, **more)

    assert settings.trading is without
    if with_flag is None:
        with pytest.raises(ConfigError, match=r"venue\.live"):
            settings.for_live()
    else:
        assert settings.for_live().trading is with_flag
        assert configuration_hash(settings.for_live()) != configuration_hash(settings)
        assert settings.trading is without


def test_consent_travels_with_the_settings_wherever_they_are_copied(tmp_path: Path) -> None:
    live = load(tmp_path, {"live": True}).for_live()

    for copy in (
        pickle.loads(pickle.dumps(live)),
        live.with_symbols(live.symbols),
        live.named("one"),
        live.model_copy(update={"ownership": live.ownership}),
    ):
        assert copy.trading is Trading.LIVE
        assert copy.journal_path == live.journal_path or copy.account_name
    assert load(tmp_path, {"live": True}).named("one").trading is Trading.PAPER


def test_no_file_can_give_the_second_word(tmp_path: Path) -> None:
    for key in ("_is_live", "is_live", "trading"):
        with pytest.raises(ConfigError, match=r"no such key|known here"):
            load(tmp_path, {"live": True}, **{key: True})


def test_a_paper_run_is_given_an_engine_and_no_keys(tmp_path: Path) -> None:
    settings = load(tmp_path, {"live": True, **KEYS}, journal={"path": str(tmp_path / "j.sqlite")})

    credentials = account_keys(settings, {})
    venue = trading_venue(settings, credentials)

    assert isinstance(venue, PaperTrading)
    assert account_mark(settings.venue, credentials) == account_mark(settings.venue, account_keys(settings, {}))
    with pytest.raises(ConfigError, match="not set"):
        account_keys(settings.for_live(), {})
    assert not isinstance(trading_venue(settings.for_live(), credentials), PaperTrading)


def test_the_two_journals_are_two_files_and_neither_is_taken_for_the_other(tmp_path: Path) -> None:
    settings = load(tmp_path, {"live": True}, journal={"path": str(tmp_path / "j.sqlite")})
    live = settings.for_live()
    assert settings.journal_path.name == "j-paper.sqlite"
    assert settings.paper_account_path.name == "j-paper-account.sqlite"
    assert live.journal_path.name == "j.sqlite"
    open_journal(settings).close()
    open_journal(live).close()

    live.journal_path.rename(tmp_path / "away.sqlite")
    settings.journal_path.rename(live.journal_path)
    with pytest.raises(JournalError, match=r"j\.sqlite is one on paper"):
        open_journal(live)
    live.journal_path.unlink()
    (tmp_path / "away.sqlite").rename(settings.journal_path)
    with pytest.raises(JournalError, match=r"j-paper\.sqlite is one of an account at a venue"):
        open_journal(settings)
    Journal.open(settings.journal_path).close()


def test_a_journal_in_a_database_does_not_hold_the_paper_one(tmp_path: Path) -> None:
    more = {"journal": {"url": "postgresql://h/d"}, "ownership": {"store": "redis://h:1/0"}}
    settings = load(tmp_path, {"live": True}, **more)

    assert settings.is_journal_file
    assert not settings.for_live().is_journal_file


def test_words_tell_them_apart_and_warn_of_what_is_neglected(tmp_path: Path) -> None:
    paper = load(tmp_path, {"live": True}, journal={"path": str(tmp_path / "j.sqlite")})

    assert headline(paper).startswith("PAPER: ")
    assert "REAL MONEY" in headline(paper.for_live())
    assert headline(load(tmp_path, LOOPBACK)).startswith("PRACTICE: ")
    assert neglected(paper) == ""
    open_journal(paper.for_live()).close()
    assert "j.sqlite" in neglected(paper)
    assert neglected(paper.for_live()) == ""


def test_of_several_accounts_every_real_one_has_to_consent(tmp_path: Path) -> None:
    def account(name: str, venue: dict[str, Any]) -> dict[str, Any]:
        whole = document({**KEYS, **venue})
        return {"name": name, **{key: whole[key] for key in ("venue", "symbols", "account")}}

    def deployment(*accounts: dict[str, Any]) -> Any:
        path = tmp_path / "several.yaml"
        path.write_text(yaml.safe_dump({"deployment": "trial", "accounts": list(accounts)}))
        return load_deployment(path, {})

    first = account("one", {"live": True, "api_key_env": "C"})
    assert deployment(first, account("two", {})).trading is Trading.PAPER
    with pytest.raises(ConfigError, match=r"accounts\[1\]\.venue\.live"):
        deployment(first, account("two", {})).for_live()
    mixed = deployment(first, account("two", LOOPBACK)).for_live()
    assert [one.trading for one in mixed.accounts] == [Trading.LIVE, Trading.PRACTICE]
    assert mixed.trading is Trading.LIVE


@pytest.mark.parametrize(("trading", "words"), [("paper", "PAPER: no order"), ("live", "LIVE: real money")])
def test_status_and_explain_say_it_first(trading: str, words: str) -> None:
    for render in (render_status, render_explain):
        first = render({"trading": trading, "symbol": "ETHUSDT", "levels": [], "symbols": []})
        assert any(str(line).startswith(words) for line in first[:2])
    assert not any("PAPER" in str(line) for line in render_status({"trading": "practice", "symbols": []}))


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> CommandLine:
    monkeypatch.setenv("GRIDMESH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    return CommandLine(monkeypatch, capsys)


@pytest.mark.parametrize("verb", ["run", "check", "plan", "export", "recover", "panic"])
def test_every_verb_refuses_the_flag_without_the_first_word(shell: CommandLine, tmp_path: Path, verb: str) -> None:
    load(tmp_path, LOOPBACK)

    ended = shell.run(verb, tmp_path / "trial.yaml", "--live")

    assert ended.code == 4, ended.out + ended.err
    assert "venue.live" in ended.err


def test_a_panic_sells_for_real_only_with_the_flag_and_cancels_without(shell: CommandLine, tmp_path: Path) -> None:
    load(tmp_path, {**LOOPBACK, "live": True, **KEYS})

    refused = shell.run("panic", tmp_path / "trial.yaml", "--sell-lots", "ETHUSDT=1")
    cancelling = shell.run("panic", tmp_path / "trial.yaml")

    assert (refused.code, "--live" in refused.err) == (4, True)
    # it went for the real keys, which are not there
    assert (cancelling.code, "api_key_env" in cancelling.err) == (4, True)


def test_a_panic_on_paper_says_that_there_is_nothing_at_a_venue(shell: CommandLine, tmp_path: Path) -> None:
    settings = load(tmp_path, {}, journal={"path": str(tmp_path / "j.sqlite")})
    ended = shell.run("panic", tmp_path / "trial.yaml")
    assert ended.code == 0
    assert "PAPER: no order of this configuration is at any venue" in ended.out
    assert "WARNING" not in ended.out

    (tmp_path / "j.sqlite").touch()
    assert "WARNING" in shell.run("panic", tmp_path / "trial.yaml").out
    assert shell.run("panic", tmp_path / "trial.yaml", "--sell-lots", "ETHUSDT=1").code == 4
    assert not settings.paper_account_path.exists()


def test_an_export_that_finds_nothing_on_paper_names_the_real_journal(shell: CommandLine, tmp_path: Path) -> None:
    load(tmp_path, {"live": True}, journal={"path": str(tmp_path / "j.sqlite")})

    ended = shell.run("export", tmp_path / "trial.yaml")

    assert ended.code == 2
    assert f"--live means the journal of real orders, {tmp_path / 'j.sqlite'}" in ended.out + ended.err
