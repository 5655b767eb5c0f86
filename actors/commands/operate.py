"""`halt`, `resume` and `stop`: the operator's words to a run."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from actors.commands.output import Json, emit, shown
from actors.commands.running import ANSWER_TIMEOUT_S, STOP_TIMEOUT_S, Account, Deployment, StopMode, Timeout, ask
from actors.deployment.account_sections import spelt
from actors.exit_codes import ExitCode

REASON_LENGTH_MAX = 200


def halt(
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; shown by status until resumed.")] = "operator",
    account: Account = None,
    deployment: Deployment = None,
    timeout: Timeout = ANSWER_TIMEOUT_S,
    as_json: Json = False,
) -> None:
    """Take all entries off and place no new one; exits stay and are managed. Only `resume` ends it."""
    answer = ask(deployment, lambda run: run.halt(reason[:REASON_LENGTH_MAX], account), timeout_s=timeout)
    finish(answer, "halted: entries off, exits stay", as_json=as_json)


def resume(
    stop_loss: Annotated[
        str,
        typer.Option("--stop-loss", metavar="SCOPE", help="Release breakers instead: a symbol, `account` or `all`."),
    ] = "",
    venue_rule: Annotated[
        str,
        typer.Option("--venue-rule", metavar="SCOPE", help="Lift holds of the venue's doing instead: scopes likewise."),
    ] = "",
    account: Account = None,
    deployment: Deployment = None,
    timeout: Timeout = ANSWER_TIMEOUT_S,
    as_json: Json = False,
) -> None:
    """Lift the operator's own hold; holds of risk, price and others stay until their cause is gone."""
    if stop_loss and venue_rule:
        raise typer.BadParameter("choose one of --stop-loss and --venue-rule")
    if account is not None and (stop_loss or venue_rule):
        raise typer.BadParameter("name the account in the scope, as in NAME/account or NAME/ETHUSDT")
    if venue_rule:
        answer = ask(deployment, lambda run: run.clear_venue_rule(_scope(venue_rule)), timeout_s=timeout)
        finish(answer, "lifted: entries are placed again unless something else holds them", as_json=as_json)
        return
    if stop_loss:
        answer = ask(deployment, lambda run: run.clear_stop_loss(_scope(stop_loss)), timeout_s=timeout)
        finish(answer, "released: profit is measured anew from here", as_json=as_json)
        return
    answer = ask(deployment, lambda run: run.resume(account), timeout_s=timeout)
    finish(answer, "resumed: the operator's hold is lifted", as_json=as_json)


def stop(
    keep: Annotated[bool, typer.Option("--keep", help="Cancel all own orders, keep the position (default).")] = False,
    leave_exits: Annotated[bool, typer.Option("--leave-exits", help="Cancel own entries; exits stay.")] = False,
    flatten: Annotated[bool, typer.Option("--flatten", help="Cancel own orders, then close the lots.")] = False,
    account: Account = None,
    deployment: Deployment = None,
    timeout: Timeout = STOP_TIMEOUT_S,
    as_json: Json = False,
) -> None:
    """End a run: entries are fenced off first, then own orders cancelled and verified gone."""
    mode = stop_mode(keep=keep, leave_exits=leave_exits, flatten=flatten)
    answer = ask(deployment, lambda run: run.stop(mode, account), timeout_s=timeout)
    finish(answer, f"stopped ({mode.value})", as_json=as_json)


def _scope(text: str) -> str:
    return text if text.rpartition("/")[2] in ("account", "all") else spelt(text)


def stop_mode(*, keep: bool, leave_exits: bool, flatten: bool) -> StopMode:
    """Return the one mode that was asked for; raises a usage error for two."""
    chosen = [
        mode
        for mode, is_asked in ((StopMode.KEEP, keep), (StopMode.LEAVE_EXITS, leave_exits), (StopMode.FLATTEN, flatten))
        if is_asked
    ]
    if len(chosen) > 1:
        raise typer.BadParameter("choose one of --keep, --leave-exits and --flatten")
    return chosen[0] if chosen else StopMode.KEEP


def finish(answer: dict[str, Any], words: str, *, as_json: bool) -> None:
    """Print what happened; an act that is not finished is an error, since somebody has to look."""
    first = words if answer.get("done") is not False else "NOT finished"
    emit(answer, as_json=as_json, render=lambda: [first, *(shown(line) for line in answer.get("said", []))])
    if answer.get("done") is False:
        raise typer.Exit(ExitCode.ERROR)
