"""Asks the venue until it answers, judges a start, and changes at the venue only what a passed start consents to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from structlog.typing import FilteringBoundLogger

from actors.clock import Clock
from actors.gateway.conduct import locked
from actors.gateway.grids import Grid
from actors.gateway.start import Facts, findings, read_facts, set_margin
from actors.settings.account import Settings
from actors.trading_words import headline
from exchanges.errors import Refusal, VenueError, VenueRefused
from exchanges.port import MarketVenue, TradingVenue
from grid.book import Book
from risk.plan import Severity

T = TypeVar("T")
RETRY_FIRST_S = 0.5
RETRY_LAST_S = 30.0


class Starter:
    """One start of a gateway. `wait_for` is told what the start waits for.

    `everything`: the settings with symbols that are traded no more, and still looked after.
    """

    def __init__(
        self,
        settings: Settings,
        venue: TradingVenue,
        market: MarketVenue,
        clock: Clock,
        log: FilteringBoundLogger,
        wait_for: Callable[[str], None],
        everything: Settings | None = None,
    ) -> None:
        self._settings = settings
        self._everything = everything or settings
        self._venue = venue
        self._market = market
        self._log = log
        self._wait_for = wait_for
        self._clock = clock

    async def facts(self) -> Facts:
        """Return what the venue says of account and symbols. Raises `VenueRefused` for what it refuses for good."""
        self._log.warning("trading", text=headline(self._settings))
        traded = {one.symbol for one in self._settings.symbols}
        spared = {one.symbol for one in self._everything.symbols} - traded
        read = partial(read_facts, self._everything, self._venue, self._market, self._clock, spared)
        return await self._patiently("the venue's metadata, prices and account", read)

    async def complaints(self, facts: Facts, due: list[Grid], book: Book, journal_id: str) -> list[str]:
        """Return why the start is refused, nothing where it is not; leverage and margin type are set then."""
        found = findings(self._settings, facts, due, book, journal_id)
        for finding in found:
            self._log.warning("finding", severity=finding.severity.value, text=finding.sentence)
        await self._say_conduct()
        refused = [finding.sentence for finding in found if finding.severity is Severity.REFUSE]
        return refused or await self._margin_refused()

    async def _say_conduct(self) -> None:
        """A lock of the venue's is worth a warning, and an unread one no delay: each refusal names it again."""
        try:
            sentences = locked(await self._venue.conduct())
        except VenueError as error:
            sentences = [f"the venue's trading status cannot be read: {error}"]
        for sentence in sentences:
            self._log.warning("trading_status", text=sentence)

    async def _margin_refused(self) -> list[str]:
        try:
            await self._patiently("leverage and margin type", partial(set_margin, self._settings, self._venue))
        except VenueRefused as refused:
            return [f"leverage or margin type: {refused}"]
        return []

    async def _patiently(self, what: str, call: Callable[[], Awaitable[T]]) -> T:
        """Call until the venue answers: an unknown refuses to trade, and says what it waits for. A refusal is final."""
        pause_s = RETRY_FIRST_S
        while True:
            try:
                return await call()
            except VenueError as error:
                if isinstance(error, VenueRefused) and error.refusal is not Refusal.CLOCK:
                    raise
                self._wait_for(f"{what}: {error}")
                self._log.warning("start_waits", why=str(error), again_in_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, RETRY_LAST_S)
