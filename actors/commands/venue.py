"""`check`: what a start would find, asked of the venue itself, without a run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import typer

from actors.commands.offline import Config, Live
from actors.commands.output import Json, emit, table
from actors.exit_codes import ExitCode
from grid.book import Book
from grid.errors import GridmeshError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from actors.check_book import KnownBook
    from actors.check_lines import Checked
    from actors.settings import Settings
    from actors.settings_venue import Credentials


def check(config: Config, live: Live = False, as_json: Json = False) -> None:
    """Find out, without placing anything, whether a start would work: keys, clock, account, filters, amounts, disk.

    As of `run`, a start on paper is meant unless --live is given.
    """
    from actors.check_book import KnownBook
    from actors.check_host import check_journal, check_keys, check_run_folder, check_settings, read_book
    from actors.check_lines import Verdict, refuse
    from actors.settings import load_settings

    settings = load_settings(config)
    if live:
        settings = settings.for_live()
    credentials, keys = check_keys(settings)
    lines = [*check_settings(settings), keys, check_run_folder(), *check_journal(settings)]
    try:
        known = read_book(settings)
    except GridmeshError as error:
        known = KnownBook(book=Book())
        lines.append(refuse("book", f"the journal's records make no book: {error}"))
    if credentials is not None:
        lines += asyncio.run(_check_venue(settings, credentials, known))
    document = {
        "trading": settings.trading.value,
        "ready": all(line.verdict in (Verdict.OK, Verdict.WARN) for line in lines),
        "checks": [{"what": line.what, "verdict": line.verdict.value, "sentence": line.sentence} for line in lines],
    }
    emit(document, as_json=as_json, render=lambda: _render_checks(document))
    if any(line.is_configuration for line in lines):
        raise typer.Exit(ExitCode.CONFIGURATION)
    if not document["ready"]:
        raise typer.Exit(ExitCode.REFUSED_TO_START)


async def _check_venue(settings: Settings, credentials: Credentials, known: KnownBook) -> list[Checked]:
    from actors.check import VenueCheck
    from actors.venues import market_venue, paper_trading, trading_venue

    market = market_venue(settings)
    trading = paper_trading(settings, read_only=True) if settings.is_paper else trading_venue(settings, credentials)
    try:
        return await VenueCheck(settings, trading, market, known).run()
    finally:
        await market.close()
        await trading.close()


def _render_checks(document: dict[str, Any]) -> list[RenderableType]:
    rows = [[line["verdict"], line["what"], line["sentence"]] for line in document["checks"]]
    kind = {"paper": " ON PAPER", "live": " with REAL MONEY"}.get(document["trading"], "")
    verdict = f"ready to start{kind}" if document["ready"] else f"a start{kind} would be refused"
    return [table("", ("", "what", "finding"), rows), verdict]
