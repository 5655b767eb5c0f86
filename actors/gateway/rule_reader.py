"""Reads the venue's rules again: once a day, and whenever a filter has refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

from structlog.typing import FilteringBoundLogger

from actors.gateway.caller import VenueCaller
from actors.gateway.grids import Grid
from actors.gateway.keeper import DeskKeeper
from exchanges.errors import VenueError
from exchanges.port import TradingVenue, VenueRules

DAY_S = 24 * 3600.0
AGAIN_S = 30.0


class RuleReader:
    """One reading at a time, through the account's limiter; what fails is tried again."""

    def __init__(
        self,
        *,
        venue: TradingVenue,
        caller: VenueCaller,
        log: FilteringBoundLogger,
        on_rules: Callable[[VenueRules], None],
        period_s: float = DAY_S,
        again_s: float = AGAIN_S,
    ) -> None:
        self._venue = venue
        self._caller = caller
        self._log = log
        self._on_rules = on_rules
        self._period_s = period_s
        self._again_s = again_s
        self._wanted = asyncio.Event()

    def ask(self, reason: str) -> None:
        """Have the rules read now."""
        self._log.info("rules_wanted", why=reason)
        self._wanted.set()

    async def run(self) -> None:
        """Read for ever."""
        pause_s = self._period_s
        while True:
            try:
                await asyncio.wait_for(self._wanted.wait(), pause_s)
            except TimeoutError:
                pass
            self._wanted.clear()
            pause_s = self._period_s if await self._is_read() else self._again_s

    async def _is_read(self) -> bool:
        try:
            rules = await self._caller.read(self._venue.rules, self._venue.costs.rules)
        except VenueError as error:
            self._log.warning("reading_failed", what="rules", why=str(error))
            return False
        self._on_rules(rules)
        return True


def renewed(grids: Mapping[str, Grid], keeper: DeskKeeper | None) -> dict[str, Grid]:
    """Return the grids whose rules the desk has changed, with the new ones."""
    if keeper is None:
        return {}
    read = {name: keeper.desk.instrument(name) for name in grids}
    return {name: replace(grid, instrument=read[name]) for name, grid in grids.items() if read[name] != grid.instrument}
