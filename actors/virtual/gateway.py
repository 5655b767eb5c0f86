"""The order gateway of a virtual world: the same desk, line and throttle as live, a journal in memory, no sockets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from actors.mail.desk_mail import desk_events, states_missed, states_wanted
from actors.mail.mailbox import Mailbox
from actors.mail.messages import (
    Envelope,
    FeedWord,
    Message,
    Receipt,
    SetupWanted,
    SlotsKnown,
    SymbolSetup,
    Tellings,
)
from actors.mail.outbox import Outbox
from actors.virtual.due import desk_symbol, first_records, pair_of
from actors.virtual.errands import Errands
from actors.virtual.journal import JournalTaken, VirtualJournal
from actors.virtual.mishaps import CrashPoint, Mishaps, StallPoint
from actors.virtual.owner import VirtualOwner
from actors.virtual.private_stream import PrivateStream
from actors.virtual.process import Process
from actors.virtual.settings import GridPlan, WorldSettings
from actors.virtual.venue import VirtualVenue
from actors.virtual.wire import Wire
from exchanges.desk.commands import (
    Broadcast,
    Command,
    Effects,
    Notice,
    ReadRules,
    Restream,
    Send,
    SyncClock,
    Tell,
    Turned,
)
from exchanges.desk.events import (
    AccountRead,
    Event,
    HoldAsked,
    IncomeRead,
    MarkSeen,
    RateSeen,
    ReconcileDue,
    RulesRead,
    StopSaid,
    StreamSaid,
    StreamState,
    Ticked,
)
from exchanges.order_desk import OrderDesk
from exchanges.port import Account, Income, Position
from exchanges.sim.venue_events import PublishedBook
from grid.book import Book
from grid.holds import HoldCause
from grid.instrument import Instrument
from grid.order import OrderUpdate
from grid.records import Record, from_body, to_body
from grid.stop import StopReport
from risk.lease import Go
from risk.veto import Approved, ApprovedStop

INCOME_OVERLAP_MS = 60_000
RULES_AGAIN_MS = 5_000
FEE_ASSET = "BNB"


class Died(Exception):
    """The gateway was killed in the middle of an event. `is_taken`: since another owner writes the journal."""

    def __init__(self, host: str, *, is_taken: bool = False) -> None:
        super().__init__(host)
        self.host = host
        self.is_taken = is_taken


class VirtualGateway:
    """One life of the account's gateway. `journal` is what survives it."""

    def __init__(
        self,
        *,
        settings: WorldSettings,
        process: Process,
        venue: VirtualVenue,
        stream: PrivateStream,
        outbox: Outbox,
        mishaps: Mishaps,
        journal: VirtualJournal,
        risk: str,
        owner: VirtualOwner | None = None,
        mailbox: Mailbox | None = None,
    ) -> None:
        self._settings = settings
        self._agenda = self._process = process
        self._is_alive = process.is_alive
        self._venue = venue
        self._stream = stream
        self._owner = owner
        self._host = owner.host.name if owner is not None else ""
        self._outbox = outbox
        self._mishaps = mishaps
        self._journal = journal
        self._risk = risk
        self._mailbox = mailbox or Mailbox()
        self._plans: Mapping[str, GridPlan] = {grid.symbol: grid for grid in settings.grids}
        self._layouts = settings.layouts
        self._feeds = settings.feeds
        self._instruments = {symbol: venue.instrument(symbol) for symbol in self._plans}
        self.notices: list[Notice] = []
        self.go_ms = -1_000_000
        """When the supervisor's last go arrived."""
        book = Book()
        book.replay(from_body(kind, body) for kind, _, body in journal.rows)
        self._pairs = {g.symbol: pair_of(g, book, self._top(g.symbol)) for g in settings.grids}
        self.desk = OrderDesk(
            book,
            settings.desk,
            {g.symbol: desk_symbol(g, self._instruments[g.symbol], self._pairs[g.symbol]) for g in settings.grids},
        )
        self.started_ms = process.now_ms
        self.owner_epoch = 0
        self._wire = Wire(process, mishaps, owner)
        self._errands = Errands(process, venue, self._wire, self.release, self.release_stop, self.on_event)

    def start(self) -> None:
        """Take over the book and connect."""
        records: list[Record] = []
        for symbol, plan in self._plans.items():
            records += first_records(plan, self.desk.book, self._pairs[symbol], self._top(symbol))
        self.owner_epoch = self._wire.owner_epoch = self._journal.raise_owner_epoch()
        self._carry_out(self.desk.begin(self.owner_epoch, records, self._agenda.instant()))
        self._tell_risk()
        self._tick()
        self._see_marks()
        self._reconcile()
        if self._settings.income_ms:
            self._read_income()
        if self._settings.account_ms:
            self._read_account()
        self._connect()

    def receive(self, envelope: Envelope) -> Receipt:
        """Take a message of another actor."""
        self._process.do(lambda: self._on_envelope(envelope))
        return Receipt()

    def _on_envelope(self, envelope: Envelope) -> None:
        if self._mailbox.accept(envelope).is_fresh:
            self._set_right(envelope)
            self.on_message(envelope.message)

    def _set_right(self, envelope: Envelope) -> None:
        """Tell a feed that still speaks by the side that was left of the turn: word of it may have died with a life."""
        word = envelope.message
        if not isinstance(word, FeedWord) or word.reference is None:
            return
        if word.reference * self.desk.book.symbol(word.symbol).sign < 0:
            self._outbox.post(envelope.sender, self._setup(word.symbol))

    def on_event(self, event: Event) -> None:
        """Let the desk decide, commit what it records, carry out what it commands."""
        if self._process.is_stopped:
            self._process.do(lambda: self.on_event(event))
        elif self._is_alive():
            self._carry_out(self.desk.handle(event, self._agenda.instant()))

    def release(self, client_id: str) -> Approved | None:
        """Return the permission to write an order to the wire."""
        approved, effects = self.desk.release(client_id, self._agenda.instant())
        self._carry_out(effects)
        return approved

    def release_stop(self, client_id: str) -> ApprovedStop | None:
        """Return the permission to write an exchange-side stop to the wire."""
        approved, effects = self.desk.release_stop(client_id, self._agenda.instant())
        self._carry_out(effects)
        return approved

    def _carry_out(self, effects: Effects) -> None:
        crash = self._mishaps.crash(len(effects.commands)) if effects.records else None
        if crash is CrashPoint.BEFORE_COMMIT:
            raise Died(self._host)
        try:
            self._journal.append(self.owner_epoch, [to_body(record) for record in effects.records])
        except JournalTaken:
            raise Died(self._host, is_taken=True) from None
        if crash is CrashPoint.AFTER_COMMIT:
            raise Died(self._host)
        if crash is None and self._owner is not None and any(isinstance(one, Send) for one in effects.commands):
            stalled_ms = self._mishaps.stall(StallPoint.AFTER_COMMIT)
            if stalled_ms:
                self._process.stop_before(stalled_ms, lambda: self._go_on(effects.commands))
                return
        self._obey_all(effects.commands, crash)

    def _go_on(self, commands: Sequence[Command]) -> None:
        """Carry out what was committed before a stop, up to the wire, before anything that came meanwhile."""
        self._obey_all(commands, None)
        self._errands.go()

    def _obey_all(self, commands: Sequence[Command], crash: CrashPoint | None) -> None:
        for number, command in enumerate(commands):
            self._obey(command)
            if crash is CrashPoint.AFTER_FIRST_COMMAND and number == 0:
                raise Died(self._host)

    def _obey(self, command: Command) -> None:
        match command:
            case Tell(told=told):
                key = told.state.key
                self._outbox.post(self._layouts[key.symbol].name_of(key.level), Tellings(told=(told,)))
            case Broadcast(standing=standing):
                for name in self._layouts[standing.symbol].names():
                    self._outbox.post(name, standing)
            case Turned(symbol=symbol):
                for name in (self._feeds[symbol], *self._layouts[symbol].names()):
                    self._outbox.post(name, self._setup(symbol))
            case Notice():
                self.notices.append(command)
            case Restream(reason=reason):
                self._stream.disconnect()
                self._agenda.after(0, "stream", reason, lambda: self._on_dropped(reason))
            case ReadRules():
                self.read_rules()
            case SyncClock():
                pass  # a virtual world has one clock
            case _:
                self._errands.submit(command)

    def on_message(self, message: Message) -> None:
        """Take in what another actor says."""
        if isinstance(message, SetupWanted):
            self._set_up(message)
            return
        if isinstance(message, SlotsKnown):
            missed = states_missed(message, self.desk.book)
            if missed is not None:
                self.on_event(missed)
            return
        if isinstance(message, Go):
            self.go_ms = self._agenda.now_ms
        events = desk_events(message)
        if events is None:
            raise TypeError(f"no way to take {type(message).__name__}")
        for event in events:
            self.on_event(event)

    def read_rules(self) -> None:
        """Read the venue's rules; what fails is read again."""

        def on_rules(found: dict[str, Instrument] | None) -> None:
            if not self._is_alive():
                return
            if found is None:
                self._agenda.after(RULES_AGAIN_MS, "rules", "again", lambda: self.read_rules())
                return
            self.on_event(RulesRead(instruments=found, changes={}))
            for symbol, known in self._instruments.items():
                now_known = self.desk.instrument(symbol)
                if now_known != known:
                    self._instruments = {**self._instruments, symbol: now_known}
                    for name in self._layouts[symbol].names():
                        self._outbox.post(name, self._setup(symbol))

        if self._is_alive():
            self._venue.rules(lambda found: self._process.do(lambda: on_rules(found)))

    def _setup(self, name: str) -> SymbolSetup:
        symbol = self.desk.book.symbol(name)
        return SymbolSetup(
            generation=symbol.generation,
            policy=self.desk.policy(name),
            instrument=self._instruments[name],
            older=symbol.others,
            turn=symbol.turns,
        )

    def _set_up(self, wanted: SetupWanted) -> None:
        if wanted.symbol not in self._plans:
            self._tell_risk()
            return
        symbol = self.desk.book.symbol(wanted.symbol)
        self._outbox.post(wanted.receiver, self._setup(wanted.symbol))
        if wanted.modulus:
            self.on_event(states_wanted(wanted, symbol, symbol.generation.generation))

    def _tell_risk(self) -> None:
        """Tell the supervisor which holds stand: it says again what was lost on the way."""
        self._outbox.post(self._risk, self.desk.standing(""))

    def _top(self, symbol: str) -> PublishedBook:
        return self._venue.engine.read.book(symbol)

    def _connect(self) -> None:
        self._stream.connect(self._on_private)

    def _on_private(self, event: OrderUpdate | StopReport | StreamState) -> None:
        match event:
            case StreamState():
                self.on_event(event)
            case StopReport():
                self.on_event(StopSaid(report=event))
            case _:
                self.on_event(StreamSaid(update=event))

    def _on_dropped(self, reason: str) -> None:
        if self._is_alive():
            self.on_event(StreamState(is_up=False, reason=reason))
            self._connect()

    def _tick(self) -> None:
        if self._is_alive():
            change = self._owner.hold_change() if self._owner is not None else None
            if change is not None:
                is_put, reason = change
                self.on_event(HoldAsked(cause=HoldCause.LEASE, symbol="", is_put=is_put, reason=reason))
            self.on_event(Ticked())
            self._agenda.tick(self._settings.tick_ms, "desk", self._tick)

    def _see_marks(self) -> None:
        if not self._is_alive():
            return
        for symbol in self._plans:
            mark = self._venue.engine.read.premium_index(symbol).mark_price
            if mark:
                self.on_event(MarkSeen(symbol=symbol, price=mark))
        self._agenda.tick(self._settings.mark_ms, "marks", self._see_marks)

    def _reconcile(self) -> None:
        def due() -> None:
            if self._is_alive():
                self.on_event(ReconcileDue(reason="periodic"))
                self._tell_risk()
                self._reconcile()

        self._agenda.tick(self._settings.reconcile_ms, "reconcile", due)

    def _read_income(self) -> None:
        if self._is_alive():
            self._ask_income(lambda: None)
            if self._settings.coin_deposit:
                self.on_event(RateSeen(asset=FEE_ASSET, rate=self._venue.coin_price))
            self._agenda.tick(self._settings.income_ms, "income", self._read_income)

    def _ask_income(self, then: Callable[[], None]) -> None:
        def on_income(rows: tuple[Income, ...] | None) -> None:
            if rows is not None:
                self.on_event(IncomeRead(rows=rows))
                then()

        newest_ms = self.desk.accounting.income_since_ms() or self._agenda.wall_ms
        self._venue.income(min(newest_ms, self._agenda.wall_ms) - INCOME_OVERLAP_MS, on_income)

    def _read_account(self) -> None:
        if not self._is_alive():
            return
        begun_ms = self._agenda.now_ms

        def on_account(account: Account | None) -> None:
            self._venue.positions(lambda found: self._process.do(lambda: on_positions(account, found)))

        def on_positions(account: Account | None, positions: tuple[Position, ...] | None) -> None:
            read = AccountRead(begun_ms=begun_ms, account=account, positions=positions)
            if self._is_alive() and self.desk.accounting.surprises(read, self._agenda.instant()):
                self._ask_income(lambda: self.on_event(read))
            else:
                self.on_event(read)

        self._venue.account(on_account)
        self._agenda.tick(self._settings.account_ms, "account", self._read_account)
