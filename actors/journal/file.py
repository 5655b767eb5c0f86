"""Opens the journal's SQLite file: private, write-ahead, one writer, of a known schema version."""

from __future__ import annotations

import secrets
import sqlite3
import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast
from urllib.parse import quote

import sqlalchemy as sa

from actors.journal.errors import JournalCorrupt, JournalError, JournalTooNew, Place
from actors.journal.schema import ARCHIVE, META, METADATA, Schema
from actors.private_files import make_private
from grid.client_id import JOURNAL_ID_LENGTH

BUSY_TIMEOUT_MS = 5000
CONNECT_TIMEOUT_S = 5
IDLE_IN_TRANSACTION_MS = 5_000
STATEMENT_TIMEOUT_MS = 3 * IDLE_IN_TRANSACTION_MS
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_GONE = ("no such table", "no such column", "malformed", "unsupported file format")
"""What SQLite says where the damage lies in its own header or list of tables."""
NUMBERS = ("schema_version", "owner_epoch", "base_seq", "base_chain")
_ID_LETTERS = string.digits + string.ascii_letters


def connect(path: Place, *, read_only: bool = False) -> sa.Connection:
    """Return a connection that opens and commits transactions only where told to."""
    if isinstance(path, sa.URL):
        return _connect_database(path, read_only=read_only)
    query = {"mode": "ro", "uri": "true"} if read_only else {"uri": "true"}
    url = sa.URL.create("sqlite", database=f"file:{quote(str(path))}", query=query)
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    connection = engine.connect()
    # damaged text is read as it is, so that the checksum finds it and names the record
    driver(connection).text_factory = lambda raw: raw.decode("utf-8", errors="replace")
    connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    if not read_only:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        connection.exec_driver_sql("PRAGMA synchronous=NORMAL")
    return connection


def _connect_database(url: sa.URL, *, read_only: bool) -> sa.Connection:
    settings = f"-c synchronous_commit=on -c default_transaction_read_only={'on' if read_only else 'off'}"
    # A writer that is stopped or cut off inside a transaction would lock its successor out.
    settings += f" -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_MS}"
    settings += f" -c statement_timeout={STATEMENT_TIMEOUT_MS} {url.query.get('options', '')}"
    arguments = {"connect_timeout": CONNECT_TIMEOUT_S, "options": settings, "application_name": "gridmesh"}
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool, connect_args=arguments)
    return engine.connect()


def driver(connection: sa.Connection) -> sqlite3.Connection:
    """Return SQLite's own connection, for what has no portable form."""
    return cast(sqlite3.Connection, connection.connection.dbapi_connection)


def hang_up(connection: sa.Connection) -> None:
    """Close the connection and its file."""
    engine = connection.engine
    connection.close()
    engine.dispose()


@contextmanager
def transaction(connection: sa.Connection) -> Iterator[None]:
    """Commit everything inside together, or nothing of it."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.dialect.name == "sqlite" else "BEGIN")
    try:
        yield
    except BaseException:
        if not connection.invalidated:
            connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql("COMMIT")


@contextmanager
def readable(path: Place) -> Iterator[None]:
    """Turn SQLite's words for a file that cannot be used into ours; damage is told from a full disk or a held lock."""
    try:
        yield
    except (sa.exc.DatabaseError, sqlite3.DatabaseError) as error:
        cause = getattr(error, "orig", None) or error
        if getattr(cause, "sqlite_errorcode", None) in _DAMAGE or any(words in str(cause) for words in _GONE):
            raise JournalCorrupt(path, 0, f"SQLite cannot read the file ({cause})") from error
        if isinstance(path, sa.URL):
            # Its words may quote the address: only their kind is told.
            raise JournalError(f"journal {path} cannot be used ({type(cause).__name__})") from None
        raise JournalError(f"journal {path} cannot be used: {cause}") from error
    except UnicodeDecodeError as error:
        raise JournalCorrupt(path, 0, "SQLite cannot read the file, and what it says of it is no text") from error


def is_blank(connection: sa.Connection, path: Place) -> bool:
    """Whether nothing was ever laid out there; raises `JournalCorrupt` where something was, without its facts."""
    tables = set(sa.inspect(connection).get_table_names())
    if META.name in tables:
        return False
    is_sqlite = connection.dialect.name == "sqlite"
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one() if is_sqlite else 0
    if pages > 1 or tables & set(METADATA.tables):
        raise JournalCorrupt(path, 0, "it holds something, but not what a journal begins with")
    return True


def create(connection: sa.Connection, schema: Schema, account: str, created_ms: int) -> None:
    """Lay out an empty journal with a random id of its own."""
    journal_id = "".join(secrets.choice(_ID_LETTERS) for _ in range(JOURNAL_ID_LENGTH))
    first = {
        "schema_version": schema.version,
        "journal_id": journal_id,
        "account": account,
        "created_ms": created_ms,
        "owner_epoch": 0,
        "base_seq": 0,
        "base_chain": 0,
    }
    with transaction(connection):
        METADATA.create_all(connection)
        if connection.dialect.name != "sqlite":
            ARCHIVE.create_all(connection)
        connection.execute(sa.insert(META), [{"name": name, "value": str(value)} for name, value in first.items()])


def create_as(path: Place, schema: Schema, account: str, created_ms: int, *, journal_id: str, owner_epoch: int) -> None:
    """Lay out an empty journal in a new place, under the identity of one that was lost."""
    if isinstance(path, Path):
        make_private(path)
    connection = connect(path)
    try:
        create(connection, schema, account, created_ms)
        with transaction(connection):
            set_meta(connection, "journal_id", journal_id)
            set_meta(connection, "owner_epoch", str(owner_epoch))
    finally:
        hang_up(connection)


def migrate(connection: sa.Connection, path: Place, schema: Schema) -> str:
    """Bring an older journal to this version, one step and one transaction at a time; return what was done."""
    found = int(sound_meta(connection, path)["schema_version"])
    if found > schema.version:
        raise JournalTooNew(path, found, schema.version)
    if found == schema.version:
        return ""
    if isinstance(path, sa.URL):
        raise JournalError(
            f"journal {path} has schema version {found}: a database is not migrated; start with a new one"
        )
    copy = path.with_name(f"{path.name}.v{found}.bak")
    backup(connection, copy)
    for version in range(found, schema.version):
        step: Callable[[sa.Connection], None] | None = schema.steps.get(version)
        if step is None:
            raise JournalError(f"journal {path} has schema version {version}, which is too old for this program")
        with transaction(connection):
            step(connection)
            set_meta(connection, "schema_version", str(version + 1))
    return f"migrated from schema version {found} to {schema.version}; the old file is kept as {copy.name}"


def backup(connection: sa.Connection, target: Path) -> None:
    """Copy the whole journal, as it stands at this moment, into a private file."""
    target.unlink(missing_ok=True)
    make_private(target)
    source = driver(connection)
    with sqlite3.connect(target) as copy:
        source.backup(copy)
    copy.close()


def meta(connection: sa.Connection) -> dict[str, str]:
    """Return the journal's facts about itself."""
    return {row.name: row.value for row in connection.execute(sa.select(META))}


def sound_meta(connection: sa.Connection, path: Place) -> dict[str, str]:
    """Return the same; raises `JournalCorrupt` where one that no journal lacks is gone or is no number."""
    facts = meta(connection)
    missing = [name for name in ("journal_id", "account", *NUMBERS) if name not in facts]
    broken = [name for name in NUMBERS if not (facts.get(name, "0").isascii() and facts.get(name, "0").isdigit())]
    if wrong := missing + broken:
        raise JournalCorrupt(path, 0, f"what it says of itself cannot be read ({', '.join(wrong)})")
    return facts


def set_meta(connection: sa.Connection, name: str, value: str) -> None:
    """Change one fact; inside a transaction of the caller, or as one of its own."""
    changed = connection.execute(sa.update(META).where(META.c.name == name).values(value=value))
    if changed.rowcount == 0:
        connection.execute(sa.insert(META).values(name=name, value=value))
