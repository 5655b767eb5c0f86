"""Where a paper account lies between two lives of its gateway: rows in a file, each step of the engine one commit."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

import orjson

from exchanges.paper.rows import Row
from grid.errors import GridmeshError

FORMAT = 1
MODE = 0o600
Key = tuple[str, str]
"""What a row is (`order`, `fill`, ...) and which one."""


class PaperAccountError(GridmeshError):
    """The file of a paper account cannot be used; the message says what to do."""


class PaperStore:
    """Rows by key. Survives kill -9 to the last `keep` that returned. Used from one thread.

    Read-only it neither makes nor changes the file, which may be another process's.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path = path
        self._read_only = read_only
        self._connection: sqlite3.Connection | None = None
        if not read_only:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE))
        elif not path.exists():
            return
        try:
            self._connection = self._open()
        except sqlite3.Error as error:
            raise self._unusable(str(error)) from None

    def _open(self) -> sqlite3.Connection:
        mode = "ro" if self._read_only else "rw"
        made = sqlite3.connect(f"file:{quote(str(self._path))}?mode={mode}", uri=True, isolation_level=None)
        found = int(made.execute("PRAGMA user_version").fetchone()[0])
        if found not in (0, FORMAT):
            made.close()
            raise self._unusable(f"it has format {found}, this program knows {FORMAT}")
        if not self._read_only:
            made.execute("PRAGMA journal_mode=WAL")
            made.execute("PRAGMA synchronous=NORMAL")
            made.execute("CREATE TABLE IF NOT EXISTS paper (kind TEXT, name TEXT, body TEXT, PRIMARY KEY (kind, name))")
            made.execute(f"PRAGMA user_version={FORMAT}")
        return made

    def read(self) -> dict[Key, Row]:
        """Return every row, in the order of its kind's names; none where there is no account yet."""
        if self._connection is None or not self._has_table():
            return {}
        try:
            found = self._connection.execute("SELECT kind, name, body FROM paper ORDER BY kind, name").fetchall()
            return {(kind, name): orjson.loads(body) for kind, name, body in found}
        except (sqlite3.Error, orjson.JSONDecodeError) as error:
            raise self._unusable(str(error)) from None

    def keep(self, rows: Iterable[tuple[Key, Row]], gone: Iterable[Key] = ()) -> None:
        """Write rows and forget others, all in one commit. Read-only: nothing."""
        connection = self._connection
        if connection is None or self._read_only:
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(
                "INSERT OR REPLACE INTO paper VALUES (?, ?, ?)",
                [(*key, orjson.dumps(row).decode()) for key, row in rows],
            )
            connection.executemany("DELETE FROM paper WHERE kind = ? AND name = ?", list(gone))
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _has_table(self) -> bool:
        assert self._connection is not None
        found = self._connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'paper'")
        return found.fetchone() is not None

    def _unusable(self, why: str) -> PaperAccountError:
        return PaperAccountError(
            f"paper account {self._path} cannot be used: {why}; move it and the paper journal aside to begin anew"
        )
