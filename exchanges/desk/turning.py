"""Turns a neutral grid around: one of its two ladders works at a time, and never do orders of both rest.

In one-way mode a long and a short lot of a symbol are one position, and neither exit would be reduce-only any more. So
the grid turns only where nothing is held and nothing rests: entries are held, withdrawn and verified gone as for any
hold, orders, trades and position are read once more, and one record makes the other ladder the present one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from exchanges.desk.commands import Turned
from exchanges.desk.core import Chore, Core
from exchanges.desk.events import Instant
from exchanges.desk.readings import Readings
from exchanges.desk.standing import StandingHolds
from grid.holds import HoldCause
from grid.kind_records import SideTurned
from grid.ladder import GridSide
from grid.neutral import turning_price
from grid.policy import GridPolicy
from grid.slot import Phase
from grid.symbol_book import SymbolBook

LOOK_MS = 200
READ_AGAIN_MS = 5_000
LATE = "lots of the other side have come to light"
"""They have no exit until the grid has turned back, so that no other hold keeps it from that."""
DOUBTS = {HoldCause.ORDER_STREAM, HoldCause.RECONCILE}
"""Holds under which the book is not known to be what the venue holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnWord:
    """Which side of a neutral grid works, at which price (ticks) the other would, and why it does not yet."""

    works: GridSide
    waits: GridSide
    turns_at: int
    why: str


class Turning:
    """Looks after the symbols that have two sides. It remembers only what a restart may forget."""

    def __init__(self, core: Core, standing: StandingHolds, readings: Readings) -> None:
        self._core = core
        self._standing = standing
        self._readings = readings
        self._look_ms = 0
        self._asked_ms: dict[str, int] = {}
        """By symbol: when the last comparison before the turn was asked for (monotonic)."""

    def begin(self) -> None:
        """Work by the policy of the side that the journal says; a turn that was under way goes on, or is given up."""
        for symbol, known in self._core.symbols.items():
            if known.sides:
                self._follow(self._core.book.symbol(symbol), dict(known.sides))
            else:
                self._standing.lift(HoldCause.TURN, symbol, "the grid has one side")

    def step(self, now: Instant) -> None:
        """Time passed: begin to turn, turn, or stay."""
        core = self._core
        if now.mono_ms < self._look_ms or not core.may_act:
            return
        self._look_ms = now.mono_ms + LOOK_MS
        for symbol, known in core.symbols.items():
            if known.sides and core.ending(symbol) is None:
                self._look_after(core.book.symbol(symbol), dict(known.sides), now)

    def word(self, symbol: str) -> TurnWord | None:
        """Return how a neutral grid stands; None for any other."""
        core, book = self._core, self._core.book.symbols.get(symbol)
        known = core.symbols.get(symbol)
        if known is None or not known.sides or book is None:
            return None
        works = book.generation.side
        waits = GridSide.SHORT if works is GridSide.LONG else GridSide.LONG
        holds = core.book.holds.against(symbol)
        turning = next((hold.reason for hold in holds if hold.cause is HoldCause.TURN), "")
        count = sum(1 for _ in book.lots())
        if turning or not count:
            held = ", ".join(hold.cause.value for hold in holds)
            why = turning or (f"held by {held}" if held else "the price has not come there")
        else:
            why = f"{count} {'lot is' if count == 1 else 'lots are'} held"
        return TurnWord(works=works, waits=waits, turns_at=book.sign * self._beyond(book, dict(known.sides)), why=why)

    def _look_after(self, book: SymbolBook, sides: dict[int, GridPolicy], now: Instant) -> None:
        core, symbol = self._core, book.symbol
        other = next(number for number in sides if number != book.generation.generation)
        is_held = core.book.holds.find(HoldCause.TURN, symbol) is not None
        why = self._why_turn(book, sides, now, is_held=is_held)
        others = {hold.cause for hold in core.book.holds.against(symbol)} - {HoldCause.TURN}
        if not why or (others and why != LATE):
            # While something else holds nothing new is bought on either side: which one works can wait.
            if is_held:
                self._standing.lift(HoldCause.TURN, symbol, f"it stays {book.generation.side.value}")
            return
        if others & DOUBTS:
            return
        if not is_held:
            self._asked_ms.pop(symbol, None)
            side = book.generations[other].side.value
            self._standing.put(HoldCause.TURN, symbol, f"turns from {book.generation.side.value} to {side}: {why}", now)
        elif symbol not in self._standing.gone_since_ms and (Chore.VERIFY, symbol) not in core.chores:
            self._standing.withdraw_entries(symbol, now)  # a former life put the hold: its proof ended with it
        elif self._is_still(book) and self._is_compared(symbol, now):
            self._turn(book, sides, other, why, now)

    def _why_turn(self, book: SymbolBook, sides: dict[int, GridPolicy], now: Instant, *, is_held: bool) -> str:
        """Return why it should turn, empty where it should not."""
        if book.held_sign != book.sign:
            return LATE
        if book.lot_steps() or book.stop is not None:
            return ""
        reference = self._core.reference(book.symbol, now)
        if reference is None:
            return ""
        # Begun half a step beyond the start price and given up only at it: a price that trembles turns nothing.
        beyond = self._end(book, sides) if is_held else self._beyond(book, sides)
        return "the price is beyond the start price" if reference >= beyond else ""

    def _end(self, book: SymbolBook, sides: dict[int, GridPolicy]) -> int:
        """Return the last target of the side that works, the start price, oriented."""
        highest = sides[book.generation.generation].highest_level
        assert highest is not None
        return book.ladder.at(highest + 1)

    def _beyond(self, book: SymbolBook, sides: dict[int, GridPolicy]) -> int:
        """Return half a step beyond it."""
        highest = sides[book.generation.generation].highest_level
        assert highest is not None
        return turning_price(book.ladder, highest)

    def _is_still(self, book: SymbolBook) -> bool:
        """Whether nothing of the symbol is live, possibly live or unsettled, and entries are verified gone."""
        core, symbol = self._core, book.symbol
        if symbol not in self._standing.gone_since_ms or core.book.live_orders(symbol) or book.stop is not None:
            return False
        if any(slot.phase is not Phase.FREE for slot in book.slots.values()):
            return False
        return not any(order.missing for order in core.book.orders.values() if order.symbol == symbol)

    def _is_compared(self, symbol: str, now: Instant) -> bool:
        """Whether trades and position, read since nothing rests any more, agree with the book; else have them read."""
        core = self._core
        asked_ms, since_ms = self._asked_ms.get(symbol), core.last_event_ms.get(symbol, -1)
        if asked_ms is not None and core.agreed_ms.get(symbol, -1) > max(asked_ms, since_ms):
            return True
        if asked_ms is None or now.mono_ms - asked_ms >= READ_AGAIN_MS or since_ms >= asked_ms:
            self._asked_ms[symbol] = now.mono_ms
            self._readings.start(now)
        return False

    def _turn(self, book: SymbolBook, sides: dict[int, GridPolicy], other: int, why: str, now: Instant) -> None:
        core, symbol = self._core, book.symbol
        self._asked_ms.pop(symbol, None)
        core.record(SideTurned(symbol=symbol, generation=other, at_ms=now.wall_ms, reason=why))
        core.references.pop(symbol, None)  # told in the ticks of the side that was left
        self._follow(book, sides)
        core.command(Turned(symbol=symbol))
        core.notice("turned", f"{symbol}: the grid is {book.generation.side.value} now: {why}")
        for key, slot in book.slots.items():
            if slot.lot is not None:
                core.repeat(key)
        self._standing.lift(HoldCause.TURN, symbol, f"it is {book.generation.side.value} now")

    def _follow(self, book: SymbolBook, sides: dict[int, GridPolicy]) -> None:
        policy = sides.get(book.generation.generation)
        known = self._core.symbols[book.symbol]
        if policy is not None and policy != known.policy:
            self._core.symbols = {**self._core.symbols, book.symbol: replace(known, policy=policy)}
