"""`check`: what a start would find, asked of the venue itself, without a run."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from actors.commands.accounts import accounts_of, emit_accounts
from actors.commands.offline import Config, Live
from actors.commands.output import Json, table
from actors.commands.running import Account
from actors.exit_codes import ExitCode
from grid.book import Book
from grid.errors import ConfigError, GridmeshError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from actors.check.book import KnownBook
    from actors.check.lines import Checked
    from actors.settings.account import Settings
    from actors.settings.venue import Credentials


def check(config: Config, account: Account = None, live: Live = False, as_json: Json = False) -> None:
    """Find out, without placing anything, whether a start would work: keys, clock, account, filters, amounts, disk.

    As of `run`, a start on paper is meant unless --live is given.
    """
    from actors.check.lines import Verdict

    accounts = accounts_of(config, account, live=live)
    checked = asyncio.run(_check_all(accounts))
    is_sound = not any(line.is_configuration for lines in checked for line in lines)
    if is_sound and account is None and (apart := _apart(config, live=live)) is not None:
        checked = [[*lines, apart] for lines in checked]
    documents = [
        (
            one.account_name,
            {
                "trading": one.trading.value,
                "ready": all(line.verdict in (Verdict.OK, Verdict.WARN) for line in lines),
                "checks": [{"what": ln.what, "verdict": ln.verdict.value, "sentence": ln.sentence} for ln in lines],
            },
        )
        for one, lines in zip(accounts, checked, strict=True)
    ]
    emit_accounts(documents, as_json=as_json, render=_render_checks)
    if any(line.is_configuration for lines in checked for line in lines):
        raise typer.Exit(ExitCode.CONFIGURATION)
    if not all(document["ready"] for _, document in documents):
        raise typer.Exit(ExitCode.REFUSED_TO_START)


async def _check_all(accounts: Sequence[Settings]) -> list[list[Checked]]:
    """Check all accounts at once: a venue that does not answer delays no other's."""
    return await asyncio.gather(*(_check_account(one) for one in accounts))


async def _check_account(settings: Settings) -> list[Checked]:
    from actors.check.book import KnownBook
    from actors.check.host import check_journal, check_keys, check_run_folder, check_settings, read_book
    from actors.check.lines import refuse

    credentials, keys = check_keys(settings)
    lines = [*check_settings(settings), keys, check_run_folder(), *check_journal(settings)]
    try:
        known = read_book(settings)
    except GridmeshError as error:
        known = KnownBook(book=Book())
        lines.append(refuse("book", f"the journal's records make no book: {error}"))
    if credentials is not None:
        lines += await _check_venue(settings, credentials, known)
    return lines


def _apart(config: Path, *, live: bool) -> Checked | None:
    """Return what is wrong with two accounts that are one, as a run would be refused for it."""
    from actors.check.lines import Checked, Verdict
    from actors.settings.accounts_apart import require_apart
    from actors.settings.deployment import load_deployment

    settings = load_deployment(config)
    try:
        require_apart(settings.for_live() if live else settings)
    except ConfigError as error:
        return Checked(what="accounts", verdict=Verdict.REFUSE, sentence=str(error), is_configuration=True)
    return None


async def _check_venue(settings: Settings, credentials: Credentials, known: KnownBook) -> list[Checked]:
    from actors.check.venue_check import VenueCheck
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
