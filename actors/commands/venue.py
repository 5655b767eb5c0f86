"""`check` and `panic`: verbs that talk to the venue themselves, without a run."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actors.commands.offline import Config
from actors.commands.output import Json, emit, table
from actors.exit_codes import ExitCode
from grid.book import Book
from grid.errors import GridmeshError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from actors.check import Checked
    from actors.panic import PanicReport
    from actors.sell_lots import Sale
    from actors.settings import Settings
    from actors.settings_venue import Credentials


def check(config: Config, as_json: Json = False) -> None:
    """Find out, without placing anything, whether a start would work: keys, clock, account, filters, amounts, disk."""
    from actors.check import Verdict, refuse
    from actors.check_host import check_journal, check_keys, check_run_folder, check_settings, read_book
    from actors.settings import load_settings

    settings = load_settings(config)
    credentials, keys = check_keys(settings)
    lines = [*check_settings(settings), keys, check_run_folder(), *check_journal(settings)]
    try:
        book = read_book(settings)
    except GridmeshError as error:
        book = Book()
        lines.append(refuse("book", f"the journal's records make no book: {error}"))
    if credentials is not None:
        lines += asyncio.run(_check_venue(settings, credentials, book))
    document = {
        "ready": all(line.verdict in (Verdict.OK, Verdict.WARN) for line in lines),
        "checks": [{"what": line.what, "verdict": line.verdict.value, "sentence": line.sentence} for line in lines],
    }
    emit(document, as_json=as_json, render=lambda: _render_checks(document))
    if any(line.is_credentials for line in lines):
        raise typer.Exit(ExitCode.CONFIGURATION)
    if not document["ready"]:
        raise typer.Exit(ExitCode.REFUSED_TO_START)


async def _check_venue(settings: Settings, credentials: Credentials, book: Book) -> list[Checked]:
    from actors.check import VenueCheck
    from actors.venues import market_venue, trading_venue

    trading, market = trading_venue(settings, credentials), market_venue(settings)
    try:
        return await VenueCheck(settings, trading, market, book).run()
    finally:
        await market.close()
        await trading.close()


def _render_checks(document: dict[str, Any]) -> list[RenderableType]:
    rows = [[line["verdict"], line["what"], line["sentence"]] for line in document["checks"]]
    verdict = "ready to start" if document["ready"] else "a start would be refused"
    return [table("", ("", "what", "finding"), rows), verdict]


def panic(
    config: Config,
    sell_lots: Annotated[
        list[str] | None,
        typer.Option("--sell-lots", metavar="SYMBOL=QUANTITY", help="Then close so much at market; may be repeated."),
    ] = None,
    deadline: Annotated[float, typer.Option("--timeout", min=5, help="Give up after so many seconds.")] = 60.0,
    as_json: Json = False,
) -> None:
    """Cancel every order of ours, now, without a run or a journal. Positions stay unless --sell-lots says otherwise."""
    from actors.credentials import load_credentials
    from actors.sell_lots import parse_sales
    from actors.settings import load_settings

    settings = load_settings(config)
    sales = parse_sales(sell_lots or [])
    credentials = load_credentials(settings.venue)
    report, sold = asyncio.run(_panic(settings, credentials, sales, deadline))
    document = _panic_document(settings, report, sold)
    emit(document, as_json=as_json, render=lambda: document["said"])
    if not report.is_clear:
        raise typer.Exit(ExitCode.TIMED_OUT)
    if any(not sale["done"] for sale in sold):
        raise typer.Exit(ExitCode.ERROR)


async def _panic(
    settings: Settings, credentials: Credentials, sales: list[Sale], deadline_s: float
) -> tuple[PanicReport, list[dict[str, Any]]]:
    from actors.clock import SystemClock
    from actors.panic import Panic
    from actors.sell_lots import SellLots
    from actors.venues import trading_venue

    venue, clock = trading_venue(settings, credentials), SystemClock()
    window_ms = settings.gateway.recv_window_ms
    attempt = Panic(venue, clock, asyncio.sleep, recv_window_ms=window_ms, deadline_ms=int(deadline_s * 1000))
    try:
        report = await attempt.run()
        sold = [await SellLots(venue, clock, asyncio.sleep).run(sale) for sale in sales] if report.is_clear else []
        return report, sold
    finally:
        await venue.close()


def _panic_document(settings: Settings, report: PanicReport, sold: list[dict[str, Any]]) -> dict[str, Any]:
    said = [f"{report.cancelled} own orders cancelled; " + ("none is left" if report.is_clear else "NOT verified gone")]
    said += [f"still open: {order.client_id} on {order.symbol}" for order in report.left]
    held = "position before the sale" if sold else "position stays"
    said += [f"stays: {len(report.foreign)} foreign orders"] if report.foreign else []
    said += [f"{held}: {p.symbol} {p.quantity} steps, entry {p.entry_price}" for p in report.positions]
    said += [str(sale["said"]) for sale in sold]
    said += [f"trouble: {trouble}" for trouble in report.troubles]
    if warning := _still_running(settings):
        said.append(warning)
    return {
        "clear": report.is_clear,
        "cancelled": report.cancelled,
        "left": [{"symbol": order.symbol, "client_id": order.client_id} for order in report.left],
        "foreign_orders": len(report.foreign),
        "positions": [
            {"symbol": p.symbol, "steps": p.quantity, "entry_price": str(p.entry_price)} for p in report.positions
        ],
        "sold": sold,
        "troubles": list(report.troubles),
        "said": said,
    }


def _still_running(settings: Settings) -> str:
    """Say that a run lives which may place orders again; panic does not reach into it."""
    from actors import run_file
    from actors.errors import NotRunning

    try:
        run = run_file.read(settings.deployment, os.environ)
        run_file.check_alive(run)
    except NotRunning:
        return ""
    return f"WARNING: {run.deployment} still runs (process {run.pid}) and may place orders again: halt or stop it"
