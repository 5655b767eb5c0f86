"""A journal file cut short, or with bytes changed, opens to a true beginning of itself and says so, or is refused."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from actors.journal.errors import JournalCorrupt, JournalError
from actors.journal.ground import FileGround, Found
from actors.journal.writer import Journal
from tests.unit.test_journal import entries

BATCHES = 40
PAGE = 4096
WAYS_OUT = ("gridmesh recover", "belongs to account", "use the newer program")
Row = tuple[int, str, str]


def whole(folder: Path, *, closed: bool) -> tuple[Path, list[Row]]:
    """Write a journal; return a copy as it lies on the disk, its write-ahead file beside it where it was not closed."""
    path = folder / "whole" / "a.sqlite"
    path.parent.mkdir()
    journal = Journal.open(path)
    for size in range(BATCHES):
        journal.append(entries(1 + size % 5))
    rows = [(row.seq, row.kind, str(row.body)) for row in journal.replay()]
    copied = folder / "copied"
    if closed:
        journal.close()
    shutil.copytree(path.parent, copied, ignore=shutil.ignore_patterns("*.lock"))
    if not closed:
        journal.close()
    return copied / "a.sqlite", rows


def read(path: Path) -> tuple[list[Row], tuple[str, ...]] | None:
    """Return what the journal holds and says; None where it is refused with the way out."""
    try:
        journal = Journal.open(path)
    except JournalError as error:
        says_what_to_do = [words for words in WAYS_OUT if words in str(error)]
        return None if says_what_to_do else ([], (f"refused without a way out: {error}",))
    try:
        return [(row.seq, row.kind, str(row.body)) for row in journal.replay()], journal.notes
    finally:
        journal.close()


def see_it_true(path: Path, rows: list[Row]) -> str:
    """It is the whole, a beginning of it that is said to be one, or refused; return which."""
    found = read(path)
    if found is None:
        assert FileGround(path).look()[0] is not Found.SOUND, "who is sent to recover is not sent back"
        return "refused"
    seen, notes = found
    assert not any("without a way out" in note for note in notes), notes
    assert seen == rows[: len(seen)], "it tells what was never written"
    if len(seen) < len(rows):
        assert notes, f"{len(rows) - len(seen)} records are gone, and nothing is said"
        return "said"
    return "whole"


@pytest.mark.parametrize("kept", [0.999, 0.9, 0.75, 0.5, 0.25, 0.1, 0.01])
def test_a_closed_journal_that_was_cut_short_is_never_taken_for_whole(tmp_path: Path, kept: float) -> None:
    path, rows = whole(tmp_path, closed=True)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])

    assert see_it_true(path, rows) in ("said", "refused")


@pytest.mark.parametrize("kept", [0.99, 0.6, 0.3, 0.05, 0.0])
def test_the_write_ahead_file_of_a_killed_writer_may_be_cut_short(tmp_path: Path, kept: float) -> None:
    path, rows = whole(tmp_path, closed=False)
    log = path.with_name(path.name + "-wal")
    content = log.read_bytes()
    assert content, "the last records lie in the write-ahead file"
    log.write_bytes(content[: int(len(content) * kept)])

    # What a power cut takes off the end of the write-ahead file was never known to be on the disk: the venue is asked.
    found = read(path)
    assert found is None or found[0] == rows[: len(found[0])]


@pytest.mark.parametrize("seed", range(80))
def test_changed_bytes_never_make_a_book_that_was_not_written(tmp_path: Path, seed: int) -> None:
    path, rows = whole(tmp_path, closed=True)
    content, dice = bytearray(path.read_bytes()), random.Random(seed)
    for _ in range(dice.choice((1, 2, 8, 200))):
        at = dice.randrange(len(content))
        content[at] ^= dice.randrange(1, 256)
    path.write_bytes(bytes(content))

    see_it_true(path, rows)


def test_zeroed_pages_are_never_taken_for_a_shorter_past(tmp_path: Path) -> None:
    path, rows = whole(tmp_path, closed=True)
    content = path.read_bytes()
    for page in range(1, len(content) // PAGE):
        path.write_bytes(content[: page * PAGE] + bytes(PAGE) + content[(page + 1) * PAGE :])
        for left in path.parent.glob("a.sqlite-*"):
            left.unlink()
        see_it_true(path, rows)


def test_a_journal_whose_facts_are_gone_is_not_begun_anew_over_its_records(tmp_path: Path) -> None:
    path, _ = whole(tmp_path, closed=True)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"CREATE TABLE meta", b"CREATE TABLE mesa").replace(b"metameta", b"mesamesa"))

    with pytest.raises(JournalCorrupt, match="gridmesh recover"):
        Journal.open(path)


def test_a_file_that_was_made_and_never_written_is_a_new_journal(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    path.touch(mode=0o600)

    assert read(path) == ([], ())
