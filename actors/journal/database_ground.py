"""`gridmesh recover` in a PostgreSQL database: the new journal grows in a schema beside the old one's.

At the end one transaction moves the old tables into a schema of their own, as they are, and the new ones in. Others are
kept out by the lease on the account, and once more by the tables themselves: who wrote meanwhile is noticed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import sqlalchemy as sa

from actors.journal import file as journal_file
from actors.journal.errors import JournalError, Place
from actors.journal.ground import Found, judged
from actors.journal.schema import ARCHIVED, META, METADATA, RECORDS
from actors.journal.standing import Standing, is_damage, standing_of
from actors.ownership.ownership import HostOwnership

NAME_MAX = 40
Ends = tuple[str, int]
"""Owner epoch and the number of the last record, as they lie there."""


class DatabaseGround:
    """One database, or one schema of it. `say` hears what the lease waits for."""

    def __init__(self, url: sa.URL, owner: HostOwnership, say: Callable[[str], None]) -> None:
        self._url = url
        self._owner = owner
        self._say = say
        self._ends: Ends | None = None

    def __str__(self) -> str:
        return str(self._url)

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Hold the account's lease, as a gateway does."""
        await self._owner.take(self._say)
        renewing = asyncio.create_task(self._owner.run())
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            await self._owner.release()

    def look(self) -> tuple[Found, Standing | None]:
        """Read the tables."""
        with self._connected(read_only=True) as connection:
            if not set(sa.inspect(connection).get_table_names()) & set(METADATA.tables):
                return Found.MISSING, None
            self._ends = _ends(connection)
            try:
                return judged(standing_of(connection, self._url))
            except JournalError as error:
                return Found.UNREADABLE, Standing.nothing(str(error))

    @contextmanager
    def fresh(self) -> Iterator[Place]:
        """Give a schema of its own in the same database."""
        with self._connected() as connection:
            try:
                home = _home(connection)
                name = f"{home[:NAME_MAX]}_recovering"
                connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {_quoted(name)} CASCADE")
                connection.exec_driver_sql(f"CREATE SCHEMA {_quoted(name)}")
            except sa.exc.ProgrammingError as error:
                raise JournalError(
                    f"journal {self._url}: no schema can be made beside it ({type(error.orig).__name__}). Nothing was "
                    "changed. Its user needs the right to create schemas in the database (GRANT CREATE ON DATABASE)"
                ) from None
            try:
                options = f"{self._url.query.get('options', '')} -c search_path={_quoted(name)}".strip()
                yield self._url.update_query_dict({"options": options})
            finally:
                connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {_quoted(name)} CASCADE")

    def put_in_place(self, fresh: Place, at_ms: int) -> str:
        """Move the old tables aside and the new ones in, all at once."""
        self._owner.fence()
        with self._connected() as connection, journal_file.transaction(connection):
            home, tables = _home(connection), set(sa.inspect(connection).get_table_names())
            old = [table.name for table in METADATA.sorted_tables if table.name in tables]
            for table in old:
                # Who waits for it meanwhile finds the new one under its name, and that another writes there.
                connection.exec_driver_sql(f"LOCK TABLE {_quoted(table)} IN ACCESS EXCLUSIVE MODE")
            if self._ends is not None and _ends(connection) != self._ends:
                raise JournalError(
                    f"journal {self._url} was written to meanwhile: nothing was changed. Stop its writer"
                )
            aside = f"{home[:NAME_MAX]}_damaged_{at_ms}" if old else ""
            if old:
                connection.exec_driver_sql(f"CREATE SCHEMA {_quoted(aside)}")
            for table in old:
                connection.exec_driver_sql(f"ALTER TABLE {_quoted(table)} SET SCHEMA {_quoted(aside)}")
            growing = _quoted(f"{home[:NAME_MAX]}_recovering")
            kept = {ARCHIVED.name} & tables  # pruned records stay where they are
            for name in [*(table.name for table in METADATA.sorted_tables), *({ARCHIVED.name} - kept)]:
                connection.exec_driver_sql(f"ALTER TABLE {growing}.{_quoted(name)} SET SCHEMA {_quoted(home)}")
        return f"schema {aside}" if aside else ""

    @contextmanager
    def _connected(self, *, read_only: bool = False) -> Iterator[sa.Connection]:
        with journal_file.readable(self._url):
            connection = journal_file.connect(self._url, read_only=read_only)
            try:
                yield connection
            finally:
                journal_file.hang_up(connection)


def _home(connection: sa.Connection) -> str:
    return str(connection.exec_driver_sql("SELECT current_schema()").scalar_one())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _ends(connection: sa.Connection) -> Ends | None:
    """Return what every write changes; None where the tables do not tell."""
    try:
        epoch = connection.execute(sa.select(META.c.value).where(META.c.name == "owner_epoch")).scalar()
        last = connection.execute(sa.select(sa.func.max(RECORDS.c.seq))).scalar()
    except sa.exc.DBAPIError as error:
        if not is_damage(error):
            raise
        return None
    return str(epoch), int(last or 0)
