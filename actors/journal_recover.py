"""`gridmesh recover`: keeps what stands before the damage, and the damaged file beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from actors import journal_file
from actors.file_lock import FileLock, LockHeld
from actors.journal_chain import Row, checked, link
from actors.journal_errors import JournalError, JournalInUse
from actors.journal_read import rows_after
from actors.journal_schema import META, METADATA, RECORDS, SNAPSHOTS
from actors.private_files import make_private, sync_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What was kept. `damaged_file` is None where nothing was wrong and nothing was changed."""

    kept: int
    last_seq: int
    wrong: str
    damaged_file: Path | None


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
    damaged = path.with_name(f"{path.name}.damaged-{at_ms}")
    for suffix in ("-wal", "-shm"):
        companion = path.with_name(path.name + suffix)
        if companion.exists():
            os.replace(companion, damaged.with_name(damaged.name + suffix))
    os.replace(path, damaged)
    os.replace(fresh, path)
    sync_folder(path.parent)
    return Recovery(kept=len(rows), last_seq=_last_seq(facts, rows), wrong=wrong, damaged_file=damaged)


def _last_seq(facts: dict[str, str], rows: list[Row]) -> int:
    return rows[-1].seq if rows else int(facts["base_seq"])


def _read(source: sa.Connection, path: Path) -> tuple[dict[str, str], list[Row], str]:
    """Return the facts, the rows of all whole sound batches, and what was wrong after them."""
    try:
        facts = journal_file.meta(source)
        base = (int(facts["base_seq"]), int(facts["base_chain"]))
    except (sa.exc.DatabaseError, KeyError, ValueError) as error:
        raise JournalError(f"journal {path} cannot be recovered: its own facts are not readable ({error})") from error
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
    try:
        # one by one, since a page of rows fails as a whole
        yield from rows_after(source, 0, page_size=1)
    except sa.exc.DatabaseError:
        return


def _unreadable(source: sa.Connection) -> str:
    verdict = str(source.exec_driver_sql("PRAGMA quick_check(1)").scalar())
    return "" if verdict == "ok" else f"SQLite: {verdict}"


def _sound_snapshots(source: sa.Connection, facts: dict[str, str], rows: list[Row]) -> list[dict[str, object]]:
    """Return the snapshots that stand on records which are kept."""
    try:
        found = source.execute(sa.select(SNAPSHOTS)).all()
    except sa.exc.DatabaseError:
        return []
    last = _last_seq(facts, rows)
    return [
        {"seq": row.seq, "body": row.body, "checksum": row.checksum}
        for row in found
        if row.seq <= last and link(0, row.seq, 0, 0, "", "", row.body) == row.checksum
    ]


def _write(fresh: Path, facts: dict[str, str], rows: list[Row], snapshots: list[dict[str, object]]) -> None:
    make_private(fresh)
    target = journal_file.connect(fresh)
    try:
        target.exec_driver_sql("PRAGMA synchronous=FULL")
        with journal_file.transaction(target):
            METADATA.create_all(target)
            kept = {**facts, "closed_at": ""}
            target.execute(sa.insert(META), [{"name": name, "value": value} for name, value in kept.items()])
            if rows:
                target.execute(
                    sa.insert(RECORDS), [{name: getattr(row, name) for name in Row.__slots__} for row in rows]
                )
            if snapshots:
                target.execute(sa.insert(SNAPSHOTS), snapshots)
        target.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        journal_file.hang_up(target)
