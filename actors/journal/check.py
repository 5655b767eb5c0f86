"""What `Journal.open` does before anything is written: migrate, check every record, say what was found."""

from __future__ import annotations

import sqlalchemy as sa

from actors.journal import file as journal_file
from actors.journal.chain import Row, checked
from actors.journal.errors import JournalCorrupt, JournalError, Place
from actors.journal.read import last_row, load_snapshot, rows_after
from actors.journal.schema import LOST, PAPER_ACCOUNT, RECORDS, Schema


def prepare(connection: sa.Connection, path: Place, account: str, schema: Schema, at_ms: int) -> list[str]:
    """Make the journal fit to be written to, and return what there was to say."""
    notes = [journal_file.migrate(connection, path, schema)]
    facts = journal_file.sound_meta(connection, path)
    require_account(path, facts["account"], account)
    if facts["account"] != account:
        raise JournalError(f"journal {path} belongs to account {facts['account']}, not {account}: one for each account")
    notes.append(_mend_end(connection, path, facts, at_ms))
    load_snapshot(connection, path)
    notes.append(_unclean(connection, facts))
    with journal_file.transaction(connection):
        journal_file.set_meta(connection, "closed_at", "")
    return [note for note in notes if note]


def require_account(path: Place, found: str, account: str) -> None:
    """Raise `JournalError` where one of them is on paper and the other is not."""
    if (found == PAPER_ACCOUNT) != (account == PAPER_ACCOUNT):
        kind = "on paper" if found == PAPER_ACCOUNT else "of an account at a venue"
        raise JournalError(
            f"journal {path} is one {kind}: a paper journal never becomes one of a venue, nor the other way round; "
            "name another journal.path"
        )


def _mend_end(connection: sa.Connection, path: Place, facts: dict[str, str], at_ms: int) -> str:
    """Check the chain. A damaged last batch is set aside as a whole; anything earlier is refused."""
    sound: Row | None = None
    for row, wrong in checked(rows_after(connection, 0), int(facts["base_seq"]), int(facts["base_chain"])):
        if wrong:
            return _set_aside(connection, _end(connection, path, sound, row, wrong), wrong, at_ms)
        sound = row
    return ""


def _end(connection: sa.Connection, path: Place, sound: Row | None, damaged: Row, wrong: str) -> int:
    """Return the first record of the last batch if the damage lies in it; raises `JournalCorrupt` otherwise."""
    last = last_row(connection)
    assert last is not None, "a damaged row was read, so there is a last one"
    if "missing" in wrong:
        raise JournalCorrupt(path, damaged.seq, wrong)
    if last.seq > damaged.seq:
        if last.batch > damaged.seq:
            raise JournalCorrupt(path, damaged.seq, wrong)
        return last.batch
    if damaged.batch == damaged.seq or (sound is not None and damaged.batch == sound.batch):
        return damaged.batch
    raise JournalCorrupt(path, damaged.seq, f"{wrong}, nor does it say where its batch begins")


def _set_aside(connection: sa.Connection, first: int, wrong: str, at_ms: int) -> str:
    rows = list(rows_after(connection, first - 1))
    with journal_file.transaction(connection):
        aside = [{"found_ms": at_ms, "seq": row.seq, "row": repr(row)} for row in rows]
        connection.execute(sa.insert(LOST), aside)
        connection.execute(sa.delete(RECORDS).where(RECORDS.c.seq >= first))
    which = f"records {first} to {rows[-1].seq}"
    return f"the last batch ({which}) was damaged and set aside: {wrong}; the venue fills the gap"


def _unclean(connection: sa.Connection, facts: dict[str, str]) -> str:
    """Say where the last writer did not close: kill -9 loses nothing, loss of power may lose the end."""
    last = last_row(connection)
    last_seq = last.seq if last else int(facts["base_seq"])
    closed_at = facts.get("closed_at")
    if closed_at is None:
        return ""
    if not closed_at:
        return f"the last writer did not close the journal; it ends with record {last_seq}"
    closed_seq = int(closed_at.split(":")[0])
    if last_seq < closed_seq:
        return f"records {last_seq + 1} to {closed_seq} are gone from the end; the venue fills the gap"
    return ""
