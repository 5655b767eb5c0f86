"""Records that a journal has pruned, kept in a folder beside it: one compressed file of JSON lines for each prune.

A prune writes its file whole, and only then deletes. A crash in between leaves the records in both places: a reader
takes each number once.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from actors.journal.chain import Record
from actors.private_files import write_private


def folder_of(journal: Path) -> Path:
    """Return the folder in which a journal's pruned records lie."""
    return journal.with_name(f"{journal.name}.archive")


def keep(journal: Path, records: Iterable[Record]) -> None:
    """Archive the records, on the disk before this returns; nobody else may read them."""
    lines = [plain(record) for record in records]
    if not lines:
        return
    folder = folder_of(journal)
    folder.mkdir(mode=0o700, exist_ok=True)
    content = b"".join(orjson.dumps(line) + b"\n" for line in lines)
    write_private(folder / f"{lines[0]['seq']:012d}.jsonl.gz", gzip.compress(content))


def read(journal: Path) -> Iterator[dict[str, Any]]:
    """Yield the archived records in order, each number once."""
    last = 0
    for file in sorted(folder_of(journal).glob("*.jsonl.gz")):
        with gzip.open(file, "rb") as source:
            for line in source:
                row: dict[str, Any] = orjson.loads(line)
                if row["seq"] > last:
                    last = row["seq"]
                    yield row


def plain(record: Record) -> dict[str, Any]:
    """Return the record as one JSON object."""
    return {name: getattr(record, name) for name in ("seq", "at_ms", "kind", "symbol", "body")}
