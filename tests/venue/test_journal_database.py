"""The journal in a real PostgreSQL: the same batches, numbers and checksums, and no word of a replaced writer."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
import sqlalchemy as sa

from actors.journal.chain import checked
from actors.journal.database import DatabaseJournal
from actors.journal.errors import JournalCorrupt, JournalError, JournalLost, JournalTaken
from actors.journal.read import export, rows_after
from actors.journal.writer import Entry
from actors.ownership.stores import database_url
from tests.ports import free_port
from tests.store_servers import PASSWORD, postgres_server


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres_server() as url:
        yield url


@pytest.fixture
def url(server: str, request: pytest.FixtureRequest) -> sa.URL:
    """A database of the test's own."""
    name = f"d{abs(hash(request.node.name))}"
    said(database_url(server), f"CREATE DATABASE {name}")
    return database_url(server).set(database=name)


def said(url: sa.URL, statement: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def entries(count: int, kind: str = "fill") -> list[Entry]:
    return [(1000 + index, kind, "ETHUSDT", {"n": index, "fee": Decimal("0.0060")}) for index in range(count)]


def test_what_was_appended_is_replayed_by_the_next_owner(url: sa.URL) -> None:
    journal = DatabaseJournal.at(url)
    assert (journal.raise_owner_epoch(), journal.append(entries(2))) == (1, 2)
    assert journal.append([(5, "hold", "", {"cause": "risk", "text": "naïve ✓"})]) == 3
    journal.close()

    again = DatabaseJournal.at(url)
    records = list(again.replay(1))
    epoch, size_bytes = again.raise_owner_epoch(), again.size_bytes
    again.close()

    assert [(record.seq, record.kind, record.symbol) for record in records] == [(2, "fill", "ETHUSDT"), (3, "hold", "")]
    assert records[0].body == {"n": 1, "fee": "0.0060"}
    assert records[1].body["text"] == "naïve ✓"
    assert (again.journal_id, again.notes, epoch) == (journal.journal_id, (), 2)
    assert size_bytes > 0


def test_a_writer_that_was_replaced_writes_nothing_more(url: sa.URL) -> None:
    former = DatabaseJournal.at(url)
    former.raise_owner_epoch()
    former.append(entries(3))

    successor = DatabaseJournal.at(url)
    assert "did not close" in " ".join(successor.notes)
    successor.raise_owner_epoch()
    for write in (
        lambda: former.append(entries(1, "late")),
        lambda: former.save_snapshot(3, {}),
        former.raise_owner_epoch,
        former.close,
    ):
        with pytest.raises(JournalTaken, match="owner epoch 2; this one was 1"):
            write()
    former.abandon()

    assert successor.append(entries(1, "next")) == 4
    assert [record.kind for record in successor.replay()] == ["fill"] * 3 + ["next"]
    successor.close()


def test_a_writer_that_stands_still_inside_a_transaction_locks_nobody_out(url: sa.URL) -> None:
    former = DatabaseJournal.at(url)
    former.raise_owner_epoch()

    def stand_still() -> None:
        successor = DatabaseJournal.at(url)
        successor.raise_owner_epoch()
        assert successor.append(entries(1, "next")) == 1
        successor.close()

    with pytest.raises(JournalLost):
        former.append(entries(1, "former"), before_commit=stand_still)
    former.abandon()

    assert [row["kind"] for row in list(export(url))[1:]] == ["next"]


def test_a_connection_that_breaks_ends_the_writer_and_costs_no_batch(url: sa.URL) -> None:
    journal = DatabaseJournal.at(url)
    journal.raise_owner_epoch()
    journal.append(entries(2))

    def cut_off() -> None:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = "
        said(url, f"{others}'{url.database}'")

    with pytest.raises(JournalLost, match="broke") as lost:
        journal.append(entries(1), before_commit=cut_off)
    assert PASSWORD not in str(lost.value)
    with pytest.raises(JournalLost):
        journal.append(entries(1))
    journal.abandon()

    successor = DatabaseJournal.at(url)
    assert successor.last_seq == 2
    assert (successor.raise_owner_epoch(), successor.append(entries(1))) == (2, 3)
    successor.close()


def test_of_two_that_open_at_once_one_may_write(url: sa.URL) -> None:
    DatabaseJournal.at(url).close()
    first, second = DatabaseJournal.at(url), DatabaseJournal.at(url)
    second.raise_owner_epoch()

    with pytest.raises(JournalTaken):
        first.raise_owner_epoch()
    first.abandon()
    second.close()


def test_a_batch_is_whole_or_not_there(url: sa.URL) -> None:
    journal = DatabaseJournal.at(url)
    journal.raise_owner_epoch()

    def break_off() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        journal.append(entries(3), before_commit=break_off)

    assert journal.append(entries(2)) == 2
    journal.close()
    assert len(list(export(url))) == 3


def test_pruned_records_are_kept_in_a_table_and_exported(url: sa.URL) -> None:
    journal = DatabaseJournal.at(url)
    journal.raise_owner_epoch()
    journal.append(entries(5))
    journal.save_snapshot(4, {"book": 4})
    assert journal.prune(4) == 3
    journal.append(entries(1, "after"))
    journal.close()

    exported = list(export(url))[1:]
    assert [row["seq"] for row in exported] == [1, 2, 3, 4, 5, 6]
    assert exported[0]["body"] == {"n": 0, "fee": "0.0060"}
    again = DatabaseJournal.at(url)
    assert again.load_snapshot() == (4, {"book": 4})
    assert [record.seq for record in again.replay(4)] == [5, 6]
    again.close()


def test_damage_in_the_last_batch_is_set_aside_and_earlier_damage_is_refused(url: sa.URL) -> None:
    journal = DatabaseJournal.at(url)
    journal.raise_owner_epoch()
    for _ in range(3):
        journal.append(entries(2))
    assert all(not wrong for _, wrong in checked(rows_after(journal._connection, 0), 0, 0))
    journal.close()
    said(url, "UPDATE records SET body = '{}' WHERE seq = 6")

    mended = DatabaseJournal.at(url)
    assert "records 5 to 6" in " ".join(mended.notes)
    assert mended.last_seq == 4
    mended.close()
    said(url, "UPDATE records SET body = '{}' WHERE seq = 2")
    with pytest.raises(JournalCorrupt):
        DatabaseJournal.at(url)


def test_an_unreachable_database_is_named_without_its_password(url: sa.URL) -> None:
    with pytest.raises(JournalError) as caught:
        DatabaseJournal.at(url.set(port=free_port()))

    assert PASSWORD not in str(caught.value)
    assert "postgresql" in str(caught.value)
