"""Reads the key pair from the environment or from private files, and from nowhere else."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from actors.redaction import HIDDEN, may_be_secret
from actors.settings.account import Settings
from actors.settings.venue import Credentials, VenueSettings
from grid.errors import ConfigError

SECRET_BYTES_MAX = 4096


def load_credentials(venue: VenueSettings, environ: Mapping[str, str] = os.environ) -> Credentials:
    """Return the key pair; raises `ConfigError` that names where it looked, never what it found."""
    return Credentials(
        api_key=_secret("api_key", venue.api_key_env, venue.api_key_file, environ),
        api_secret=_secret("api_secret", venue.api_secret_env, venue.api_secret_file, environ),
        passphrase=_passphrase(venue, environ),
    )


def account_keys(settings: Settings, environ: Mapping[str, str] = os.environ) -> Credentials:
    """Return the key pair of the account that a run trades on; one on paper has none, and is known by its journal."""
    if not settings.is_paper:
        return load_credentials(settings.venue, environ)
    return Credentials(api_key=SecretStr(f"paper {settings.journal_path.absolute()}"), api_secret=SecretStr("paper"))


def account_mark(venue: VenueSettings, credentials: Credentials) -> str:
    """Return what is equal for equal keys at the same venue, and tells nothing of the key."""
    place = venue.rest_url or ("testnet" if venue.testnet else "production")
    key = credentials.api_key.get_secret_value()
    return hashlib.sha256(f"gridmesh {venue.name} {place} {key}".encode()).hexdigest()[:16]


def _passphrase(venue: VenueSettings, environ: Mapping[str, str]) -> SecretStr:
    """Return the passphrase, empty where the configuration names none."""
    if venue.api_passphrase_env is None and venue.api_passphrase_file is None:
        return SecretStr("")
    return _secret("api_passphrase", venue.api_passphrase_env, venue.api_passphrase_file, environ)


def _secret(what: str, variable: str | None, file: Path | None, environ: Mapping[str, str]) -> SecretStr:
    if variable is not None:
        return _usable(environ.get(variable, ""), f"venue.{what}_env", variable, "names a variable that is not set")
    if file is not None:
        return _usable(read_private(file, f"venue.{what}_file"), f"venue.{what}_file", file, "names an empty file")
    raise ConfigError(
        f"venue.{what}_env", "(missing)", f"needs a variable's name here, or a private file in venue.{what}_file"
    )


def _usable(text: str, key: str, source: object, rule_if_empty: str) -> SecretStr:
    text = text.strip()
    if not text:
        raise ConfigError(key, source, rule_if_empty)
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ConfigError(key, source, "holds something that is no key: one line of printable characters is expected")
    return SecretStr(text)


def read_private(file: Path, key: str) -> str:
    """Return the text of a file that only its owner, who is us, may read; raises `ConfigError` otherwise."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        # a key in the place of its file's name is a common slip
        shown = HIDDEN if may_be_secret(file.name) else file
        raise ConfigError(key, shown, f"cannot be opened: {error.strerror}") from None
    try:
        _check_private(os.fstat(descriptor), file, key)
        content = os.read(descriptor, SECRET_BYTES_MAX + 1)
    finally:
        os.close(descriptor)
    if len(content) > SECRET_BYTES_MAX:
        raise ConfigError(key, file, f"is longer than {SECRET_BYTES_MAX} bytes: that is no key")
    return content.decode("utf-8", errors="replace")


def _check_private(status: os.stat_result, file: Path, key: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError(key, file, "has to be a plain file")
    if status.st_uid != os.geteuid():
        raise ConfigError(key, file, "belongs to another user; it has to be yours")
    if status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        raise ConfigError(key, file, f"may be read by others (mode {mode:04o}); run: chmod 600 {file}")
