"""A journal that is damaged or gone: the start is refused, `gridmesh recover` makes it anew from the venue's trades."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actors.clock import now_ms
from actors.journal.errors import JournalCorrupt, JournalInUse
from actors.journal.ground import Found
from actors.journal.rebuild import NotRebuildable
from actors.journal.recovery import Recovered, recover_journal
from actors.settings.account import Settings
from actors.venues import trading_venue
from exchanges.port import TradingVenue
from grid.order import Purpose
from tests.crash_truth import book_on_disk, not_true
from tests.live_control import VenueControl, still_venue
from tests.live_crew import KEYS
from tests.live_deployment import LiveDeployment, deployed, live_settings
from tests.unit.test_journal import sql

ROOT = Path(__file__).resolve().parents[2]
DOWN = ("2997.5", "2995.5", "2993.5")
Damage = Callable[[Path], None]


def trade_and_die(settings: Settings, venue: VenueControl) -> None:
    """Buy three lots, sell one, and die with lots, exits and entries at the venue."""
    with deployed(settings, venue) as live:
        live.until(lambda: len(live.entries()) == 3, "it quotes")
        live.walk(*DOWN)
        live.until(lambda: live.symbol()["lots"] == 3, "it holds three lots")
        live.walk("2996.5")
        venue.walk("ETHUSDT", "2996.5")
        venue.trade("ETHUSDT", "2996.9", "0.5", "BUY")
        live.until(lambda: live.symbol()["round_trips"] == 1, "one lot is sold")
        live.settle()
        live.kill_gateway()


def recovered(settings: Settings, *, dry_run: bool = False) -> Recovered:
    def venue() -> TradingVenue:
        return trading_venue(settings, KEYS)

    return asyncio.run(recover_journal(settings, venue, days=2, at_ms=now_ms(), dry_run=dry_run))


def gone(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def early_damage(path: Path) -> None:
    # past the generation and the first intents, before the fills
    sql(path, "UPDATE records SET body = '{}' WHERE seq = (SELECT min(seq) + 2 FROM records WHERE kind = 'intent')")


def no_database(path: Path) -> None:
    gone(path)
    path.write_bytes(b"not a database, only text" * 400)


def no_facts(path: Path) -> None:
    sql(path, "DELETE FROM meta WHERE name = 'journal_id'")


def trade_on(live: LiveDeployment, venue: VenueControl) -> None:
    live.until(lambda: live.holds() == ["operator"], "only the operator's hold is left")
    assert live.entries() == []
    live.coordinator.resume()
    live.until(lambda: live.entries(), "it quotes again")
    live.settle()
    live.walk("2990.5")
    live.settle()


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (gone, Found.MISSING),
        (early_damage, Found.DAMAGED),
        pytest.param(no_database, Found.UNREADABLE, marks=pytest.mark.long),
        pytest.param(no_facts, Found.UNREADABLE, marks=pytest.mark.long),
    ],
    ids=["gone", "early_damage", "no_database", "no_facts"],
)
def test_lots_come_back_in_their_slots_at_their_cost(tmp_path: Path, damage: Damage, found: Found) -> None:
    with still_venue() as venue:
        settings = live_settings(tmp_path, venue)
        trade_and_die(settings, venue)
        damage(settings.journal_path)
        broken = settings.journal_path.read_bytes() if found is not Found.MISSING else b""

        made = recovered(settings)

        assert (made.found, made.fills > 0) == (found, True)
        assert list(not_true(settings, venue.account())) == []
        if made.aside:
            assert Path(made.aside).read_bytes() == broken, "the old file is what it was"
        with deployed(settings, venue) as live:
            trade_on(live, venue)
            live.reckon()
        assert list(not_true(settings, venue.account())) == []


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_grid_that_had_begun_waits_for_no_price_and_opens_nothing_again(tmp_path: Path, is_gone: bool) -> None:
    keys = {
        "interval": None,
        "anchor": None,
        "range": {"low": 2990, "high": 3010, "grids": 10},
        "max_lots": 10,
        "open_position": {"slippage": "0.1%"},
        "trigger_price": 3000,
    }
    with still_venue() as venue:
        settings = live_settings(tmp_path, venue, keys)
        with deployed(settings, venue) as live:
            live.until(lambda: live.exits() == [9, 8, 7, 6], "it begins with four lots")
            live.settle()
            live.kill_gateway()
        opened = _opened(venue)
        venue.walk("ETHUSDT", "3001")  # a new grid would wait for 3000 now
        if is_gone:
            gone(settings.journal_path)
        else:  # nothing stands but what was written before the first order
            damage = "UPDATE records SET body = '{}' WHERE seq = (SELECT min(seq) FROM records WHERE kind = 'intent')"
            sql(settings.journal_path, damage)
            sql(settings.journal_path, "DELETE FROM records WHERE kind = 'trigger'")

        made = recovered(settings)

        assert {line.level for line in made.lots} == {6, 7, 8, 9}
        with deployed(settings, venue) as live:
            live.until(lambda: live.holds() == ["operator"], "only the operator's hold is left")
            live.coordinator.resume()
            live.until(lambda: len(live.entries()) == 3, "it quotes again")
            live.settle()
            assert live.exits() == [9, 8, 7, 6]
            assert _opened(venue) == opened
            live.reckon()


def _opened(venue: VenueControl) -> int:
    return sum(1 for _, identity in venue.own_orders() if identity.purpose is Purpose.OPEN)


def test_a_damaged_last_record_is_recovered_and_said(tmp_path: Path) -> None:
    with still_venue() as venue:
        settings = live_settings(tmp_path, venue)
        trade_and_die(settings, venue)
        sql(
            settings.journal_path,
            "UPDATE records SET body = substr(body, 1, 3) WHERE seq = (SELECT max(seq) FROM records)",
        )

        with deployed(settings, venue) as live:
            said = " ".join(notice["text"] for notice in live.notices("journal"))
            assert "the last batch" in said
            assert "damaged and set aside" in said
            live.until(lambda: live.holds() == [], "it trades on by itself")
            live.settle()
            live.walk("2990.5")
            live.reckon()
        assert list(not_true(settings, venue.account())) == []


def test_a_start_without_its_journal_is_refused_and_told_what_to_do(tmp_path: Path) -> None:
    with still_venue() as venue:
        settings = live_settings(tmp_path, venue)
        trade_and_die(settings, venue)
        gone(settings.journal_path)
        orders = len(venue.account()["orders"])

        live = LiveDeployment(settings, venue)
        try:
            live.begin()
            live.until(lambda: live.state() == "refused", "the start is refused")
            said = " ".join(live.coordinator.snapshot()["refusals"])
        finally:
            live.end()

        assert "gridmesh recover" in said
        assert "orders of this program rest" in said
        assert len(venue.account()["orders"]) == orders

        # The refused start has left an empty journal, which is no reason not to rebuild.
        assert recovered(settings).found is Found.EMPTY
        assert list(not_true(settings, venue.account())) == []


def test_a_start_over_early_damage_is_refused_and_told_what_to_do(tmp_path: Path) -> None:
    with still_venue() as venue:
        settings = live_settings(tmp_path, venue)
        trade_and_die(settings, venue)
        early_damage(settings.journal_path)

        with pytest.raises(JournalCorrupt, match="gridmesh recover CONFIG"):
            book_on_disk(settings)


def test_a_dry_run_says_the_same_and_changes_nothing(tmp_path: Path) -> None:
    with still_venue() as venue:
        settings = live_settings(tmp_path, venue)
        trade_and_die(settings, venue)
        early_damage(settings.journal_path)
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}

        dry = recovered(settings, dry_run=True)

        assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before
        wet = recovered(settings)
        assert (dry.lots, dry.kept, dry.fills) == (wet.lots, wet.kept, wet.fills)


def test_levels_are_worked_out_where_the_anchor_was_the_first_price(tmp_path: Path) -> None:
    with still_venue() as venue:
        settings = live_settings(tmp_path, venue, {"anchor": None})
        trade_and_die(settings, venue)
        before = book_on_disk(settings).symbol("ETHUSDT")
        gone(settings.journal_path)

        recovered(settings)

        after = book_on_disk(settings).symbol("ETHUSDT")
        assert after.generations == before.generations
        assert [(key, lot.quantity, lot.cost, lot.target) for key, lot in after.lots_from_the_top()] == [
            (key, lot.quantity, lot.cost, lot.target) for key, lot in before.lots_from_the_top()
        ]


@pytest.mark.long
@pytest.mark.parametrize("anchor", [3000, None])
def test_both_sides_of_a_neutral_grid_are_worked_out_and_it_goes_on_where_its_lots_are(
    tmp_path: Path, anchor: int | None
) -> None:
    bounds = {"low": 2990, "high": 3010, "grids": 10}
    keys = {"side": "neutral", "interval": None, "range": bounds, "anchor": anchor, "max_lots": 5}
    with still_venue() as venue:
        settings = live_settings(tmp_path, venue, keys)
        with deployed(settings, venue) as live:
            live.until(lambda: len(live.entries()) == 3, "the long side begins")
            live.walk("2997.5")
            live.until(lambda: live.symbol()["lots"] == 1, "it buys under the start price")
            live.walk("3001.5")
            live.until(lambda: live.symbol()["side"] == "short" and len(live.entries()) == 3, "the short side works")
            venue.walk("ETHUSDT", "3004.5")
            live.until(lambda: live.exits() == [-1, -2], "it sells over the start price")
            live.settle()
            live.kill_gateway()
        before = book_on_disk(settings).symbol("ETHUSDT")
        gone(settings.journal_path)

        recovered(settings)

        after = book_on_disk(settings).symbol("ETHUSDT")
        assert after.generations == before.generations
        assert dict(after.lots()) == dict(before.lots())
        assert after.expected_position() == before.expected_position() < 0
        with deployed(settings, venue) as live:
            live.until(lambda: live.symbol().get("side") == "short", "it works where its lots are")
            live.until(lambda: live.exits() == [-1, -2], "each lot has its exit")
            live.until(lambda: live.holds() == ["operator"], "a person looks before it buys")
            live.settle()


def test_lots_of_an_older_interval_keep_their_own_targets(tmp_path: Path) -> None:
    with still_venue() as venue:
        trade_and_die(live_settings(tmp_path, venue, {"anchor": None}), venue)
        settings = live_settings(tmp_path, venue, {"anchor": None, "interval": 5})
        with deployed(settings, venue) as live:
            live.until(lambda: "2990" in live.entries(), "it quotes by the new interval")
            venue.walk("ETHUSDT", "2984.5")
            live.until(lambda: live.symbol()["lots"] > 2, "it buys there")
            live.kill_gateway()
        before = book_on_disk(settings).symbol("ETHUSDT")
        assert len({key.generation for key, _ in before.lots()}) == 2
        gone(settings.journal_path)

        recovered(settings)

        after = book_on_disk(settings).symbol("ETHUSDT")
        assert {key: (lot.quantity, lot.cost, lot.target) for key, lot in after.lots()} == {
            key: (lot.quantity, lot.cost, lot.target) for key, lot in before.lots()
        }


def test_what_others_bought_stays_theirs(tmp_path: Path) -> None:
    with still_venue() as venue:
        venue.manual_order("ETHUSDT", "BUY", "0.300")
        settings = live_settings(tmp_path, venue, {"existing_position": "ignore"})
        trade_and_die(settings, venue)
        gone(settings.journal_path)

        recovered(settings)

        book = book_on_disk(settings).symbol("ETHUSDT")
        assert Decimal(book.foreign) * book.generation.step == Decimal("0.300")
        assert list(not_true(settings, venue.account())) == []


def test_a_wrong_interval_is_refused_with_both_prices(tmp_path: Path) -> None:
    with still_venue() as venue:
        trade_and_die(live_settings(tmp_path, venue), venue)
        settings = live_settings(tmp_path, venue, {"interval": 5})
        gone(settings.journal_path)

        with pytest.raises(NotRebuildable, match="by the configuration it is at"):
            recovered(settings)
        assert not settings.journal_path.exists()


def test_a_sound_journal_and_one_in_use_are_left_alone(tmp_path: Path) -> None:
    with still_venue() as venue:
        settings = live_settings(tmp_path, venue)
        with deployed(settings, venue) as live:
            live.until(lambda: live.entries(), "it quotes")
            with pytest.raises(JournalInUse):
                recovered(settings)
            live.stop()
        before = settings.journal_path.read_bytes()

        assert recovered(settings).found is Found.SOUND
        assert settings.journal_path.read_bytes() == before


def test_the_command_says_what_was_found_and_what_cannot_be_known(tmp_path: Path) -> None:
    with still_venue() as venue:
        settings = live_settings(tmp_path, venue)
        trade_and_die(settings, venue)
        gone(settings.journal_path)

        said = command("recover", str(tmp_path / "live.yaml"), "--days", "2", "--json")

        assert (said["found"], len(said["lots"])) == ("missing", 2)
        assert any("holds" in sentence for sentence in said["unknown"])
        assert command("recover", str(tmp_path / "live.yaml"), "--json")["found"] == "sound"


def command(*words: str) -> dict[str, Any]:
    key, secret = KEYS.api_key.get_secret_value(), KEYS.api_secret.get_secret_value()
    names = {"GRIDMESH__VENUE__API_KEY_ENV": "TRIAL_KEY", "GRIDMESH__VENUE__API_SECRET_ENV": "TRIAL_SECRET"}
    environment = {**os.environ, **names, "TRIAL_KEY": key, "TRIAL_SECRET": secret}
    ended = subprocess.run(
        [sys.executable, "-m", "actors.cli", *words],
        capture_output=True,
        cwd=ROOT,
        env=environment,
        timeout=240,
        check=False,
    )
    assert ended.returncode == 0, (ended.stdout, ended.stderr)
    found: dict[str, Any] = json.loads(ended.stdout)
    return found
