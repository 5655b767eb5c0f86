"""The lease in one table of a database: PostgreSQL across hosts, or an SQLite file that all processes of a host see."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa

from actors.ownership.register import Claim, Record, Verdict, judge, released
from actors.ownership.store import StoreUnreachable

T = TypeVar("T")

METADATA = sa.MetaData()
LEASES = sa.Table(
    "gridmesh_leases",
    METADATA,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("record", sa.Text, nullable=False),
)
_NOW = {
    "postgresql": "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
    "sqlite": "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
}
_LIFE = {"postgresql": "SELECT CAST(pg_postmaster_start_time() AS TEXT)", "sqlite": "SELECT 'file'"}


class SqlLeases:
    """One row an account, changed under a lock of the whole table; times are the database's own.

    A server that was started anew, or a promoted replica, may lack the last renewals and is judged so.
    """

    def __init__(self, url: sa.URL, where: str, *, timeout_s: float = 2.0) -> None:
        self.where = where
        self._timeout_s = timeout_s
        self._is_postgres = url.get_backend_name() == "postgresql"
        waits = {"connect_timeout": max(2, round(timeout_s))} if self._is_postgres else {"timeout": timeout_s}
        self._engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool, connect_args=waits)
        self._has_table = False

    async def claim(self, account: str, claim: Claim) -> Verdict:
        """Return the verdict."""
        return await self._ask(lambda: self._claim(account, claim))

    async def release(self, account: str, token: str) -> None:
        """Give a lease back."""
        await self._ask(lambda: self._release(account, token))

    async def close(self) -> None:
        """Forget the connections."""
        self._engine.dispose()

    async def _ask(self, call: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(2 * self._timeout_s):
                return await asyncio.to_thread(call)
        except (sa.exc.SQLAlchemyError, OSError, TimeoutError) as error:
            # Its words may hold the address with its password: only the kind is told.
            raise StoreUnreachable(f"{self.where} does not answer ({type(error).__name__})") from None

    def _claim(self, account: str, claim: Claim) -> Verdict:
        with self._engine.connect() as connection:
            record, now_ms, life = self._begin(connection, account)
            verdict, kept = judge(record, claim, now_ms, life)
            self._end(connection, account, kept)
            return verdict

    def _release(self, account: str, token: str) -> None:
        with self._engine.connect() as connection:
            record, now_ms, _ = self._begin(connection, account)
            self._end(connection, account, released(record, token, now_ms))

    def _begin(self, connection: sa.Connection, account: str) -> tuple[Record | None, int, str]:
        """Lock and read. A connection that breaks from here on rolls back by itself."""
        if not self._has_table:
            METADATA.create_all(connection)
            self._has_table = True
        kind = connection.dialect.name
        if self._is_postgres:
            connection.exec_driver_sql(f"SET lock_timeout = {round(self._timeout_s * 1000)}")
            connection.exec_driver_sql("BEGIN")
            connection.exec_driver_sql("LOCK TABLE gridmesh_leases IN EXCLUSIVE MODE")
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        text = connection.execute(sa.select(LEASES.c.record).where(LEASES.c.account == account)).scalar_one_or_none()
        now_ms = int(connection.exec_driver_sql(_NOW[kind]).scalar_one())
        life = str(connection.exec_driver_sql(_LIFE[kind]).scalar_one())
        return Record.loads(text) if text is not None else None, now_ms, life

    @staticmethod
    def _end(connection: sa.Connection, account: str, kept: Record | None) -> None:
        if kept is not None:
            text = kept.dumps().decode()
            changed = connection.execute(sa.update(LEASES).where(LEASES.c.account == account).values(record=text))
            if not changed.rowcount:
                connection.execute(sa.insert(LEASES).values(account=account, record=text))
        connection.exec_driver_sql("COMMIT")
