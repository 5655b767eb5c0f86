"""The desk under any order of asks, answers, stream events, losses and restarts that hypothesis can think of.

The venue is the real matching engine; only when and whether something arrives is drawn.
"""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from exchanges.desk.commands import LookUp, ReadOpenOrders, ReadPositions, ReadTrades, Send, SendCancel
from exchanges.desk.events import (
    Asked,
    CancelAnswered,
    Event,
    OpenOrdersRead,
    OrderRead,
    Outcome,
    PlaceAnswered,
    PositionsRead,
    StreamSaid,
    StreamState,
    TradesRead,
    Unknown,
)
from exchanges.desk.exposures import exposure, exposures
from exchanges.desk.readings import CONFIRMATIONS_SOON
from grid.book import Book
from grid.order import OrderRequest, OrderUpdate, Purpose
from grid.records import OrderIntended
from grid.slot import Phase
from tests.simulation.worlds import SYMBOL
from tests.unit.order_desk_world import DeskWorld, key
from tests.unit.sim_venue import PlainVenue

LEVELS = st.integers(-4, -1)
PICK = st.integers(0, 50)


class DeskMachine(RuleBasedStateMachine):
    """One account, four levels. Everything that is on its way waits in a list until it is drawn."""

    @initialize()
    def start(self) -> None:
        """Begin with a desk that trades."""
        self.venue = PlainVenue()
        self.desk = self.first_desk()
        self.desk.said.clear()
        self.unsent: list[str] = []
        self.cancels: list[str] = []
        self.placing: list[tuple[OrderRequest, int]] = []
        self.answers: list[Event] = []
        self.stream: list[OrderUpdate] = []
        self.asked: list[tuple[int, Asked]] = []

    def first_desk(self) -> DeskWorld:
        """Return the desk of the first life, which trades."""
        return DeskWorld().ready()

    def next_desk(self, book: Book, now_ms: int) -> DeskWorld:
        """Return the desk of the next life."""
        return DeskWorld(book, now_ms=now_ms)

    def after(self) -> None:
        """Carry out what the desk wants: reads at once, orders into the lane, cancels to the venue."""
        said, self.desk.said = self.desk.said, []
        for command in said:
            begun_ms = self.desk.now_ms
            match command:
                case Send(client_id=client_id):
                    self.unsent.append(client_id)
                case SendCancel(client_id=client_id):
                    self.cancels.append(client_id)
                case LookUp(client_id=client_id):
                    found = self.venue.look_up(client_id)
                    self.answers.append(OrderRead(client_id=client_id, begun_ms=begun_ms, outcome=found))
                case ReadOpenOrders():
                    self.answers.append(OpenOrdersRead(begun_ms=begun_ms, reports=self.venue.open_orders()))
                case ReadTrades(symbol=symbol, since_ms=since_ms):
                    fills = self.venue.fills()
                    self.answers.append(TradesRead(symbol=symbol, since_ms=since_ms, begun_ms=begun_ms, fills=fills))
                case ReadPositions():
                    self.answers.append(PositionsRead(begun_ms=begun_ms, positions=self.venue.positions()))
                case _:
                    pass
        self.stream += self.venue.take_updates()

    @rule(level=LEVELS)
    def ask_for_an_entry(self, level: int) -> None:
        """A slot asks; doubled and outdated asks are drawn by asking in any state."""
        if self.desk.slot(level).lot is None:
            self.ask(level, Purpose.ENTRY)

    @rule(level=LEVELS)
    def ask_for_an_exit(self, level: int) -> None:
        """A slot with a lot asks for its exit."""
        if self.desk.slot(level).lot is not None:
            self.ask(level, Purpose.EXIT)

    def ask(self, level: int, purpose: Purpose) -> None:
        """Ask, and keep the wish if it was carried out: it may be delivered again."""
        before = len(self.desk.records)
        self.desk.ask(level, purpose=purpose)
        if any(isinstance(record, OrderIntended) for record in self.desk.records[before:]):
            self.asked.append((level, self.desk.last_asked))
        self.after()

    @rule(level=LEVELS)
    def ask_for_a_cancel(self, level: int) -> None:
        """A slot wants its order gone."""
        order = self.desk.slot(level).order
        if order is not None:
            self.desk.cancel(level, order.client_id)
            self.after()

    @rule(level=LEVELS, is_reply_lost=st.booleans())
    def place_at_once(self, level: int, is_reply_lost: bool) -> None:
        """An order is asked for, sent and taken without anything in between."""
        self.ask_for_an_entry(level)
        self.ask_for_an_exit(level)
        if self.unsent:
            self.send(len(self.unsent) - 1)
        if self.placing:
            self.arrive(len(self.placing) - 1, is_reply_lost)

    @precondition(lambda self: self.unsent)
    @rule(pick=PICK)
    def send(self, pick: int) -> None:
        """The limiter lets one order go."""
        client_id = self.unsent.pop(pick % len(self.unsent))
        request = self.desk.request(client_id)
        if request is not None:
            self.placing.append((request, self.desk.now_ms))
        self.after()

    @precondition(lambda self: self.placing)
    @rule(pick=PICK, is_reply_lost=st.booleans())
    def arrive(self, pick: int, is_reply_lost: bool) -> None:
        """An order reaches the venue; its reply may be lost."""
        request, sent_ms = self.placing.pop(pick % len(self.placing))
        outcome: Outcome = Unknown(reason="request lost")
        if self.desk.now_ms - sent_ms <= request.recv_window_ms:
            outcome = self.venue.place(request)
        if is_reply_lost:
            outcome = Unknown(reason="reply lost")
        self.answers.append(PlaceAnswered(client_id=request.client_id, outcome=outcome))
        self.after()

    @precondition(lambda self: self.placing)
    @rule(pick=PICK)
    def the_caller_gives_up(self, pick: int) -> None:
        """A placement is answered by nobody in time; it may reach the venue still."""
        request, _ = self.placing[pick % len(self.placing)]
        self.desk.tell(PlaceAnswered(client_id=request.client_id, outcome=Unknown(reason="no reply")))
        self.after()

    @precondition(lambda self: self.asked)
    @rule(pick=PICK)
    def an_old_wish_comes_again(self, pick: int) -> None:
        """A slot's message is delivered twice, the second time after anything else."""
        level, asked = self.asked[pick % len(self.asked)]
        before = len(self.desk.records)
        self.desk.tell(asked)
        intended = [r for r in self.desk.records[before:] if isinstance(r, OrderIntended)]
        assert not intended, f"level {level} was asked for once and is placed twice"
        self.after()

    @precondition(lambda self: self.answers)
    @rule(pick=PICK)
    def answer(self, pick: int) -> None:
        """Any of the answers on their way arrives."""
        self.desk.tell(self.answers.pop(pick % len(self.answers)))
        self.after()

    @precondition(lambda self: self.stream)
    @rule(pick=PICK, is_kept=st.booleans())
    def hear(self, pick: int, is_kept: bool) -> None:
        """Any event of the stream arrives, and perhaps once more later."""
        update = self.stream[pick % len(self.stream)]
        if not is_kept:
            self.stream.remove(update)
        self.tell_of(update)

    def tell_of(self, update: OrderUpdate) -> None:
        """Pass an event on; whatever it tells, a cancel that was asked for stays asked for."""
        level = self.venue.level_of(update.report.client_id)
        before = self.desk.slot(level).phase
        self.desk.tell(StreamSaid(update=update))
        assert (before, self.desk.slot(level).phase) != (Phase.CANCELLING, Phase.LOCKED)
        self.after()

    def hear_everything(self) -> None:
        """Let every answer and event arrive."""
        while self.answers or self.stream:
            if self.answers:
                self.answer(0)
            else:
                self.tell_of(self.stream.pop(0))

    def let_all_arrive(self) -> None:
        """Let whatever is on its way come to its end, so that no slot waits."""
        phases = {Phase.FREE, Phase.LOCKED}
        for _ in range(20):
            while self.unsent:
                self.send(0)
            while self.placing:
                self.arrive(0, is_reply_lost=False)
            while self.cancels:
                self.a_cancel_arrives(0, is_lost=False, is_reply_lost=False)
            self.hear_everything()
            if {self.desk.slot(at).phase for at in range(-4, 0)} <= phases:
                return
            self.time_passes(500)

    @rule(level=LEVELS, part=st.integers(1, 9))
    def a_fill_overtakes_a_cancel(self, level: int, part: int) -> None:
        """Part of an order is taken between the wish to cancel it and the venue's answer."""
        self.place_at_once(level, is_reply_lost=False)
        self.hear_everything()
        self.ask_for_a_cancel(level)
        self.fill_at(level, part)

    @rule(level=LEVELS, part=st.integers(1, 9))
    def a_fill_overtakes_readings_of_the_position(self, level: int, part: int) -> None:
        """However many readings tell of the time before a fill, its lot is no contradiction."""
        self.place_at_once(level, is_reply_lost=False)
        self.let_all_arrive()
        past = PositionsRead(begun_ms=self.desk.now_ms, positions=self.venue.positions())
        self.fill_at(level, part)
        for _ in range(CONFIRMATIONS_SOON):
            self.desk.tell(past)
        self.after()

    def fill_at(self, level: int, part: int) -> None:
        """Take part of what rests at a level, and let the stream tell it."""
        for client_id in [one for one in self.venue.live() if self.venue.level_of(one) == level]:
            self.venue.take(client_id, part)
        self.after()
        while self.stream:
            self.tell_of(self.stream.pop(0))

    @rule(level=LEVELS, waits_ms=st.sampled_from((0, 100, 500, 1_000, 3_500)))
    def a_slow_order_is_asked_for_again(self, level: int, waits_ms: int) -> None:
        """An order is on its way, its caller has given up, nobody finds it, and the slot asks once more."""
        self.ask_for_an_entry(level)
        if self.unsent:
            self.send(len(self.unsent) - 1)
        if self.placing:
            self.the_caller_gives_up(len(self.placing) - 1)
        self.time_passes(waits_ms)
        self.hear_everything()
        self.ask_for_an_entry(level)
        if self.unsent:
            self.send(len(self.unsent) - 1)

    @precondition(lambda self: self.venue.live())
    @rule(pick=PICK, part=st.integers(1, 12))
    def the_market_takes(self, pick: int, part: int) -> None:
        """A print takes part of what rests, or all."""
        live = self.venue.live()
        self.venue.take(live[pick % len(live)], part)
        self.after()

    @precondition(lambda self: self.cancels)
    @rule(pick=PICK, is_lost=st.booleans(), is_reply_lost=st.booleans())
    def a_cancel_arrives(self, pick: int, is_lost: bool, is_reply_lost: bool) -> None:
        """A cancel reaches the venue, or not; its reply may be lost."""
        client_id = self.cancels.pop(pick % len(self.cancels))
        outcome: Outcome = Unknown(reason="lost")
        if not is_lost:
            done = self.venue.cancel(client_id)
            outcome = outcome if is_reply_lost else done
        self.answers.append(CancelAnswered(client_id=client_id, outcome=outcome))
        self.after()

    @rule(ms=st.sampled_from((100, 500, 3_500)))
    def time_passes(self, ms: int) -> None:
        """Chores become due. What is on its way for longer than it may be has failed."""
        self.desk.pass_ms(ms, step_ms=100)
        self.venue.pass_ms(ms)
        self.desk.renew_go()
        self.after()

    @rule()
    def the_stream_breaks(self) -> None:
        """Everything not heard yet is lost; a new connection is confirmed."""
        self.stream.clear()
        self.desk.tell(StreamState(is_up=False, reason="reset"))
        self.desk.tell(StreamState(is_up=True))
        self.after()

    @rule()
    def the_gateway_dies(self) -> None:
        """The journal survives, and what is on its way to the venue; nothing that was to come back does."""
        self.unsent.clear()
        self.cancels.clear()
        self.answers.clear()
        self.stream.clear()
        book = Book()
        book.replay(self.desk.records)
        records = self.desk.records
        self.desk = self.next_desk(book, self.desk.now_ms + 1_400)
        self.desk.records[:0] = records
        self.venue.pass_ms(1_400)
        self.desk.tell(StreamState(is_up=True))
        self.desk.renew_go()
        self.after()

    @invariant()
    def each_slot_has_one_order(self) -> None:
        """Live at the venue, or on its way there in time."""
        live: Counter[int] = Counter(level for level in map(self.venue.level_of, self.venue.live()))
        for request, sent_ms in self.placing:
            if self.desk.now_ms - sent_ms <= request.recv_window_ms:
                live[self.venue.level_of(request.client_id)] += 1
        assert all(count <= 1 for count in live.values()), live

    @invariant()
    def the_position_ties(self) -> None:
        """Lots, foreign, and what is not booked yet are the venue's position."""
        book = self.desk.desk.book
        unbooked = sum(f.side.sign * f.quantity for f in self.venue.fills() if not book.has_fill(f.key))
        assert book.symbol(SYMBOL).expected_position() + unbooked == self.venue.position()
        assert book.symbol(SYMBOL).foreign == 0

    @invariant()
    def what_is_committed_is_reckoned_anew_where_the_book_changed(self) -> None:
        """What was kept of an earlier reckoning is what a new one gives."""
        core = self.desk.desk._core
        assert exposures(core) == [exposure(core, book) for book in core.book.symbols.values() if book.generations]

    @invariant()
    def every_wait_has_a_next_step(self) -> None:
        """Nothing waits for what will never come."""
        for level in range(-4, 0):
            if self.desk.slot(level).phase not in (Phase.FREE, Phase.LOCKED):
                assert self.desk.desk.next_step(key(level)) is not None

    def teardown(self) -> None:
        """Let everything arrive and time pass: nothing stays unknown, every fill is booked."""
        if not hasattr(self, "desk"):
            return
        for request, _ in self.placing:
            self.answers.append(PlaceAnswered(client_id=request.client_id, outcome=Unknown(reason="lost")))
        self.placing.clear()
        for _ in range(60):
            for client_id in [*self.unsent]:
                self.unsent.remove(client_id)
                sent = self.desk.request(client_id)
                if sent is not None:
                    placed = self.venue.place(sent)
                    self.answers.append(PlaceAnswered(client_id=client_id, outcome=placed))
            while self.cancels:
                self.a_cancel_arrives(0, False, False)
            while self.answers or self.stream:
                if self.answers:
                    self.desk.tell(self.answers.pop(0))
                else:
                    self.desk.tell(StreamSaid(update=self.stream.pop(0)))
                self.after()
            self.time_passes(500)
        book = self.desk.desk.book
        assert all(book.has_fill(fill.key) for fill in self.venue.fills())
        phases = {level: self.desk.slot(level).phase for level in range(-4, 0)}
        assert all(phase in (Phase.FREE, Phase.LOCKED) for phase in phases.values()), phases
        owned = {order.client_id for order in book.live_orders()}
        assert owned == set(self.venue.live())


TestDesk = DeskMachine.TestCase
TestDesk.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
