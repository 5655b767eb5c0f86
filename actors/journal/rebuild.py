"""From what the venue still tells of the past to the records that a lost part of a journal held.

Pure. Our client ids say generation, level and purpose of each order, so trades make lots again, each in its slot and at
its true cost. What ids and trades do not say is said in `Rebuilt.unknown`, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from grid.book import Book
from grid.client_id import ClientId, decode
from grid.errors import GridmeshError
from grid.instrument import Instrument
from grid.kind_records import TriggerSet
from grid.ladder import GridSide, Spacing
from grid.order import Fill, OrderReport, Purpose, Side
from grid.records import (
    FillBooked,
    ForeignSet,
    GenerationStarted,
    OrderEnded,
    OrderIntended,
    OrderMarked,
    Record,
)
from grid.slot import Signal, SlotKey
from grid.symbol_book import SymbolBook


class NotRebuildable(GridmeshError):
    """The venue does not tell enough; the message says what is missing and what can be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spacings:
    """What the configuration says of a symbol's levels. `anchor` in ticks, None where the first price was taken."""

    side: GridSide | None
    """None: a neutral grid, each of whose generations has the side of its entries."""
    spacing: Spacing
    interval: int
    ratio: Decimal
    anchor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What the venue tells of a symbol: orders and fills since a moment, and the position now, in signed steps."""

    instrument: Instrument
    spacings: Spacings
    orders: Sequence[OrderReport]
    fills: Sequence[Fill]
    position: int
    trigger: Decimal | None = None
    """The mark price at which its grid begins, as it is configured."""


@dataclass(slots=True)
class Rebuilt:
    """Records to add to the journal, already applied to its book, and what cannot be known."""

    records: list[Record] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    fills: int = 0


def journals_of(orders: Iterable[OrderReport]) -> dict[str, int]:
    """Return the ids of the journals that wrote these orders, each with its highest owner epoch."""
    found: dict[str, int] = {}
    for order in orders:
        if (identity := decode(order.client_id, order.symbol)) is not None:
            found[identity.journal] = max(found.get(identity.journal, 0), identity.owner_epoch)
    return found


def rebuild(book: Book, journal_id: str, pasts: Iterable[Past]) -> Rebuilt:
    """Bring the book, empty or cut short, up to what the venue tells.

    Raises `NotRebuildable` where the levels cannot be known, or the result would not fit the position.
    """
    made = Rebuilt()
    for past in pasts:
        _Rebuilding(book, journal_id, past, made).run()
    return made


class _Rebuilding:
    """One symbol's part."""

    def __init__(self, book: Book, journal_id: str, past: Past, made: Rebuilt) -> None:
        self._book = book
        self._past = past
        self._made = made
        self._name = past.instrument.symbol
        self._own: dict[str, tuple[OrderReport, ClientId]] = {
            order.order_id: (order, identity)
            for order in past.orders
            if (identity := decode(order.client_id, order.symbol)) is not None and identity.journal == journal_id
        }

    def run(self) -> None:
        """Make the generations, what was foreign before, then every fill in order, each order's end behind its last."""
        for generation in self._generations():
            self._add(generation)
        if not self._symbol.generations:
            if self._past.position:
                self._say(f"a position of {self._past.position} steps is not ours by any order that the venue tells")
            return
        fills = [fill for fill in self._in_order() if not self._book.has_fill(fill.key)]
        self._set_foreign(fills)
        last = {fill.order_id: fill.key for fill in fills}
        for fill in fills:
            self._add_fill(fill)
            if last[fill.order_id] == fill.key:
                self._add_end(fill.order_id)
        for order_id in self._own:
            if order_id not in last:
                self._add_end(order_id)
        self._begin_no_more()

    def _begin_no_more(self) -> None:
        """What has bought something has begun: it waits for no price, and opens nothing a second time."""
        symbol, price = self._symbol, self._past.trigger
        if not symbol.ledger.entry_fills:
            return
        if price is not None and (symbol.trigger is None or symbol.trigger.price != price):
            self._add(TriggerSet(symbol=self._name, price=price, rises=False, is_fired=True, at_ms=0))
            self._say(f"trigger_price {price} is taken to have been reached, since something was bought")
        if symbol.opening is not None and not symbol.opening.is_planned:
            reason = "recovered: what was opened cannot be told from what was not"
            self._add(replace(symbol.opening, is_planned=True, reason=reason))
            self._say("nothing more is bought of the position that the grid begins with")
        self._check()

    @property
    def _symbol(self) -> SymbolBook:
        return self._book.symbol(self._name)

    def _in_order(self) -> list[Fill]:
        return sorted(self._past.fills, key=lambda fill: (fill.venue_ms, _number(fill.trade_id)))

    def _generations(self) -> Iterator[GenerationStarted]:
        """Yield the generations that the book lacks: from the entries' own prices and levels."""
        by_generation: dict[int, dict[int, int]] = {}
        for order, identity in self._own.values():
            levels = by_generation.setdefault(identity.generation, {})
            if identity.purpose is Purpose.ENTRY:
                levels[identity.level] = order.price
        known = self._symbol.generations
        for generation, levels in sorted(by_generation.items()):
            if generation not in known:
                is_last = generation == max(by_generation)
                yield self._generation(generation, levels, is_last=is_last)

    def _generation(self, generation: int, levels: dict[int, int], *, is_last: bool) -> GenerationStarted:
        spacings, instrument = self._past.spacings, self._past.instrument
        side = spacings.side or self._side_of(generation)
        interval = spacings.interval
        if not levels and spacings.anchor is None:
            raise NotRebuildable(
                f"{self._name}: no entry of generation {generation} is told any more, so its levels cannot be known; "
                "name its anchor in the configuration"
            )
        if spacings.spacing is Spacing.GEOMETRIC and spacings.anchor is None:
            raise NotRebuildable(f"{self._name}: the anchor of a geometric ladder cannot be worked out; configure it")
        if not is_last and spacings.spacing is Spacing.ARITHMETIC:
            interval = _interval(levels) or interval
            if len(levels) < 2:
                self._say(f"generation {generation} has one known level: its interval is taken to be today's")
        anchor = spacings.anchor
        if anchor is None or (not is_last and spacings.spacing is Spacing.ARITHMETIC):
            level, price = next(iter(sorted(levels.items())))
            anchor = price - side.sign * level * interval
        made = GenerationStarted(
            symbol=self._name,
            generation=generation,
            side=side,
            spacing=spacings.spacing,
            anchor=anchor,
            interval=interval,
            ratio=spacings.ratio,
            tick=instrument.tick,
            step=instrument.step,
        )
        wrong = [level for level, price in levels.items() if made.ladder().price(level) != price]
        if wrong:
            raise NotRebuildable(
                f"{self._name}: level {wrong[0]} of generation {generation} was at "
                f"{instrument.price(levels[wrong[0]])}, by the configuration it is at "
                f"{instrument.price(made.ladder().price(wrong[0]))}; give side, interval, ratio and anchor of then"
            )
        return made

    def _side_of(self, generation: int) -> GridSide:
        """Return the side of one of a neutral grid's ladders: that on which its entries open."""
        for order, identity in self._own.values():
            if identity.generation == generation and identity.purpose.is_of_slot:
                opens = order.side.other if identity.purpose.closing else order.side
                return GridSide.LONG if opens is Side.BUY else GridSide.SHORT
        raise NotRebuildable(f"{self._name}: no order tells of which side generation {generation} is")

    def _set_foreign(self, fills: Sequence[Fill]) -> None:
        """Name what stood before the first fill that is told: it is taken for somebody else's."""
        moved = sum(fill.side.sign * fill.quantity for fill in fills)
        before = self._past.position - moved - self._symbol.held_sign * self._symbol.lot_steps()
        if before == self._symbol.foreign:
            return
        reason = "recovered: it stood before the first trade that the venue still tells"
        self._say(f"{before} steps stood before the first trade that is told: whose they are cannot be known")
        self._add(ForeignSet(symbol=self._name, quantity=before, reason=reason))

    def _add_fill(self, fill: Fill) -> None:
        owned = self._own.get(fill.order_id)
        client_id = self._book.client_id_of(self._name, fill.order_id)
        if owned is not None:
            client_id = owned[0].client_id
            self._intend(*owned)
        elif not any(order.order_id == fill.order_id for order in self._past.orders) and not client_id:
            self._say(
                f"trade {fill.trade_id} is of order {fill.order_id}, which the venue tells no more: taken for foreign"
            )
        self._add(FillBooked(fill=replace(fill, client_id=client_id), client_id=client_id))
        self._made.fills += 1

    def _intend(self, order: OrderReport, identity: ClientId) -> None:
        """Make an order known that the book lost; it is nobody's live order."""
        if order.client_id in self._book.orders:
            if not self._book.orders[order.client_id].order_id:
                self._mark(order)
            return
        key = SlotKey(symbol=self._name, generation=identity.generation, level=identity.level)
        ladder = self._symbol.ladders[identity.generation]
        has_slot = identity.purpose.is_of_slot
        self._add(
            OrderIntended(
                client_id=order.client_id,
                symbol=self._name,
                key=key if has_slot else None,
                purpose=identity.purpose,
                side=order.side,
                price=order.price,
                quantity=order.quantity,
                target=ladder.price(identity.level + 1),
                at_ms=order.venue_ms,
                attach=False,
            )
        )
        self._mark(order)

    def _mark(self, order: OrderReport) -> None:
        self._add(
            OrderMarked(client_id=order.client_id, symbol=self._name, signal=Signal.ACKED, order_id=order.order_id)
        )

    def _add_end(self, order_id: str) -> None:
        """Tell the end of an order of ours that the book knows and takes for living."""
        owned = self._own.get(order_id)
        entry = self._book.orders.get(owned[0].client_id) if owned is not None else None
        if owned is None or entry is None or entry.is_over or not owned[0].status.is_terminal:
            return
        order = owned[0]
        self._add(
            OrderEnded(
                client_id=order.client_id,
                symbol=self._name,
                order_id=order.order_id,
                status=order.status,
                filled=order.filled,
            )
        )

    def _check(self) -> None:
        expected = self._symbol.expected_position()
        if expected != self._past.position:
            raise NotRebuildable(
                f"{self._name}: the trades make {expected} steps, the venue holds {self._past.position}; "
                "was something filled meanwhile? try again"
            )
        sign = self._symbol.held_sign
        if sign * (self._past.position - sign * self._symbol.lot_steps()) < 0:
            self._say(
                f"somebody else holds {self._symbol.foreign} steps the other way: lots are larger than the position"
            )

    def _add(self, record: Record) -> None:
        self._book.apply(record)
        self._made.records.append(record)

    def _say(self, text: str) -> None:
        self._made.unknown.append(f"{self._name}: {text}")


def _interval(levels: dict[int, int]) -> int:
    """Return the distance of neighbouring levels by two known ones, 0 where fewer are known."""
    known = sorted(levels.items())
    if len(known) < 2:
        return 0
    (low, low_price), (high, high_price) = known[0], known[-1]
    return abs(high_price - low_price) // (high - low)


def _number(trade_id: str) -> int:
    """Return the place of a trade among those of its millisecond; ids that don't count keep the venue's order."""
    return int(trade_id) if trade_id.isdecimal() else 0
