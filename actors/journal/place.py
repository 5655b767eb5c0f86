"""Where a deployment's journal lies, and how it is opened there."""

from __future__ import annotations

import os
from collections.abc import Mapping

import sqlalchemy as sa

from actors.journal.errors import Place
from actors.journal.schema import MAIN_ACCOUNT, PAPER_ACCOUNT
from actors.journal.writer import Journal
from actors.ownership.stores import database_url
from actors.settings.account import Settings
from actors.settings.credentials import read_private
from actors.settings.ownership import store_rule
from grid.errors import ConfigError


def journal_place(settings: Settings, environ: Mapping[str, str] = os.environ) -> Place:
    """Return the file or the database. Raises `ConfigError` for a URL that cannot be one, telling no secret."""
    journal = settings.journal
    if settings.is_journal_file:
        return settings.journal_path
    key, url = "journal.url", journal.url or ""
    if journal.url_env is not None:
        key, url = "journal.url_env", environ.get(journal.url_env, "").strip()
        if not url:
            raise ConfigError(key, journal.url_env, "names a variable that is not set")
    if journal.url_file is not None:
        key, url = "journal.url_file", read_private(journal.url_file, "journal.url_file").strip()
    if store_rule(url) or not url.startswith("postgresql://"):
        raise ConfigError(key, "(hidden)", "has to be a URL that starts with postgresql://")
    return database_url(url)


def journal_account(settings: Settings) -> str:
    """Return what the journal names as its account."""
    return PAPER_ACCOUNT if settings.is_paper else MAIN_ACCOUNT


def open_journal(settings: Settings) -> Journal:
    """Open or create the journal where it lies; one on paper is never taken for any other, nor any other for it."""
    return open_at(journal_place(settings), journal_account(settings))


def open_at(place: Place, account: str) -> Journal:
    """Open or create a journal."""
    if isinstance(place, sa.URL):
        from actors.journal.database import DatabaseJournal

        return DatabaseJournal.at(place, account=account)
    return Journal.open(place, account=account)
