"""`add` and `remove`: symbols of a running deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from actors import run_file
from actors.actor_names import of_account
from actors.commands.offline import Config
from actors.commands.operate import finish, stop_mode
from actors.commands.output import Json, emit
from actors.commands.running import STOP_TIMEOUT_S, Deployment, Timeout, ask
from actors.deployment.account_sections import spelt
from grid.errors import ConfigError

if TYPE_CHECKING:
    from actors.settings.deployment import DeploymentSettings
    from actors.settings.symbol import SymbolSettings

Symbol = Annotated[
    str, typer.Argument(metavar="SYMBOL", help="The venue's name of the contract, e.g. ETHUSDT; or account/ETHUSDT.")
]


def add(
    config: Config,
    symbol: Symbol,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    timeout: Timeout = STOP_TIMEOUT_S,
    as_json: Json = False,
) -> None:
    """Add a symbol to a running deployment. CONFIG is the running one with the symbol's ladder written into it."""
    from actors.deployment.roster import layout_of
    from actors.settings.deployment import load_deployment
    from actors.settings.paper import Trading

    settings, name = load_deployment(config), spelt(symbol)
    account, ladder = _ladder(settings, name)
    if run_file.find(settings.deployment).trading == Trading.LIVE.value:
        settings = settings.for_live()
    name = of_account(account, ladder.symbol)
    step = ladder.interval if ladder.interval is not None else ladder.ratio
    plan = (
        f"{name}: {ladder.side.value}, {ladder.spacing.value} by {step}, {ladder.amount} each, {ladder.buy_window} "
        f"levels, at most {ladder.max_lots} lots; {layout_of(ladder, settings.runtime).count} slot actors and a feed"
    )
    if not as_json:
        emit({}, as_json=False, render=lambda: [plan])
    answer = ask(settings.deployment, lambda run: run.add(settings, name, dry_run=dry_run), timeout_s=timeout)
    finish({**answer, "plan": plan}, f"added {name}" if not dry_run else f"{name} can be added", as_json=as_json)


def remove(
    symbol: Symbol,
    keep: Annotated[bool, typer.Option("--keep", help="Cancel its own orders, keep the position (default).")] = False,
    leave_exits: Annotated[bool, typer.Option("--leave-exits", help="Cancel its own entries; exits stay.")] = False,
    flatten: Annotated[bool, typer.Option("--flatten", help="Cancel its own orders, then close its lots.")] = False,
    deployment: Deployment = None,
    timeout: Timeout = STOP_TIMEOUT_S,
    as_json: Json = False,
) -> None:
    """Remove a symbol from a running deployment; the others trade on."""
    mode, name = stop_mode(keep=keep, leave_exits=leave_exits, flatten=flatten), spelt(symbol)
    answer = ask(deployment, lambda run: run.remove(name, mode), timeout_s=timeout)
    finish(answer, f"removed {name} ({mode.value})", as_json=as_json)


def _ladder(settings: DeploymentSettings, text: str) -> tuple[str, SymbolSettings]:
    """Return account and ladder of `SYMBOL` or `account/SYMBOL`; raises `ConfigError` where that is none, or two."""
    account, _, symbol = text.rpartition("/")
    found = [
        (one.account_name, ladder)
        for one in settings.chosen(account or None)
        for ladder in one.symbols
        if ladder.symbol == symbol
    ]
    if not found:
        raise ConfigError("symbols", text, "is not named: write its ladder into the configuration first")
    if len(found) > 1:
        words = " or ".join(of_account(name, symbol) for name, _ in found)
        raise ConfigError("symbols", text, f"is named by several accounts: write {words}")
    return found[0]
