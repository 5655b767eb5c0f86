"""`panic`: everything of ours off the account, whether or not a run lives."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actors.actor_names import of_account
from actors.commands.accounts import accounts_of
from actors.commands.offline import Config, Live
from actors.commands.output import Json, emit
from actors.commands.running import Account
from actors.deployment.account_sections import prefixed
from actors.exit_codes import ExitCode, exit_code
from grid.errors import ConfigError

if TYPE_CHECKING:
    from actors.commands.panic_attempt import Ended
    from actors.panic.cancelling import PanicReport
    from actors.settings.account import Settings

TIMEOUT_S_MAX = 3600.0


def panic(
    config: Config,
    sell_lots: Annotated[
        list[str] | None,
        typer.Option(
            "--sell-lots", metavar="[ACCOUNT/]SYMBOL=QUANTITY", help="Then close so much at market; may be repeated."
        ),
    ] = None,
    keep_run: Annotated[
        bool, typer.Option("--keep-run", help="Do not end the run of CONFIG first; it will place its orders again.")
    ] = False,
    only_mine: Annotated[
        bool, typer.Option("--only-mine", help="Only orders of CONFIG's journal; else of every run on the account.")
    ] = False,
    deadline: Annotated[
        float, typer.Option("--timeout", min=5, max=TIMEOUT_S_MAX, help="Give up after so many seconds.")
    ] = 60.0,
    account: Account = None,
    live: Live = False,
    as_json: Json = False,
) -> None:
    """End the run of CONFIG on this machine, then cancel every order of ours. Positions stay unless --sell-lots.

    Where CONFIG says venue.live: true it cancels at the venue, whatever ran; --sell-lots needs --live besides.
    """
    from actors.commands.panic_attempt import PanicAttempt
    from actors.panic.sell_lots import parse_sales
    from actors.settings.paper import Trading

    accounts = tuple(
        one.for_live() if live or one.venue.live else one for one in accounts_of(config, account, live=False)
    )
    sales = {
        one.account_name: parse_sales(texts)
        for one, texts in zip(accounts, _texts_of(sell_lots or [], accounts), strict=True)
    }
    for one in accounts:
        if sales[one.account_name] and one.trading is Trading.LIVE and not live:
            raise ConfigError("--live", "(missing)", "is needed for --sell-lots, which places orders with real money")
    real = [one for one in accounts if not one.is_paper]
    if not real:
        _end_paper(accounts, is_selling=any(sales.values()), keep_run=keep_run, as_json=as_json)
        return
    panicking = PanicAttempt(real, sales, deadline_s=deadline, only_mine=only_mine, as_json=as_json)
    ended = asyncio.run(panicking.run(keep_run=keep_run, others=_others(config, account)))
    reports = [(one.account_name, report) for one, report in zip(real, ended, strict=True)]
    document = _whole(reports, panicking.said)
    emit(document, as_json=as_json, render=lambda: document["said"][len(panicking.said) :])
    failed = [report for _, report in reports if isinstance(report, BaseException)]
    if failed:
        raise typer.Exit(exit_code(failed[0]))
    if not document["clear"]:
        raise typer.Exit(ExitCode.TIMED_OUT)
    if any(not sale["done"] for _, ended in reports if not isinstance(ended, BaseException) for sale in ended[1]):
        raise typer.Exit(ExitCode.ERROR)


def _texts_of(texts: list[str], accounts: Sequence[Settings]) -> list[list[str]]:
    """Return the sales of each account, `NAME/SYMBOL=QUANTITY` without the name; of several none may be left out."""
    found: dict[str, list[str]] = {one.account_name: [] for one in accounts}
    for text in texts:
        name, _, sale = text.rpartition("/")
        if not name and len(found) == 1:
            name = accounts[0].account_name
        if name not in found:
            names = " or ".join(of_account(one, sale) for one in found)
            raise ConfigError("--sell-lots", text, f"has to name the account: {names}")
        found[name].append(sale)
    return list(found.values())


def _others(config: Path, account: str | None) -> list[str]:
    """Return the accounts of the configuration that were not asked for."""
    every = accounts_of(config, None, live=False)
    return [one.account_name for one in every if account is not None and one.account_name != account]


def _end_paper(accounts: Sequence[Settings], *, is_selling: bool, keep_run: bool, as_json: bool) -> None:
    """End a run on paper: nothing of it rests at any venue."""
    from actors.panic import runs as panic_run

    if is_selling:
        raise ConfigError("--sell-lots", "(given)", "needs a venue: on paper there is nothing to sell at one")
    run = panic_run.living(accounts[0].deployment, os.environ)
    why = panic_run.end(run) if run is not None and not keep_run else ""
    said = ["PAPER: no order of this configuration is at any venue"]
    if run is not None:
        fate = f"could not be ended: {why}" if why else "still runs" if keep_run else "was running and has been ended"
        said.insert(0, f"{accounts[0].deployment} (process {run.pid}) {fate}")
    for settings in accounts:
        path, real = settings.paper_account_path, settings.real_journal_path
        said.append(f"the paper account keeps its orders in {path}; the next start goes on with them")
        if real.exists():
            words = "is a journal of real orders: panic looks after those where venue.live is true"
            said.append(f"WARNING: {real} {words}")
    emit({"clear": not why, "trading": "paper", "said": said}, as_json=as_json, render=lambda: said)
    if why:
        raise typer.Exit(ExitCode.ERROR)


def _whole(reports: Sequence[tuple[str, Ended | BaseException]], first: list[str]) -> dict[str, Any]:
    """Return the document of the only account, or of several each its own."""
    if len(reports) == 1 and not reports[0][0]:
        ended = reports[0][1]
        if isinstance(ended, BaseException):
            raise ended
        return _document(*ended, first)
    documents = [
        {
            "name": name,
            **(
                {"clear": False, "said": [f"FAILED: {ended}"], "error": str(ended)}
                if isinstance(ended, BaseException)
                else _document(*ended, [])
            ),
        }
        for name, ended in reports
    ]
    return {
        "clear": all(document["clear"] for document in documents),
        "said": [*first, *(line for one in documents for line in prefixed(str(one["name"]), one["said"]))],
        "accounts": documents,
    }


def _document(report: PanicReport, sold: list[dict[str, Any]], first: list[str]) -> dict[str, Any]:
    count = report.cancelled
    orders = "own order" if count == 1 else "own orders"
    said = [*first, f"{count} {orders} cancelled; " + ("none is left" if report.is_clear else "NOT verified gone")]
    said += [f"still open: {order.client_id} on {order.symbol}" for order in report.left]
    held = "position before the sale" if sold else "position stays"
    said += [f"not touched: {len(report.foreign)} orders of others"] if report.foreign else []
    said += [f"{held}: {position.words}" for position in report.positions]
    said += [str(sale["said"]) for sale in sold]
    said += [f"trouble: {trouble}" for trouble in report.troubles]
    return {
        "clear": report.is_clear,
        "cancelled": count,
        "left": [{"symbol": order.symbol, "client_id": order.client_id} for order in report.left],
        "foreign_orders": len(report.foreign),
        "positions": [
            {
                "symbol": p.symbol,
                "steps": p.steps,
                "quantity": p.quantity,
                "cost": p.cost,
                "entry_price": str(p.entry_price),
            }
            for p in report.positions
        ],
        "sold": sold,
        "troubles": list(report.troubles),
        "said": said,
    }
