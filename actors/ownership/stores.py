"""Builds the store that the settings name; what is heavy or optional is imported only when it is built."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

import sqlalchemy as sa

from actors.ownership.store import LeaseStore
from actors.settings.account import Settings
from actors.settings.credentials import read_private
from actors.settings.ownership import CLUSTER, OwnershipSettings, store_rule
from grid.errors import ConfigError


def lease_store(settings: Settings, environ: Mapping[str, str] = os.environ) -> LeaseStore:
    """Return the shared store. Raises `ConfigError` for what cannot be one, telling no secret."""
    if settings.ownership.store == CLUSTER:
        from actors.runtime.lease_actor import ClusterLeases

        return ClusterLeases()
    key, url = _url(settings.ownership, environ)
    if rule := store_rule(url):
        raise ConfigError(key, "(hidden)", rule)
    parts = urlsplit(url)
    place = f"{parts.hostname}:{parts.port}" if parts.port else f"{parts.hostname or parts.path}"
    where = f"{parts.scheme}://{place}"
    if parts.scheme in ("redis", "rediss"):
        from actors.ownership.redis_store import RedisLeases

        return RedisLeases(url, where)
    from actors.ownership.sql_store import SqlLeases

    return SqlLeases(database_url(url), where)


def require_store(settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
    """Raise `ConfigError` where the store that is named cannot be one; asks nobody."""
    if not settings.is_paper and not settings.ownership.is_local and settings.ownership.store != CLUSTER:
        lease_store(settings, environ)


def database_url(url: str) -> sa.URL:
    """Return the URL with the driver that this program is tested with."""
    made = sa.make_url(url)
    return made.set(drivername="postgresql+psycopg") if made.get_backend_name() == "postgresql" else made


def _url(ownership: OwnershipSettings, environ: Mapping[str, str]) -> tuple[str, str]:
    if ownership.store_env is not None:
        url = environ.get(ownership.store_env, "").strip()
        if not url:
            raise ConfigError("ownership.store_env", ownership.store_env, "names a variable that is not set")
        return "ownership.store_env", url
    if ownership.store_file is not None:
        return "ownership.store_file", read_private(ownership.store_file, "ownership.store_file").strip()
    return "ownership.store", ownership.store or ""
