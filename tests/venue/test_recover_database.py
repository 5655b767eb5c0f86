"""A damaged or lost journal in a real PostgreSQL: made anew beside the old one, which stays in a schema of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from actors.clock import SystemClock, now_ms
from actors.journal import recovery
from actors.journal.database import DatabaseJournal
from actors.journal.database_ground import DatabaseGround
from actors.journal.errors import JournalError, JournalTaken
from actors.journal.ground import Found
from actors.journal.place import journal_place, open_at
from actors.journal.recovery import Recovered, recover_journal
from actors.ownership.builder import ownership
from actors.ownership.ownership import HostOwnership
from actors.ownership.register import Record
from actors.ownership.stores import database_url
from actors.settings.account import Settings
from actors.venues import trading_venue
from grid.errors import GridmeshError
from tests.crash_truth import not_true
from tests.live_control import VenueControl, still_venue
from tests.live_crew import KEYS
from tests.live_deployment import deployed, live_settings
from tests.store_servers import postgres_server
from tests.venue.test_journal_database import entries, said
from tests.venue.test_recover import trade_and_die, trade_on

Rows = list[tuple[Any, ...]]
OWNERSHIP = {"store_env": "GRIDMESH_LEASE_URL", "lease_s": 8, "skew_s": "0.3"}
JOURNAL = {"path": None, "url_env": "GRIDMESH_JOURNAL_URL"}
EARLY = "UPDATE records SET body = '{}' WHERE seq = (SELECT min(seq) + 2 FROM records WHERE kind = 'intent')"
GONE = "DROP TABLE records, snapshots, meta, lost, archived"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres_server() as url:
        yield url


@pytest.fixture
def url(server: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> sa.URL:
    """A database of the test's own, which is named to settings as the journal; leases lie in the server's first."""
    name = f"r{abs(hash(request.node.name))}"
    said(database_url(server), f"CREATE DATABASE {name}")
    monkeypatch.setenv("GRIDMESH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GRIDMESH_LEASE_URL", server)
    monkeypatch.setenv("GRIDMESH_JOURNAL_URL", server.rpartition("/")[0] + f"/{name}")
    return database_url(server).set(database=name)


def settings_of(folder: Path, venue: VenueControl) -> Settings:
    return live_settings(folder, venue, journal=JOURNAL, ownership=OWNERSHIP)


def told(url: sa.URL, query: str) -> Rows:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.exec_driver_sql(query)]
    engine.dispose()
    return found


def schemas(url: sa.URL) -> list[str]:
    return sorted(name for (name,) in told(url, "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'public%%'"))


def recovered(settings: Settings, *, dry_run: bool = False) -> Recovered:
    place = journal_place(settings)
    assert isinstance(place, sa.URL)
    owner = ownership(settings, KEYS, SystemClock())
    ground = DatabaseGround(place, owner, lambda what: None)
    making = recover_journal(
        settings, lambda: trading_venue(settings, KEYS), days=2, at_ms=now_ms(), dry_run=dry_run, ground=ground
    )
    return asyncio.run(making)


def made_slowly(leases: sa.URL, make: Callable[..., Recovered], *arguments: Any) -> Recovered:
    """Make the journal once the lease was renewed twice meanwhile."""

    def renewals() -> int:
        return max(Record.loads(text).renewals for (text,) in told(leases, "SELECT record FROM gridmesh_leases"))

    begun, deadline = renewals(), time.monotonic() + 60
    while renewals() < begun + 2:
        assert time.monotonic() < deadline, "nobody renews the lease meanwhile"
        time.sleep(0.1)
    return make(*arguments)


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (EARLY, Found.DAMAGED),
        pytest.param(GONE, Found.MISSING, marks=pytest.mark.long),
        pytest.param("DELETE FROM meta WHERE name = 'journal_id'", Found.UNREADABLE, marks=pytest.mark.long),
        pytest.param("DROP TABLE meta", Found.UNREADABLE, marks=pytest.mark.long),
        pytest.param("DROP TABLE records", Found.DAMAGED, marks=pytest.mark.long),
        pytest.param("DELETE FROM records WHERE seq = 5", Found.DAMAGED, marks=pytest.mark.long),
        pytest.param("ALTER TABLE records DROP COLUMN chain", Found.DAMAGED, marks=pytest.mark.long),
    ],
    ids=["early_damage", "gone", "no_id", "no_facts", "no_records", "a_hole", "no_chain"],
)
def test_lots_come_back_in_their_slots_at_their_cost(
    tmp_path: Path, url: sa.URL, server: str, monkeypatch: pytest.MonkeyPatch, damage: str, found: Found
) -> None:
    """However long it takes to write the new journal: the account stays ours."""
    monkeypatch.setattr(recovery, "_make", partial(made_slowly, database_url(server), recovery._make))
    with still_venue() as venue:
        settings = settings_of(tmp_path, venue)
        trade_and_die(settings, venue)
        said(url, damage)
        left = {table for (table,) in told(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
        broken = told(url, "SELECT * FROM records ORDER BY seq") if "records" in left else []

        made = recovered(settings)

        assert (made.found, made.fills > 0) == (found, True)
        assert any("holds" in sentence for sentence in made.unknown)
        if found is Found.MISSING:
            assert (made.aside, schemas(url)) == ("", ["public"])
        else:
            aside = made.aside.removeprefix("schema ")
            assert schemas(url) == ["public", aside]
            if "records" in left:
                assert told(url, f"SELECT * FROM {aside}.records ORDER BY seq") == broken, "the old one is what it was"
        assert list(not_true(settings, venue.account())) == []
        with deployed(settings, venue) as live:
            trade_on(live, venue)
            live.reckon()
        assert list(not_true(settings, venue.account())) == []


@pytest.mark.long
def test_a_deployment_that_runs_keeps_its_journal_and_a_sound_one_is_left_alone(tmp_path: Path, url: sa.URL) -> None:
    with still_venue() as venue:
        settings = settings_of(tmp_path, venue)
        with deployed(settings, venue) as live:
            live.until(lambda: len(live.entries()) == 3, "it quotes")
            with pytest.raises(GridmeshError):
                recovered(settings)
            live.stop()
        before = told(url, "SELECT * FROM records ORDER BY seq")

        assert recovered(settings).found is Found.SOUND
        assert told(url, "SELECT * FROM records ORDER BY seq") == before
        assert schemas(url) == ["public"]


@pytest.mark.long
def test_a_dry_run_says_the_same_and_changes_nothing(tmp_path: Path, url: sa.URL) -> None:
    with still_venue() as venue:
        settings = settings_of(tmp_path, venue)
        trade_and_die(settings, venue)
        said(url, EARLY)
        before = told(url, "SELECT * FROM records ORDER BY seq")

        dry = recovered(settings, dry_run=True)

        assert told(url, "SELECT * FROM records ORDER BY seq") == before
        assert schemas(url) == ["public"]
        wet = recovered(settings)
        assert (dry.lots, dry.kept, dry.fills) == (wet.lots, wet.kept, wet.fills)


def grown(ground: DatabaseGround, change: Callable[[], object] = lambda: None) -> str:
    """Put a new journal in the old one's place; something happens just before."""
    with ground.fresh() as fresh:
        journal = open_at(fresh, "main")
        journal.append(entries(2, "new"))
        journal.close()
        change()
        return ground.put_in_place(fresh, 7)


def test_a_writer_that_writes_meanwhile_is_noticed_and_nothing_is_changed(url: sa.URL) -> None:
    writer = DatabaseJournal.at(url)
    writer.raise_owner_epoch()
    writer.append(entries(3))
    ground = DatabaseGround(url, HostOwnership(), lambda what: None)
    assert ground.look()[0] is not Found.MISSING

    with pytest.raises(JournalError, match="was written to meanwhile"):
        grown(ground, lambda: writer.append(entries(1, "late")))

    assert schemas(url) == ["public"]
    assert writer.append(entries(1, "later")) == 5
    writer.close()


def test_a_former_writer_that_comes_back_writes_into_neither_journal(url: sa.URL) -> None:
    writer = DatabaseJournal.at(url)
    writer.raise_owner_epoch()
    writer.append(entries(3))
    ground = DatabaseGround(url, HostOwnership(), lambda what: None)
    ground.look()

    assert grown(ground) == "schema public_damaged_7"
    with pytest.raises(JournalTaken):
        writer.append(entries(1, "late"))
    writer.abandon()

    assert told(url, "SELECT kind FROM public_damaged_7.records") == [("fill",)] * 3
    assert told(url, "SELECT kind FROM records") == [("new",)] * 2
    successor = DatabaseJournal.at(url)
    assert successor.append(entries(1)) == 3
    successor.close()


def test_pruned_records_stay_with_the_new_journal(url: sa.URL) -> None:
    writer = DatabaseJournal.at(url)
    writer.append(entries(4))
    writer.save_snapshot(3, {})
    assert writer.prune(3) == 2
    writer.close()
    ground = DatabaseGround(url, HostOwnership(), lambda what: None)
    ground.look()

    grown(ground)

    assert told(url, "SELECT count(*) FROM archived") == [(2,)]


def test_a_user_without_the_right_to_make_schemas_is_told_which_one_it_needs(url: sa.URL) -> None:
    DatabaseJournal.at(url).close()
    said(url, "CREATE ROLE reader LOGIN PASSWORD 'hidden-too'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    ground = DatabaseGround(url.set(username="reader", password="hidden-too"), HostOwnership(), lambda what: None)
    assert ground.look()[0] is Found.EMPTY

    with pytest.raises(JournalError, match="GRANT CREATE ON DATABASE") as refused:
        grown(ground)

    assert "hidden-too" not in str(refused.value)
    assert schemas(url) == ["public"]


def test_a_server_that_does_not_answer_is_no_damage(url: sa.URL) -> None:
    ground = DatabaseGround(url.set(password="wrong"), HostOwnership(), lambda what: None)

    with pytest.raises(JournalError, match="cannot be used"):
        ground.look()
