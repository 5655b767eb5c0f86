"""Buys what a new grid begins with: one bounded order for each level over the price, each level once (rule 23)."""

from __future__ import annotations

from dataclasses import replace

from exchanges.desk.core import Core
from exchanges.desk.events import ClosingMode, Instant
from exchanges.desk.placing import Placing
from grid.intent import PlaceIntent
from grid.kind_records import OpeningSet
from grid.opening import OpeningRule, levels_to_open, order_of
from grid.order import Purpose, TimeInForce
from grid.slot import Phase, SlotKey
from grid.symbol_book import SymbolBook
from risk.lease import LeaseState

AT_ONCE = 5
"""So many of them are under way together: what the first ones paid is known before the last ones go."""
AGAIN_FIRST_MS = 1_000
AGAIN_LAST_MS = 30_000


class Opening:
    """Works on the symbols whose journal says that something is left to buy; it says so once, at their creation."""

    def __init__(self, core: Core, placing: Placing) -> None:
        self._core = core
        self._placing = placing
        self._tries: dict[SlotKey, tuple[int, int]] = {}
        """By slot: how often it was tried, and when the next try may be (monotonic ms)."""

    def step(self, now: Instant) -> None:
        """Time passed: plan, place, or let go what the price has come to."""
        core = self._core
        for symbol, known in core.symbols.items():
            book = core.book.symbols.get(symbol)
            if book is None or book.opening is None or book.opening.is_over or not core.may_act:
                continue
            if known.opening is None or book.opening.generation != book.ladder.generation:
                self._end(book, book.opening, "it is configured no more, or other levels are", now)
            elif symbol in core.selling or core.ending(symbol) is ClosingMode.FLATTEN:
                self._end(book, book.opening, "the lots are being sold", now)
            elif self._may_open(symbol, now):
                self._work(book, book.opening, known.opening, now)

    def _may_open(self, symbol: str, now: Instant) -> bool:
        core = self._core
        is_held = bool(core.standing(symbol).holds) or core.ending(symbol) is not None
        has_go = core.lease.state(now.mono_ms) is LeaseState.VALID
        return not is_held and has_go and core.reference(symbol, now) is not None and core.mark(symbol, now) is not None

    def _work(self, book: SymbolBook, opening: OpeningSet, rule: OpeningRule, now: Instant) -> None:
        core, known = self._core, self._core.symbols[book.symbol]
        reference, mark = core.reference(book.symbol, now), core.mark(book.symbol, now)
        assert reference is not None
        assert mark is not None
        bound = rule.limit(mark, known.instrument, book.sign)
        if not opening.is_planned:
            held = sum(1 for _ in book.lots())
            levels = levels_to_open(rule, book.ladder, known.policy, known.instrument, reference, held)
            worst = bound if not levels else book.sign * min(book.sign * bound, book.ladder.at(levels[0] + 1) - 1)
            opening = replace(opening, is_planned=True, levels=levels, limit=worst, at_ms=now.wall_ms)
            core.record(opening)
            core.notice("opening", f"{book.symbol}: opens {len(levels)} lots up to {known.instrument.price(worst)}")
        if passed := [level for level in opening.levels if book.ladder.at(level) <= reference]:
            # The price has come over them: they are bought as any level is.
            opening = replace(opening.without(*passed), at_ms=now.wall_ms, reason="the price has passed them")
            core.record(opening)
        limit = book.sign * min(book.sign * opening.limit, book.sign * bound, *self._under_exits(book))
        under_way = sum(1 for order in core.book.live_orders(book.symbol) if order.purpose is Purpose.OPEN)
        for level in opening.levels:
            if under_way >= AT_ONCE:
                return
            under_way += self._place(book, level, limit, reference, now)

    def _under_exits(self, book: SymbolBook) -> list[int]:
        """Return one tick under each exit of ours, oriented: what takes must not take from ourselves."""
        live = self._core.book.live_orders(book.symbol)
        return [book.sign * order.price - 1 for order in live if order.purpose.closing]

    def _place(self, book: SymbolBook, level: int, limit: int, reference: int, now: Instant) -> bool:
        """Try one level; return whether it was tried."""
        core, known, ladder = self._core, self._core.symbols[book.symbol], book.ladder
        key = SlotKey(symbol=book.symbol, generation=ladder.generation, level=level)
        slot, (tries, next_ms) = core.slot(key), self._tries.get(key, (0, 0))
        if slot.phase is not Phase.FREE or slot.lot is not None or now.mono_ms < next_ms:
            return False
        order = order_of(level, ladder, known.policy, known.instrument, limit)
        if order is None or book.sign * order[0] <= reference:
            return False  # nothing is offered there: it would make others leave their places for nothing
        self._placing.on_intent(
            PlaceIntent(
                key=key,
                basis_version=slot.version,
                purpose=Purpose.OPEN,
                price=order[0],
                quantity=order[1],
                target=ladder.price(level + 1),
                time_in_force=TimeInForce.IOC,
                reference=reference,
                halt_epoch=core.book.halt_epoch,
            ),
            now,
        )
        if core.slot(key).phase is Phase.FREE:
            # Refused, perhaps while somebody farther from the price makes room: that room is kept for a few seconds.
            self._tries[key] = (tries, now.mono_ms + AGAIN_FIRST_MS)
            return False
        self._tries[key] = (tries + 1, now.mono_ms + min(AGAIN_FIRST_MS << min(tries, 10), AGAIN_LAST_MS))
        return True

    def _end(self, book: SymbolBook, opening: OpeningSet, reason: str, now: Instant) -> None:
        ended = replace(opening, is_planned=True, levels=(), at_ms=now.wall_ms, reason=reason)
        self._core.record(ended)
        self._core.notice(
            "opening_ended", f"{book.symbol}: the position that it begins with is left as it is: {reason}"
        )
