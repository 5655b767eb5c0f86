"""Takes a symbol into a gateway that serves: the checks of a start, read through the account's limiter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from structlog.typing import FilteringBoundLogger

from actors.check.start_plan import grid_policy
from actors.gateway.caller import VenueCaller
from actors.gateway.grids import Grid, grid_of, instruments_of
from actors.gateway.membership import Membership
from actors.gateway.start import Facts, findings, first_records, name_symbols, set_margin
from actors.settings.symbol import SymbolSettings
from exchanges.desk.events import SymbolAdded
from exchanges.desk.settings import DeskSymbol
from exchanges.errors import VenueError, VenueRefused
from exchanges.port import MarketVenue, TradingVenue
from grid.account_records import SymbolJoined
from grid.book import Book
from grid.errors import ConfigError
from grid.records import Record
from risk.plan import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the checks say of a symbol: reasons against it, or its grid and what its book begins with."""

    reasons: tuple[str, ...] = ()
    grid: Grid | None = None
    records: tuple[Record, ...] = ()

    def event(self, joined: SymbolJoined, symbol: DeskSymbol) -> SymbolAdded:
        """Return the event that takes it in."""
        return SymbolAdded(symbol=symbol, joined=joined, records=self.records)


class Joiner:
    """What it refuses has changed nothing; a symbol that passes has its leverage and margin type set."""

    def __init__(
        self,
        membership: Membership,
        facts: Facts,
        venue: TradingVenue,
        market: MarketVenue,
        caller: VenueCaller,
        book: Book,
        journal_id: str,
        log: FilteringBoundLogger,
    ) -> None:
        self._membership = membership
        self._facts = facts
        self._venue = venue
        self._market = market
        self._caller = caller
        self._book = book
        self._journal_id = journal_id
        self._log = log

    async def judge(self, ladder: SymbolSettings, traded: Sequence[Grid]) -> Judged:
        """Run the checks of a start over the symbol and those traded already."""
        try:
            return await self._judge(ladder, traded)
        except (VenueError, ConfigError) as error:
            return Judged(reasons=(str(error),))

    async def _judge(self, ladder: SymbolSettings, traded: Sequence[Grid]) -> Judged:
        settings, name = self._membership.with_symbol(ladder), ladder.symbol
        facts = await self._read(ladder)
        policy = grid_policy(settings, ladder, facts.fees[name])
        grid = grid_of(ladder, facts.instruments[name], policy, facts.quotes[name], self._book)
        found = findings(settings, facts, [*traded, grid], self._book, self._journal_id)
        for finding in found:
            self._log.warning("finding", severity=finding.severity.value, text=finding.sentence)
        refused = tuple(finding.sentence for finding in found if finding.severity is Severity.REFUSE)
        if refused:
            return Judged(reasons=refused)
        try:
            only = settings.with_symbols((ladder,))
            await self._caller.read(partial(set_margin, only, self._venue), self._venue.costs.order)
        except VenueRefused as error:
            return Judged(reasons=(f"leverage or margin type: {error}",))
        self._facts = facts
        return Judged(grid=grid, records=tuple(first_records([grid], facts, self._book)))

    async def _read(self, ladder: SymbolSettings) -> Facts:
        """Return what the checks need, read now; fees and brackets of the others as they were at their start."""
        venue, market, costs, read = self._venue, self._market, self._venue.costs, self._caller.read
        name = ladder.symbol
        await read(partial(name_symbols, venue, [name]), costs.rules)
        rules, known = await read(venue.rules, costs.rules), self._facts
        instruments = instruments_of(self._membership.with_symbol(ladder), rules.instruments)
        quotes = {one: await read(partial(market.quote, one), costs.quote) for one in instruments}
        # Read more dearly than the venue counts some of these: the limiter errs on the safe side.
        fees = await read(partial(venue.fee_rates, name), costs.income)
        tiers = await read(partial(venue.maintenance_tiers, name), costs.fills)
        return replace(
            known,
            rules=rules,
            instruments=instruments,
            quotes=quotes,
            fees={**known.fees, name: fees},
            tiers={**known.tiers, name: tiers},
            orders=await read(venue.open_orders, costs.open_orders),
            stops=await read(venue.open_stops, costs.open_orders),
            account=await read(venue.account, costs.account),
            positions={one.symbol: one for one in await read(venue.positions, costs.positions)},
        )
