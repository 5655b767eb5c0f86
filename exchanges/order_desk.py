"""The order desk: the one machine that decides what is sent to a venue, and the keeper of the book.

Pure and synchronous: `handle(event, now)` returns records and commands. The driver commits the records to the journal
first and then carries out the commands; an order in its lane leaves only by `release`. The same desk runs behind real
sockets, in a back-test and in the simulation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from exchanges.desk.accounting import Accounting
from exchanges.desk.cancelling import Cancelling
from exchanges.desk.chores import Chores
from exchanges.desk.churn import ChurnReading
from exchanges.desk.closing import STOPPING, Closing
from exchanges.desk.commands import Effects
from exchanges.desk.core import Chore, Core, NextStep
from exchanges.desk.decrees import Decrees
from exchanges.desk.dust import Dust
from exchanges.desk.events import (
    Accepted,
    AccountRead,
    Asked,
    CancelAnswered,
    CloseAsked,
    ClosingMode,
    Event,
    GoSaid,
    HoldAsked,
    IncomeRead,
    Instant,
    MarkSeen,
    OpenOrdersRead,
    OrderRead,
    PlaceAnswered,
    PositionsRead,
    RateSeen,
    ReconcileDue,
    ReferenceSeen,
    RemoveAsked,
    RulesRead,
    StatesWanted,
    StopAnswered,
    StopCancelAnswered,
    StopRead,
    StopSaid,
    StopsRead,
    StreamSaid,
    StreamState,
    SymbolAdded,
    Ticked,
    TradesRead,
)
from exchanges.desk.flattening import Flattening
from exchanges.desk.guarding import Guarding
from exchanges.desk.joining import Joining
from exchanges.desk.opening import Opening
from exchanges.desk.placing import Placing
from exchanges.desk.readings import Readings
from exchanges.desk.reports import Reports
from exchanges.desk.rulings import Rulings
from exchanges.desk.settings import DeskSettings, DeskSymbol
from exchanges.desk.standing import StandingHolds
from exchanges.desk.stop_course import StopWord
from exchanges.desk.stops import Stops
from exchanges.desk.triggering import Triggering
from exchanges.desk.turning import Turning, TurnWord
from grid.book import Book
from grid.errors import GridmeshError
from grid.holds import HoldCause
from grid.instrument import Instrument
from grid.intent import CancelIntent, PlaceIntent, Standing
from grid.policy import GridPolicy
from grid.records import OwnerRaised, Record
from grid.slot import Phase, SlotKey
from risk.daily_loss import DailyLoss
from risk.lease import Lease, LeaseState
from risk.veto import Approved, ApprovedStop


class OrderDesk:
    """One account's desk over a book that was rebuilt from its journal (or is empty)."""

    def __init__(self, book: Book, settings: DeskSettings, symbols: Mapping[str, DeskSymbol]) -> None:
        self._core = Core(
            book=book,
            settings=settings,
            symbols=symbols,
            lease=Lease(expiry_ms=settings.go_expiry_ms, hold_ms=settings.go_hold_ms),
            daily_loss=DailyLoss(limit=settings.daily_loss),
        )
        self._cancelling = Cancelling(self._core)
        self._placing = Placing(self._core, self._cancelling)
        self._standing = StandingHolds(self._core, self._cancelling)
        self._rulings = Rulings(self._core, self._standing)
        self._decrees = Decrees(self._core, self._standing)
        self._reports = Reports(self._core, self._cancelling, self._placing, self._standing, self._decrees)
        flattening = Flattening(self._core, self._placing)
        self._closing = Closing(self._core, self._cancelling, flattening, self._standing)
        self._guarding = Guarding(self._core, self._cancelling, flattening, self._standing)
        self._stops = Stops(self._core, self._guarding)
        self._readings = Readings(self._core, self._reports, self._standing, self._stops)
        self._joining = Joining(self._core, self._standing, self._readings, self._closing)
        self._dust = Dust(self._core, self._cancelling, self._placing)
        self._triggering = Triggering(self._core, self._standing)
        self._opening = Opening(self._core, self._placing)
        self._turning = Turning(self._core, self._standing, self._readings)
        self._chores = Chores(
            self._core,
            self._cancelling,
            self._standing,
            self._reports,
            self._readings,
            self._decrees,
            self._stops,
            self._closing,
            self._guarding,
            self._rulings,
        )
        self.accounting = Accounting(self._core)
        """The account's money: equity, its tie, income. Only this desk changes it."""

    @property
    def book(self) -> Book:
        """Return the book; only this desk changes it."""
        return self._core.book

    @property
    def is_ready(self) -> bool:
        """Whether the book agreed with the venue since this desk began."""
        return self._core.is_ready

    @property
    def is_closed(self) -> bool:
        """Whether a `CloseAsked` has come to its verified end."""
        return self._core.is_closed

    @property
    def lots_left(self) -> int:
        """Return how many lots the book holds: after a flatten none should be left."""
        return sum(1 for symbol in self.book.symbols.values() for _ in symbol.lots())

    @property
    def closing(self) -> ClosingMode | None:
        """Return how this desk was asked to close, None where it was not."""
        return self._core.closing

    @property
    def entries_gone(self) -> Mapping[str, int]:
        """Return by scope since when (monotonic ms) entries are verified gone."""
        return self._standing.gone_since_ms

    @property
    def countdowns_ms(self) -> dict[str, int]:
        """Return the venue's countdowns that are wanted, by symbol."""
        symbols, leaving = self._core.symbols, self._core.leaving
        return {name: s.countdown_ms for name, s in symbols.items() if s.countdown_ms and name not in leaving}

    def foreign_orders(self, symbol: str) -> int:
        """Return how many orders on the symbol are not ours, as far as is known."""
        return len(self._core.foreign_orders.get(symbol, ()))

    def churn(self, symbol: str) -> ChurnReading:
        """Return how much was cancelled and placed again for what was filled."""
        return self._core.churn.reading(symbol)

    def standing(self, symbol: str) -> Standing:
        """Return which holds stand against the symbol; empty: against the whole account."""
        return self._core.standing(symbol)

    @property
    def compared_ms(self) -> int:
        """Return when book and venue were last compared to the end (monotonic ms; -1 for never)."""
        return self._core.compared_ms

    def has_go(self, now: Instant) -> bool:
        """Whether the lease of "go" is fresh: without it no entry leaves."""
        return self._core.lease.state(now.mono_ms) is LeaseState.VALID

    def waits_for(self) -> list[str]:
        """Return what keeps the desk from trading, in words."""
        reasons = [] if self._core.is_stream_up else ["the order stream"]
        if not self._core.is_ready:
            reasons.append("a reading of orders, trades and positions")
        return reasons

    def next_step(self, key: SlotKey) -> NextStep | None:
        """Return what will happen at a slot by itself, and when; None where nothing is planned (invariant 6)."""
        core, slot = self._core, self._core.slot(key)
        client_id = slot.order.client_id if slot.order is not None else ""
        subjects = [(chore, client_id) for chore in (Chore.CANCEL, Chore.LOOK_UP, Chore.SETTLE)] if client_id else []
        if slot.phase is Phase.BLOCKED:
            subjects.append((Chore.RESYNC, ""))
        planned = [(core.chores[one].at_ms, one[0].value) for one in subjects if one in core.chores]
        if planned:
            at_ms, what = min(planned)
            return NextStep(what=what, at_ms=at_ms)
        if slot.phase is Phase.BLOCKED and not core.is_stream_up:
            return NextStep(what="the order stream", at_ms=None)
        return None

    def instrument(self, symbol: str) -> Instrument:
        """Return the rules by which the desk trades the symbol."""
        return self._core.symbols[symbol].instrument

    def policy(self, symbol: str) -> GridPolicy:
        """Return what the desk trades the symbol by: of a neutral grid, the policy of the side that works."""
        return self._core.symbols[symbol].policy

    def mark(self, symbol: str, now: Instant) -> Decimal | None:
        """Return the last mark price that is not too old."""
        return self._core.mark(symbol, now)

    def begin(self, owner_epoch: int, records: Iterable[Record], now: Instant) -> Effects:
        """Take over: raise the owner epoch, hold entries until the stream is confirmed, and doubt all that was in
        flight.

        `records` are further first records, such as new generations. Raises `GridmeshError` where the epoch has not
        risen: the ids of this life would be those of another.
        """
        core = self._core
        if owner_epoch <= core.book.owner_epoch:
            raise GridmeshError(f"owner epoch {owner_epoch} is not over {core.book.owner_epoch}: nothing is taken over")
        core.record(OwnerRaised(owner_epoch=owner_epoch))
        for record in records:
            core.record(record)
        self._standing.put(HoldCause.ORDER_STREAM, "", "starting: the order stream is not confirmed yet", now)
        stopped = core.book.holds.find(HoldCause.OPERATOR, "")
        if stopped is not None and stopped.reason.startswith(STOPPING):
            self._standing.lift(HoldCause.OPERATOR, "", "started again")
        if core.book.holds.find(HoldCause.MARGIN, "") is not None:
            core.do_at(Chore.LIFT_MARGIN, "", now.mono_ms + core.settings.margin_pause_ms)
        for order in core.book.live_orders():
            core.doubt(order, now)
        for order in core.book.orders.values():
            if order.missing:
                core.do_at(Chore.SETTLE, order.client_id, now.mono_ms)
        self._decrees.begin(now)
        self.accounting.begin()
        self._guarding.begin(now)
        self._stops.begin(now)
        self._triggering.begin(now)
        self._turning.begin()
        self._closing.begin(now)
        return core.take_effects()

    def release(self, client_id: str, now: Instant) -> tuple[Approved | None, Effects]:
        """Return the permission to send now, or None and the record that took the order back."""
        self._guarding.check(now)
        return self._placing.release(client_id, now), self._core.take_effects()

    def release_stop(self, client_id: str, now: Instant) -> tuple[ApprovedStop | None, Effects]:
        """Return the permission to send an exchange-side stop now, or None and the record that took it back."""
        return self._stops.release(client_id, now), self._core.take_effects()

    def stop_word(self, symbol: str, now: Instant) -> StopWord | None:
        """Return how the symbol's exchange-side stop stands, None where none is configured and none rests."""
        return self._stops.word(symbol, now)

    def turn_word(self, symbol: str) -> TurnWord | None:
        """Return which side of a neutral grid works and why the other waits, None for any other grid."""
        return self._turning.word(symbol)

    def handle(self, event: Event, now: Instant) -> Effects:
        """Take one event; return what has to be journalled and done."""
        match event:
            case Asked() | StatesWanted() | HoldAsked() | CloseAsked() | GoSaid():
                self._on_asked(event, now)
            case PlaceAnswered() | CancelAnswered() | OrderRead() | StreamSaid() | StreamState():
                self._on_venue(event, now)
            case OpenOrdersRead() | TradesRead() | PositionsRead() | ReconcileDue():
                self._on_reading(event, now)
            case StopAnswered() | StopCancelAnswered() | StopRead() | StopsRead() | StopSaid():
                self._stops.on_event(event, now)
                if isinstance(event, StopsRead):
                    self._closing.on_open_stops(event, now)
            case AccountRead() | RateSeen() | IncomeRead():
                self._on_money(event, now)
            case MarkSeen(symbol=symbol, price=price):
                self._core.marks[symbol] = (price, now.mono_ms)
                self._triggering.on_mark(symbol, now)
                self._guarding.check(now)
            case RulesRead():
                self._rulings.on_rules(event, now)
            case ReferenceSeen():
                self._standing.on_reference(event, now)
            case SymbolAdded() | RemoveAsked():
                self._joining.on_event(event, now)
                self._triggering.begin(now)
                self._turning.begin()
            case Ticked():
                self._on_tick(now)
        self._guarding.on_fills(self._core.filled, now)
        return self._core.take_effects()

    def _on_asked(self, event: Asked | StatesWanted | HoldAsked | CloseAsked | GoSaid, now: Instant) -> None:
        match event:
            case Asked(intent=PlaceIntent() as intent):
                self._guarding.check(now)
                self._placing.on_intent(intent, now)
            case Asked(intent=CancelIntent() as intent):
                self._core.suggest_reference(intent.key.symbol, intent.reference, now)
                self._cancelling.cancel(intent.client_id, now)
                self._core.repeat(intent.key)
            case StatesWanted(keys=keys):
                for key in keys:
                    self._core.repeat(key)
            case HoldAsked(cause=HoldCause.STOP_LOSS, symbol=symbol, is_put=is_put, reason=reason):
                self._on_stop_loss(symbol, reason, now, is_put=is_put)
            case HoldAsked(cause=HoldCause.LEASE, is_put=is_put, reason=reason):
                self._on_ownership(reason, now, is_owner=not is_put)
            case HoldAsked(cause=cause, symbol=symbol, is_put=True, reason=reason):
                self._standing.put(cause, symbol, reason, now)
            case HoldAsked(cause=HoldCause.OPERATOR) if self._core.closing is not None:
                self._core.notice("not_resumed", "a stop is under way: it takes back no hold", "warning")
            case HoldAsked(cause=cause, symbol=symbol, reason=reason):
                self._standing.lift(cause, symbol, reason)
            case CloseAsked(mode=mode):
                self._closing.ask(mode, now)
            case GoSaid(go=go):
                self._core.lease.renew(go, now_ms=now.mono_ms)
                self._standing.on_tick(now)

    def _on_ownership(self, reason: str, now: Instant, *, is_owner: bool) -> None:
        """The lease on the account ended or came back; the supervisor's own lease may hold still."""
        self._core.is_owner = is_owner
        if is_owner:
            self._standing.on_tick(now)
        else:
            self._standing.put(HoldCause.LEASE, "", reason, now)

    def _on_venue(
        self, event: PlaceAnswered | CancelAnswered | OrderRead | StreamSaid | StreamState, now: Instant
    ) -> None:
        match event:
            case PlaceAnswered(client_id=client_id, outcome=outcome):
                self._reports.on_placed(client_id, outcome, now)
            case CancelAnswered(client_id=client_id, outcome=outcome):
                if isinstance(outcome, Accepted):
                    self._reports.take_report(outcome.report, now)
                self._cancelling.on_answer(client_id, outcome, now)
            case OrderRead() if event.order_id:
                self._decrees.on_named(event, now)
            case OrderRead():
                self._reports.on_looked_up(event, now)
            case StreamSaid(update=update):
                self._decrees.on_update(update, now)
                self._reports.on_update(update, now)
            case StreamState(is_up=True):
                self._core.is_stream_up, self._core.stream_since_ms = True, now.mono_ms
                self._readings.begin(now)
            case StreamState(reason=reason):
                self._core.is_stream_up = False
                self._standing.put(HoldCause.ORDER_STREAM, "", reason or "the order stream is down", now)

    def _on_reading(self, event: OpenOrdersRead | TradesRead | PositionsRead | ReconcileDue, now: Instant) -> None:
        match event:
            case OpenOrdersRead():
                self._readings.on_open_orders(event, now)
                self._standing.on_open_orders(event, now)
                self._closing.on_open_orders(event, now)
            case TradesRead():
                self._readings.on_trades(event, now)
            case PositionsRead():
                self._readings.on_positions(event, now)
            case ReconcileDue():
                self._readings.start(now)

    def _on_money(self, event: AccountRead | RateSeen | IncomeRead, now: Instant) -> None:
        match event:
            case AccountRead():
                self._on_account(event, now)
            case RateSeen():
                self.accounting.on_rate(event, now)
            case IncomeRead(rows=rows):
                self.accounting.on_income(rows)

    def _on_account(self, read: AccountRead, now: Instant) -> None:
        was_tripped = self._core.daily_loss.tripped_at is not None
        self.accounting.on_account(read, now)
        if self._core.daily_loss.tripped_at is not None and not was_tripped:
            self._guarding.on_daily_loss(self._core.daily_loss.refusal(), now)

    def _on_stop_loss(self, symbol: str, reason: str, now: Instant, *, is_put: bool) -> None:
        self._guarding.on_word(symbol, reason, now, is_put=is_put)
        if not is_put and not symbol:
            self.accounting.rebase_peak()

    def _on_tick(self, now: Instant) -> None:
        self._standing.on_tick(now)
        self._guarding.check(now)
        self._dust.step(now)
        self._opening.step(now)
        self._stops.step(now)
        self._turning.step(now)
        self._chores.do(now)
        if not self._core.is_ready:
            self._readings.try_ready(now)
