"""`gridmesh recover CONFIG`: makes a damaged or missing journal anew, from what stands of it and the venue's past.

The new journal is made beside the old one and takes its place at the end; the old one is moved aside, never changed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

import orjson

from actors.file_lock import FileLock, LockHeld
from actors.gateway.grids import instruments_of, level_interval, level_ratio, level_zero
from actors.gateway.keeper import read_book
from actors.journal import file as journal_file
from actors.journal.errors import JournalError, JournalInUse
from actors.journal.place import journal_account
from actors.journal.rebuild import NotRebuildable, Past, Spacings, journals_of, rebuild
from actors.journal.schema import CURRENT
from actors.journal.standing import Standing, put_in_place, standing_part, write_part
from actors.journal.writer import Journal
from actors.settings.account import Settings
from actors.settings.symbol import SymbolSettings
from exchanges.port import TradingVenue
from grid.book import Book
from grid.errors import ConfigError, GridmeshError
from grid.holds import Hold, HoldCause
from grid.instrument import Instrument
from grid.records import HoldPut, from_body, to_body
from grid.snapshot import from_snapshot

DAY_MS = 24 * 3600 * 1000
EPOCH_GAP = 100
"""Owner epochs that only wrote orders which the venue has forgotten are jumped over."""
HELD = "recovered: look at the lots, then gridmesh resume"
LOST_FOR_GOOD = (
    "holds, breakers and the day's loss as they stood; entries are held until gridmesh resume",
    "which lots bore which funding, profit and counts before the first trade that is told",
)


class Found(Enum):
    """What stood in the journal's place."""

    SOUND = "sound"
    MISSING = "missing"
    EMPTY = "empty"
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"


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
    """What was, or would be, done. `aside` is where the old file lies now."""

    found: Found
    wrong: str = ""
    kept: int = 0
    added: int = 0
    fills: int = 0
    journal_id: str = ""
    lots: tuple[LotLine, ...] = ()
    unknown: tuple[str, ...] = ()
    aside: Path | None = None


async def recover_journal(
    settings: Settings, make_venue: Callable[[], TradingVenue], *, days: int, at_ms: int, dry_run: bool
) -> Recovered:
    """Make the journal anew where it needs that; raises `GridmeshError`, with nothing changed, where it cannot.

    A sound journal is told without asking the venue.
    """
    if not settings.is_journal_file:
        rule = "is a database: restore it from its backup, or start with an empty one after gridmesh panic CONFIG"
        raise ConfigError("journal.url", "(hidden)", rule)
    path = settings.journal_path.absolute()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = _locked(path)
    try:
        found, standing = _look(path)
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
        with tempfile.TemporaryDirectory(prefix=".recovering-", dir=path.parent) as folder:
            fresh = Path(folder) / path.name
            made = _make(fresh, found, standing, pasts, at_ms, journal_account(settings))
            if dry_run:
                return made
            return _with_aside(made, put_in_place(fresh, path, at_ms))
    finally:
        lock.release()


def _locked(path: Path) -> FileLock:
    try:
        return FileLock(path.with_name(path.name + ".lock"))
    except LockHeld as held:
        raise JournalInUse(path, held.pid) from None


def _look(path: Path) -> tuple[Found, Standing | None]:
    if not path.is_file() or path.stat().st_size == 0:
        return Found.MISSING, None
    try:
        standing = standing_part(path)
    except JournalError as error:
        return Found.UNREADABLE, Standing.nothing(str(error))
    if wrong := _makes_no_book(standing):
        return Found.UNREADABLE, replace(standing, wrong=wrong)
    if standing.wrong:
        return Found.DAMAGED, standing
    return (Found.SOUND if standing.last_seq else Found.EMPTY), standing


def _makes_no_book(standing: Standing) -> str:
    """Return why the part that stands cannot be used, empty where it can."""
    is_pruned = int(standing.facts.get("base_seq", 0)) > 0
    newest = max(standing.snapshots, key=lambda kept: int(str(kept["seq"])), default=None)
    if newest is None and is_pruned:
        return "no sound snapshot stands for the records that were pruned"
    try:
        book = from_snapshot(orjson.loads(str(newest["body"]))) if newest is not None else Book()
        after = int(str(newest["seq"])) if newest is not None else 0
        rows = (row.record() for row in standing.rows if row.seq > after)
        book.replay(from_body(record.kind, record.body) for record in rows)
    except (GridmeshError, KeyError, ValueError) as error:
        return f"its records make no book: {error!r}"
    return ""


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
        side=symbol.side,
        spacing=symbol.spacing,
        interval=level_interval(symbol, instrument),
        ratio=level_ratio(symbol),
        anchor=level_zero(symbol, instrument),
    )


def _make(
    fresh: Path, found: Found, standing: Standing | None, pasts: Sequence[Past], at_ms: int, account: str
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
    journal = Journal.open(fresh, account=account)
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


def _with_aside(made: Recovered, aside: Path | None) -> Recovered:
    return replace(made, aside=aside)
