"""A damaged journal: the end is recovered and said, the middle is refused, `recover` keeps what stands before it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from actors.journal.chain import link
from actors.journal.errors import JournalCorrupt, JournalError, JournalInUse
from actors.journal.read import export
from actors.journal.standing import recover
from actors.journal.writer import Journal
from tests.unit.test_journal import entries, sql

WRITER = """
import sys
from pathlib import Path
from actors.journal.writer import Journal
from actors.journal.chain import link

journal = Journal.open(Path(sys.argv[1]))
journal.raise_owner_epoch()
sizes = [1, 3, 2, 7]
count = 0
while True:
    size = sizes[count % len(sizes)]
    last = journal.append([(count, "batch", "ETHUSDT", {"batch": count, "of": size, "pad": "x" * 300})] * size)
    count += 1
    print(count, last, flush=True)
"""


def written(path: Path, *batches: int) -> None:
    journal = Journal.open(path)
    for size in batches:
        journal.append(entries(size))
    journal.close()


def reopened(path: Path) -> tuple[tuple[str, ...], list[int]]:
    journal = Journal.open(path)
    seen = [record.seq for record in journal.replay()]
    journal.close()
    return journal.notes, seen


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE records SET body = '{\"n\": 9}' WHERE seq = 6",
        "UPDATE records SET body = substr(body, 1, 3) WHERE seq = 6",
        "UPDATE records SET at_ms = at_ms + 1 WHERE seq = 6",
        "UPDATE records SET symbol = 'BTCUSDT' WHERE seq = 6",
        "UPDATE records SET chain = 1 WHERE seq = 6",
        "UPDATE records SET body = CAST(X'FFFE' AS TEXT) WHERE seq = 6",
        "UPDATE records SET kind = X'00' WHERE seq = 6",
        "UPDATE records SET body = '{}' WHERE seq = 5",
    ],
)
def test_a_damaged_last_batch_is_set_aside_whole_and_said(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "a.sqlite"
    written(path, 1, 3, 2)
    sql(path, damage)

    notes, seen = reopened(path)

    assert seen == [1, 2, 3, 4]
    assert "records 5 to 6" in notes[0]
    assert len(sql(path, "SELECT seq FROM lost")) == 2
    assert reopened(path) == ((), [1, 2, 3, 4])


def test_damage_in_the_middle_of_the_last_batch_takes_all_of_it(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    written(path, 1, 4)
    sql(path, "UPDATE records SET body = '{}' WHERE seq = 4")

    notes, seen = reopened(path)

    assert seen == [1]
    assert "records 2 to 5" in notes[0]


def test_a_record_that_vouches_for_itself_is_still_refused_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    written(path, 1, 1, 1, 1)
    (before,) = sql(path, "SELECT chain FROM records WHERE seq = 1")[0]
    forged = link(before, 2, 2, 1000, "fill", "ETHUSDT", "{}")
    sql(path, "UPDATE records SET body = '{}', chain = ? WHERE seq = 2", forged)

    with pytest.raises(JournalCorrupt, match="record 3"):
        Journal.open(path)


def test_writing_goes_on_after_a_damaged_end(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    written(path, 2, 2)
    sql(path, "UPDATE records SET body = '{}' WHERE seq = 4")

    written(path, 1)

    assert reopened(path) == ((), [1, 2, 3])


@pytest.mark.parametrize(
    ("damage", "seq"),
    [
        ("UPDATE records SET body = '{}' WHERE seq = 1", 1),
        ("UPDATE records SET body = '{}' WHERE seq = 3", 3),
        ("DELETE FROM records WHERE seq = 3", 4),
        ("DELETE FROM records WHERE seq = 5", 6),
        ("UPDATE records SET batch = 2 WHERE seq = 6", 6),
    ],
)
def test_earlier_damage_is_refused_naming_the_record_and_the_remedy(tmp_path: Path, damage: str, seq: int) -> None:
    path = tmp_path / "a.sqlite"
    written(path, 1, 3, 2)
    sql(path, damage)
    before = sql(path, "SELECT * FROM records")

    with pytest.raises(JournalCorrupt, match=f"record {seq}: .*gridmesh recover") as caught:
        Journal.open(path)

    assert caught.value.seq == seq
    assert sql(path, "SELECT * FROM records") == before


def test_records_gone_from_the_end_of_a_closed_journal_are_said(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    written(path, 1, 3, 2)
    sql(path, "DELETE FROM records WHERE seq > 4")

    notes, seen = reopened(path)

    assert seen == [1, 2, 3, 4]
    assert "records 5 to 6 are gone from the end" in notes[0]


def test_a_damaged_snapshot_falls_back_to_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    journal = Journal.open(path)
    journal.append(entries(5))
    journal.save_snapshot(2, {"book": 2})
    journal.save_snapshot(4, {"book": 4})
    journal.close()
    sql(path, "UPDATE snapshots SET body = '{}' WHERE seq = 4")

    again = Journal.open(path)

    assert again.load_snapshot() == (2, {"book": 2})
    again.close()


def test_a_damaged_snapshot_that_nothing_replaces_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    journal = Journal.open(path)
    journal.append(entries(5))
    journal.save_snapshot(4, {"book": 4})
    journal.prune(5)
    journal.close()
    sql(path, "UPDATE snapshots SET body = '{}'")

    with pytest.raises(JournalCorrupt, match="no sound snapshot"):
        Journal.open(path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    path.write_bytes(b"not a database, only text" * 400)

    with pytest.raises(JournalCorrupt, match="SQLite cannot read"):
        Journal.open(path)


def test_export_stops_at_damage_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    written(path, 2, 2)
    sql(path, "UPDATE records SET body = '{}' WHERE seq = 3")
    lines = export(path)

    assert [next(lines) for _ in range(3)][2]["seq"] == 2
    with pytest.raises(JournalCorrupt, match="record 3"):
        next(lines)


class TestRecover:
    def test_it_keeps_the_batches_before_the_damage_and_the_damaged_file(self, tmp_path: Path) -> None:
        path = tmp_path / "a.sqlite"
        written(path, 1, 3, 2, 2)
        identity = sql(path, "SELECT value FROM meta WHERE name = 'journal_id'")
        sql(path, "UPDATE records SET body = '{}' WHERE seq = 4")

        found = recover(path, at_ms=7)

        assert (found.kept, found.last_seq) == (1, 1)
        assert "record 4" in found.wrong
        assert found.damaged_file == tmp_path / "a.sqlite.damaged-7"
        assert len(sql(found.damaged_file, "SELECT seq FROM records")) == 8
        assert reopened(path)[1] == [1]
        assert sql(path, "SELECT value FROM meta WHERE name = 'journal_id'") == identity

    def test_it_leaves_a_sound_journal_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "a.sqlite"
        written(path, 3)
        before = path.read_bytes()

        found = recover(path, at_ms=7)

        assert (found.kept, found.damaged_file) == (3, None)
        assert path.read_bytes() == before

    def test_it_keeps_the_snapshots_that_still_stand(self, tmp_path: Path) -> None:
        path = tmp_path / "a.sqlite"
        journal = Journal.open(path)
        journal.append(entries(2))
        journal.save_snapshot(2, {"book": 2})
        journal.append(entries(2))
        journal.append(entries(1))
        journal.save_snapshot(5, {"book": 5})
        journal.close()
        sql(path, "UPDATE records SET body = '{}' WHERE seq = 3")

        recover(path, at_ms=7)

        again = Journal.open(path)
        assert again.load_snapshot() == (2, {"book": 2})
        again.close()

    def test_a_torn_page_costs_the_records_on_it_and_after(self, tmp_path: Path) -> None:
        path = tmp_path / "a.sqlite"
        written(path, *[20] * 60)
        page = len(path.read_bytes()) // 2 // 4096
        with path.open("r+b") as file:
            file.seek(page * 4096)
            file.write(os.urandom(4096))
        with pytest.raises(JournalCorrupt, match="recover"):
            Journal.open(path)

        found = recover(path, at_ms=7)

        _, seen = reopened(path)
        assert 0 < found.kept < 1200
        assert found.kept % 20 == 0
        assert seen == list(range(1, found.kept + 1))

    def test_it_waits_for_no_writer_and_makes_no_journal(self, tmp_path: Path) -> None:
        journal = Journal.open(tmp_path / "a.sqlite")

        with pytest.raises(JournalInUse):
            recover(tmp_path / "a.sqlite", at_ms=7)
        with pytest.raises(JournalError, match="no journal"):
            recover(tmp_path / "b.sqlite", at_ms=7)
        journal.close()


@pytest.mark.parametrize("kill_after", [1, 25, 180])
def test_a_writer_that_is_killed_loses_no_batch_that_was_acknowledged_and_half_of_none(
    tmp_path: Path, kill_after: int
) -> None:
    path = tmp_path / "a.sqlite"
    acknowledged = 0
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            acknowledged = int(line.split()[0])
            if acknowledged >= kill_after:
                writer.send_signal(signal.SIGKILL)
                break
        for line in writer.stdout:
            acknowledged = int(line.split()[0])

    journal = Journal.open(path)
    batches: dict[int, list[int]] = {}
    for record in journal.replay():
        batches.setdefault(record.body["batch"], []).append(record.body["of"])
    epoch = journal.owner_epoch
    journal.close()

    assert len(batches) >= acknowledged >= kill_after
    assert all(len(found) == found[0] for found in batches.values())
    assert sorted(batches) == list(range(len(batches)))
    assert "did not close" in journal.notes[0]
    assert epoch == 1


def test_the_lock_of_a_killed_writer_is_free_and_of_a_living_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        with pytest.raises(JournalInUse) as caught:
            Journal.open(path)
        assert caught.value.pid == writer.pid
        writer.kill()
        writer.stdout.read()

    Journal.open(path).close()


def test_an_export_is_one_json_object_a_line(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    written(path, 2)

    lines = [json.loads(json.dumps(line)) for line in export(path)]

    assert [set(line) for line in lines[1:]] == [{"seq", "at_ms", "kind", "symbol", "body"}] * 2
