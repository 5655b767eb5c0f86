"""`status` and `explain`: what a run does, and why each level has or lacks an order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from actors.commands.numbers import money, plain
from actors.commands.output import Json, emit, shown, table, width
from actors.commands.running import ANSWER_TIMEOUT_S, Account, Deployment, Timeout, ask
from actors.deployment.account_sections import spelt
from actors.errors import NotFound
from actors.exit_codes import ExitCode
from grid.holds import HoldCause

if TYPE_CHECKING:
    from rich.console import RenderableType

RISK_CAUSES = frozenset({HoldCause.RISK.value, HoldCause.STOP_LOSS.value, HoldCause.LEASE.value})
SYMBOL_COLUMNS = ("symbol", "state", "price", "lots", "max_lots", "position", "foreign", "entries", "exits")
PROFIT_COLUMNS = ("grid_profit", "total_profit")
LEVEL_COLUMNS = ("level", "price", "state", "order", "lot", "target", "reason", "detail", "retry")
PLAN_COLUMNS = ("next_step", "deadline")
NARROW_LEVEL_COLUMNS = ("level", "price", "order", "lot", "target", "reason")
ACCOUNT_NAMES = (
    "wallet",
    "available",
    "unrealised",
    "equity",
    "equity_peak",
    "unexplained",
    "notional",
    "max_notional",
)
WIDE = 120
"""Columns from which on a row of everything has room."""
NUMBERS = ("price", "lots", "max_lots", "position", "foreign", "entries", "exits", *PROFIT_COLUMNS, "level", "target")


def status(
    account: Account = None,
    deployment: Deployment = None,
    timeout: Timeout = ANSWER_TIMEOUT_S,
    as_json: Json = False,
) -> None:
    """Show what a run holds, what stops it, and where it can be watched. Exits with 6 while risk holds it."""
    answer = ask(deployment, lambda run: run.status(), timeout_s=timeout)
    if account is not None:
        answer = _only(answer, account)
    emit(answer, as_json=as_json, render=lambda: render_status(answer))
    if any(hold.get("cause") in RISK_CAUSES for hold in answer.get("holds", [])):
        raise typer.Exit(ExitCode.HALTED)


def explain(
    symbol: Annotated[str, typer.Argument(help="The venue's name of the contract, e.g. ETHUSDT; or account/ETHUSDT.")],
    deployment: Deployment = None,
    timeout: Timeout = ANSWER_TIMEOUT_S,
    as_json: Json = False,
) -> None:
    """Show each level of a symbol: its state, order and lot, and why it has no order where it could have one."""
    answer = ask(deployment, lambda run: run.explain(spelt(symbol)), timeout_s=timeout)
    emit(answer, as_json=as_json, render=lambda: render_explain(answer))


def _only(answer: dict[str, Any], account: str) -> dict[str, Any]:
    """Return the answer with this account alone; raises `NotFound` where there is none of that name."""
    found = [one for one in answer.get("accounts", []) if one["name"] == account]
    if not found:
        names = ", ".join(one["name"] for one in answer.get("accounts", []))
        raise NotFound(f"no account {account} in {answer['deployment']}: there are {names or 'no named ones'}")
    holds = [hold for hold in answer["holds"] if hold["account"] == account]
    return {**answer, "accounts": found, "holds": holds}


def render_status(answer: dict[str, Any]) -> list[RenderableType]:
    """Return the status for people: a table, or a block for each symbol where there is no room for one."""
    head = f"{shown(answer.get('deployment'))}: {shown(answer.get('state'))}"
    parts: list[RenderableType] = [f"{head}, owner epoch {shown(answer.get('owner_epoch'))}"]
    if "accounts" in answer:
        parts[0] = head
        for account in answer["accounts"]:
            parts += [f"account {account['name']}: {account['state']}, owner epoch {shown(account['owner_epoch'])}"]
            parts += [f"REFUSED: {reason}" for reason in account["refusals"]]
            parts += _account_parts(account)
    else:
        parts += _account_parts(answer)
    if answer.get("addresses"):
        parts.append(f"addresses: {shown(answer['addresses'])}")
    parts += [f"TROUBLE: {sentence}" for sentence in answer.get("troubles", [])]
    not_serving = [actor for actor in answer.get("actors", []) if actor.get("waiting_for")]
    parts += [f"{shown(a.get('name'))} is {shown(a.get('state'))}, waits for {a['waiting_for']}" for a in not_serving]
    return parts


def _account_parts(answer: dict[str, Any]) -> list[RenderableType]:
    """Return what is said of an account: whether it is real, holds, symbols, stops, money."""
    parts = render_trading(answer)
    if (lease := answer.get("ownership", {})).get("store", "local") != "local":
        parts.append(f"account held by a lease in {lease['store']}: {lease['phase']}")
    parts += render_holds(answer)
    symbols = answer.get("symbols", [])
    if width() >= WIDE:
        columns = (*SYMBOL_COLUMNS, *PROFIT_COLUMNS)
        parts.append(table("", columns, [[_cell(column, row) for column in columns] for row in symbols], NUMBERS))
    else:
        parts += [line for row in symbols for line in _block(row)]
    parts += [line for row in symbols for line in render_stop(row["symbol"], row.get("stop"))]
    parts += [line for row in symbols for line in render_trigger(row["symbol"], row.get("trigger"))]
    parts += [line for row in symbols for line in render_opening(row["symbol"], row.get("opening"))]
    parts += [line for row in symbols for line in render_turning(row["symbol"], row.get("turning"))]
    if answer.get("account"):
        parts.append(_account(answer["account"]))
    if symbols and (age := _age(answer)):
        parts.append(f"all of it{age}")
    return parts


def _age(answer: dict[str, Any]) -> str:
    """Return how long ago an answer was true."""
    age_ms = answer.get("age_ms")
    return "" if age_ms is None else f" {age_ms / 1000:.1f} s ago"


def _cell(column: str, row: dict[str, Any]) -> str:
    value = row.get(column)
    return money(value) if column in PROFIT_COLUMNS else plain(value) if column in NUMBERS else shown(value)


def _block(row: dict[str, Any]) -> list[str]:
    cells = {column: _cell(column, row) for column in (*SYMBOL_COLUMNS, *PROFIT_COLUMNS)}
    return [
        "{symbol}: {state}, price {price}".format(**cells),
        "  lots {lots} of {max_lots}, position {position}, foreign {foreign}".format(**cells),
        "  entries {entries}, exits {exits}".format(**cells),
        "  grid profit {grid_profit}, total profit {total_profit}".format(**cells),
    ]


def _account(account: dict[str, Any]) -> str:
    """Return the account's money in one line; what is no amount of money is for programs."""
    told = [f"{name.replace('_', ' ')} {money(account[name])}" for name in ACCOUNT_NAMES if account.get(name)]
    return f"account: {', '.join(told) or '-'}"


def render_trading(answer: dict[str, Any]) -> list[RenderableType]:
    """Return a line above everything else where the orders that follow are not what they seem, or cost real money."""
    words = {
        "paper": "PAPER: no order of this run is at any venue, and its money is none",
        "live": "LIVE: real money",
    }
    return [line] if (line := words.get(str(answer.get("trading")))) is not None else []


def render_holds(answer: dict[str, Any]) -> list[RenderableType]:
    """Return one line for each hold, or that there is none."""
    holds = answer.get("holds", [])
    if not holds:
        return ["no hold: entries are placed"]
    return [
        f"held by {shown(hold.get('cause'))} ({hold.get('symbol') or 'whole account'}): {shown(hold.get('reason'))}"
        for hold in holds
    ]


def render_trigger(symbol: str, trigger: dict[str, Any] | None) -> list[str]:
    """Return one line on the price that a grid waits for."""
    if not trigger or trigger["is_fired"]:
        return []
    return [f"{symbol}: begins once the mark price has come to {plain(trigger['price'])} by a {trigger['way']}"]


def render_opening(symbol: str, opening: dict[str, Any] | None) -> list[str]:
    """Return one line on what a new grid still has to buy."""
    if not opening or (opening["is_planned"] and not opening["levels"]):
        return []
    if not opening["is_planned"]:
        return [f"{symbol}: begins with a position that is not bought yet"]
    return [f"{symbol}: {len(opening['levels'])} lots that it begins with are to be bought up to {opening['limit']}"]


def render_turning(symbol: str, turning: dict[str, Any] | None) -> list[str]:
    """Return one line on the two sides of a neutral grid."""
    if not turning:
        return []
    return [
        f"{symbol}: works {turning['works']}; {turning['waits']} waits until nothing is held and the price has come to "
        f"{plain(turning['turns_at'])}: {turning['why']}"
    ]


def render_stop(symbol: str, stop: dict[str, Any] | None) -> list[str]:
    """Return one line on the exchange-side stop where one is configured or rests."""
    if not stop:
        return []
    if not stop["missing"]:
        return [f"{symbol}: the exchange-side stop rests at {shown(stop['trigger'])}"]
    again = f"; again at {stop['retry']}" if stop.get("retry") else ""
    return [f"{symbol}: no exchange-side stop rests: {shown(stop['missing'])}{again}"]


def render_explain(answer: dict[str, Any]) -> list[RenderableType]:
    """Return the levels for people, highest first."""
    levels = sorted(answer.get("levels", []), key=lambda level: -int(level.get("level", 0)))
    columns = (*LEVEL_COLUMNS, *PLAN_COLUMNS) if width() >= WIDE else NARROW_LEVEL_COLUMNS
    rows = [[_cell(column, level) for column in columns] for level in levels]
    head = f"{shown(answer.get('symbol'))} at {shown(answer.get('price'))}{_age(answer)}"
    symbol = shown(answer.get("symbol"))
    told = [
        *render_stop(symbol, answer.get("stop")),
        *render_trigger(symbol, answer.get("trigger")),
        *render_opening(symbol, answer.get("opening")),
        *render_turning(symbol, answer.get("turning")),
    ]
    return [*render_trading(answer), head, *render_holds(answer), *told, table("", columns, rows, NUMBERS)]
