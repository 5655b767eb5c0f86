"""`gridmesh check` against a venue over real sockets: it finds what a start would find, and changes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from actors.journal.writer import Journal
from actors.settings.account import load_settings
from exchanges.sim.binance.rate_limits import BINANCE_WINDOWS
from exchanges.sim.server.faults import FaultKind, FaultRule, Scope
from grid.account_records import SymbolLeft
from grid.ladder import GridSide
from grid.records import Record, to_body
from tests.grid_world import generation
from tests.unit.command_line import CommandLine, Ended
from tests.unit.test_grid_book import lot_at
from tests.unit.test_journal import entries, sql
from tests.venue.running_venue import RunningVenue, binance, running, still_options
from tests.venue.trading_account import TradingAccount, own_id


@pytest.fixture(scope="module")
def venue() -> Iterator[RunningVenue]:
    # many checks a minute are no fair use of one address; the limits have tests of their own
    roomy = tuple(replace(window, limit=1_000_000) for window in BINANCE_WINDOWS)
    with running(still_options(windows=roomy)) as started:
        yield started


@pytest.fixture
def account(
    venue: RunningVenue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[TradingAccount]:
    account = TradingAccount.of(venue, tmp_path, monkeypatch, CommandLine(monkeypatch, capsys))
    yield account
    venue.heal()
    held = account.position()
    if held:
        account.move_position(-held)


def lines(ended: Ended, verdict: str) -> list[str]:
    return [f"{line['what']}: {line['sentence']}" for line in ended.json["checks"] if line["verdict"] == verdict]


def test_a_sound_configuration_is_ready(account: TradingAccount) -> None:
    ended = account.run("check", account.config, "--json")

    assert ended.code == 0
    assert ended.json["ready"] is True
    assert lines(ended, "refuse") == lines(ended, "unknown") == []
    assert any("ETHUSDT: tick 0.01, step 0.001" in line and "0.020 ETH" in line for line in lines(ended, "ok"))
    assert {line["what"] for line in ended.json["checks"]} >= {
        "keys",
        "clock",
        "account",
        "journal",
        "disk",
        "run folder",
    }


def test_a_lock_of_the_venue_s_is_a_warning_that_names_its_bound(account: TradingAccount) -> None:
    told = {"isLocked": True, "plannedRecoverTime": 1545741270000, "indicator": "GCR", "value": 0.991}
    free = {"isLocked": False, "indicator": "UFR", "value": 0.05, "triggerValue": 0.995}
    indicators: dict[str, list[dict[str, object]]] = {"ETHUSDT": [{**told, "triggerValue": 0.99}, free]}
    account.venue.within(lambda server: binance(server).indicators.update(indicators))
    try:
        ended = account.run("check", account.config, "--json")
    finally:
        account.venue.within(lambda server: binance(server).indicators.clear())

    assert ended.code == 0
    [line] = [line for line in lines(ended, "warn") if line.startswith("trading status")]
    assert "ETHUSDT until 2018-12-25 12:34 UTC: GCR is 0.991, its bound 0.99" in line


def test_it_prints_a_table_for_people(account: TradingAccount) -> None:
    assert "ready to start" in account.run("check", account.config).out


def test_it_changes_nothing(account: TradingAccount) -> None:
    account.place(own_id("ETHUSDT", 1))
    before = account.open_ids()
    leverage = account.venue.within(lambda server: server.venue.engine.read.positions("main"))

    account.run("check", account.config)

    assert account.open_ids() == before
    assert leverage == account.venue.within(lambda server: server.venue.engine.read.positions("main"))
    assert not (account.config.parent / "home").exists()


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"amount": 10}, "amount"),
        ({"interval": "0.5"}, "a round trip earns -"),
        ({"interval": "2.005"}, "the two nearest that work are 2 and 2.01"),
        ({"max_lots": 10000}, "max_lots"),
    ],
)
def test_what_would_lose_or_be_refused_is_named_with_what_works(
    account: TradingAccount, keys: dict[str, object], words: str
) -> None:
    account.configure(symbol=keys)

    ended = account.run("check", account.config, "--json")

    assert ended.code == 7
    assert any(words in line for line in lines(ended, "refuse"))


def test_hedge_mode_is_refused(account: TradingAccount) -> None:
    def hedge(is_on: bool) -> None:
        account.venue.within(lambda server: server.venue.engine.set_hedge_mode("main", is_on, server.venue.now_ms()))

    hedge(True)
    ended = account.run("check", account.config, "--json")
    hedge(False)

    assert ended.code == 7
    assert any("one-way mode" in line for line in lines(ended, "refuse"))


def test_an_unknown_symbol_is_refused(account: TradingAccount) -> None:
    account.configure(symbol={"symbol": "NOSUCHUSDT"})

    ended = account.run("check", account.config, "--json")

    assert ended.code == 7
    assert any("NOSUCHUSDT" in line for line in lines(ended, "refuse")), ended.out


def test_a_position_that_no_journal_knows_is_refused_until_it_is_ignored(account: TradingAccount) -> None:
    account.move_position(40)

    refused = account.run("check", account.config, "--json")
    account.configure(symbol={"existing_position": "ignore"})
    ignored = account.run("check", account.config, "--json")

    assert refused.code == 7
    assert any("existing_position" in line for line in lines(refused, "refuse"))
    assert not any("existing_position" in line for line in lines(ignored, "refuse"))


def test_orders_that_rest_are_told_apart(account: TradingAccount) -> None:
    account.place(own_id("ETHUSDT", 1))
    account.place("web_manual", symbol="BTCUSDT", price="55000", quantity="0.01")

    warned = " ".join(lines(account.run("check", account.config, "--json"), "warn"))

    assert "1 order of another journal of this program (aB3z)" in warned
    assert "1 foreign on BTCUSDT: never touched" in warned


class TestKeys:
    def test_absent_ones_are_four_and_the_rest_is_still_checked(
        self, account: TradingAccount, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("TRIAL_SECRET")

        ended = account.run("check", account.config, "--json")

        assert ended.code == 4
        assert any("TRIAL_SECRET" in line for line in lines(ended, "refuse"))
        assert any(line.startswith("disk") for line in lines(ended, "ok"))

    def test_wrong_ones_are_four_and_are_not_shown(
        self, account: TradingAccount, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TRIAL_SECRET", "wrong" * 8)

        ended = account.run("check", account.config, "--json")

        assert ended.code == 4
        assert "wrongwrong" not in ended.out + ended.err


class TestVenueTrouble:
    def test_one_reading_that_fails_is_unknown_and_refuses(self, account: TradingAccount) -> None:
        account.venue.fault(
            FaultRule(name="no tiers", kind=FaultKind.BAD_GATEWAY, scope=Scope(endpoint="* /fapi/v1/leverageBracket"))
        )

        ended = account.run("check", account.config, "--json")

        assert ended.code == 7
        assert any("margin tiers" in line for line in lines(ended, "unknown"))
        assert any("not judged" in line for line in lines(ended, "unknown"))

    def test_a_venue_that_is_not_there_is_unknown(self, account: TradingAccount) -> None:
        account.configure(venue={"rest_url": "http://127.0.0.1:9", "ws_url": "ws://127.0.0.1:9"})

        ended = account.run("check", account.config, "--json")

        assert ended.code == 7
        assert any(line.startswith("venue: cannot be read") for line in lines(ended, "unknown"))


class TestJournal:
    def test_one_in_use_is_named_with_its_holder(self, account: TradingAccount) -> None:
        journal = Journal.open(account.config.parent / "home" / "trial.sqlite")

        ended = account.run("check", account.config, "--json")
        journal.close()

        assert any(f"held by process {os.getpid()}" in line for line in lines(ended, "refuse"))

    def test_a_damaged_one_is_named(self, account: TradingAccount) -> None:
        path = account.config.parent / "home" / "trial.sqlite"
        Journal.open(path).close()
        path.write_bytes(b"x" * 5000)

        ended = account.run("check", account.config, "--json")

        assert any("gridmesh recover" in line for line in lines(ended, "refuse"))

    def test_records_that_make_no_book_are_named(self, account: TradingAccount) -> None:
        path = account.config.parent / "home" / "trial.sqlite"
        journal = Journal.open(path)
        journal.append(entries(1, kind="of a later version"))
        journal.close()

        ended = account.run("check", account.config, "--json")

        assert any("of a later version" in line for line in lines(ended, "refuse"))

    def test_a_newer_one_is_named(self, account: TradingAccount) -> None:
        path = account.config.parent / "home" / "trial.sqlite"
        Journal.open(path).close()
        sql(path, "UPDATE meta SET value = '99' WHERE name = 'schema_version'")

        ended = account.run("check", account.config, "--json")

        assert any("schema version 99" in line for line in lines(ended, "refuse"))


def test_an_anchor_below_one_tick_is_refused_by_its_key(account: TradingAccount) -> None:
    account.configure(symbol={"anchor": "1e-9"})

    ended = account.run("check", account.config, "--json")

    assert ended.code == 7
    assert any("anchor" in line and "at least one tick" in line for line in lines(ended, "refuse"))


@pytest.mark.parametrize(("coin", "near"), [("BTCUSD", "BTCUSDT"), ("ETHUSTD", "ETHUSDT")])
def test_a_coin_under_watch_that_is_not_traded_is_refused_with_near_names(
    account: TradingAccount, coin: str, near: str
) -> None:
    account.configure(risk={"watch": [coin]})

    ended = account.run("check", account.config, "--json")

    assert ended.code == 7
    [line] = [line for line in lines(ended, "refuse") if "risk.watch" in line]
    assert coin in line
    assert near in line


class TestBook:
    """The journal's lots and orders beside what the venue holds."""

    def test_lots_that_the_venue_does_not_hold_are_refused(self, account: TradingAccount) -> None:
        with_lot(account, 20)

        ended = account.run("check", account.config, "--json")

        [line] = [line for line in lines(ended, "refuse") if line.startswith("ETHUSDT book")]
        assert "holds 1 lot, a position of 0.020; the venue's is 0.000" in line

    def test_lots_that_are_there_are_said(self, account: TradingAccount) -> None:
        with_lot(account, 20)
        account.move_position(20)

        ended = account.run("check", account.config, "--json")

        assert any(line.startswith("ETHUSDT book") for line in lines(ended, "ok"))

    def test_more_than_the_lots_is_a_warning(self, account: TradingAccount) -> None:
        with_lot(account, 20)
        account.move_position(30)

        ended = account.run("check", account.config, "--json")

        assert any("taken for foreign" in line for line in lines(ended, "warn"))

    def test_a_journal_that_is_held_is_not_compared(self, account: TradingAccount) -> None:
        journal = with_lot(account, 20, keep_open=True)
        assert journal is not None
        try:
            ended = account.run("check", account.config, "--json")
        finally:
            journal.close()

        assert not any("ETHUSDT book" in line for line in lines(ended, "refuse"))

    def test_lots_of_a_symbol_that_the_configuration_forgot_are_refused(self, account: TradingAccount) -> None:
        with_lot(account, 20)
        account.configure(symbol={"symbol": "BTCUSDT", "interval": 25, "amount": 130})

        ended = account.run("check", account.config, "--json")

        [line] = [line for line in lines(ended, "refuse") if line.startswith("symbols")]
        assert "symbols = ETHUSDT: is not in the configuration, but the journal has lots or orders of it" in line

    def test_a_symbol_that_was_removed_while_it_ran_is_refused(self, account: TradingAccount) -> None:
        journal = with_lot(account, 20, keep_open=True)
        assert journal is not None
        ladder = load_settings(account.config).symbols[0]
        left = SymbolLeft(symbol="ETHUSDT", run="earlier", ladder=ladder.model_dump_json(), mode="keep")
        journal.append([(2, *to_body(left))])
        journal.close()

        ended = account.run("check", account.config, "--json")

        [line] = [line for line in lines(ended, "refuse") if line.startswith("symbols")]
        assert "gridmesh add brings it back" in line


def with_lot(account: TradingAccount, steps: int, *, keep_open: bool = False) -> Journal | None:
    """Write a journal whose book holds one lot of so many steps."""
    journal = Journal.open(load_settings(account.config).journal_path)
    records: list[Record] = [generation(GridSide.LONG), lot_at(0, steps, "60")]
    journal.append([(1, *to_body(record)) for record in records])
    if keep_open:
        return journal
    journal.close()
    return None
