"""Reading the venue and comparing it with the book: after each gap, on start, periodically (rules 18, 21, 22).

Always in one order: open orders, then trades, then positions, each stamped with when it began. A reading never erases
anything: what it contradicts is looked up, read again, and then held.
"""

from __future__ import annotations

from enum import Enum

from exchanges.desk.commands import LookUp, ReadOpenOrders, ReadPositions, ReadTrades
from exchanges.desk.core import Chore, Core
from exchanges.desk.events import Instant, OpenOrdersRead, PositionsRead, TradesRead
from exchanges.desk.reports import TRADES_OVERLAP_MS, Reports
from exchanges.desk.standing import StandingHolds
from exchanges.desk.stops import Stops
from exchanges.port import Position
from grid.client_id import decode
from grid.holds import HoldCause
from grid.order import Fill, Purpose
from grid.records import Counted, ForeignSet, SlotCleared, TradesCompleted
from grid.slot import Phase
from grid.symbol_book import OrderEntry, SymbolBook

READ_AGAIN_MS = 1_000
READ_AGAIN_LAST_MS = 30_000
STEP_TIMEOUT_MS = 15_000
COMPLETED_EVERY_MS = 30_000
CONFIRMATIONS = 2
CONFIRMATIONS_SOON = 5
"""So many of the same, a second apart, are proof also where the last fill is younger than `LAG_MS`."""
LAG_MS = 3_000
"""A venue's reading of positions is older than this by nobody's account."""


class Stage(Enum):
    """Where a resynchronisation stands."""

    IDLE = "idle"
    ORDERS = "orders"
    TRADES = "trades"
    POSITIONS = "positions"


class Readings:
    """Runs one resynchronisation at a time and judges its parts."""

    def __init__(self, core: Core, reports: Reports, standing: StandingHolds, stops: Stops) -> None:
        self._core = core
        self._stops = stops
        self._reports = reports
        self._standing = standing
        self._stage = Stage.IDLE
        self._begun_ms = 0
        self._waiting: set[str] = set()
        self._again = False
        self._mismatches: dict[str, tuple[int, int]] = {}
        self._matches: dict[str, int] = {}
        self._doubtful: set[str] = set()
        self._asked_ms: dict[str, tuple[int, int]] = {}
        """By symbol, of the running resynchronisation: from which venue time on trades are read, and up to which."""
        self._seen_ms: dict[tuple[str, str, str], int] = {}
        self._refused: set[tuple[str, str, str]] = set()
        self._judged: set[str] = set()
        """Symbols that a reading begun since the stream came up agrees with, or contradicts for sure."""
        self._up_ms = self._whole_ms = 0
        """When the stream came up, and when the running resynchronisation began."""
        self._pause_ms = READ_AGAIN_MS
        self._last_seen: tuple[tuple[str, int, int], ...] = ()
        self.finished = 0
        """How many resynchronisations came to their end."""

    def begin(self, now: Instant) -> None:
        """The stream came up: what was compared before counts no more."""
        self._judged.clear()
        self._up_ms = now.mono_ms
        self._stops.reconcile(is_whole=True)
        self.start(now)

    def start(self, now: Instant) -> None:
        """Begin, or begin again after the one that runs."""
        if self._stage is not Stage.IDLE:
            self._again = True
            return
        self._enter(Stage.ORDERS, now)
        self._whole_ms = now.mono_ms
        self._core.command(ReadOpenOrders())
        self._stops.reconcile(is_whole=False)

    def resume(self, now: Instant) -> None:
        """A resynchronisation is due, or one of its steps has not answered in time."""
        self._stage, self._again = Stage.IDLE, False
        self.start(now)

    def on_open_orders(self, read: OpenOrdersRead, now: Instant) -> None:
        """Take the open orders of the account."""
        if read.reports is None:
            self._failed(Stage.ORDERS, now)
            return
        core, seen = self._core, set()
        self._reports.absence.on_open_orders(read)
        core.foreign_orders = {symbol: set() for symbol in core.symbols}
        for report in read.reports:
            seen.add(report.client_id)
            self._reports.take_report(report, now)
        for order in core.book.live_orders():
            if order.client_id not in seen and self._should_be_listed(order, read.begun_ms):
                core.do_at(Chore.LOOK_UP, order.client_id, now.mono_ms, 3)
        if self._stage is Stage.ORDERS and read.begun_ms >= self._begun_ms:
            self._enter(Stage.TRADES, now)
            self._waiting = set(core.symbols)
            for symbol in sorted(core.symbols):
                since_ms = self._since(symbol, now)
                self._asked_ms[symbol] = (since_ms, now.venue_ms)
                core.command(ReadTrades(symbol=symbol, since_ms=since_ms))

    def on_trades(self, read: TradesRead, now: Instant) -> None:
        """Take fills. One of an order whose id we cannot know yet is left for the next reading."""
        if read.order_id:
            self._on_trades_of(read, now)
            return
        if read.fills is None:
            self._failed(Stage.TRADES, now)
            return
        core, is_whole = self._core, True
        self._doubtful.discard(read.symbol)
        unresolved = any(not order.order_id for order in core.book.live_orders(read.symbol))
        for fill in sorted(read.fills, key=lambda f: (f.venue_ms, f.trade_id)):
            if fill.venue_ms < self._oldest_ms(fill.symbol):
                self._refuse_old(fill)
                continue
            known = fill.client_id or core.book.client_id_of(fill.symbol, fill.order_id)
            if not known and not core.book.has_fill(fill.key):
                if unresolved:
                    is_whole = False
                    continue
                if self._may_be_ours(fill, now):
                    self._doubtful.add(read.symbol)
                    continue
            self._reports.take_fill(fill, known, now)
        if self._stage is not Stage.TRADES or read.begun_ms < self._begun_ms:
            return
        self._waiting.discard(read.symbol)
        is_whole = is_whole and read.since_ms <= self._asked_ms[read.symbol][0]
        if is_whole and read.symbol not in self._doubtful:
            self._completed(read.symbol)
        if not self._waiting:
            self._enter(Stage.POSITIONS, now)
            core.command(ReadPositions())

    def _on_trades_of(self, read: TradesRead, now: Instant) -> None:
        """Take the trades of one order: the memory of fills may be shorter than its life, so no more than it lacks."""
        core = self._core
        order = core.book.orders.get(core.book.client_id_of(read.symbol, read.order_id))
        if order is None or read.fills is None:
            return
        oldest_ms = self._oldest_ms(read.symbol)
        unknown = [fill for fill in read.fills if not core.book.has_fill(fill.key)]
        for fill in sorted(unknown, key=lambda f: (f.venue_ms, f.trade_id), reverse=True):
            lacking = max(order.final or 0, core.reported.get(order.client_id, 0)) - order.booked
            if fill.venue_ms >= oldest_ms or fill.quantity <= lacking:
                self._reports.take_fill(fill, order.client_id, now)
            else:
                self._refuse_old(fill)
        self._reports.on_trades_of(order, now)

    def _oldest_ms(self, symbol: str) -> int:
        """Return from when on the memory of fills surely tells a known one from a new one."""
        book = self._core.book.symbol(symbol)
        return max(book.trades_ms - TRADES_OVERLAP_MS, book.forgotten_ms + 1 if book.forgotten_ms else 0)

    def _refuse_old(self, fill: Fill) -> None:
        """A trade from before the last completed reading was booked then, and forgotten since."""
        core = self._core
        if core.book.has_fill(fill.key) or fill.key in self._refused:
            return
        self._refused.add(fill.key)
        core.record(Counted(symbol=fill.symbol, what="old_fill"))
        core.notice("old_fill", f"{fill.symbol}: trade {fill.trade_id} is older than what was read whole", "warning")

    def _completed(self, symbol: str) -> None:
        """Journal up to when all trades are booked; a little behind is soon enough."""
        through_ms = self._asked_ms[symbol][1]
        if through_ms - self._core.book.symbol(symbol).trades_ms >= COMPLETED_EVERY_MS:
            self._core.record(TradesCompleted(symbol=symbol, venue_ms=through_ms))

    def _may_be_ours(self, fill: Fill, now: Instant) -> bool:
        """Whether the fill of an unknown order may be that of one which we took to be absent: they are looked up."""
        core = self._core
        seen_ms = self._seen_ms.setdefault(fill.key, now.mono_ms)
        suspects = [
            order
            for order in core.book.orders.values()
            if order.is_over
            and not order.order_id
            and self._could_trade_at(order, fill)
            and core.disproved_ms.get(order.client_id, -1) < seen_ms
        ]
        for order in suspects:
            core.command(LookUp(symbol=order.symbol, client_id=order.client_id))
        is_doubtful = self._stops.may_have_sold(fill, seen_ms) or bool(suspects)
        if not is_doubtful:
            del self._seen_ms[fill.key]
        return is_doubtful

    def _could_trade_at(self, order: OrderEntry, fill: Fill) -> bool:
        """Whether the fill fits the order by its price: what rests trades at its own, what takes also at a better."""
        if (order.symbol, order.side) != (fill.symbol, fill.side):
            return False
        if order.price == fill.price:
            return True
        may_take = order.purpose in (Purpose.OPEN, Purpose.FLATTEN)
        if order.purpose is Purpose.EXIT:
            may_take = self._core.symbols[order.symbol].policy.exit_taker
        return may_take and not fill.is_maker and order.side.sign * (order.price - fill.price) > 0

    def on_positions(self, read: PositionsRead, now: Instant) -> None:
        """Compare the positions with lots and foreign, and end the resynchronisation."""
        if read.positions is None:
            self._failed(Stage.POSITIONS, now)
            return
        by_symbol = {position.symbol: position for position in read.positions}
        for symbol in sorted(self._core.symbols):
            self._judge(symbol, by_symbol.get(symbol), read.begun_ms, now)
        if self._stage is Stage.POSITIONS and read.begun_ms >= self._begun_ms:
            self._finish(now)

    def _finish(self, now: Instant) -> None:
        self._stage = Stage.IDLE
        self._core.drop(Chore.RESYNC, "")
        self.finished += 1
        self._core.compared_ms = now.mono_ms
        if self._again:
            self._again = False
            # Where reading takes longer than the period between two, there is never one that none waits behind.
            if self._whole_ms >= self._up_ms:
                self.try_ready(now)
            self.start(now)
            return
        pause_ms = self._pause()
        if pause_ms is not None:
            self._core.do_at(Chore.RESYNC, "", now.mono_ms + pause_ms)
        self.try_ready(now)

    def _pause(self) -> int | None:
        """Return when to read again: soon while anything is open, ever later while a held contradiction stays."""
        seen = tuple(
            (symbol, quantity, self._core.book.symbol(symbol).expected_position())
            for symbol, (quantity, _) in sorted(self._mismatches.items())
        )
        is_same, self._last_seen = seen == self._last_seen, seen
        if self._is_open():
            self._pause_ms = READ_AGAIN_MS
            return READ_AGAIN_MS
        if not seen:
            return None
        self._pause_ms = min(2 * self._pause_ms, READ_AGAIN_LAST_MS) if is_same else READ_AGAIN_MS
        return self._pause_ms

    def _is_open(self) -> bool:
        """Whether the next reading may settle something, other than a contradiction that is confirmed and held."""
        holds = self._core.book.holds
        held = {name for name in self._core.symbols if holds.find(HoldCause.RECONCILE, name) is not None}
        return bool(
            self._doubtful
            or self._judged != set(self._core.symbols)
            or any(self._has_blocked(name) for name in self._core.symbols if name not in held & set(self._mismatches))
            or held ^ set(self._mismatches)
        )

    def try_ready(self, now: Instant) -> None:
        """Lift `order_stream` once the stream is up, a resynchronisation is through and no outcome is unknown."""
        core = self._core
        if not core.is_stream_up or self._stage is not Stage.IDLE or not self.finished:
            return
        if any(not order.order_id for order in core.book.live_orders() if order.client_id in core.inherited):
            return
        if self._doubtful or self._judged != set(core.symbols):
            return  # unjudged is not agreement, and one contradiction is cleared up by the next reading, or held
        core.is_ready = True
        self._standing.lift(HoldCause.ORDER_STREAM, "", "the order stream is confirmed and the book agrees")

    def _enter(self, stage: Stage, now: Instant) -> None:
        self._stage, self._begun_ms = stage, now.mono_ms
        self._core.do_at(Chore.RESYNC, "", now.mono_ms + STEP_TIMEOUT_MS)

    def _failed(self, stage: Stage, now: Instant) -> None:
        if self._stage is stage:
            self._core.do_at(Chore.RESYNC, "", now.mono_ms + READ_AGAIN_MS)

    def _since(self, symbol: str, now: Instant) -> int:
        book = self._core.book.symbol(symbol)
        if book.trades_ms:
            return self._oldest_ms(symbol)
        oldest = min((order.at_ms for order in self._core.book.live_orders(symbol)), default=now.wall_ms)
        oldest += now.venue_ahead_ms
        last = book.last_fill_ms or oldest
        return min(oldest, last) - TRADES_OVERLAP_MS

    def _should_be_listed(self, order: OrderEntry, begun_ms: int) -> bool:
        """One that waits for its turn is excluded, and a just-sent one: it may be in flight, or not visible yet."""
        sent_ms = self._core.sent_ms.get(order.client_id)
        if sent_ms is None:
            return bool(order.order_id)
        return sent_ms + self._core.settings.echo_ms < begun_ms

    def _judge(self, symbol: str, position: Position | None, begun_ms: int, now: Instant) -> None:
        core, book = self._core, self._core.book.symbol(symbol)
        if begun_ms <= core.last_event_ms.get(symbol, -1) or symbol in self._doubtful or self._is_unsettled(book):
            return
        quantity = position.quantity if position is not None else 0
        if quantity == book.expected_position():
            core.agreed_ms[symbol] = begun_ms
            self._agrees(book)
            self._note_judged(symbol, begun_ms)
            return
        self._matches[symbol] = 0
        self._judged.discard(symbol)
        last, count = self._mismatches.get(symbol, (quantity, 0))
        count = count + 1 if last == quantity else 1
        self._mismatches[symbol] = (quantity, count)
        # A reading may show what was a while ago: two right after a fill can both be of before it.
        is_settled = begun_ms > core.last_event_ms.get(symbol, -LAG_MS) + LAG_MS
        if count >= (CONFIRMATIONS if is_settled else CONFIRMATIONS_SOON):
            self._confirmed(book, quantity, now)
            self._note_judged(symbol, begun_ms)

    def _note_judged(self, symbol: str, begun_ms: int) -> None:
        if begun_ms >= self._up_ms:
            self._judged.add(symbol)

    def _agrees(self, book: SymbolBook) -> None:
        core, symbol = self._core, book.symbol
        self._mismatches.pop(symbol, None)
        self._matches[symbol] = self._matches.get(symbol, 0) + 1
        if self._matches[symbol] >= CONFIRMATIONS or core.book.holds.find(HoldCause.RECONCILE, symbol) is None:
            self._standing.lift(HoldCause.RECONCILE, symbol, "two readings agree with the book")
        for key, slot in list(book.slots.items()):
            if slot.phase is Phase.BLOCKED:
                core.record(SlotCleared(key=key))

    def _confirmed(self, book: SymbolBook, quantity: int, now: Instant) -> None:
        """The same contradiction twice, with every trade read in between."""
        lots = book.held_sign * book.lot_steps()
        text = (
            f"{book.symbol}: the venue says {quantity} steps, the book {book.expected_position()} "
            f"(lots {lots}, foreign {book.foreign})"
        )
        if book.held_sign * (quantity - lots) >= 0:
            # All our lots can be there: what is beyond them is somebody else's, named and never touched.
            self._core.record(ForeignSet(symbol=book.symbol, quantity=quantity - lots, reason=text))
            self._core.notice("foreign_position", text, "warning")
            self._mismatches.pop(book.symbol, None)
            return
        self._standing.put(HoldCause.RECONCILE, book.symbol, text, now)

    def _has_blocked(self, symbol: str) -> bool:
        """Whether a slot waits for a reading: one that blocked while this one ran needs another."""
        return any(slot.phase is Phase.BLOCKED for slot in self._core.book.symbol(symbol).slots.values())

    def _is_unsettled(self, book: SymbolBook) -> bool:
        phases = (Phase.PENDING, Phase.UNKNOWN, Phase.SETTLING)
        return any(slot.phase in phases for slot in book.slots.values())


def is_own(client_id: str, symbol: str, journal: str) -> bool:
    """Whether an order at the venue is one of this journal's."""
    identity = decode(client_id, symbol)
    return identity is not None and identity.journal == journal
