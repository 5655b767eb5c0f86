"""How a verb goes over the accounts of a configuration: all of them, or the one that is named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actors.commands.output import emit
from grid.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from actors.settings.account import Settings


def accounts_of(config: Path, account: str | None, *, live: bool) -> tuple[Settings, ...]:
    """Return the settings of the chosen accounts, as a run of them with or without `--live` has them."""
    from actors.settings.deployment import load_deployment

    settings = load_deployment(config)
    return (settings.for_live() if live else settings).chosen(account)


def the_account(config: Path, account: str | None, *, live: bool) -> Settings:
    """Return the settings of one account; raises `ConfigError` where there are several and none is named."""
    found = accounts_of(config, account, live=live)
    if len(found) > 1:
        names = ", ".join(one.account_name for one in found)
        raise ConfigError("--account", "(missing)", f"has to name one of the accounts: {names}")
    return found[0]


def emit_accounts(
    found: Sequence[tuple[str, dict[str, Any]]],
    *,
    as_json: bool,
    render: Callable[[dict[str, Any]], Sequence[RenderableType]],
) -> None:
    """Print a document for each account; the only one of a configuration without a list is the whole answer."""
    if len(found) == 1 and not found[0][0]:
        emit(found[0][1], as_json=as_json, render=lambda: render(found[0][1]))
        return
    whole = {"accounts": [{"name": name, **document} for name, document in found]}
    emit(
        whole,
        as_json=as_json,
        render=lambda: [part for name, document in found for part in (f"account {name}", *render(document))],
    )
