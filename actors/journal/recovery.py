"""`gridmesh recover CONFIG`: makes a damaged or missing journal anew, from what stands of it and the venue's past.

The new journal is made beside the old one, in a file or in a database, and takes its place at the end; the old one is
moved aside, never changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from actors.gateway.grids import instruments_of, level_interval, level_ratio, level_zero
from actors.gateway.keeper import read_book
from actors.journal import file as journal_file
from actors.journal.errors import JournalError, Place
from actors.journal.ground import FileGround, Found, Ground
from actors.journal.place import journal_account, open_at
from actors.journal.rebuild import NotRebuildable, Past, Spacings, journals_of, rebuild
from actors.journal.schema import CURRENT
from actors.journal.standing import Standing, write_part
from actors.settings.account import Settings
from actors.settings.symbol import SymbolSettings
from exchanges.port import TradingVenue
from grid.book import Book
from grid.errors import ConfigError, GridmeshError
from grid.holds import Hold, HoldCause
from grid.instrument import Instrument
from grid.records import HoldPut, from_body, to_body

DAY_MS = 24 * 3600 * 1000
EPOCH_GAP = 100
"""Owner epochs that only wrote orders which the venue has forgotten are jumped over."""
HELD = "recovered: look at the lots, then gridmesh resume"
LOST_FOR_GOOD = (
    "holds, breakers and the day's loss as they stood; entries are held until gridmesh resume",
    "which lots bore which funding, profit and counts before the first trade that is told",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LotLine:
    """One lot, for people; quantity, cost and target in coins and quote currency."""

    symbol: str
    level: int
    quantity: str
    cost: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What was, or would be, done. `aside` is where the old journal lies now."""

    found: Found
    wrong: str = ""
    kept: int = 0
    added: int = 0
    fills: int = 0
    journal_id: str = ""
    lots: tuple[LotLine, ...] = ()
    unknown: tuple[str, ...] = ()
    aside: str = ""


async def recover_journal(
    settings: Settings,
    make_venue: Callable[[], TradingVenue],
    *,
    days: int,
    at_ms: int,
    dry_run: bool,
    ground: Ground | None = None,
) -> Recovered:
    """Make the journal anew where it needs that; raises `GridmeshError`, with nothing changed, where it cannot.

    A sound journal is told without asking the venue. `ground` is the file that the settings name where it is left out.
    """
    ground = ground or FileGround(settings.journal_path)
    async with ground.alone():
        # A large journal takes long: a lease that is held meanwhile is renewed in this loop.
        found, standing = await asyncio.to_thread(ground.look)
        if found is Found.SOUND:
            return Recovered(found=found)
        venue = make_venue()
        try:
            await venue.connect()
            pasts = await _read_pasts(settings, venue, at_ms - days * DAY_MS)
        finally:
            await venue.close()
        if found is Found.EMPTY and not journals_of(order for past in pasts for order in past.orders):
            return Recovered(found=Found.SOUND)
        with ground.fresh() as fresh:
            made = await asyncio.to_thread(_make, fresh, found, standing, pasts, at_ms, journal_account(settings))
            return made if dry_run else replace(made, aside=ground.put_in_place(fresh, at_ms))


async def _read_pasts(settings: Settings, venue: TradingVenue, since_ms: int) -> list[Past]:
    rules = await venue.rules()
    instruments = instruments_of(settings, rules.instruments)
    pasts = []
    for symbol in settings.symbols:
        instrument = instruments[symbol.symbol]
        # Orders last: a fill is never told of an order that is not.
        fills = await venue.fills_since(symbol.symbol, since_ms)
        positions = {position.symbol: position.quantity for position in await venue.positions()}
        pasts.append(
            Past(
                instrument=instrument,
                spacings=_spacings(symbol, instrument),
                orders=await venue.orders_since(symbol.symbol, since_ms),
                fills=fills,
                position=positions.get(symbol.symbol, 0),
                trigger=symbol.trigger_price,
            )
        )
    return pasts


def _spacings(symbol: SymbolSettings, instrument: Instrument) -> Spacings:
    return Spacings(
        side=symbol.way,
        spacing=symbol.spacing,
        interval=level_interval(symbol, instrument),
        ratio=level_ratio(symbol),
        anchor=level_zero(symbol, instrument),
    )


def _make(
    fresh: Place, found: Found, standing: Standing | None, pasts: Sequence[Past], at_ms: int, account: str
) -> Recovered:
    """Write the new journal: what stands of the old one, then what the venue tells."""
    seen = journals_of(order for past in pasts for order in past.orders)
    known = standing.journal_id if standing is not None and found is not Found.EMPTY else ""
    journal_id = known or _choose(seen)
    epoch = max(seen.get(journal_id, 0), standing.owner_epoch if standing is not None else 0) + EPOCH_GAP
    if standing is not None and found is Found.DAMAGED:
        write_part(fresh, standing, owner_epoch=epoch)
    else:
        journal_file.create_as(fresh, CURRENT, account, at_ms, journal_id=journal_id, owner_epoch=epoch)
    journal = open_at(fresh, account)
    try:
        kept = journal.last_seq
        book = read_book(journal, from_body)
        made = rebuild(book, journal_id, pasts)
        hold = HoldPut(hold=Hold(cause=HoldCause.OPERATOR, symbol="", reason=HELD, since_ms=at_ms))
        records = made.records if book.holds.find(HoldCause.OPERATOR, "") else [*made.records, hold]
        journal.append([(at_ms, *to_body(record)) for record in records])
    except NotRebuildable:
        raise
    except (KeyError, GridmeshError) as error:
        raise JournalError(
            f"the part of the journal that stands and the venue's trades contradict each other ({error!r}). "
            "Nothing was changed. Move the journal away and run this again: it is then made from the venue alone"
        ) from error
    finally:
        journal.close()
    return Recovered(
        found=found,
        wrong=standing.wrong if standing is not None else "there is no journal",
        kept=kept,
        added=len(records),
        fills=made.fills,
        journal_id=journal_id,
        lots=_lots(book),
        unknown=(*made.unknown, *LOST_FOR_GOOD),
    )


def _choose(seen: dict[str, int]) -> str:
    if not seen:
        raise NotRebuildable("the venue tells of no order of ours: there is nothing to rebuild a journal from")
    if len(seen) > 1:
        raise ConfigError(
            "journal", ", ".join(sorted(seen)), "several journals wrote orders here; only one of them can be rebuilt"
        )
    return next(iter(seen))


def _lots(book: Book) -> tuple[LotLine, ...]:
    lines = []
    for name, symbol in book.symbols.items():
        for key, lot in symbol.lots_from_the_top():
            units = symbol.generation
            lines.append(
                LotLine(
                    symbol=name,
                    level=key.level,
                    quantity=str(units.step * lot.quantity),
                    cost=str(lot.cost),
                    target=str(units.tick * lot.target),
                )
            )
    return tuple(lines)
