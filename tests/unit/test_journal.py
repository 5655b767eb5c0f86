"""The journal: whole batches, in order, by one writer, kept across a restart."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from actors.journal.errors import JournalError, JournalInUse, JournalTooNew
from actors.journal.read import export
from actors.journal.schema import Schema
from actors.journal.writer import Entry, Journal
from grid.client_id import ClientId
from grid.order import Purpose


def entries(count: int, kind: str = "fill") -> list[Entry]:
    return [(1000 + index, kind, "ETHUSDT", {"n": index, "fee": Decimal("0.0060")}) for index in range(count)]


def sql(path: Path, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute(statement, arguments).fetchall()
    connection.close()
    return rows


def test_what_was_appended_is_replayed_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    journal = Journal.open(path)
    assert journal.append(entries(2)) == 2
    assert journal.append([(5, "hold", "", {"cause": "risk"})]) == 3
    journal.close()

    again = Journal.open(path)
    records = list(again.replay(1))
    again.close()

    assert [(record.seq, record.kind, record.symbol) for record in records] == [(2, "fill", "ETHUSDT"), (3, "hold", "")]
    assert records[0].body == {"n": 1, "fee": "0.0060"}
    assert again.notes == ()


def test_numbers_go_on_where_they_ended(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    journal = Journal.open(path)
    journal.append(entries(3))
    journal.close()

    again = Journal.open(path)

    assert again.last_seq == 3
    assert again.append(entries(1)) == 4
    again.close()


def test_an_unfit_entry_leaves_nothing_of_its_batch(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "a.sqlite")

    with pytest.raises(TypeError, match="object"):
        journal.append([*entries(2), (1, "bad", "", {"x": object()})])
    with pytest.raises(sa.exc.IntegrityError):
        journal.append([*entries(2), (None, "bad", "", {})])  # type: ignore[list-item]

    assert list(journal.replay()) == []
    assert journal.append(entries(1)) == 1
    journal.close()


def test_an_empty_batch_writes_nothing(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "a.sqlite")

    assert journal.append([]) == 0
    journal.close()


def test_a_long_journal_is_replayed_in_order_over_many_pages(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "a.sqlite")
    for _ in range(5):
        journal.append(entries(700))

    assert [record.seq for record in journal.replay(10)] == list(range(11, 3501))
    journal.close()


class TestFile:
    def test_it_is_private_in_a_private_folder(self, tmp_path: Path) -> None:
        path = tmp_path / "new" / "a.sqlite"
        journal = Journal.open(path)
        journal.append(entries(1))

        for name in ("a.sqlite", "a.sqlite-wal", "a.sqlite.lock"):
            assert stat.S_IMODE((tmp_path / "new" / name).stat().st_mode) == 0o600, name
        assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
        journal.close()

    def test_one_that_others_can_read_is_closed_to_them(self, tmp_path: Path) -> None:
        path = tmp_path / "a.sqlite"
        Journal.open(path).close()
        path.chmod(0o644)

        Journal.open(path).close()

        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_a_second_opener_is_refused_and_told_who_holds_it(self, tmp_path: Path) -> None:
        path = tmp_path / "a.sqlite"
        journal = Journal.open(path)

        with pytest.raises(JournalInUse, match=f"process {os.getpid()}"):
            Journal.open(path)

        journal.close()
        Journal.open(path).close()

    def test_a_failed_open_lets_go_of_the_file(self, tmp_path: Path) -> None:
        path = tmp_path / "a.sqlite"
        Journal.open(path, account="main").close()

        with pytest.raises(JournalError, match="belongs to account main, not other"):
            Journal.open(path, account="other")

        Journal.open(path, account="main").close()

    def test_a_file_that_was_made_but_never_laid_out_becomes_a_journal(self, tmp_path: Path) -> None:
        path = tmp_path / "a.sqlite"
        path.touch()

        journal = Journal.open(path)

        assert journal.append(entries(1)) == 1
        journal.close()

    def test_an_odd_path_is_a_path_and_nothing_else(self, tmp_path: Path) -> None:
        path = tmp_path / "a b?mode=memory#x%41.sqlite"
        journal = Journal.open(path)
        journal.append(entries(1))
        journal.close()

        assert [line["seq"] for line in list(export(path))[1:]] == [1]
        assert path.stat().st_size > 0


class TestIdentity:
    def test_each_journal_has_an_id_that_fits_a_client_id_and_stays(self, tmp_path: Path) -> None:
        ids = set()
        for name in "abcdef":
            journal = Journal.open(tmp_path / name)
            ids.add(journal.journal_id)
            journal.close()
        again = Journal.open(tmp_path / "a")
        again.close()

        assert len(ids) == 6
        assert again.journal_id in ids
        ClientId(
            journal=again.journal_id,
            symbol="E",
            generation=0,
            level=0,
            purpose=Purpose.ENTRY,
            owner_epoch=1,
            sequence=1,
        ).encode()

    def test_the_owner_epoch_rises_with_each_take_over_and_is_on_the_disk_at_once(self, tmp_path: Path) -> None:
        path = tmp_path / "a.sqlite"
        journal = Journal.open(path)
        assert journal.raise_owner_epoch() == 1
        journal.close()

        again = Journal.open(path)
        assert again.raise_owner_epoch() == 2

        assert sql(path, "SELECT value FROM meta WHERE name = 'owner_epoch'") == [("2",)]
        assert again.owner_epoch == 2
        again.close()

    def test_raising_the_epoch_is_synced_and_appending_is_not(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        journal = Journal.open(tmp_path / "a.sqlite")
        seen: list[str] = []
        sa.event.listen(
            journal._connection.engine,
            "before_cursor_execute",
            lambda _c, _cur, statement, *_: seen.append(statement),
        )

        journal.append(entries(1))
        appended = list(seen)
        journal.raise_owner_epoch()

        raised = seen[len(appended) :]
        assert not any("synchronous" in statement for statement in appended)
        assert raised[0] == "PRAGMA synchronous=FULL"
        assert raised[-1] == "PRAGMA synchronous=NORMAL"
        assert "COMMIT" in raised[:-1]
        journal.close()


class TestSnapshot:
    def test_the_latest_is_loaded_and_replay_goes_on_after_it(self, tmp_path: Path) -> None:
        journal = Journal.open(tmp_path / "a.sqlite")
        journal.append(entries(5))
        for seq in (2, 3, 4):
            journal.save_snapshot(seq, {"book": seq, "cash": Decimal("1.50")})

        assert journal.load_snapshot() == (4, {"book": 4, "cash": "1.50"})
        assert [record.seq for record in journal.replay(4)] == [5]
        assert len(sql(tmp_path / "a.sqlite", "SELECT seq FROM snapshots")) == 2
        journal.close()

    def test_none_is_none(self, tmp_path: Path) -> None:
        journal = Journal.open(tmp_path / "a.sqlite")

        assert journal.load_snapshot() is None
        journal.close()

    def test_one_of_a_record_that_does_not_exist_is_refused(self, tmp_path: Path) -> None:
        journal = Journal.open(tmp_path / "a.sqlite")

        with pytest.raises(JournalError, match="last record is 0"):
            journal.save_snapshot(1, {})
        journal.close()

    def test_records_are_pruned_only_behind_a_snapshot(self, tmp_path: Path) -> None:
        path = tmp_path / "a.sqlite"
        journal = Journal.open(path)
        journal.append(entries(6))
        with pytest.raises(JournalError, match="there is none"):
            journal.prune(3)
        journal.save_snapshot(4, {"book": 4})
        with pytest.raises(JournalError, match="the latest is of record 4"):
            journal.prune(6)

        assert journal.prune(5) == 4
        assert journal.prune(5) == 0
        journal.append(entries(1))
        journal.close()

        again = Journal.open(path)
        assert again.notes == ()
        assert again.load_snapshot() == (4, {"book": 4})
        assert [record.seq for record in again.replay(4)] == [5, 6, 7]
        again.close()


class TestVersion:
    def test_a_newer_one_is_refused_with_words(self, tmp_path: Path) -> None:
        path = tmp_path / "a.sqlite"
        Journal.open(path, schema=Schema(version=3)).close()

        with pytest.raises(JournalTooNew, match="version 3, this program knows 1"):
            Journal.open(path)

    def test_an_older_one_is_migrated_step_by_step_and_kept(self, tmp_path: Path) -> None:
        path = tmp_path / "a.sqlite"
        journal = Journal.open(path)
        journal.append(entries(2))
        journal.close()

        def add_note(connection: sa.Connection) -> None:
            connection.exec_driver_sql("CREATE TABLE notes(text TEXT)")

        def fill_note(connection: sa.Connection) -> None:
            connection.exec_driver_sql("INSERT INTO notes VALUES ('here')")

        again = Journal.open(path, schema=Schema(version=3, steps={1: add_note, 2: fill_note}))
        assert "migrated from schema version 1 to 3" in again.notes[0]
        assert [record.seq for record in again.replay()] == [1, 2]
        again.close()

        assert sql(path, "SELECT text FROM notes") == [("here",)]
        assert len(list(export(tmp_path / "a.sqlite.v1.bak"))) == 3

    def test_a_failed_step_leaves_the_version_before_it(self, tmp_path: Path) -> None:
        path = tmp_path / "a.sqlite"
        Journal.open(path).close()

        def fail(connection: sa.Connection) -> None:
            connection.exec_driver_sql("CREATE TABLE half(x)")
            raise JournalError("no")

        with pytest.raises(JournalError, match=r"^no$"):
            Journal.open(path, schema=Schema(version=2, steps={1: fail}))

        assert sql(path, "SELECT name FROM sqlite_master WHERE name = 'half'") == []
        Journal.open(path).close()

    def test_one_without_a_step_is_too_old(self, tmp_path: Path) -> None:
        path = tmp_path / "a.sqlite"
        Journal.open(path).close()

        with pytest.raises(JournalError, match="too old"):
            Journal.open(path, schema=Schema(version=2))


class TestExport:
    def test_it_reads_beside_a_running_writer(self, tmp_path: Path) -> None:
        journal = Journal.open(tmp_path / "a.sqlite", account="binanceusdm/main")
        journal.append(entries(3))

        lines = list(export(journal.path, after_seq=1))

        assert lines[0]["journal"]["account"] == "binanceusdm/main"
        assert lines[1] == {
            "seq": 2,
            "at_ms": 1001,
            "kind": "fill",
            "symbol": "ETHUSDT",
            "body": {"n": 1, "fee": "0.0060"},
        }
        assert len(lines) == 3
        journal.close()

    def test_an_absent_journal_is_said_and_not_made(self, tmp_path: Path) -> None:
        with pytest.raises(JournalError, match="no journal at"):
            list(export(tmp_path / "a.sqlite"))

        assert list(tmp_path.iterdir()) == []


def test_an_export_tells_of_pruned_records_too_each_once(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with closing(Journal.open(path)) as journal:
        for number in range(1, 11):
            journal.append([(number, "count", "", {"n": number})])
        journal.save_snapshot(4, {})
        journal.prune(4)
        journal.save_snapshot(8, {})
        journal.prune(8)
    # A prune that died between archiving and deleting leaves records in both places.
    first = sorted((tmp_path / "journal.sqlite.archive").iterdir())[0]
    first.with_name("000000000002.jsonl.gz").write_bytes(first.read_bytes())

    lines = list(export(path))[1:]

    assert [line["body"]["n"] for line in lines] == list(range(1, 11))
    assert [line["seq"] for line in list(export(path, 6))[1:]] == [7, 8, 9, 10]
