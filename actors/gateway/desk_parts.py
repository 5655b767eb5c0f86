"""The desk with its journal, and the one way from it to the venue, as a gateway begins with them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from actors.clock import Clock
from actors.gateway.caller import VenueCaller
from actors.gateway.grids import Grid, desk_settings, desk_symbol
from actors.gateway.keeper import DeskKeeper
from actors.gateway.start import Facts
from actors.gateway.stop_points import stops_from
from actors.gateway.timings import Timings
from actors.journal.writer import Journal
from actors.settings.account import Settings
from exchanges.desk.commands import Command
from exchanges.desk.events import Event
from exchanges.errands import Work
from exchanges.port import MarketVenue, TradingVenue
from exchanges.throttle import Throttle, ThrottleRule
from grid.book import Book


def desk_parts(
    settings: Settings,
    facts: Facts,
    grids: Mapping[str, Grid],
    book: Book,
    journal: Journal,
    venue: TradingVenue,
    *,
    clock: Clock,
    timings: Timings,
    on_work: Callable[[Work], None],
    on_word: Callable[[Command], None],
    on_event: Callable[[Event], None],
    on_taken: Callable[[str], None],
) -> tuple[DeskKeeper, VenueCaller]:
    """Return both; nothing is decided or sent before the keeper begins."""
    reached = stops_from(os.environ)
    keeper = DeskKeeper(
        book=book,
        journal=journal,
        settings=desk_settings(settings, journal.journal_id),
        symbols={name: desk_symbol(grid) for name, grid in grids.items()},
        clock=clock,
        venue_ahead_ms=venue.clock_offset_ms,
        on_work=on_work,
        on_word=on_word,
        timings=timings,
        reached=reached,
        on_taken=on_taken,
    )
    rule = ThrottleRule(orders_per_second=settings.gateway.orders_per_second, burst=settings.gateway.burst)
    caller = VenueCaller(
        venue=venue,
        throttle=Throttle(facts.rules.rate_windows, rule),
        clock=clock,
        on_event=on_event,
        release=keeper.release,
        release_stop=keeper.release_stop,
        timings=timings,
        reached=reached,
    )
    return keeper, caller


async def close_parts(
    keeper: DeskKeeper | None,
    caller: VenueCaller | None,
    venue: TradingVenue | None,
    market: MarketVenue | None,
    journal: Journal | None,
) -> None:
    """Close whatever there is of them: calls, streams, journal, in this order."""
    if caller is not None:
        await caller.close()
    for held in (market, venue):
        if held is not None:
            await held.close()
    if keeper is not None:
        keeper.close()
    elif journal is not None:
        journal.close()
