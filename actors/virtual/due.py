"""Which ladders a virtual gateway serves, and what its book begins with."""

from __future__ import annotations

from dataclasses import replace

from actors.virtual.settings import GridPlan
from exchanges.desk.settings import DeskSymbol
from exchanges.sim.venue_events import PublishedBook
from grid.book import Book
from grid.instrument import Instrument
from grid.kind_records import OpeningSet
from grid.neutral import Ladders, due_ladders, start_price
from grid.records import GenerationStarted, Record


def pair_of(plan: GridPlan, book: Book, top: PublishedBook) -> Ladders | None:
    """Return both ladders of a neutral grid, None for any other."""
    if plan.short is None:
        return None
    known = book.symbols.get(plan.symbol)
    return due_ladders(known, plan.generation(0, plan.anchor or start_price(known) or top.bid), top.bid)


def desk_symbol(plan: GridPlan, instrument: Instrument, pair: Ladders | None) -> DeskSymbol:
    """Return the grid as the desk takes it."""
    symbol = DeskSymbol(
        policy=plan.policy,
        instrument=instrument,
        breakers=plan.breakers,
        stop=plan.stop,
        trigger=plan.trigger,
        opening=plan.opening,
    )
    if pair is None or plan.short is None:
        return symbol
    return replace(symbol, sides=((pair.long.generation, plan.policy), (pair.short.generation, plan.short)))


def first_records(plan: GridPlan, book: Book, pair: Ladders | None, top: PublishedBook) -> list[Record]:
    """Return what a new owner writes first of the symbol."""
    if pair is not None:
        return list(pair.both) if pair.is_new else []
    generation = _due_generation(plan, book, top)
    records: list[Record] = [generation] if generation is not None else []
    if generation is not None and plan.opening is not None and plan.symbol not in book.symbols:
        number = generation.generation
        opening = OpeningSet(symbol=plan.symbol, generation=number, is_planned=False, levels=(), limit=0, at_ms=0)
        records.append(opening)
    return records


def _due_generation(plan: GridPlan, book: Book, top: PublishedBook) -> GenerationStarted | None:
    """Return the ladder to begin, None where the journal holds it already: an anchor never moves by itself."""
    known = book.symbols.get(plan.symbol)
    if known is None or not known.generations:
        return plan.generation(0, plan.anchor or (top.bid if plan.side.sign > 0 else top.ask))
    last = known.generation
    anchor = plan.anchor or last.anchor
    if plan.generation(last.generation, anchor) == last:
        return None
    return plan.generation(max(known.generations) + 1, anchor)
