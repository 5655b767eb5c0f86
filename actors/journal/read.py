"""Reads the journal's tables: records a page at a time, the latest sound snapshot, an export for other programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from actors.journal import archive as journal_archive
from actors.journal import file as journal_file
from actors.journal.chain import Row, checked, link
from actors.journal.errors import JournalCorrupt, JournalError, Place
from actors.journal.schema import ARCHIVED, RECORDS, SNAPSHOTS

PAGE = 1000


def rows_after(connection: sa.Connection, after_seq: int, page_size: int = PAGE) -> Iterator[Row]:
    """Yield the table's rows after `after_seq` in order, a page at a time."""
    while True:
        query = sa.select(RECORDS).where(RECORDS.c.seq > after_seq).order_by(RECORDS.c.seq).limit(page_size)
        page = [Row(**row) for row in connection.execute(query).mappings()]
        yield from page
        if len(page) < page_size:
            return
        after_seq = page[-1].seq


def load_snapshot(connection: sa.Connection, path: Place) -> tuple[int, dict[str, Any]] | None:
    """Return the latest sound snapshot; raises `JournalCorrupt` where one is needed and none is sound."""
    base = int(journal_file.meta(connection)["base_seq"])
    rows = connection.execute(sa.select(SNAPSHOTS).order_by(SNAPSHOTS.c.seq.desc())).all()
    for row in rows:
        if row.seq >= base and link(0, row.seq, 0, 0, "", "", row.body) == row.checksum:
            return row.seq, orjson.loads(row.body)
    if base > 0:
        raise JournalCorrupt(path, base, "no sound snapshot stands for the records that were pruned")
    return None


def last_row(connection: sa.Connection) -> Row | None:
    """Return the last record's row, or None in an empty journal."""
    found = connection.execute(sa.select(RECORDS).order_by(RECORDS.c.seq.desc()).limit(1)).mappings().first()
    return Row(**found) if found else None


def export(path: Place, after_seq: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the journal's facts, then every record, archived ones too, as plain values.

    Works beside a running writer.
    """
    if isinstance(path, Path) and not path.is_file():
        raise JournalError(f"no journal at {path}")
    with journal_file.readable(path):
        connection = journal_file.connect(path, read_only=True)
        try:
            facts = journal_file.meta(connection)
            yield {"journal": facts}
            base = (int(facts["base_seq"]), int(facts["base_chain"]))
            archived = journal_archive.read(path) if isinstance(path, Path) else _archived(connection)
            yield from (row for row in archived if after_seq < row["seq"] <= base[0])
            for row, wrong in checked(rows_after(connection, 0), *base):
                if wrong:
                    raise JournalCorrupt(path, row.seq, wrong)
                if row.seq > after_seq:
                    yield journal_archive.plain(row.record())
        finally:
            journal_file.hang_up(connection)


def _archived(connection: sa.Connection) -> Iterator[dict[str, Any]]:
    """Yield the pruned records of a database, a page at a time."""
    after_seq = 0
    while True:
        query = sa.select(ARCHIVED).where(ARCHIVED.c.seq > after_seq).order_by(ARCHIVED.c.seq).limit(PAGE)
        page = [{**row, "body": orjson.loads(row["body"])} for row in connection.execute(query).mappings()]
        yield from page
        if len(page) < PAGE:
            return
        after_seq = page[-1]["seq"]
