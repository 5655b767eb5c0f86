"""Compares the journal's book with what the venue holds: whether the book can be there. Changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from actors.check.lines import Checked, ok, refuse, warn
from actors.deployment.roster import Roster
from actors.gateway.membership import Membership
from actors.settings.account import Settings
from exchanges.port import Position
from grid.book import Book
from grid.client_id import decode
from grid.errors import ConfigError
from grid.instrument import Instrument
from grid.order import OrderReport
from grid.symbol_book import SymbolBook


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownBook:
    """The book of a journal, read beside it. `journal_id` is empty where there is none yet."""

    book: Book
    journal_id: str = ""
    is_held: bool = False
    """Whether a deployment writes it just now: it is ahead of any reading then, and is not compared."""


def order_lines(known: KnownBook, orders: Sequence[OrderReport]) -> list[Checked]:
    """Tell our own orders from those of other journals of this program, and from everybody else's."""
    others: Counter[str] = Counter()
    own = foreign = 0
    foreign_symbols: set[str] = set()
    for order in orders:
        identity = decode(order.client_id, order.symbol)
        if identity is None:
            foreign += 1
            foreign_symbols.add(order.symbol)
        elif identity.journal == known.journal_id:
            own += 1
        else:
            others[identity.journal] += 1
    lines: list[Checked] = []
    if own and not known.is_held:
        lines.append(warn("open orders", f"{_count(own)} of our own already there; a start adopts or cancels them"))
    lines += [
        warn("open orders", f"{_count(count)} of another journal of this program ({journal})")
        for journal, count in sorted(others.items())
    ]
    if foreign:
        words = f"{foreign} foreign on {', '.join(sorted(foreign_symbols))}: never touched, but counted in the limits"
        lines.append(warn("open orders", words))
    return lines or [ok("open orders", "none" if not orders else f"{_count(own)} of the deployment that runs")]


def roster_lines(known: KnownBook, settings: Settings) -> list[Checked]:
    """Refuse a configuration that forgets what the journal knows of symbols, or brings back one that was removed."""
    if known.is_held:
        return []
    try:
        Membership(settings, Roster.of(settings), run="").take_over(known.book)
    except ConfigError as error:
        return [refuse("symbols", str(error))]
    return []


def position_lines(
    known: KnownBook,
    positions: Sequence[Position],
    orders: Sequence[OrderReport],
    instruments: Mapping[str, Instrument],
) -> Iterator[Checked]:
    """Refuse where the lots of the journal cannot be in the venue's position, whatever its orders did meanwhile."""
    if known.is_held:
        return
    held = {position.symbol: position.quantity for position in positions}
    for symbol, book in known.book.symbols.items():
        instrument = instruments.get(symbol)
        if instrument is not None and (book.lot_steps() or held.get(symbol, 0) or known.book.live_orders(symbol)):
            yield _position(book, known, held.get(symbol, 0), orders, instrument)


def _position(
    book: SymbolBook, known: KnownBook, position: int, orders: Sequence[OrderReport], instrument: Instrument
) -> Checked:
    what = f"{book.symbol} book"
    least, most = _reach(book, known.book, orders)
    lots = sum(1 for _ in book.lots())
    here, there = instrument.quantity(book.expected_position()), instrument.quantity(position)
    words = f"the journal holds {lots} {'lot' if lots == 1 else 'lots'}, a position of {here}; the venue's is {there}"
    if least <= position <= most:
        more = "" if position == book.expected_position() else ", which orders that filled meanwhile can explain"
        return ok(what, words + more)
    sign = book.held_sign
    missing = sign * position < sign * (least if sign > 0 else most)
    if missing:
        return refuse(
            what,
            f"{words}: lots are missing there, and no order of ours can have closed them. See who did; a start would "
            "take the missing lots out of the book at the price of the day, highest target first",
        )
    return warn(what, f"{words}: the rest would be taken for foreign and left alone")


def _reach(book: SymbolBook, whole: Book, orders: Sequence[OrderReport]) -> tuple[int, int]:
    """Return the least and the greatest position that fills not booked yet can have led to."""
    least = most = book.expected_position()
    open_filled = {order.client_id: order.filled for order in orders if order.symbol == book.symbol}
    for order in whole.live_orders(book.symbol):
        # One that still rests tells how much of it is done; one that is gone may have been filled to any part.
        certain = open_filled.get(order.client_id)
        unbooked = max(0, (order.quantity if certain is None else certain) - order.booked)
        change = order.side.sign * unbooked
        least += min(0, change) if certain is None else change
        most += max(0, change) if certain is None else change
    return least, most


def _count(number: int) -> str:
    return f"{number} {'order' if number == 1 else 'orders'}"
