"""What the parts of the order desk share: the book, the outbox and the list of things that are due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from exchanges.desk.churn import Churn
from exchanges.desk.commands import Command, Effects, Notice, Tell
from exchanges.desk.events import ClosingMode, Instant
from exchanges.desk.settings import DeskSettings, DeskSymbol
from grid.book import Book
from grid.client_id import ClientId
from grid.intent import Standing, Told
from grid.order import Purpose
from grid.reasons import Reason
from grid.records import FillBooked, OrderMarked, Record, symbol_of
from grid.slot import Phase, Signal, SlotKey, SlotState
from grid.symbol_book import OrderEntry, SymbolBook
from risk.daily_loss import DailyLoss
from risk.lease import Lease
from risk.limits import SymbolExposure


class Chore(Enum):
    """Something to do at a time; the subject is a client id, a symbol, or nothing."""

    LOOK_UP = "look_up"
    CANCEL = "cancel"
    SETTLE = "settle"
    ECHO = "echo"
    RESYNC = "resync"
    VERIFY = "verify"
    CLOSE = "close"
    LIFT_MARGIN = "lift_margin"
    SELL = "sell"
    RULES = "rules"
    STOP = "stop"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Due:
    """A chore with its time (monotonic ms) and how often it was tried."""

    at_ms: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """What will be done about a slot, and when (monotonic ms; None where that hangs on somebody else)."""

    what: str
    at_ms: int | None


@dataclass(slots=True)
class Refusal:
    """Why an intent was not carried out, for the next word to its slot."""

    reason: Reason
    detail: str = ""
    retry_ms: int | None = None


@dataclass(slots=True)
class Core:
    """State and outbox of one desk. Only `record` changes the book."""

    book: Book
    settings: DeskSettings
    symbols: Mapping[str, DeskSymbol]
    lease: Lease
    daily_loss: DailyLoss
    is_ready: bool = False
    is_fenced: bool = False
    is_owner: bool = True
    """False while the lease on the account does not cover what would be sent now."""
    is_stream_up: bool = False
    stream_since_ms: int = 0
    """When the order stream last came up (monotonic): it echoes what is sent from then on."""
    closing: ClosingMode | None = None
    is_closed: bool = False
    leaving: dict[str, ClosingMode] = field(default_factory=dict)
    """Symbols that leave, or have left, while the others trade on."""
    stops_end: set[str] = field(default_factory=set)
    """Scopes (empty: the account) in which no exchange-side stop may rest any more: trading ends."""
    compared_ms: int = -1
    """When book and venue were last compared to the end (monotonic)."""
    marks: dict[str, tuple[Decimal, int]] = field(default_factory=dict)
    agreed_ms: dict[str, int] = field(default_factory=dict)
    """By symbol: when the last reading of the position that agreed with the book began (monotonic)."""
    references: dict[str, tuple[int, int]] = field(default_factory=dict)
    fed_ms: dict[str, int] = field(default_factory=dict)
    """When the symbol's feed last spoke, fresh or stale; a symbol that it never spoke of is not in it."""
    foreign_orders: dict[str, set[str]] = field(default_factory=dict)
    sent_ms: dict[str, int] = field(default_factory=dict)
    """By client id, while the order may live."""
    last_sent_ms: int = 0
    inherited: set[str] = field(default_factory=set)
    """Orders of a former life that were live or possibly live when this one began."""
    last_entry_sent_ms: dict[str, int] = field(default_factory=dict)
    last_event_ms: dict[str, int] = field(default_factory=dict)
    echoed: set[str] = field(default_factory=set)
    """Orders not over that the private stream has told of."""
    selling: set[str] = field(default_factory=set)
    """Symbols whose lots a breaker sells: no exit rests meanwhile."""
    reported: dict[str, int] = field(default_factory=dict)
    """By client id: the most that the venue said was executed, where that is more than was booked."""
    disproved_ms: dict[str, int] = field(default_factory=dict)
    """By client id: when a look-up of an order that is over last began and found nothing."""
    cancel_wanted: set[str] = field(default_factory=set)
    refusals: dict[SlotKey, Refusal] = field(default_factory=dict)
    chores: dict[tuple[Chore, str], Due] = field(default_factory=dict)
    churn: Churn = field(default_factory=Churn)
    effects: Effects = field(default_factory=Effects)
    exposures: dict[str, tuple[DeskSymbol | None, SymbolExposure]] = field(default_factory=dict)
    """What each symbol commits, reckoned under these rules, until a record changes its book."""
    _changed: dict[SlotKey, None] = field(default_factory=dict)
    _sequence: int = 0

    def record(self, record: Record) -> None:
        """Change the book, and have it journalled before any command of this event goes out."""
        for key in self.book.apply(record):
            self._changed[key] = None
            level = level_over(self.book.symbol(key.symbol), key)
            if level is not None:
                # What an older lot keeps from buying (rule 9) learns of its end, or would idle for ever.
                self._changed[level] = None
        self.exposures.pop(symbol_of(record), None)
        self.churn.note(record, self.book.orders.get(getattr(record, "client_id", "")))
        self.effects.records.append(record)

    @property
    def may_act(self) -> bool:
        """Whether anything may be sent at all."""
        return self.is_ready and self.is_owner and not self.is_fenced

    def ending(self, symbol: str) -> ClosingMode | None:
        """Return how the symbol's trading ends, by itself or with the account's; None while it goes on."""
        return self.closing or self.leaving.get(symbol)

    def traded(self) -> list[SymbolBook]:
        """Return the books of the desk's symbols, those with levels; the journal may know others of former days."""
        books = (self.book.symbols.get(name) for name in self.symbols)
        return [book for book in books if book is not None and book.generations]

    @property
    def filled(self) -> list[str]:
        """Return the symbols of which this event has booked fills."""
        return [record.fill.symbol for record in self.effects.records if isinstance(record, FillBooked)]

    def command(self, command: Command) -> None:
        """Have something done."""
        self.effects.commands.append(command)

    def notice(self, kind: str, text: str, level: str = "info") -> None:
        """Say something to people."""
        self.command(Notice(kind=kind, text=text, level=level))

    def fence(self, owner_epoch: int) -> None:
        """An order of a later owner: another gateway has taken over; this one writes nothing more (rule 22)."""
        if not self.is_fenced:
            self.is_fenced = True
            self.notice("fenced", f"owner epoch {owner_epoch} writes: this gateway stops", "critical")

    def refuse(self, key: SlotKey, reason: Reason, detail: str = "", retry_ms: int | None = None) -> None:
        """Tell the slot that, and why, its intent was not carried out."""
        self.refusals[key] = Refusal(reason, detail, retry_ms)
        self._changed[key] = None

    def repeat(self, key: SlotKey) -> None:
        """Tell the slot its state though nothing changed."""
        self._changed[key] = None

    def ended(self, client_id: str) -> None:
        """Forget what is kept of an order only while it may live."""
        self.cancel_wanted.discard(client_id)
        self.echoed.discard(client_id)
        self.inherited.discard(client_id)
        self.sent_ms.pop(client_id, None)
        self.reported.pop(client_id, None)
        for chore in (Chore.LOOK_UP, Chore.CANCEL, Chore.ECHO):
            self.drop(chore, client_id)

    def do_at(self, chore: Chore, subject: str, at_ms: int, attempt: int = 0) -> None:
        """Put a chore on the list; one of each (chore, subject), the newest counts."""
        self.chores[(chore, subject)] = Due(at_ms, attempt)

    def drop(self, chore: Chore, subject: str) -> None:
        """Take a chore off the list."""
        self.chores.pop((chore, subject), None)

    def take_due(self, now: Instant) -> list[tuple[Chore, str, int]]:
        """Take everything that is due off the list, oldest first."""
        due = [(item.at_ms, key, item.attempt) for key, item in self.chores.items() if item.at_ms <= now.mono_ms]
        due.sort(key=lambda entry: (entry[0], entry[1][0].value, entry[1][1]))
        for _, key, _ in due:
            del self.chores[key]
        return [(chore, subject, attempt) for _, (chore, subject), attempt in due]

    def take_effects(self) -> Effects:
        """Close the event: return its effects, one word to each slot that changed at their end."""
        for key in self._changed:
            self.command(Tell(told=self._told(key)))
        effects, self.effects, self._changed = self.effects, Effects(), {}
        return effects

    def next_client_id(self, symbol: str, generation: int, level: int, purpose: Purpose) -> str:
        """Return a client id that was never used: the owner's number rises with each life, and what is known is left
        out all the same."""
        while True:
            self._sequence += 1
            client_id = ClientId(
                journal=self.settings.journal,
                symbol=symbol,
                generation=generation,
                level=level,
                purpose=purpose,
                owner_epoch=self.book.owner_epoch,
                sequence=self._sequence,
            ).encode()
            if client_id not in self.book.orders:
                return client_id

    def doubt(self, order: OrderEntry, now: Instant) -> None:
        """Take over an order of a former life: it may have been sent at that life's last moment."""
        client_id = order.client_id
        self.inherited.add(client_id)
        self.sent_ms[client_id] = self.last_sent_ms = now.mono_ms
        if not order.purpose.closing:
            self.last_entry_sent_ms[order.symbol] = now.mono_ms
        phase = self.slot(order.key).phase if order.key is not None and order.is_attached else None
        if phase is Phase.PENDING:
            self.record(OrderMarked(client_id=client_id, symbol=order.symbol, signal=Signal.LOST))
        if phase is Phase.CANCELLING or not order.is_attached:
            self.do_at(Chore.CANCEL, client_id, now.mono_ms)
        self.do_at(Chore.LOOK_UP, client_id, now.mono_ms)

    def slot(self, key: SlotKey) -> SlotState:
        """Return a slot's state."""
        return self.book.symbol(key.symbol).slot(key)

    def standing(self, symbol: str) -> Standing:
        """Return which holds stand against the symbol."""
        names = tuple(hold.cause.value for hold in self.book.holds.against(symbol))
        return Standing(symbol=symbol, halt_epoch=self.book.halt_epoch, holds=names)

    def reference(self, symbol: str, now: Instant) -> int | None:
        """Return the last oriented reference price, None where it is too old."""
        seen = self.references.get(symbol)
        return seen[0] if seen is not None and now.mono_ms - seen[1] <= self.settings.price_age_ms else None

    def suggest_reference(self, symbol: str, reference: int | None, now: Instant) -> None:
        """Take the price that an intent was decided on, unless the feed itself has spoken lately."""
        fed_ms = self.fed_ms.get(symbol)
        if reference is None or not self.is_of_present_side(symbol, reference):
            return
        if fed_ms is None or now.mono_ms - fed_ms > self.settings.price_age_ms:
            self.references[symbol] = (reference, now.mono_ms)

    def is_of_present_side(self, symbol: str, reference: int) -> bool:
        """Whether an oriented price was told by the side that works: in a neutral grid one may still be under way."""
        book = self.book.symbols.get(symbol)
        return book is None or not book.generations or book.sign * reference >= 0

    def mark(self, symbol: str, now: Instant, after_ms: int = -1) -> Decimal | None:
        """Return the last mark price, None where it is too old or came no later than `after_ms`."""
        seen = self.marks.get(symbol)
        if seen is None or now.mono_ms - seen[1] > self.settings.mark_age_ms or seen[1] <= after_ms:
            return None
        return seen[0]

    def _told(self, key: SlotKey) -> Told:
        refusal = self.refusals.pop(key, None)
        symbol = self.book.symbol(key.symbol)
        return Told(
            state=symbol.slot(key),
            standing=self.standing(key.symbol),
            refusal=refusal.reason if refusal is not None else None,
            detail=refusal.detail if refusal is not None else "",
            retry_ms=refusal.retry_ms if refusal is not None else None,
            has_older_lot=has_older_lot(symbol, key),
        )


def level_over(symbol: SymbolBook, key: SlotKey) -> SlotKey | None:
    """Return the present ladder's slot in which a slot of an older ladder lies; None for one of the present ladder."""
    if len(symbol.generations) < 2 or key.generation not in symbol.ladders:
        return None
    ladder = symbol.ladder
    if key.generation == ladder.generation or not symbol.is_of_present_side(key):
        return None
    level = ladder.floor(symbol.ladders[key.generation].at(key.level))
    return SlotKey(symbol=key.symbol, generation=ladder.generation, level=level)


def has_older_lot(symbol: SymbolBook, key: SlotKey) -> bool:
    """Whether an unsold lot of an older generation was bought inside [L(i), L(i + 1)) of this level (rule 9)."""
    if len(symbol.generations) < 2 or key.generation not in symbol.ladders:
        return False
    ladder = symbol.ladders[key.generation]
    low, high = ladder.at(key.level), ladder.at(key.level + 1)
    older = (
        other
        for other, _ in symbol.lots()
        if other.generation < key.generation and symbol.side_of(other) is ladder.side
    )
    return any(low <= symbol.ladders[other.generation].at(other.level) < high for other in older)
