"""Where `gridmesh recover` works: what it finds, where the new journal grows, how it takes the old one's place."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Protocol

import orjson

from actors.file_lock import FileLock, LockHeld
from actors.journal.errors import JournalError, JournalInUse, Place
from actors.journal.standing import Standing, put_in_place, standing_part
from grid.book import Book
from grid.errors import GridmeshError
from grid.records import from_body
from grid.snapshot import from_snapshot


class Found(Enum):
    """What stood in the journal's place."""

    SOUND = "sound"
    MISSING = "missing"
    EMPTY = "empty"
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"


class Ground(Protocol):
    """A file's folder, or a database."""

    def alone(self) -> AbstractAsyncContextManager[None]:
        """Keep every other writer out. Raises `GridmeshError` where one is there."""
        ...

    def look(self) -> tuple[Found, Standing | None]:
        """Say what stands there, and change nothing."""
        ...

    def fresh(self) -> AbstractContextManager[Place]:
        """Give a place for the new journal; whatever still lies there at the end goes."""
        ...

    def put_in_place(self, fresh: Place, at_ms: int) -> str:
        """Let the new journal take the old one's place; return where the old one lies now, empty where none was."""
        ...


class FileGround:
    """A journal in a file: the lock beside it keeps others out, and the new one takes its name."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)

    def __str__(self) -> str:
        return str(self.path)

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Hold the journal's lock."""
        try:
            lock = FileLock(self.path.with_name(self.path.name + ".lock"))
        except LockHeld as held:
            raise JournalInUse(self.path, held.pid) from None
        try:
            yield
        finally:
            lock.release()

    def look(self) -> tuple[Found, Standing | None]:
        """Read a copy."""
        if not self.path.is_file() or self.path.stat().st_size == 0:
            return Found.MISSING, None
        try:
            return judged(standing_part(self.path))
        except JournalError as error:
            return Found.UNREADABLE, Standing.nothing(str(error))

    @contextmanager
    def fresh(self) -> Iterator[Place]:
        """Give a file in a folder of its own, on the same disk."""
        with tempfile.TemporaryDirectory(prefix=".recovering-", dir=self.path.parent) as folder:
            yield Path(folder) / self.path.name

    def put_in_place(self, fresh: Place, at_ms: int) -> str:
        """Move the old file aside and the new one in."""
        assert isinstance(fresh, Path)
        return str(put_in_place(fresh, self.path, at_ms) or "")


def judged(standing: Standing) -> tuple[Found, Standing]:
    """Return what to call a journal of which this stands."""
    if wrong := _makes_no_book(standing):
        return Found.UNREADABLE, replace(standing, wrong=wrong)
    if standing.wrong:
        return Found.DAMAGED, standing
    return (Found.SOUND if standing.last_seq else Found.EMPTY), standing


def _makes_no_book(standing: Standing) -> str:
    """Return why the part that stands cannot be used, empty where it can."""
    is_pruned = int(standing.facts.get("base_seq", 0)) > 0
    newest = max(standing.snapshots, key=lambda kept: int(str(kept["seq"])), default=None)
    if newest is None and is_pruned:
        return "no sound snapshot stands for the records that were pruned"
    try:
        book = from_snapshot(orjson.loads(str(newest["body"]))) if newest is not None else Book()
        after = int(str(newest["seq"])) if newest is not None else 0
        rows = (row.record() for row in standing.rows if row.seq > after)
        book.replay(from_body(record.kind, record.body) for record in rows)
    except (GridmeshError, KeyError, ValueError) as error:
        return f"its records make no book: {error!r}"
    return ""
