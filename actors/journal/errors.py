"""What can be wrong with a journal, named by what its owner should do."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from grid.errors import GridmeshError

Place = Path | sa.URL
"""Where a journal lies: a file, or a database; a URL shows itself without its password."""


class JournalError(GridmeshError):
    """The journal cannot be used as it is; the message says what to do."""


class JournalInUse(JournalError):
    """Another process holds the journal; `pid` is 0 where it did not say who it is."""

    def __init__(self, path: Path, pid: int) -> None:
        who = f"process {pid}" if pid else "another process"
        super().__init__(f"journal {path} is held by {who}: one writer for each account; stop it first")
        self.pid = pid


class JournalTaken(JournalError):
    """Another gateway has raised the owner epoch: it writes now, and this one writes nothing more."""

    def __init__(self, path: Place, ours: int, theirs: int) -> None:
        super().__init__(f"journal {path} is written by owner epoch {theirs}; this one was {ours} and writes no more")


class JournalLost(JournalError):
    """The database went away in the middle of a write: only a new opening tells whether that was written."""

    def __init__(self, path: Place, what: str) -> None:
        super().__init__(
            f"the connection to journal {path} broke ({what}); whether the last batch was written only the database "
            "knows: this writer ends, and the next one reads what stands"
        )


class JournalTooNew(JournalError):
    """A newer program wrote the journal."""

    def __init__(self, path: Place, found: int, known: int) -> None:
        super().__init__(
            f"journal {path} has schema version {found}, this program knows {known}: "
            "use the newer program that wrote it"
        )


class JournalCorrupt(JournalError):
    """A record before the last batch is damaged (`seq`), or the whole file is (0): no book can be made of it."""

    def __init__(self, path: Place, seq: int, what: str) -> None:
        where = f" at record {seq}" if seq else ""
        super().__init__(
            f"journal {path} is damaged{where}: {what}. Nothing was changed. "
            "To make it anew from what stands and from the venue's trades, run: gridmesh recover CONFIG"
        )
        self.seq = seq
