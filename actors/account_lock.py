"""One writer for an account among the processes of one user on one host. Across hosts it is detected, not prevented."""

from __future__ import annotations

import hashlib
from pathlib import Path

from actors.file_lock import FileLock, LockHeld
from actors.private_files import run_folder
from actors.settings.venue import Credentials, VenueSettings
from grid.errors import RefusedToStart

DIGITS = 16


def hold_account(venue: VenueSettings, credentials: Credentials) -> FileLock:
    """Take the account for this process's life; raises `RefusedToStart` naming who has it.

    The account is known by a hash of its key and address: the key itself is written nowhere.
    """
    path = _path_of(venue, credentials)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        return FileLock(path)
    except LockHeld as held:
        whom = f"process {held.pid}" if held.pid else "another process"
        raise RefusedToStart(
            (f"one deployment an account: {whom} trades with this API key already; stop it, or use another key",)
        ) from None


def _path_of(venue: VenueSettings, credentials: Credentials) -> Path:
    where = venue.rest_url or ("testnet" if venue.testnet else "production")
    text = f"{venue.name} {where} {credentials.api_key.get_secret_value()}"
    return run_folder() / "accounts" / f"{hashlib.sha256(text.encode()).hexdigest()[:DIGITS]}.lock"
