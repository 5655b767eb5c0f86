"""`gridmesh recover`: keeps what stands before the damage, and the damaged file beside it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from actors.file_lock import FileLock, LockHeld
from actors.journal import file as journal_file
from actors.journal.chain import Row, checked, link
from actors.journal.errors import JournalError, JournalInUse, Place
from actors.journal.read import PAGE, rows_after
from actors.journal.schema import ARCHIVE, META, METADATA, RECORDS, SNAPSHOTS
from actors.private_files import make_private, sync_folder

UNDEFINED = ("42P01", "42703")
"""PostgreSQL's words for a table, or a column, that is not there."""
DAMAGE = ("XX", "58", "22")
"""Classes of its words for pages, files and values that cannot be read."""
NEEDED = ("schema_version", "journal_id", "account", "owner_epoch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What was kept. `damaged_file` is None where nothing was wrong and nothing was changed."""

    kept: int
    last_seq: int
    wrong: str
    damaged_file: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What stands of a journal: its facts, whole sound batches, and what was wrong after them."""

    facts: dict[str, str]
    rows: list[Row]
    snapshots: list[dict[str, object]]
    wrong: str

    @classmethod
    def nothing(cls, wrong: str) -> Standing:
        """Return what stands of a file that cannot be read at all."""
        return cls(facts={}, rows=[], snapshots=[], wrong=wrong)

    @property
    def last_seq(self) -> int:
        """Return the number of the last sound record, 0 where there is none."""
        return self.rows[-1].seq if self.rows else int(self.facts.get("base_seq", 0))

    @property
    def journal_id(self) -> str:
        """Return the journal's own id, empty where it cannot be read."""
        return self.facts.get("journal_id", "")

    @property
    def owner_epoch(self) -> int:
        """Return the highest owner epoch that the file knows."""
        return int(self.facts.get("owner_epoch", 0))


def standing_part(path: Path) -> Standing:
    """Read what stands, and change nothing; raises `JournalError` where not even the facts can be read."""
    with (
        journal_file.readable(path),
        tempfile.TemporaryDirectory(prefix=".reading-", dir=path.parent) as folder,
    ):
        copy = Path(folder) / path.name
        for suffix in ("", "-wal"):
            companion = path.with_name(path.name + suffix)
            if companion.exists():
                shutil.copyfile(companion, copy.with_name(copy.name + suffix))
        try:
            source = journal_file.connect(copy)
        except sa.exc.DatabaseError as error:
            raise JournalError(f"journal {path} is no journal that SQLite can read ({error.orig})") from error
        try:
            return standing_of(source, path)
        finally:
            journal_file.hang_up(source)


def standing_of(source: sa.Connection, place: Place) -> Standing:
    """Read what stands; raises `JournalError` where not even the facts can be read."""
    facts, rows, wrong = _read(source, place)
    if missing := [name for name in NEEDED if name not in facts]:
        raise JournalError(f"journal {place} does not say its {', '.join(missing)}")
    return Standing(facts=facts, rows=rows, snapshots=_sound_snapshots(source, facts, rows), wrong=wrong)


def is_damage(error: sa.exc.DBAPIError) -> bool:
    """Whether something is wrong with what lies there, not with the way to it or with our rights."""
    sqlstate = getattr(error.orig, "sqlstate", None)
    if sqlstate is None:
        # SQLite has no such states, and is asked on the same machine; a server that went away has none to tell either.
        return "sqlite" in type(error.orig).__module__
    return sqlstate in UNDEFINED or sqlstate[:2] in DAMAGE


def write_part(fresh: Place, standing: Standing, *, owner_epoch: int) -> None:
    """Write what stands into a new place; the next owner begins above `owner_epoch`."""
    facts = {**standing.facts, "owner_epoch": str(owner_epoch)}
    _write(fresh, facts, standing.rows, standing.snapshots)


def put_in_place(fresh: Path, path: Path, at_ms: int) -> Path | None:
    """Move the old journal aside, as it is, and the new one in; return where the old one lies."""
    aside = path.with_name(f"{path.name}.damaged-{at_ms}") if path.exists() else None
    if aside is not None:
        for suffix in ("-wal", "-shm"):
            companion = path.with_name(path.name + suffix)
            if companion.exists():
                os.replace(companion, aside.with_name(aside.name + suffix))
        os.replace(path, aside)
    os.replace(fresh, path)
    sync_folder(path.parent)
    return aside


def recover(path: Path, at_ms: int) -> Recovery:
    """Rewrite the journal up to its last sound batch; raises `JournalError` where its own facts are unreadable."""
    path = path.absolute()
    if not path.is_file():
        raise JournalError(f"no journal at {path}")
    try:
        lock = FileLock(path.with_name(path.name + ".lock"))
    except LockHeld as held:
        raise JournalInUse(path, held.pid) from None
    try:
        with journal_file.readable(path):
            return _recover(path, at_ms)
    finally:
        lock.release()


def _recover(path: Path, at_ms: int) -> Recovery:
    source = journal_file.connect(path)
    fresh = path.with_name(path.name + ".recovering")
    fresh.unlink(missing_ok=True)
    try:
        facts, rows, wrong = _read(source, path)
        if not wrong:
            return Recovery(kept=len(rows), last_seq=_last_seq(facts, rows), wrong="", damaged_file=None)
        _write(fresh, facts, rows, _sound_snapshots(source, facts, rows))
    finally:
        journal_file.hang_up(source)
    damaged = put_in_place(fresh, path, at_ms)
    return Recovery(kept=len(rows), last_seq=_last_seq(facts, rows), wrong=wrong, damaged_file=damaged)


def _last_seq(facts: dict[str, str], rows: list[Row]) -> int:
    return rows[-1].seq if rows else int(facts["base_seq"])


def _read(source: sa.Connection, place: Place) -> tuple[dict[str, str], list[Row], str]:
    """Return the facts, the rows of all whole sound batches, and what was wrong after them."""
    try:
        facts = journal_file.meta(source)
        base = (int(facts["base_seq"]), int(facts["base_chain"]))
    except (sa.exc.DatabaseError, KeyError, ValueError) as error:
        if isinstance(error, sa.exc.DBAPIError) and not is_damage(error):
            raise
        what = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        raise JournalError(f"journal {place} cannot be recovered: its own facts are not readable ({what})") from error
    rows: list[Row] = []
    wrong = ""
    for row, found in checked(_readable_rows(source), *base):
        if found:
            wrong = f"record {row.seq}: {found}"
            rows = _without_batch(rows, row)
        else:
            rows.append(row)
    if not wrong and (unreadable := _unreadable(source)):
        # which batch the unread record belongs to is not known, so the last one read goes as well
        wrong = unreadable
        rows = [kept for kept in rows if kept.batch != rows[-1].batch]
    return facts, rows, wrong


def _without_batch(rows: list[Row], damaged: Row) -> list[Row]:
    """Drop the damaged record's batch; where it does not say which that is, the batch before it goes as well."""
    if not rows or damaged.batch == damaged.seq:
        return rows
    return [kept for kept in rows if kept.batch != rows[-1].batch]


def _readable_rows(source: sa.Connection) -> Iterator[Row]:
    """Yield rows up to the first that cannot be read; a page of rows fails as a whole, so then one by one."""
    last_seq, page_size = 0, 1 if source.dialect.name == "sqlite" else PAGE
    while True:
        try:
            for row in rows_after(source, last_seq, page_size=page_size):
                last_seq = row.seq
                yield row
            return
        except sa.exc.DatabaseError as error:
            if not is_damage(error):
                raise
            if page_size == 1:
                return
            page_size = 1


def _unreadable(source: sa.Connection) -> str:
    if source.dialect.name != "sqlite":
        try:
            # Every value of every row, as a reader of all of them would meet it.
            source.execute(sa.select(sa.func.count(), sa.func.max(sa.func.length(RECORDS.c.body))).select_from(RECORDS))
        except sa.exc.DatabaseError as error:
            if not is_damage(error):
                raise
            return f"PostgreSQL: {type(error.orig).__name__}"
        return ""
    verdict = str(source.exec_driver_sql("PRAGMA quick_check(1)").scalar())
    return "" if verdict == "ok" else f"SQLite: {verdict}"


def _sound_snapshots(source: sa.Connection, facts: dict[str, str], rows: list[Row]) -> list[dict[str, object]]:
    """Return the snapshots that stand on records which are kept."""
    try:
        found = source.execute(sa.select(SNAPSHOTS)).all()
    except sa.exc.DatabaseError as error:
        if not is_damage(error):
            raise
        return []
    last = _last_seq(facts, rows)
    return [
        {"seq": row.seq, "body": row.body, "checksum": row.checksum}
        for row in found
        if row.seq <= last and link(0, row.seq, 0, 0, "", "", row.body) == row.checksum
    ]


def _write(fresh: Place, facts: dict[str, str], rows: list[Row], snapshots: list[dict[str, object]]) -> None:
    if isinstance(fresh, Path):
        make_private(fresh)
    target = journal_file.connect(fresh)
    try:
        if isinstance(fresh, Path):
            target.exec_driver_sql("PRAGMA synchronous=FULL")
        with journal_file.transaction(target):
            METADATA.create_all(target)
            if not isinstance(fresh, Path):
                ARCHIVE.create_all(target)
            kept = {**facts, "closed_at": ""}
            target.execute(sa.insert(META), [{"name": name, "value": value} for name, value in kept.items()])
            if rows:
                target.execute(
                    sa.insert(RECORDS), [{name: getattr(row, name) for name in Row.__slots__} for row in rows]
                )
            if snapshots:
                target.execute(sa.insert(SNAPSHOTS), snapshots)
        if isinstance(fresh, Path):
            target.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        journal_file.hang_up(target)
