"""What can be wrong with a journal, named by what its owner should do."""

from __future__ import annotations

from pathlib import Path

from grid.errors import GridmeshError


class JournalError(GridmeshError):
    """The journal cannot be used as it is; the message says what to do."""


class JournalInUse(JournalError):
    """Another process holds the journal; `pid` is 0 where it did not say who it is."""

    def __init__(self, path: Path, pid: int) -> None:
        who = f"process {pid}" if pid else "another process"
        super().__init__(f"journal {path} is held by {who}: one writer for each account; stop it first")
        self.pid = pid


class JournalTooNew(JournalError):
    """A newer program wrote the journal."""

    def __init__(self, path: Path, found: int, known: int) -> None:
        super().__init__(
            f"journal {path} has schema version {found}, this program knows {known}: "
            "use the newer program that wrote it"
        )


class JournalCorrupt(JournalError):
    """A record before the last batch is damaged (`seq`), or the whole file is (0): no book can be made of it."""

    def __init__(self, path: Path, seq: int, what: str) -> None:
        where = f" at record {seq}" if seq else ""
        super().__init__(
            f"journal {path} is damaged{where}: {what}. Nothing was changed. "
            "To make it anew from what stands and from the venue's trades, run: gridmesh recover CONFIG"
        )
        self.seq = seq
