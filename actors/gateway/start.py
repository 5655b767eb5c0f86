"""The gateway's start up to its book: metadata, first price, checks (design, start order). Nothing is assumed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from actors.check.start_plan import SymbolReading, account_plan, grid_policy, symbol_plan, with_opening
from actors.clock import Clock
from actors.gateway.adoption import adopted, why_not
from actors.gateway.contracts import watched_findings
from actors.gateway.grids import Grid, grid_of, instruments_of
from actors.gateway.pace import Pace
from actors.settings.account import Settings
from exchanges.errors import VenueRefused
from exchanges.port import Account, FeeRates, MaintenanceTier, MarketVenue, Position, TradingVenue, VenueRules
from grid.book import Book
from grid.client_id import decode
from grid.instrument import Instrument
from grid.kind_records import OpeningSet
from grid.order import OrderReport, Quote
from grid.records import ForeignSet, Record, TradesCompleted
from grid.stop import StopReport
from risk.plan import Finding, Severity, SymbolPlan
from risk.prestart import check_start

T = TypeVar("T")
AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the venue said just now about the account and each configured symbol."""

    rules: VenueRules
    account: Account
    instruments: Mapping[str, Instrument]
    quotes: Mapping[str, Quote]
    fees: Mapping[str, FeeRates]
    tiers: Mapping[str, list[MaintenanceTier]]
    positions: Mapping[str, Position]
    orders: Sequence[OrderReport] = ()
    """Every open order of the account."""
    stops: Sequence[StopReport] = ()
    """Every conditional order of the account that waits."""


async def read_facts(
    settings: Settings, venue: TradingVenue, market: MarketVenue, clock: Clock, spared: Container[str] = ()
) -> Facts:
    """Connect, and read everything that the checks need; of a spared symbol only while the venue trades it.

    It goes at the venue's own pace: many symbols are more than it answers at once. Raises `VenueError` where one
    reading fails: an unknown refuses to trade.
    """
    await venue.connect()
    await name_symbols(venue, [symbol.symbol for symbol in settings.symbols])
    rules = await venue.rules()
    pace, costs = Pace(rules.rate_windows, clock), venue.costs
    venue.toll = pace.pay
    instruments = instruments_of(settings, rules.instruments, spared)
    await pace.pay(costs.positions)
    positions = {position.symbol: position for position in await venue.positions()}

    async def terms(symbol: str) -> tuple[Quote, FeeRates, list[MaintenanceTier]]:
        await pace.pay(costs.quote.plus(costs.terms))
        return await market.quote(symbol), await venue.fee_rates(symbol), await venue.maintenance_tiers(symbol)

    read = await _of_each(instruments, terms)
    await pace.pay(costs.account.plus(costs.open_orders).plus(costs.open_orders))
    return Facts(
        rules=rules,
        account=await venue.account(),
        instruments=instruments,
        quotes={symbol: quote for symbol, (quote, _, _) in read.items()},
        fees={symbol: fees for symbol, (_, fees, _) in read.items()},
        tiers={symbol: tiers for symbol, (_, _, tiers) in read.items()},
        positions=positions,
        orders=await venue.open_orders(),
        stops=await venue.open_stops(),
    )


async def _of_each(symbols: Iterable[str], read: Callable[[str], Awaitable[T]]) -> dict[str, T]:
    """Read something of each symbol, a few at a time: one after another, a hundred would take most of a start."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(symbol: str) -> T:
        async with gate:
            return await read(symbol)

    tasks = {symbol: asyncio.ensure_future(one(symbol)) for symbol in symbols}
    try:
        return {symbol: await task for symbol, task in tasks.items()}
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)  # what else failed meanwhile is no news


async def name_symbols(venue: TradingVenue, symbols: Sequence[str]) -> None:
    """Ask for each symbol by its name: an account on paper knows of those only that it was asked for.

    One that the venue does not have is judged by its rules, which say what there is instead.
    """
    for symbol in symbols:
        with suppress(VenueRefused):
            await venue.instrument(symbol)


async def set_margin(settings: Settings, venue: TradingVenue) -> None:
    """Set leverage and margin type where the configuration names them: naming them is the consent."""
    for symbol in settings.symbols:
        if symbol.margin_type is not None:
            wire = "CROSSED" if symbol.margin_type.value == "cross" else "ISOLATED"
            await venue.set_margin_type(symbol.symbol, wire)
        if symbol.leverage is not None:
            await venue.set_leverage(symbol.symbol, symbol.leverage)


def grids(settings: Settings, facts: Facts, book: Book) -> list[Grid]:
    """Return the grids in their due generations. Raises `ConfigError` for what the venue's rules do not allow."""
    found = []
    for symbol in settings.symbols:
        name = symbol.symbol
        if name not in facts.instruments:
            continue  # retired, and the venue trades it no more
        policy = grid_policy(settings, symbol, facts.fees[name])
        found.append(grid_of(symbol, facts.instruments[name], policy, facts.quotes[name], book))
    return found


def has_stake(book: Book) -> bool:
    """Whether lots or live orders of ours exist: then a gateway serves, whatever the checks say."""
    return bool(book.live_orders()) or any(True for symbol in book.symbols.values() for _ in symbol.lots())


def findings(settings: Settings, facts: Facts, due: list[Grid], book: Book, journal_id: str = "") -> list[Finding]:
    """Return the pre-start checks' findings, refusals first."""
    unknown = [finding for grid in due if (finding := _unknown_position(grid, facts, book)) is not None]
    plans = [_plan(settings, grid, facts) for grid in due]
    unknown += watched_findings(settings, facts.rules.instruments)
    unknown += _orders_of_other_journals(facts, journal_id)
    return [*unknown, *check_start(account_plan(settings, facts.account), plans)]


def first_records(due: list[Grid], facts: Facts, book: Book) -> list[Record]:
    """Return what a new owner writes first: new generations, and whose the positions are that stand already."""
    records: list[Record] = [record for grid in due for record in grid.due]
    records += [_opening(grid) for grid in due if grid.is_first and grid.settings.opening is not None]
    for grid in due:
        position = facts.positions.get(grid.settings.symbol)
        if position is None or grid.settings.symbol in book.symbols:
            continue
        if position.venue_ms > 0:
            # What was traded up to then is in the position: read once more, it would be booked beside it.
            symbol, venue_ms = grid.settings.symbol, position.venue_ms
            records.append(TradesCompleted(symbol=symbol, venue_ms=venue_ms, is_exact=True))
        if grid.settings.existing_position == "adopt":
            records += adopted(grid, position)
        elif position.quantity:
            reason = "it stood before the first start and existing_position is ignore"
            records.append(ForeignSet(symbol=grid.settings.symbol, quantity=position.quantity, reason=reason))
    return records


def _opening(grid: Grid) -> OpeningSet:
    """Return the word, said once, that a position is to be opened; at which price is seen once it may be."""
    return OpeningSet(
        symbol=grid.settings.symbol,
        generation=grid.generation.generation,
        is_planned=False,
        levels=(),
        limit=0,
        at_ms=0,
    )


def _plan(settings: Settings, grid: Grid, facts: Facts) -> SymbolPlan:
    """Return what is checked: the levels of the journal's generation, which a first start would not have."""
    name = grid.settings.symbol
    reading = SymbolReading(
        instrument=grid.instrument,
        quote=facts.quotes[name],
        fees=facts.fees[name],
        tiers=facts.tiers[name],
        position=facts.positions.get(name),
    )
    plan = symbol_plan(settings, grid.settings, reading, grid.ladder, grid.other_ladder)
    return with_opening(plan, grid.settings) if grid.is_first else plan


def _orders_of_other_journals(facts: Facts, journal_id: str) -> list[Finding]:
    """Refuse beside living orders of this program that another journal knows: it runs elsewhere, or was lost."""
    found: dict[str, list[OrderReport | StopReport]] = {}
    resting: list[OrderReport | StopReport] = [*facts.orders, *facts.stops]
    for order in resting:
        identity = decode(order.client_id, order.symbol)
        if identity is not None and identity.journal != journal_id:
            found.setdefault(identity.journal, []).append(order)
    rule = (
        "orders of this program rest that this journal does not know: stop the deployment that owns them; where its "
        "journal was lost, gridmesh recover CONFIG makes it anew, and gridmesh panic CONFIG cancels them"
    )
    return [
        Finding(
            key=f"journal {other}",
            value=f"{len(orders)} on {', '.join(sorted({order.symbol for order in orders}))}",
            rule=rule,
            severity=Severity.REFUSE,
        )
        for other, orders in sorted(found.items())
    ]


def _unknown_position(grid: Grid, facts: Facts, book: Book) -> Finding | None:
    name = grid.settings.symbol
    position = facts.positions.get(name)
    if name in book.symbols:
        return None
    if grid.settings.existing_position == "adopt":
        why = why_not(grid, position)
        key = f"symbols[{name}].adopted_lots"
        return Finding(key=key, value="", rule=why, severity=Severity.REFUSE) if why else None
    if position is None or not position.quantity:
        return None
    if grid.settings.existing_position == "ignore":
        return None
    rule = (
        "the venue holds a position of which the journal knows nothing: where the journal was lost, gridmesh recover "
        "CONFIG makes it anew; else close it at the venue, say existing_position: ignore to leave it alone as "
        "somebody else's, or existing_position: adopt with its lots"
    )
    held = str(grid.instrument.quantity(position.quantity))
    return Finding(key=f"symbols[{name}].position", value=held, rule=rule, severity=Severity.REFUSE)
