"""One panic over accounts: ends the run, then cancels on all of them at once; one that fails keeps no other from it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from grid.errors import ConfigError

if TYPE_CHECKING:
    from actors.panic.cancelling import PanicReport
    from actors.panic.sell_lots import Sale
    from actors.settings.account import Settings
    from actors.settings.venue import Credentials
    from exchanges.port import TradingVenue

    Ended = tuple[PanicReport, list[dict[str, Any]]]

LOOK_FIRST_S = 10.0


class PanicAttempt:
    """What is said at its start is said at once, since the rest may take a minute."""

    def __init__(
        self,
        accounts: Sequence[Settings],
        sales: Mapping[str, list[Sale]],
        *,
        deadline_s: float,
        only_mine: bool,
        as_json: bool,
    ) -> None:
        self.said: list[str] = []
        self._accounts = accounts
        self._sales = sales
        self._deadline_s = deadline_s
        self._only_mine = only_mine
        self._as_json = as_json

    async def run(self, *, keep_run: bool, others: Sequence[str]) -> list[Ended | BaseException]:
        """Return what came of each account; one that fails keeps no other from it."""
        from actors.settings.credentials import load_credentials
        from actors.venues import trading_venue

        keys: dict[str, Credentials] = {}
        journals: dict[str, str | None] = {}
        failed: dict[str, BaseException] = {}
        for one in self._accounts:
            try:
                keys[one.account_name] = load_credentials(one.venue)
                journals[one.account_name] = _journal_id(one) if self._only_mine else None
            except ConfigError as error:
                failed[one.account_name] = error
        if len(failed) == len(self._accounts):
            raise next(iter(failed.values()))
        able = [one for one in self._accounts if one.account_name not in failed]
        venues = {one.account_name: trading_venue(one, keys[one.account_name]) for one in able}
        try:
            for one in able:
                if sales := self._sales[one.account_name]:
                    await self._look_first(venues[one.account_name], sales)
            self._end_run(keep_run=keep_run, others=others)
            for one in able:
                self._name_others(one, keys[one.account_name], is_limited=journals[one.account_name] is not None)
            tried = await asyncio.gather(
                *(self._one(one, venues[one.account_name], journals[one.account_name]) for one in able),
                return_exceptions=True,
            )
        finally:
            for venue in venues.values():
                await venue.close()
        ended: dict[str, Ended | BaseException] = dict(zip((one.account_name for one in able), tried, strict=True))
        return [{**failed, **ended}[one.account_name] for one in self._accounts]

    async def _one(self, settings: Settings, venue: TradingVenue, journal: str | None) -> Ended:
        from actors.clock import SystemClock
        from actors.panic.cancelling import Panic
        from actors.panic.sell_lots import SellLots

        clock, sales = SystemClock(), self._sales[settings.account_name]
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

    async def _look_first(self, venue: TradingVenue, sales: list[Sale]) -> None:
        """Refuse a sale that cannot be meant; a venue that does not answer delays no cancel."""
        from actors.panic.sell_lots import require_sellable
        from exchanges.errors import VenueError

        try:
            await asyncio.wait_for(require_sellable(venue, sales), LOOK_FIRST_S)
        except (VenueError, TimeoutError) as error:
            self._say(
                f"--sell-lots could not be compared with the venue's rules beforehand: {str(error) or 'no answer'}"
            )

    def _end_run(self, *, keep_run: bool, others: Sequence[str]) -> None:
        from actors.panic import runs as panic_run

        run = panic_run.living(self._accounts[0].deployment, os.environ)
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
            if others:
                self._say(
                    f"WARNING: it traded on {', '.join(others)} too, whose orders rest on: nobody looks after them"
                )

    def _name_others(self, settings: Settings, credentials: Credentials, *, is_limited: bool) -> None:
        from actors.panic import runs as panic_run
        from actors.settings.credentials import account_mark

        mark = account_mark(settings.venue, credentials)
        for run in panic_run.others(settings.deployment, mark, os.environ):
            which = f"account {settings.account_name}" if settings.account_name else "account"
            who = f"{run.deployment} (process {run.pid}) runs on the same {which}"
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
    from actors.journal import file as journal_file
    from actors.journal.errors import JournalError

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
