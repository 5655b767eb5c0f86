"""The write-ahead journal of one account: batches in one transaction, replayed whole, checked by a running checksum."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from itertools import takewhile
from pathlib import Path
from typing import Any, Protocol

import orjson
import sqlalchemy as sa

from actors.clock import now_ms
from actors.file_lock import FileLock, LockHeld
from actors.journal import archive as journal_archive
from actors.journal import file as journal_file
from actors.journal.chain import Record, Row, link
from actors.journal.check import prepare
from actors.journal.errors import JournalError, JournalInUse, Place
from actors.journal.read import last_row, load_snapshot, rows_after
from actors.journal.schema import CURRENT, RECORDS, SNAPSHOTS, Schema
from actors.private_files import make_private, sync_folder

Entry = tuple[int, str, str, dict[str, Any]]
"""(at_ms, kind, symbol, body); symbol is empty for the account; body: whole numbers, text, Decimals, lists, dicts."""

_INSERT = sa.insert(RECORDS)


class Release(Protocol):
    """What keeps others out until it is let go of."""

    def release(self) -> None: ...


class Journal:
    """The one writer's view. Made by `open`; used from one thread; a second opener on this host is refused.

    Survives kill -9 to the last `append` that returned. After loss of power the last batches may be gone, but none in
    part, and never the owner epoch. `notes` says what `open` found: an older version, a damaged end, a killed writer.
    """

    def __init__(self, path: Place, connection: sa.Connection, lock: Release, notes: Sequence[str]) -> None:
        self.path = path
        self.notes = tuple(notes)
        self._connection = connection
        self._lock = lock
        facts = journal_file.meta(connection)
        self.journal_id = facts["journal_id"]
        self.account = facts["account"]
        self._owner_epoch = int(facts["owner_epoch"])
        last = last_row(connection)
        self._seq: int = last.seq if last else int(facts["base_seq"])
        self._chain: int = last.chain if last else int(facts["base_chain"])

    @classmethod
    def open(
        cls, path: Path, *, account: str = "main", schema: Schema = CURRENT, clock_ms: Callable[[], int] = now_ms
    ) -> Journal:
        """Open or create the journal and check every record; raises `JournalError` with what to do about it."""
        path = path.absolute()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            lock = FileLock(path.with_name(path.name + ".lock"))
        except LockHeld as held:
            raise JournalInUse(path, held.pid) from None
        connection: sa.Connection | None = None
        try:
            is_new = make_private(path)
            with journal_file.readable(path):
                connection = journal_file.connect(path)
                if is_new or journal_file.is_blank(connection, path):
                    journal_file.create(connection, schema, account, clock_ms())
                notes = prepare(connection, path, account, schema, clock_ms())
                return cls(path, connection, lock, notes)
        except BaseException:
            if connection is not None:
                journal_file.hang_up(connection)
            lock.release()
            raise

    @property
    def last_seq(self) -> int:
        """Number of the last record, 0 in an empty journal."""
        return self._seq

    @property
    def owner_epoch(self) -> int:
        """Who writes: the epoch of the last `raise_owner_epoch`."""
        return self._owner_epoch

    @property
    def size_bytes(self) -> int:
        """Size on disk, what is not yet moved into the file included; the archive is not."""
        parts = (self._file, self._file.with_name(self._file.name + "-wal"))
        return sum(part.stat().st_size for part in parts if part.exists())

    def append(self, batch: Sequence[Entry], *, before_commit: Callable[[], None] | None = None) -> int:
        """Write all entries in one transaction and return the number of the last; all or nothing.

        `before_commit` is called within the transaction, which it undoes by raising.
        """
        if not batch:
            return self._seq
        seq, chain, first = self._seq, self._chain, self._seq + 1
        rows: list[dict[str, Any]] = []
        for at_ms, kind, symbol, body in batch:
            seq += 1
            text = _text(body)
            chain = link(chain, seq, first, at_ms, kind, symbol, text)
            rows.append(
                {
                    "seq": seq,
                    "batch": first,
                    "at_ms": at_ms,
                    "kind": kind,
                    "symbol": symbol,
                    "body": text,
                    "chain": chain,
                }
            )
        with self._transaction():
            self._connection.execute(_INSERT, rows)
            if before_commit is not None:
                before_commit()
        self._seq, self._chain = seq, chain
        return seq

    def replay(self, after_seq: int = 0) -> Iterator[Record]:
        """Yield the records after `after_seq` in order; whole batches, since a batch is one transaction."""
        for row in rows_after(self._connection, after_seq):
            yield row.record()

    def save_snapshot(self, seq: int, body: dict[str, Any]) -> None:
        """Keep the book as it was after record `seq`; the last two are kept."""
        if not 0 <= seq <= self._seq:
            raise JournalError(f"a snapshot of record {seq} was asked for, but the last record is {self._seq}")
        text = _text(body)
        with self._transaction():
            self._connection.execute(sa.delete(SNAPSHOTS).where(SNAPSHOTS.c.seq == seq))
            self._connection.execute(
                sa.insert(SNAPSHOTS).values(seq=seq, body=text, checksum=link(0, seq, 0, 0, "", "", text))
            )
            kept = sa.select(SNAPSHOTS.c.seq).order_by(SNAPSHOTS.c.seq.desc()).limit(2)
            self._connection.execute(sa.delete(SNAPSHOTS).where(SNAPSHOTS.c.seq.not_in(kept.scalar_subquery())))

    def load_snapshot(self) -> tuple[int, dict[str, Any]] | None:
        """Return (seq, body) of the latest sound snapshot from which `replay` can go on, or None."""
        return load_snapshot(self._connection, self.path)

    def prune(self, before_seq: int) -> int:
        """Move the records below `before_seq` to the archive beside the journal and return how many.

        Refused where no snapshot stands for them.
        """
        snapshot = self.load_snapshot()
        if snapshot is None or snapshot[0] < before_seq - 1:
            have = "there is none" if snapshot is None else f"the latest is of record {snapshot[0]}"
            raise JournalError(f"records before {before_seq} can go only after a snapshot of {before_seq - 1}; {have}")
        query = sa.select(RECORDS.c.seq, RECORDS.c.chain).where(RECORDS.c.seq < before_seq)
        last = self._connection.execute(query.order_by(RECORDS.c.seq.desc()).limit(1)).first()
        if last is None:
            return 0
        self._archive(self._rows_below(before_seq))
        with self._transaction():
            # what the chain starts from goes in the same transaction, or a crash here would look like damage
            journal_file.set_meta(self._connection, "base_seq", str(last.seq))
            journal_file.set_meta(self._connection, "base_chain", str(last.chain))
            gone = self._forget(before_seq)
            self._connection.execute(sa.delete(SNAPSHOTS).where(SNAPSHOTS.c.seq < last.seq))
        return gone

    def _archive(self, rows: Iterator[Row]) -> None:
        """Keep what is about to be deleted, before it is."""
        journal_archive.keep(self._file, (row.record() for row in rows))

    def _forget(self, before_seq: int) -> int:
        return self._connection.execute(sa.delete(RECORDS).where(RECORDS.c.seq < before_seq)).rowcount

    def _transaction(self) -> AbstractContextManager[None]:
        return journal_file.transaction(self._connection)

    @property
    def _file(self) -> Path:
        assert isinstance(self.path, Path), "a database has no file"
        return self.path

    def _rows_below(self, before_seq: int) -> Iterator[Row]:
        return takewhile(lambda row: row.seq < before_seq, rows_after(self._connection, 0))

    def raise_owner_epoch(self) -> int:
        """Return the next owner epoch, on the disk before this returns: it is in every client id from now on."""
        self._connection.exec_driver_sql("PRAGMA synchronous=FULL")
        try:
            with self._transaction():
                journal_file.set_meta(self._connection, "owner_epoch", str(self._owner_epoch + 1))
        finally:
            self._connection.exec_driver_sql("PRAGMA synchronous=NORMAL")
        sync_folder(self._file.parent)
        self._owner_epoch += 1
        return self._owner_epoch

    def close(self) -> None:
        """End cleanly: the next `open` then knows that no record was lost."""
        if self._connection.closed:
            return
        with self._transaction():
            journal_file.set_meta(self._connection, "closed_at", f"{self._seq}:{self._chain}")
        journal_file.hang_up(self._connection)
        self._lock.release()

    def abandon(self) -> None:
        """Let go of the journal without a last word in it; a `close` after this does nothing."""
        if not self._connection.closed:
            journal_file.hang_up(self._connection)
            self._lock.release()


def _text(body: dict[str, Any]) -> str:
    return orjson.dumps(body, default=_decimal_text).decode()


def _decimal_text(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"a journal body holds whole numbers, text, Decimals, lists and dicts, not {type(value).__name__}")
