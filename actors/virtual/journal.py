"""The journal of a virtual world: in memory, shared by all hosts, with the one rule of the live one in a database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

JournalRow = tuple[str, str, dict[str, Any]]


class JournalTaken(Exception):
    """Another owner has raised the epoch: nothing was written."""


class VirtualJournal:
    """Who has raised the owner epoch last is the writer."""

    def __init__(self) -> None:
        self.rows: list[JournalRow] = []
        self.owner_epoch = 0

    def raise_owner_epoch(self) -> int:
        """Return the next owner epoch."""
        self.owner_epoch += 1
        return self.owner_epoch

    def append(self, owner_epoch: int, rows: Sequence[JournalRow]) -> None:
        """Write all rows or, for a former owner, none."""
        if rows:
            if owner_epoch != self.owner_epoch:
                raise JournalTaken
            self.rows.extend(rows)
