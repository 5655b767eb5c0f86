"""Several accounts of one deployment are several: no two have the same key, whatever name it is read under."""

from __future__ import annotations

import os
from collections.abc import Mapping

from actors.journal.place import journal_place
from actors.settings.credentials import account_keys, account_mark
from actors.settings.deployment import DeploymentSettings, for_each_account
from grid.errors import ConfigError


def account_marks(settings: DeploymentSettings, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return what tells the accounts apart without telling the keys."""
    return for_each_account(settings, lambda one: account_mark(one.venue, account_keys(one, environ)))


def require_apart(settings: DeploymentSettings, environ: Mapping[str, str] = os.environ) -> None:
    """Raise `ConfigError` where two accounts have one key at one venue, or one journal."""
    places = [str(place) for place in for_each_account(settings, lambda one: journal_place(one, environ))]
    for values, key, rule in (
        (
            account_marks(settings, environ),
            "venue.api_key_env",
            "holds the key of accounts[{}] too: one account, one gateway",
        ),
        (places, "journal.url_env", "names the journal of accounts[{}] too: each account has its own"),
    ):
        for index, value in enumerate(values):
            if (first := values.index(value)) < index:
                raise ConfigError(f"accounts[{index}].{key}", "(hidden)", rule.format(first))
