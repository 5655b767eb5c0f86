"""`panic`: everything of ours off the account, whether or not a run lives."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actors.commands.offline import Config, Live
from actors.commands.output import Json, emit
from actors.exit_codes import ExitCode
from grid.errors import ConfigError

if TYPE_CHECKING:
    from actors.panic import PanicReport
    from actors.sell_lots import Sale
    from actors.settings import Settings
    from actors.settings_venue import Credentials
    from exchanges.port import TradingVenue

LOOK_FIRST_S = 10.0
TIMEOUT_S_MAX = 3600.0


def panic(
    config: Config,
    sell_lots: Annotated[
        list[str] | None,
        typer.Option("--sell-lots", metavar="SYMBOL=QUANTITY", help="Then close so much at market; may be repeated."),
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
    live: Live = False,
    as_json: Json = False,
) -> None:
    """End the run of CONFIG on this machine, then cancel every order of ours. Positions stay unless --sell-lots.

    Where CONFIG says venue.live: true it cancels at the venue, whatever ran; --sell-lots needs --live besides.
    """
    from actors.credentials import load_credentials
    from actors.sell_lots import parse_sales
    from actors.settings import load_settings
    from actors.settings_paper import Trading

    settings = load_settings(config)
    sales = parse_sales(sell_lots or [])
    if live or settings.venue.live:
        settings = settings.for_live()
    if sales and settings.trading is Trading.LIVE and not live:
        raise ConfigError("--live", "(missing)", "is needed for --sell-lots, which places orders with real money")
    if settings.is_paper:
        _end_paper(settings, is_selling=bool(sales), keep_run=keep_run, as_json=as_json)
        return
    credentials = load_credentials(settings.venue)
    attempt = _Attempt(settings, credentials, deadline_s=deadline, as_json=as_json)
    journal = _journal_id(settings) if only_mine else None
    report, sold = asyncio.run(attempt.run(sales, keep_run=keep_run, journal=journal))
    document = _document(report, sold, attempt.said)
    emit(document, as_json=as_json, render=lambda: document["said"][len(attempt.said) :])
    if not report.is_clear:
        raise typer.Exit(ExitCode.TIMED_OUT)
    if any(not sale["done"] for sale in sold):
        raise typer.Exit(ExitCode.ERROR)


def _end_paper(settings: Settings, *, is_selling: bool, keep_run: bool, as_json: bool) -> None:
    """End a run on paper: nothing of it rests at any venue."""
    from actors import panic_run

    if is_selling:
        raise ConfigError("--sell-lots", "(given)", "needs a venue: on paper there is nothing to sell at one")
    run = panic_run.living(settings.deployment, os.environ)
    why = panic_run.end(run) if run is not None and not keep_run else ""
    said = ["PAPER: no order of this configuration is at any venue"]
    if run is not None:
        fate = f"could not be ended: {why}" if why else "still runs" if keep_run else "was running and has been ended"
        said.insert(0, f"{settings.deployment} (process {run.pid}) {fate}")
    said.append(
        f"the paper account keeps its orders in {settings.paper_account_path}; the next start goes on with them"
    )
    real = settings.journal.path or settings.paper_account_path.with_name(f"{settings.deployment}.sqlite")
    if real.exists():
        said.append(f"WARNING: {real} is a journal of real orders: panic looks after those where venue.live is true")
    emit({"clear": not why, "trading": "paper", "said": said}, as_json=as_json, render=lambda: said)
    if why:
        raise typer.Exit(ExitCode.ERROR)


class _Attempt:
    """One panic: what is said at its start is said at once, since the rest may take a minute."""

    def __init__(self, settings: Settings, credentials: Credentials, *, deadline_s: float, as_json: bool) -> None:
        self.said: list[str] = []
        self._settings = settings
        self._credentials = credentials
        self._deadline_s = deadline_s
        self._as_json = as_json

    async def run(
        self, sales: list[Sale], *, keep_run: bool, journal: str | None
    ) -> tuple[PanicReport, list[dict[str, Any]]]:
        from actors.clock import SystemClock
        from actors.panic import Panic
        from actors.sell_lots import SellLots
        from actors.venues import trading_venue

        settings, clock = self._settings, SystemClock()
        venue = trading_venue(settings, self._credentials)
        try:
            if sales:
                await self._look_first(venue, sales)
            self._end_run(keep_run=keep_run)
            self._name_others(is_limited=journal is not None)
            attempt = Panic(
                venue,
                clock,
                asyncio.sleep,
                symbols=[ladder.symbol for ladder in settings.symbols],
                recv_window_ms=settings.gateway.recv_window_ms,
                deadline_ms=int(self._deadline_s * 1000),
                journal=journal,
            )
            report = await attempt.run()
            sold = [await SellLots(venue, clock, asyncio.sleep).run(sale) for sale in sales] if report.is_clear else []
            return report, sold
        finally:
            await venue.close()

    async def _look_first(self, venue: TradingVenue, sales: list[Sale]) -> None:
        """Refuse a sale that cannot be meant; a venue that does not answer delays no cancel."""
        from actors.sell_lots import require_sellable
        from exchanges.errors import VenueError

        try:
            await asyncio.wait_for(require_sellable(venue, sales), LOOK_FIRST_S)
        except (VenueError, TimeoutError) as error:
            self._say(
                f"--sell-lots could not be compared with the venue's rules beforehand: {str(error) or 'no answer'}"
            )

    def _end_run(self, *, keep_run: bool) -> None:
        from actors import panic_run

        run = panic_run.living(self._settings.deployment, os.environ)
        if run is None:
            return
        who = f"{run.deployment} (process {run.pid})"
        why = "" if keep_run else panic_run.end(run)
        if keep_run or why:
            reason = f" and could not be ended: {why}" if why else ""
            self._say(
                f"WARNING: {who} still runs{reason}; it will place its orders again: end it with gridmesh stop, "
                "then run panic again"
            )
        else:
            self._say(f"{who} was running and has been ended")

    def _name_others(self, *, is_limited: bool) -> None:
        from actors import panic_run
        from actors.credentials import account_mark

        mark = account_mark(self._settings.venue, self._credentials)
        for run in panic_run.others(self._settings.deployment, mark, os.environ):
            who = f"{run.deployment} (process {run.pid}) runs on the same account"
            if is_limited:
                self._say(f"{who}; its orders stay (--only-mine)")
            else:
                self._say(
                    f"WARNING: {who}: its orders, exits too, are cancelled as well, and it will place them again; "
                    "--only-mine leaves them alone"
                )

    def _say(self, words: str) -> None:
        self.said.append(words)
        print(words, file=sys.stderr if self._as_json else sys.stdout, flush=True)


def _journal_id(settings: Settings) -> str:
    """Return the id of the configuration's journal, read beside whoever holds it."""
    from actors import journal_file
    from actors.journal_errors import JournalError

    path = settings.journal_path
    rule = "needs the journal, which says whose orders are whose; leave it out to cancel every order of this program"
    if not path.is_file():
        raise ConfigError("--only-mine", path, f"{rule}: there is no such file")
    try:
        with journal_file.readable(path):
            connection = journal_file.connect(path, read_only=True)
            try:
                return journal_file.meta(connection)["journal_id"]
            finally:
                journal_file.hang_up(connection)
    except (JournalError, KeyError) as error:
        raise ConfigError("--only-mine", path, f"{rule}: {error}") from None


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
