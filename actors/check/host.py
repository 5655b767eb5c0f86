"""The part of `check` that needs no venue: keys, journal, disk, run folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa

from actors.check.book import KnownBook
from actors.check.lines import Checked, Verdict, ok, refuse, warn
from actors.check.writable import HOME, file_trouble, folder_trouble
from actors.file_lock import FileLock, LockHeld
from actors.journal import file as journal_file
from actors.journal.check import require_account
from actors.journal.errors import JournalError, Place
from actors.journal.place import journal_account, journal_place
from actors.journal.read import load_snapshot, rows_after
from actors.journal.schema import CURRENT
from actors.ownership.stores import require_store
from actors.private_files import run_folder
from actors.settings.account import Settings
from actors.settings.credentials import account_keys
from actors.settings.paper import Trading
from actors.settings.venue import Credentials
from actors.trading_words import generic, headline, neglected, terms
from grid.book import Book
from grid.errors import ConfigError
from grid.records import from_body
from grid.snapshot import from_snapshot

FREE_BYTES_REFUSE = 100 * 2**20
FREE_BYTES_WARN = 2**30

COUNTDOWN_WEIGHT = 10


def check_keys(settings: Settings, environ: Mapping[str, str] = os.environ) -> tuple[Credentials | None, Checked]:
    """Return the key pair, if it is there and private, and the line about it."""
    try:
        credentials = account_keys(settings, environ)
    except ConfigError as error:
        return None, Checked(what="keys", verdict=Verdict.REFUSE, sentence=str(error), is_configuration=True)
    if settings.is_paper:
        return credentials, ok("keys", "PAPER: none are needed, and none are read")
    return credentials, ok("keys", "present and private")


def check_settings(settings: Settings) -> list[Checked]:
    """Return what the settings themselves are worth a word about."""
    lines = [ok("settings", f"{len(settings.symbols)} symbols at {settings.venue.name}; {headline(settings)}")]
    if settings.is_paper:
        lines.append(warn("settings", f"PAPER, since --live is not given: {terms(settings)}"))
    for warning in (neglected(settings), generic(settings)):
        if warning:
            lines.append(warn("settings", warning))
    if not settings.risk.enabled:
        lines.append(warn("settings", "risk.enabled is false: no volume anomaly halts this deployment"))
    for ladder in settings.symbols:
        if ladder.exit_taker:
            lines.append(warn("settings", f"{ladder.symbol}: exit_taker lets exits pay the taker fee"))
    return lines + _countdowns(settings) + _stores(settings)


def _stores(settings: Settings) -> list[Checked]:
    """Say where the lease lies, and what is wrong with the places that the environment or files name."""
    try:
        require_store(settings)
        journal_place(settings)
    except ConfigError as error:
        return [Checked(what="settings", verdict=Verdict.REFUSE, sentence=str(error), is_configuration=True)]
    if settings.ownership.is_local and settings.trading is Trading.LIVE:
        return [ok("settings", "ownership.store is local: a second host on this account is detected, not prevented")]
    return []


def _countdowns(settings: Settings) -> list[Checked]:
    """Name what the dead-man's switches reach, and what renewing them at half their time costs."""
    switched = [ladder for ladder in settings.symbols if ladder.countdown_s is not None]
    if not switched:
        return []
    weight = sum((COUNTDOWN_WEIGHT * 120 / ladder.countdown_s for ladder in switched if ladder.countdown_s), Decimal(0))
    names = ", ".join(ladder.symbol for ladder in switched)
    words = (
        f"countdown cancels EVERYTHING on {names} when it is not heard of, manual orders and exits too; renewing costs "
        f"{weight:.0f} of 2400 weight a minute"
    )
    return [warn("settings", words)]


def check_journal(settings: Settings) -> list[Checked]:
    """Return whether the journal can be opened by a start; changes nothing."""
    place = journal_place(settings)
    if isinstance(place, sa.URL):
        return [_journal_state(place, journal_account(settings))]
    path = place
    folder = nearest_folder(path)
    if why := file_trouble(path):
        sentence = f"journal.path has to be a file that can be written to: {why}"
        return [Checked(what="journal", verdict=Verdict.REFUSE, sentence=sentence, is_configuration=True)]
    if not path.exists():
        return [ok("journal", f"{path} will be made"), _disk(folder)]
    return [_journal_state(path, journal_account(settings)), _disk(folder)]


def read_book(settings: Settings) -> KnownBook:
    """Return the book that a start would find, read beside whoever holds the journal; empty where there is none."""
    path = journal_place(settings)
    if isinstance(path, Path) and (file_trouble(path) or not path.exists()):
        return KnownBook(book=Book())
    with journal_file.readable(path):
        connection = journal_file.connect(path, read_only=True)
        try:
            if not sa.inspect(connection).has_table("meta"):
                return KnownBook(book=Book())
            snapshot = load_snapshot(connection, path)
            book, after = (from_snapshot(snapshot[1]), snapshot[0]) if snapshot is not None else (Book(), 0)
            rows = (row.record() for row in rows_after(connection, after))
            book.replay(from_body(record.kind, record.body) for record in rows)
            journal_id = journal_file.meta(connection)["journal_id"]
            return KnownBook(book=book, journal_id=journal_id, is_held=_holder(path) is not None)
        finally:
            journal_file.hang_up(connection)


def _journal_state(path: Place, account: str) -> Checked:
    if (holder := _holder(path)) is not None:
        return refuse("journal", f"{path} is held by process {holder or 'unknown'}: a deployment is running")
    try:
        with journal_file.readable(path):
            connection = journal_file.connect(path, read_only=True)
            try:
                if isinstance(path, sa.URL) and not sa.inspect(connection).has_table("meta"):
                    return ok("journal", f"{path}: tables will be made")
                facts = journal_file.meta(connection)
                require_account(path, facts["account"], account)
                records = connection.execute(sa.text("SELECT count(*) FROM records")).scalar()
            finally:
                journal_file.hang_up(connection)
    except JournalError as error:
        return refuse("journal", str(error))
    found = int(facts["schema_version"])
    if found > CURRENT.version:
        return refuse("journal", f"{path} has schema version {found}, this program knows {CURRENT.version}")
    migration = f", to be migrated to {CURRENT.version}" if found < CURRENT.version else ""
    return ok("journal", f"{path}: {records} records, schema version {found}{migration}")


def _holder(path: Place) -> int | None:
    """Return the process that holds the journal, 0 where it does not say who it is, None where nobody does.

    A database is held by nobody: the lease and the owner epoch keep it to one writer.
    """
    if isinstance(path, sa.URL):
        return None
    lock_path = path.with_name(path.name + ".lock")
    if not lock_path.exists():
        return None
    try:
        FileLock(lock_path).release()
    except LockHeld as held:
        return held.pid
    return None


def _disk(folder: Path) -> Checked:
    free = shutil.disk_usage(folder).free
    words = f"{free / 2**30:.1f} GiB free at {folder}"
    if free < FREE_BYTES_REFUSE:
        return refuse("disk", f"{words}; at least 0.1 are needed")
    return warn("disk", f"{words}; the journal grows, make room") if free < FREE_BYTES_WARN else ok("disk", words)


def check_run_folder(environ: Mapping[str, str] = os.environ) -> Checked:
    """Return whether run files can be kept private."""
    folder = run_folder(environ)
    if why := folder_trouble(folder):
        sentence = f"{HOME} has to be a folder that can be written to: {why}"
        return Checked(what="run folder", verdict=Verdict.REFUSE, sentence=sentence, is_configuration=True)
    if not folder.exists():
        return ok("run folder", f"{folder} will be made")
    if folder.stat().st_mode & 0o022:
        return warn("run folder", f"others may write to {folder}; run: chmod 700 {folder}")
    return ok("run folder", str(folder))


def nearest_folder(path: Path) -> Path:
    """Return the folder that exists already, at or above the one a file will lie in."""
    folder = path.absolute().parent
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return folder
