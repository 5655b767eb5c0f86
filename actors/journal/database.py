"""A journal in a PostgreSQL database, for a gateway that may begin anew on another host: the same tables and checksums.

There is no lock to outlive its holder. Who has raised the owner epoch last is the writer: every transaction of a former
one finds that out, in that transaction, and writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from actors.clock import now_ms
from actors.journal import file as journal_file
from actors.journal.chain import Row
from actors.journal.check import prepare
from actors.journal.errors import JournalLost, JournalTaken
from actors.journal.schema import ARCHIVED, CURRENT, META, RECORDS, Schema
from actors.journal.writer import Journal


class DatabaseJournal(Journal):
    """The one writer's view of a journal behind a URL: one database, or one schema of it, for each deployment.

    A batch that `append` has returned from is as durable as the server makes a commit (`synchronous_commit`, which
    is set on): it survives the gateway's host, and the server's loss of power.
    """

    @classmethod
    def at(
        cls, url: sa.URL, *, account: str = "main", schema: Schema = CURRENT, clock_ms: Callable[[], int] = now_ms
    ) -> DatabaseJournal:
        """Open or create the journal and check every record; raises `JournalError` with what to do about it."""
        connection: sa.Connection | None = None
        try:
            with journal_file.readable(url):
                connection = journal_file.connect(url)
                if not sa.inspect(connection).has_table("meta"):
                    journal_file.create(connection, schema, account, clock_ms())
                notes = prepare(connection, url, account, schema, clock_ms())
                return cls(url, connection, _Nothing(), notes)
        except BaseException:
            if connection is not None:
                journal_file.hang_up(connection)
            raise

    def raise_owner_epoch(self) -> int:
        """Return the next owner epoch, committed before this returns; raises `JournalTaken` where another was first."""
        with self._transaction():
            journal_file.set_meta(self._connection, "owner_epoch", str(self._owner_epoch + 1))
        self._owner_epoch += 1
        return self._owner_epoch

    @property
    def size_bytes(self) -> int:
        """How much the server keeps for the records."""
        return int(self._connection.execute(sa.text("SELECT pg_total_relation_size('records')")).scalar_one())

    def _archive(self, rows: Iterator[Row]) -> None:
        """Nothing beforehand: the records go to their table in the transaction that deletes them."""

    def _forget(self, before_seq: int) -> int:
        columns = [column.name for column in ARCHIVED.columns]
        going = sa.select(*(RECORDS.c[name] for name in columns)).where(RECORDS.c.seq < before_seq)
        self._connection.execute(sa.insert(ARCHIVED).from_select(columns, going))
        return super()._forget(before_seq)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        if self._connection.invalidated:
            raise JournalLost(self.path, "in an earlier write")
        try:
            with journal_file.transaction(self._connection):
                query = sa.select(META.c.value).where(META.c.name == "owner_epoch").with_for_update()
                epoch = int(self._connection.execute(query).scalar_one())
                if epoch != self._owner_epoch:
                    raise JournalTaken(self.path, self._owner_epoch, epoch)
                yield
        except sa.exc.DBAPIError as error:
            if not error.connection_invalidated:
                raise
            # The driver's own words may quote the address: only their kind is told.
            raise JournalLost(self.path, type(error.orig).__name__) from None


class _Nothing:
    """No lock to let go of."""

    def release(self) -> None:
        pass
