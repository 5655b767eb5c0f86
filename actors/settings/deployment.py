"""The settings of a whole deployment: one account, as most have, or several in a list under `accounts`."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from actors.errors import NotFound
from actors.redaction import looks_secret
from actors.settings.account import Settings, configuration_hash, settings_of, show_config
from actors.settings.alerts import AlertSettings
from actors.settings.errors import ConfigErrors
from actors.settings.paper import Trading
from actors.settings.runtime import RiskSettings, RuntimeSettings
from actors.settings.text import key_words, read
from grid.errors import ConfigError

T = TypeVar("T")
ACCOUNTS, WATCH_ACCOUNT = "accounts", "watch_account"
SHARED = ("deployment", "risk", "runtime", "alerts")
OWN = ("venue", "symbols", "account", "gateway", "journal", "ownership", "paper")
"""What each account has for itself: with `accounts`, none of it stands at the top."""
ACCOUNTS_MAX = 20
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentSettings:
    """Everything that a deployment is told. What its accounts share is equal in all of them."""

    accounts: tuple[Settings, ...]
    watch_account: str = ""
    """The account at whose venue the watched coins are read."""

    @classmethod
    def of(cls, settings: Settings) -> DeploymentSettings:
        """Return the settings of a deployment that has this account alone."""
        return cls(accounts=(settings,), watch_account=settings.account_name)

    @property
    def is_listed(self) -> bool:
        """Whether the accounts have names: they came in a list."""
        return bool(self.accounts[0].account_name)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the accounts' names; the only one of a deployment without a list has an empty one."""
        return tuple(one.account_name for one in self.accounts)

    @property
    def deployment(self) -> str:
        """Return the deployment's name."""
        return self.accounts[0].deployment

    @property
    def risk(self) -> RiskSettings:
        """Return what the one supervisor goes by."""
        return self.accounts[0].risk

    @property
    def runtime(self) -> RuntimeSettings:
        """Return how the actors are laid out."""
        return self.accounts[0].runtime

    @property
    def alerts(self) -> AlertSettings:
        """Return who is told of trouble."""
        return self.accounts[0].alerts

    @property
    def watched(self) -> Settings:
        """Return the account at whose venue the watched coins are read."""
        return self.account(self.watch_account)

    def account(self, name: str) -> Settings:
        """Return an account's settings; raises `NotFound` naming those there are."""
        found = next((one for one in self.accounts if one.account_name == name), None)
        if found is None:
            raise NotFound(f"no account {name} in {self.deployment}: {_there_are(self.names)}")
        return found

    def chosen(self, name: str | None) -> tuple[Settings, ...]:
        """Return all accounts, or the one that was asked for."""
        return self.accounts if name is None else (self.account(name),)

    @property
    def trading(self) -> Trading:
        """Return where orders go: to a venue itself if those of any account do."""
        kinds = {one.trading for one in self.accounts}
        return next(kind for kind in (Trading.LIVE, Trading.PAPER, Trading.PRACTICE) if kind in kinds)

    def for_live(self) -> DeploymentSettings:
        """Return the same with the second consent; every account that could cost real money has to give the first."""
        if not any(one.venue.live for one in self.accounts):
            for_each_account(self, lambda one: one.for_live())
        chosen = for_each_account(self, lambda one: one.for_live() if one.venue.live or one.venue.real_money else one)
        return replace(self, accounts=tuple(chosen))

    def with_account(self, settings: Settings) -> DeploymentSettings:
        """Return the same with this account in the place of the one of its name."""
        changed = (settings if one.account_name == settings.account_name else one for one in self.accounts)
        return replace(self, accounts=tuple(changed))


def _there_are(names: tuple[str, ...]) -> str:
    return f"there are {', '.join(names)}" if names != ("",) else "it has one account, without a name"


def load_deployment(path: Path, environ: Mapping[str, str] = os.environ) -> DeploymentSettings:
    """Return the validated settings, whichever form the file has.

    Raises `ConfigError`, listing everything that is wrong at once.
    """
    document = read(path, environ)
    if ACCOUNTS not in document:
        return DeploymentSettings.of(settings_of(document, path))
    items = document[ACCOUNTS]
    wrong = list(_broken_form(document, items))
    if wrong:
        _raise(wrong)
    shared = {key: document[key] for key in SHARED if key in document}
    accounts: list[Settings] = []
    for index, item in enumerate(items):
        own = {key: value for key, value in item.items() if key != "name" and value is not None}
        try:
            accounts.append(settings_of({**shared, **own}, path).named(item["name"]))
        except ConfigError as error:
            wrong += [_rekeyed(one, index) for one in getattr(error, "errors", (error,))]
    _raise(wrong)
    _raise(list(_broken_together(accounts)))
    return DeploymentSettings(
        accounts=tuple(accounts), watch_account=document.get(WATCH_ACCOUNT, accounts[0].account_name)
    )


def account_document(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a sound document as it would be if the named account were its only one."""
    if ACCOUNTS not in document:
        return dict(document)
    item = next(one for one in document[ACCOUNTS] if one["name"] == name)
    shared = {key: value for key, value in document.items() if key in SHARED}
    return {**shared, **{key: value for key, value in item.items() if key != "name"}}


def for_each_account(settings: DeploymentSettings, act: Callable[[Settings], T]) -> list[T]:
    """Return what the act makes of each account; a `ConfigError` of several accounts names the account's key."""
    found = []
    for index, one in enumerate(settings.accounts):
        try:
            found.append(act(one))
        except ConfigError as error:
            raise (_rekeyed(error, index) if settings.is_listed else error) from None
    return found


def deployment_hash(settings: DeploymentSettings) -> str:
    """Return 16 hexadecimal digits, equal for equal settings; those of its one account where it has no list."""
    if not settings.is_listed:
        return configuration_hash(settings.accounts[0])
    lines = sorted(f"{one.account_name} {configuration_hash(one)}" for one in settings.accounts)
    return hashlib.sha256("\n".join([settings.watch_account, *lines]).encode()).hexdigest()[:16]


def show_deployment(settings: DeploymentSettings) -> dict[str, Any]:
    """Return the settings as plain values in the form that they came in, defaults filled in, nothing secret."""
    if not settings.is_listed:
        return show_config(settings.accounts[0])
    shown = [(one.account_name, show_config(one)) for one in settings.accounts]
    first = shown[0][1]
    return {
        "deployment": first["deployment"],
        ACCOUNTS: [{"name": name, **{key: one[key] for key in OWN}} for name, one in shown],
        WATCH_ACCOUNT: settings.watch_account,
        **{key: first[key] for key in SHARED if key != "deployment"},
    }


def _raise(wrong: list[ConfigError]) -> None:
    found = list({(error.key, error.rule): error for error in wrong}.values())
    if found:
        raise found[0] if len(found) == 1 else ConfigErrors(found)


def _rekeyed(error: ConfigError, index: int) -> ConfigError:
    """Return the error under the key by which the list has it; what is shared keeps its own."""
    if error.key.partition(".")[0] in SHARED:
        return error
    return ConfigError(f"{ACCOUNTS}[{index}].{error.key}", error.value, error.rule)


def _broken_form(document: Mapping[str, Any], items: Any) -> Iterator[ConfigError]:
    """Return what is wrong with the list itself; each account's own keys are judged as those of a single one."""
    for key in OWN:
        if key in document:
            shown = "a list" if key == "symbols" else "a section"
            yield ConfigError(key, shown, f"excludes {ACCOUNTS}: it belongs to each account in the list")
    for key in document:
        if key not in (*OWN, *SHARED, ACCOUNTS, WATCH_ACCOUNT):
            known = ", ".join((*SHARED, ACCOUNTS, WATCH_ACCOUNT))
            yield ConfigError(key_words(str(key)), "(hidden)", f"no such key beside {ACCOUNTS}; known here: {known}")
    if not isinstance(items, list) or not items or len(items) > ACCOUNTS_MAX:
        shown = f"{len(items)} accounts" if isinstance(items, list) else "no list"
        yield ConfigError(ACCOUNTS, shown, f"has to be a list of 1 to {ACCOUNTS_MAX} accounts")
        return
    names: list[object] = []
    for index, item in enumerate(items):
        yield from _broken_item(f"{ACCOUNTS}[{index}]", item, names)
        names.append(item.get("name") if isinstance(item, dict) else None)
    watched = document.get(WATCH_ACCOUNT)
    if watched is not None and watched not in names:
        yield ConfigError(WATCH_ACCOUNT, key_words(str(watched)), "has to be the name of one of the accounts")


def _broken_item(key: str, item: Any, names: list[object]) -> Iterator[ConfigError]:
    if not isinstance(item, dict):
        yield ConfigError(key, "no section", "has to be a section of keys, one for each account")
        return
    name = item.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        shown = "(missing)" if name is None else key_words(str(name))
        yield ConfigError(f"{key}.name", shown, "has to be 1 to 32 small letters, digits and hyphens")
    elif name in names:
        yield ConfigError(f"{key}.name", name, f"is the name of {ACCOUNTS}[{names.index(name)}] too")
    for found in item:
        if found in SHARED:
            yield ConfigError(f"{key}.{found}", "(hidden)", "is shared by all accounts: it stands at the top")
        elif found not in (*OWN, "name"):
            rule = f"no such key; known here: name, {', '.join(OWN)}"
            if looks_secret(str(found)):
                rule = "secrets never stand here: name a variable in venue.api_key_env, or a file in venue.api_key_file"
            yield ConfigError(f"{key}.{key_words(str(found))}", "(hidden)", rule)


def _broken_together(accounts: list[Settings]) -> Iterator[ConfigError]:
    """Return what no two accounts may have in common: the key pair, and the journal."""
    for index, one in enumerate(accounts):
        for earlier, other in enumerate(accounts[:index]):
            for key, value in _common_key(one, other):
                rule = f"is the key of {ACCOUNTS}[{earlier}] too: an account has one writer, so one gateway"
                yield ConfigError(f"{ACCOUNTS}[{index}].venue.{key}", value, rule)
            for key, value in _common_journal(one, other):
                rule = f"is the journal of {ACCOUNTS}[{earlier}] too: each account has its own"
                yield ConfigError(f"{ACCOUNTS}[{index}].journal.{key}", value, rule)


def _common_key(one: Settings, other: Settings) -> Iterator[tuple[str, object]]:
    if one.venue.place != other.venue.place:
        return
    for key in ("api_key_env", "api_key_file"):
        if (value := getattr(one.venue, key)) is not None and value == getattr(other.venue, key):
            yield key, value


def _common_journal(one: Settings, other: Settings) -> Iterator[tuple[str, object]]:
    if one.is_journal_file:
        if other.is_journal_file and one.journal_path == other.journal_path:
            yield "path", one.journal_path
        return
    for key in ("url", "url_env", "url_file"):
        if (value := getattr(one.journal, key)) is not None and value == getattr(other.journal, key):
            yield key, "(hidden)" if key == "url" else value
