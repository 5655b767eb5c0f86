"""The settings of a deployment: one YAML file, the environment over it, every key with its unit and its bounds."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import Field, PrivateAttr, ValidationError, model_validator

from actors.private_files import run_folder
from actors.redaction import redacted
from actors.settings.alerts import AlertSettings
from actors.settings.errors import raise_config_errors
from actors.settings.fields import BASE_FOLDER, Section, broken
from actors.settings.ownership import OwnershipSettings
from actors.settings.paper import PaperSettings, Trading
from actors.settings.runtime import GatewaySettings, JournalSettings, RiskSettings, RuntimeSettings
from actors.settings.symbol import AccountSettings, SymbolSettings
from actors.settings.text import read
from actors.settings.venue import VenueSettings
from exchanges import adapters
from grid.errors import ConfigError


class Settings(Section):
    """Everything that one account of a deployment is told; for most deployments it is the only one.

    Made by `load_settings`, or by `deployment.load_deployment` where there may be several. Equal files give an
    equal `configuration_hash`.
    """

    deployment: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,31}$",
        description="name of the deployment: its run file, its journal and its Ray namespace",
        json_schema_extra={"rule": "has to be 1 to 32 small letters, digits and hyphens"},
    )
    venue: VenueSettings
    symbols: tuple[SymbolSettings, ...] = Field(min_length=1, description="the ladders, one for each symbol")
    account: AccountSettings
    gateway: GatewaySettings = GatewaySettings()
    risk: RiskSettings = RiskSettings()
    runtime: RuntimeSettings = RuntimeSettings()
    journal: JournalSettings = JournalSettings()
    alerts: AlertSettings = AlertSettings()
    ownership: OwnershipSettings = OwnershipSettings()
    paper: PaperSettings | None = Field(
        None, description="the account on paper; naming it makes a run at a test or simulated venue one on paper too"
    )
    _account_name: str = PrivateAttr("")
    _is_live: bool = PrivateAttr(False)

    @property
    def account_name(self) -> str:
        """Return the account's name among several; empty where the deployment has this one alone."""
        return self._account_name

    def named(self, account_name: str) -> Settings:
        """Return the same as one of several accounts."""
        named = self.model_copy()
        named._account_name = account_name
        return named

    @model_validator(mode="after")
    def _rules(self) -> Settings:
        broken(self._broken())
        return self

    def _broken(self) -> list[tuple[str, object, str]]:
        found: list[tuple[str, object, str]] = []
        seen: set[str] = set()
        for index, ladder in enumerate(self.symbols):
            if ladder.symbol in seen:
                found.append((f"symbols[{index}].symbol", ladder.symbol, "stands twice: one ladder for each symbol"))
            seen.add(ladder.symbol)
            for key, rule in adapters.lacking(self.venue.name).items():
                if getattr(ladder, key) is not None:
                    found.append(
                        (
                            f"symbols[{index}].{key}",
                            "a section" if key == "exchange_stop" else getattr(ladder, key),
                            f"{rule}; leave it out",
                        )
                    )
            if ladder.leverage is not None and ladder.leverage > self.risk.max_leverage:
                rule = f"can be at most risk.max_leverage, {self.risk.max_leverage}"
                found.append((f"symbols[{index}].leverage", ladder.leverage, rule))
            if ladder.amount > self.account.max_notional:
                rule = f"can be at most account.max_notional, {self.account.max_notional}"
                found.append((f"symbols[{index}].amount", ladder.amount, rule))
        silence_s = Decimal(self.gateway.recv_window_ms) / 1000 + self.ownership.skew_s
        if self.ownership.lease_s < 2 * silence_s:
            rule = f"has to be at least {2 * silence_s}: twice gateway.recv_window_ms and skew_s together"
            found.append(("ownership.lease_s", self.ownership.lease_s, rule))
        if not self.journal.is_file and self.ownership.is_local:
            rule = "is reached by several hosts: ownership.store has to name a lease that they share"
            found.append(("journal.url", "(hidden)", rule))
        if self.account.drawdown is not None and not self.risk.enabled:
            rule = "needs risk.enabled: the risk supervisor keeps it"
            found.append(("account.drawdown", self.account.drawdown, rule))
        return found

    @property
    def trading(self) -> Trading:
        """Return where the orders of a run go; only `for_live` makes them go to the venue itself."""
        if self._is_live:
            return Trading.LIVE
        means_practice = self.paper is None and not self.venue.live and not self.venue.real_money
        return Trading.PRACTICE if means_practice else Trading.PAPER

    @property
    def is_paper(self) -> bool:
        """Whether nothing of ours reaches any venue."""
        return self.trading is Trading.PAPER

    def for_live(self) -> Settings:
        """Return the same with the second consent, the one of the command line. Raises without the first."""
        if not self.venue.live:
            told = "false" if "live" in self.venue.model_fields_set else "(missing)"
            raise ConfigError("venue.live", told, "has to be true besides --live: real money needs both")
        live = self.model_copy()
        live._is_live = True
        return live

    def with_symbols(self, symbols: Iterable[SymbolSettings]) -> Settings:
        """Return the same with other ladders; each of them was validated already."""
        return self.model_copy(update={"symbols": tuple(symbols)})

    @property
    def real_journal_path(self) -> Path:
        """The file of a journal of real orders: as configured, else in the run folder."""
        name = f"{self.deployment}.{self.account_name}" if self.account_name else self.deployment
        return self.journal.path or run_folder() / f"{name}.sqlite"

    @property
    def journal_path(self) -> Path:
        """The journal's file; on paper one beside that of real orders."""
        path = self.real_journal_path
        return path.with_name(f"{path.stem}-paper{path.suffix}") if self.is_paper else path

    @property
    def paper_account_path(self) -> Path:
        """The file of the paper account, beside the paper journal."""
        path = self.journal_path
        return path.with_name(f"{path.stem}-account{path.suffix}")

    @property
    def is_journal_file(self) -> bool:
        """Whether the journal lies in a file of this host; a paper one always does."""
        return self.is_paper or self.journal.is_file


def load_settings(path: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the validated settings of a configuration that has one account.

    Raises `ConfigError`, listing everything that is wrong at once.
    """
    document = read(path, environ)
    if "accounts" in document:
        raise ConfigError("accounts", "a list", "stands for a deployment of several accounts; this takes one of one")
    return settings_of(document, path)


def settings_of(document: Mapping[str, Any], path: Path) -> Settings:
    """Return the validated settings of a document that was read from the path."""
    try:
        return Settings.model_validate(document, context={BASE_FOLDER: path.resolve().parent})
    except ValidationError as error:
        raise_config_errors(Settings, error)


def show_config(settings: Settings) -> dict[str, Any]:
    """Return the settings as plain values, defaults filled in, nothing secret."""
    shown: dict[str, Any] = redacted(_plain(settings.model_dump()))
    return shown


def configuration_hash(settings: Settings) -> str:
    """Return 16 hexadecimal digits that are equal for equal settings, however numbers and ladders are written down."""
    ordered = settings.with_symbols(sorted(settings.symbols, key=lambda one: one.symbol))
    # A standby is the same deployment once it has the account.
    shown = _plain(ordered.model_dump(exclude={"ownership": {"standby"}}))
    shown["trading"] = settings.trading.value
    text = json.dumps(shown, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    """Return the value for JSON; 30, 30.0 and 3E+1 become the same text."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, Path):
        return str(value)
    return getattr(value, "value", value)
