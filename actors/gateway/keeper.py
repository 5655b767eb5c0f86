"""The desk with its journal: commits each event's records before anything of it is carried out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from actors.clock import Clock
from actors.gateway.stop_points import Reached, StopPoint, pass_by
from actors.gateway.timings import Timings
from actors.journal.errors import JournalTaken
from actors.journal.writer import Journal
from exchanges.desk.commands import (
    Command,
    Effects,
    Notice,
)
from exchanges.desk.events import Event, Instant
from exchanges.desk.settings import DeskSettings, DeskSymbol
from exchanges.errands import Work
from exchanges.lane import Lane
from exchanges.order_desk import OrderDesk
from grid.book import Book
from grid.records import FillBooked, OrderEnded, OrderIntended, OrderMarked, Record, to_body
from grid.slot import Signal
from grid.snapshot import from_snapshot, to_snapshot
from risk.veto import Approved, ApprovedStop

SNAPSHOT_EVERY = 20_000
"""Records after which the book is kept whole and the older records are dropped."""


def read_book(journal: Journal, decode: Callable[[str, Mapping[str, object]], Record]) -> Book:
    """Return the book that the journal holds: its latest snapshot and everything after."""
    snapshot = journal.load_snapshot()
    book, after = (from_snapshot(snapshot[1]), snapshot[0]) if snapshot is not None else (Book(), 0)
    book.replay(decode(row.kind, row.body) for row in journal.replay(after))
    return book


def _ignore(why: str) -> None:
    """A journal that nobody else can take says nothing."""


class DeskKeeper:
    """One desk, its journal, and counts of what went through them. Used from one thread."""

    def __init__(
        self,
        *,
        book: Book,
        journal: Journal,
        settings: DeskSettings,
        symbols: Mapping[str, DeskSymbol],
        clock: Clock,
        venue_ahead_ms: Callable[[], int],
        on_work: Callable[[Work], None],
        on_word: Callable[[Command], None],
        timings: Timings | None = None,
        reached: Reached = pass_by,
        on_taken: Callable[[str], None] = _ignore,
    ) -> None:
        self.desk = OrderDesk(book, settings, symbols)
        self.counts: Counter[str] = Counter()
        self.sent: Counter[tuple[str, str]] = Counter()
        """By symbol and purpose: orders that left for the venue."""
        self._timings = timings or Timings(clock)
        self._journal = journal
        self._clock = clock
        self._venue_ahead_ms = venue_ahead_ms
        self._on_work = on_work
        self._on_word = on_word
        self._reached = reached
        self._on_taken = on_taken
        self._is_taken = False
        self._since_snapshot = 0

    def begin(self, owner_epoch: int, records: list[Record]) -> None:
        """Take over the book, and say what was found when the journal was opened."""
        for note in self._journal.notes:
            self._on_word(Notice(kind="journal", text=note, level="warning"))
        self._carry_out(self.desk.begin(owner_epoch, records, self.now()))

    def handle(self, event: Event, quoted_ms: int | None = None) -> None:
        """Take one event: decide, commit, act. `quoted_ms`: when the quote came that it goes back to."""
        came_ns = self._timings.now_ns()
        effects = self.desk.handle(event, self.now())
        if quoted_ms is not None:
            self._timings.caused(effects, Lane.ENTRY, self._timings.quoted_ns(quoted_ms))
        elif any(isinstance(record, FillBooked) for record in effects.records):
            self._timings.caused(effects, Lane.EXIT, came_ns)
        self._carry_out(effects)

    def release(self, client_id: str) -> Approved | None:
        """Give the permission to write an order to the wire, or take it back."""
        approved, effects = self.desk.release(client_id, self.now())
        if approved is not None:
            self.counts["orders_sent"] += 1
            self.sent[approved.request.symbol, "exit" if approved.request.closing else "entry"] += 1
            self._timings.released(client_id, closing=approved.request.closing)
        else:
            self._timings.kept_back(client_id)
        self._carry_out(effects)
        return approved if not self._is_taken else None

    def release_stop(self, client_id: str) -> ApprovedStop | None:
        """Give the permission to write an exchange-side stop to the wire, or take it back."""
        approved, effects = self.desk.release_stop(client_id, self.now())
        if approved is not None:
            self.counts["stops_sent"] += 1
        self._carry_out(effects)
        return approved if not self._is_taken else None

    def now(self) -> Instant:
        """Return the present moment."""
        return Instant(
            wall_ms=self._clock.now_ms(),
            mono_ms=self._clock.monotonic_ns() // 1_000_000,
            venue_ahead_ms=self._venue_ahead_ms(),
        )

    def close(self) -> None:
        """Keep the book whole and close the journal."""
        self._journal.save_snapshot(self._journal.last_seq, to_snapshot(self.desk.book))
        self._journal.close()

    def abandon(self) -> None:
        """Close the journal as it stands: the book is another's now."""
        self._journal.abandon()

    def _carry_out(self, effects: Effects) -> None:
        if effects.records and not self._is_taken:
            try:
                self._commit(effects.records)
            except JournalTaken as taken:
                # Nothing of this event, and of none after it, goes out.
                self._is_taken = True
                self._on_taken(str(taken))
        if self._is_taken:
            return
        # What goes to the venue goes first: words to slots wake the courier's thread, which then runs instead of us.
        for command in effects.commands:
            if isinstance(command, Work):
                self._on_work(command)
        for command in effects.commands:
            if not isinstance(command, Work):
                self._on_word(command)

    def _commit(self, records: Sequence[Record]) -> None:
        at_ms, reached = self._clock.now_ms(), self._reached
        intends = any(isinstance(record, OrderIntended) for record in records)
        if intends:
            reached(StopPoint.BEFORE_COMMIT)
        begun_ns = self._clock.monotonic_ns()
        self._journal.append(
            [(at_ms, *to_body(record)) for record in records],
            before_commit=lambda: reached(StopPoint.MID_JOURNAL_WRITE) if intends else None,
        )
        self._timings.journalled(begun_ns)
        if intends:
            reached(StopPoint.AFTER_COMMIT)
        if any(isinstance(record, FillBooked) and record.client_id for record in records):
            reached(StopPoint.AFTER_FILL)
        for record in records:
            self._count(record)
        self._since_snapshot += len(records)
        if self._since_snapshot >= SNAPSHOT_EVERY:
            self._keep_whole()

    def _keep_whole(self) -> None:
        seq = self._journal.last_seq
        self._journal.save_snapshot(seq, to_snapshot(self.desk.book))
        self._journal.prune(seq)
        self._since_snapshot = 0

    def _count(self, record: Record) -> None:
        match record:
            case OrderIntended():
                self.counts["intents"] += 1
            case OrderMarked(signal=Signal.ACKED):
                self.counts["orders_acked"] += 1
            case OrderMarked(signal=Signal.LOST):
                self.counts["outcomes_unknown"] += 1
            case OrderEnded(status=status):
                self.counts[f"orders_{status.value.lower()}"] += 1
            case FillBooked():
                self.counts["fills"] += 1
            case _:
                pass
