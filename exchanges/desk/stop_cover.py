"""What the exchange-side stop of a symbol should be just now: a function of book, price and rule."""

from __future__ import annotations

from exchanges.desk.core import Core
from exchanges.desk.events import Instant
from grid.stop import StopEntry
from grid.symbol_book import SymbolBook
from risk.stop_rule import StopRule, ladder_end


class StopCover:
    """Says whether the lots are to be covered, and where; it remembers nothing."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def rule(self, symbol: str) -> StopRule | None:
        """Return the symbol's rule, None where it has none."""
        known = self._core.symbols.get(symbol)
        return known.stop if known is not None else None

    @property
    def is_used(self) -> bool:
        """Whether any symbol has a stop, or a rule for one."""
        has_rule = any(symbol.stop is not None for symbol in self._core.symbols.values())
        return has_rule or any(book.stop is not None for book in self._core.book.symbols.values())

    def why_none(self, book: SymbolBook, rule: StopRule | None) -> str:
        """Return why no stop should rest, empty where one should."""
        if rule is None:
            return "none is configured"
        if self._core.stops_end & {"", book.symbol}:
            return "trading ends"
        if not book.lot_steps():
            return "there is no lot to cover"
        if book.foreign and not rule.closes_foreign:
            return (
                "others hold a position on the symbol, which it would close too: exchange_stop.closes_foreign_position"
            )
        return "" if book.sign * book.expected_position() > 0 else "the position is not on the grid's side"

    def trigger(self, book: SymbolBook, rule: StopRule, now: Instant) -> int:
        """Return where it should lie, in plain ticks."""
        return rule.trigger(self._end(book, now), self._core.symbols[book.symbol].instrument, book.sign)

    def is_to_move(self, book: SymbolBook, rule: StopRule, stop: StopEntry, now: Instant) -> bool:
        """Whether one that rests lies too far from there."""
        return rule.is_to_move(stop.trigger, self.trigger(book, rule, now), self._end(book, now), book.sign)

    def _end(self, book: SymbolBook, now: Instant) -> int:
        held = [book.ladders[key.generation].at(key.level) for key, _ in book.lots()]
        policy = self._core.symbols[book.symbol].policy
        return ladder_end(book.ladder, held, self._core.reference(book.symbol, now), policy)
