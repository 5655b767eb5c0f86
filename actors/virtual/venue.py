"""The venue as the gateway and the feeds reach it: calls that take time and may go wrong, and streams."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import TypeVar

from actors.virtual.agenda import Agenda
from actors.virtual.mishaps import NO_FATE, CallFate, CallKind, Mishaps
from actors.virtual.private_stream import PrivateStreams
from actors.virtual.settings import ACCOUNT, WorldSettings, instrument_of
from actors.virtual.stamp import Stamp
from actors.virtual.stops import VirtualStops
from exchanges.desk.events import Accepted, NotSent, Outcome, Unknown
from exchanges.port import Account, Income, Position
from exchanges.sim.engine import MatchingEngine
from exchanges.sim.market import MarketEvent
from exchanges.sim.orders import Fill as VenueFill
from exchanges.sim.orders import OrderView
from exchanges.sim.port_words import (
    TOO_OLD,
    UNKNOWN_ORDER,
    account_of,
    fill_of,
    income_of,
    order_of,
    position_of,
    quote_of,
    refused_of,
    report_of,
    stop_of,
    update_of,
)
from exchanges.sim.refusal import Refused as VenueRefused
from exchanges.sim.settings import AccountSpec, EngineConfig
from exchanges.sim.venue_events import AlgoEvent, BookEvent, OrderEvent, PublishedBook, VenueEvent
from grid.instrument import Instrument
from grid.order import Fill, OrderReport, OrderRequest, OrderUpdate, Quote
from risk.veto import Approved

A = TypeVar("A")

NO_REPLY: Outcome = Unknown(reason="no reply")
NOT_READ: Outcome = NotSent(reason="no reply")
POSITIONS_KEPT = 256


class VirtualVenue:
    """A matching engine behind delays. `on_quote` hears of every published best price that is not frozen."""

    def __init__(self, settings: WorldSettings, agenda: Agenda, mishaps: Mishaps, rng: Random) -> None:
        self._settings = settings
        self._agenda = agenda
        self._mishaps = mishaps
        self._rng = rng
        self._ways = settings.ways
        self._instruments = {grid.symbol: grid.venue for grid in settings.grids}
        self.engine = MatchingEngine(
            [grid.venue for grid in settings.grids],
            rng=Random(settings.seed),
            config=EngineConfig(
                publish=True,
                fills=settings.fills,
                post_only_cancels=settings.ways.post_only_cancels,
                reduce_only_strict=settings.ways.reduce_only_strict,
            ),
            start_ms=agenda.wall_ms,
        )
        fee_asset = "BNB" if settings.coin_deposit else "USDT"
        account = AccountSpec(
            account=ACCOUNT, deposit=settings.deposit, fee_asset=fee_asset, bnb_deposit=settings.coin_deposit
        )
        self.coin_price = account.bnb_price
        """What one BNB is worth."""
        self.engine.open_account(account, agenda.wall_ms)
        self.stops = VirtualStops(self.engine, mishaps, self, self._instruments, settings.desk.recv_window_ms)
        state = self._open_now if settings.ways.is_state_first else None
        self.streams = PrivateStreams(agenda, mishaps, rng, settings.latency, settings.ways.trades_apart_ms, state)
        self.on_write: Callable[[Stamp], None] | None = None
        """Hear of every write that the venue takes, none that it refuses for its age."""
        self.on_quote: Callable[[Quote], None] | None = None
        self.on_the_way: dict[str, OrderRequest] = {}
        """Placements that the venue has not judged yet, by client id: what is possibly live, in truth."""
        self.sent_ms: dict[str, int] = {}
        self.late: set[str] = set()
        """Client ids whose placement took effect after the time from which it is taken to be absent."""
        self.frozen: set[str] = set()
        """Symbols whose quotes do not come."""
        self.told_ticks: dict[str, Decimal] = {}
        """By symbol: another tick than the true one, told to whoever reads the rules."""
        self.on_order: Callable[[OrderEvent], None] | None = None
        self.on_sent: Callable[[OrderRequest], None] | None = None
        self.on_refused: Callable[[OrderRequest, Outcome], None] | None = None
        """Hear at once, for checks: of order events, of placements that leave the gateway, of refusals told."""
        self._hidden_until: dict[str, int] = {}
        self._positions: deque[tuple[int, dict[str, int]]] = deque(maxlen=POSITIONS_KEPT)
        self._quoted_ms = 0

    def on_market(self, event: MarketEvent) -> None:
        """Let the market move."""
        self.publish(self.engine.on_market(event))

    def publish(self, events: Iterable[VenueEvent]) -> None:
        """Send out what the engine tells."""
        for event in events:
            if isinstance(event, OrderEvent):
                if self.on_order is not None:
                    self.on_order(event)
                if event.fill is not None:
                    self._note_positions()
                self.streams.tell_order(update_of(event))
            elif isinstance(event, AlgoEvent):
                self.streams.tell(stop_of(event.algo, self._instruments[event.algo.symbol]))
            elif isinstance(event, BookEvent) and event.symbol not in self.frozen:
                self._send_quote(event.book)

    def take_write(self, stamp: Stamp, recv_window_ms: int) -> bool:
        """Judge the age of a write that has arrived."""
        if stamp.age_ms(self._agenda.now_ms) > recv_window_ms:
            return False
        if self.on_write is not None:
            self.on_write(stamp)
        return True

    def repeat_quote(self, symbol: str) -> None:
        """Send the present best prices to a new subscriber."""
        book = self.engine.read.book(symbol)
        if book.bid and symbol not in self.frozen:
            self._send_quote(book)

    def place(self, approved: Approved, reply: Callable[[Outcome], None], stamp: Stamp) -> None:
        """Send an order."""
        request, sent_ms = approved.request, stamp.at_ms
        fate = self._mishaps.call(CallKind.PLACE, request.symbol, request.closing)
        answer = self.replying(fate, reply, NO_REPLY)
        if self.on_sent is not None and sent_ms == self._agenda.now_ms:
            self.on_sent(request)

        def arrive() -> None:
            is_old = not self.take_write(stamp, request.recv_window_ms)
            refused = fate.answer if fate.answer is not None else TOO_OLD if is_old else None
            if refused is not None:
                del self.on_the_way[request.client_id], self.sent_ms[request.client_id]
                answer(refused)
            elif fate.matching_delay_ms:
                self._agenda.after(fate.matching_delay_ms, "matching", request, lambda: answer(match()))
            else:
                answer(match())

        def match() -> Outcome:
            del self.on_the_way[request.client_id], self.sent_ms[request.client_id]
            now_ms = self._agenda.now_ms
            if fate.hidden_ms:
                self._hidden_until[request.client_id] = now_ms + fate.hidden_ms
            if now_ms - sent_ms > self._settings.desk.absent_after_ms:
                self.late.add(request.client_id)
            outcome = self._submit(request)
            if self.on_refused is not None and not isinstance(outcome, Accepted) and fate is NO_FATE:
                self.on_refused(request, outcome)
            return outcome

        if not fate.is_request_lost:
            self.on_the_way[request.client_id], self.sent_ms[request.client_id] = request, sent_ms
            self.travel(CallKind.PLACE, request, fate, arrive)

    def cancel(self, symbol: str, client_id: str, reply: Callable[[Outcome], None], stamp: Stamp) -> None:
        """Cancel an order by client id."""
        fate = self._mishaps.call(CallKind.CANCEL, symbol, False)
        answer = self.replying(fate, reply, NO_REPLY)

        def arrive() -> None:
            is_taken = self.take_write(stamp, self._settings.desk.recv_window_ms)
            if fate.answer is not None:
                answer(fate.answer)
            else:
                answer(self._cancel(symbol, client_id) if is_taken else TOO_OLD)

        self.travel(CallKind.CANCEL, client_id, fate, arrive)

    def look_up(self, symbol: str, client_id: str, reply: Callable[[Outcome], None], order_id: str = "") -> None:
        """Read an order by client id, or by the venue's own where that is given."""
        fate = self._mishaps.call(CallKind.LOOK_UP, symbol, False)
        answer = self.replying(fate, reply, NOT_READ)

        def arrive() -> None:
            found = fate.answer if isinstance(fate.answer, NotSent) else self._read_order(symbol, client_id, order_id)
            answer(found)

        self.travel(CallKind.LOOK_UP, client_id, fate, arrive)

    def open_orders(self, reply: Callable[[tuple[OrderReport, ...] | None], None]) -> None:
        """Read all open orders of the account."""

        def read(fate: CallFate) -> tuple[OrderReport, ...]:
            orders = [] if fate.is_empty else self.engine.read.open_orders(ACCOUNT)
            return tuple(report_of(order) for order in orders if not self._is_hidden(order.client_id))

        self._read(CallKind.OPEN_ORDERS, "", read, reply)

    def trades(
        self, symbol: str, since_ms: int, reply: Callable[[tuple[Fill, ...] | None], None], order_id: str = ""
    ) -> None:
        """Read a symbol's fills, or those of one order, since a venue time."""

        def read(fate: CallFate) -> tuple[Fill, ...]:
            rows = self.engine.read.user_trades(ACCOUNT, symbol, start_ms=since_ms, limit=10_000)
            newest_ms = self._agenda.wall_ms - fate.lag_ms
            told = (fill_of(row, self._client_id_of(row)) for row in rows if row.time_ms <= newest_ms)
            return tuple(fill for fill in told if order_id in ("", fill.order_id))

        self._read(CallKind.TRADES, symbol, read, reply)

    def positions(self, reply: Callable[[tuple[Position, ...] | None], None]) -> None:
        """Read all positions."""

        def read(fate: CallFate) -> tuple[Position, ...]:
            found = [] if fate.is_empty else self.engine.read.positions(ACCOUNT)
            past = self._positions_at(self._agenda.now_ms - fate.lag_ms) if fate.lag_ms else {}
            told = (position_of(view) for view in found)
            return tuple(replace(one, quantity=past.get(one.symbol, one.quantity)) for one in told)

        self._read(CallKind.POSITIONS, "", read, reply)

    def income(self, since_ms: int, reply: Callable[[tuple[Income, ...] | None], None]) -> None:
        """Read the account's ledger since a venue time."""

        def read(_: CallFate) -> tuple[Income, ...]:
            rows = self.engine.read.income(ACCOUNT, start_ms=since_ms, limit=10_000)
            return tuple(income_of(row) for row in rows)

        self._read(CallKind.INCOME, "", read, reply)

    def account(self, reply: Callable[[Account | None], None]) -> None:
        """Read wallet and unrealised profit."""

        def read(_: CallFate) -> Account:
            return account_of(self.engine.read.account(ACCOUNT))

        self._read(CallKind.ACCOUNT, "", read, reply)

    def quote(self, symbol: str, reply: Callable[[Quote | None], None]) -> None:
        """Read the best prices."""

        def read(_: CallFate) -> Quote:
            return quote_of(self.engine.read.book(symbol), self._agenda.now_ms)

        self._read(CallKind.QUOTE, symbol, read, reply)

    def instrument(self, symbol: str) -> Instrument:
        """Return a symbol's rules as they are now."""
        return instrument_of(self.engine.read.instrument(symbol))

    def rules(self, reply: Callable[[dict[str, Instrument] | None], None]) -> None:
        """Read the rules of all symbols."""

        def read(_: CallFate) -> dict[str, Instrument]:
            found = {symbol: self.instrument(symbol) for symbol in self._instruments}
            return {name: replace(one, tick=self.told_ticks.get(name, one.tick)) for name, one in found.items()}

        self._read(CallKind.RULES, "", read, reply)

    def _submit(self, request: OrderRequest) -> Outcome:
        order = order_of(request, self._instruments[request.symbol])
        try:
            placed = self.engine.submit(ACCOUNT, order, self._agenda.wall_ms)
        except VenueRefused as error:
            return refused_of(error)
        self.publish(placed.events)
        return Accepted(report=report_of(placed.accepted))

    def _cancel(self, symbol: str, client_id: str) -> Outcome:
        try:
            placed = self.engine.cancel(ACCOUNT, symbol, self._agenda.wall_ms, client_id=client_id)
        except VenueRefused as error:
            return refused_of(error)
        self.publish(placed.events)
        return Accepted(report=report_of(placed.order))

    def _read_order(self, symbol: str, client_id: str, order_id: str) -> Outcome:
        if self._is_hidden(client_id):
            return UNKNOWN_ORDER
        read, wall_ms, number = self.engine.read, self._agenda.wall_ms, int(order_id or 0)
        try:
            view = read.order(ACCOUNT, symbol, wall_ms, order_id=number, client_id=client_id)
        except VenueRefused as error:
            return refused_of(error)
        if self._is_forgotten(view, is_by_client_id=not order_id):
            return UNKNOWN_ORDER
        return Accepted(report=report_of(view))

    def _is_forgotten(self, view: OrderView, *, is_by_client_id: bool) -> bool:
        """Whether the venue keeps the order no longer, or no longer by the client's own id."""
        age_ms, ways = self._agenda.wall_ms - view.updated_ms, self._ways
        if view.status.is_open:
            return False
        if not view.filled:
            return 0 < ways.unfilled_kept_ms < age_ms
        return is_by_client_id and 0 < ways.filled_kept_ms < age_ms

    def _client_id_of(self, row: VenueFill) -> str:
        """Return the id that a history tells beside a trade, where the venue tells it."""
        if not self._ways.filled_kept_ms:
            return ""
        return self.engine.read.order(ACCOUNT, row.symbol, self._agenda.wall_ms, order_id=row.order_id).client_id

    def _open_now(self) -> tuple[OrderUpdate, ...]:
        orders = self.engine.read.open_orders(ACCOUNT)
        return tuple(OrderUpdate(report=report_of(order), fill=None) for order in orders)

    def _read(
        self, kind: CallKind, symbol: str, read: Callable[[CallFate], A], reply: Callable[[A | None], None]
    ) -> None:
        fate = self._mishaps.call(kind, symbol, False)
        nothing: A | None = None
        answer = self.replying(fate, reply, nothing)

        def arrive() -> None:
            answer(None if fate.answer is not None else read(fate))

        self.travel(kind, symbol, fate, arrive)

    def wall_ms(self) -> int:
        """Return the venue's time."""
        return self._agenda.wall_ms

    def travel(self, kind: CallKind, about: object, fate: CallFate, arrive: Callable[[], None]) -> None:
        """Let a call arrive after its delay."""
        if not fate.is_request_lost:
            delay_ms = self._draw(self._settings.latency.request) + fate.request_delay_ms
            self._agenda.after(delay_ms, kind.value, about, arrive)

    def replying(self, fate: CallFate, reply: Callable[[A], None], otherwise: A) -> Callable[[A], None]:
        """Return what carries an answer back; the caller's patience ends in `otherwise`, once at most."""
        if fate is NO_FATE:
            return lambda outcome: self._send_back(outcome, 0, reply)
        is_open = True

        def once(outcome: A) -> None:
            nonlocal is_open
            if is_open:
                is_open = False
                reply(outcome)

        def answer(outcome: A) -> None:
            if not fate.is_reply_lost:
                self._send_back(outcome, fate.reply_delay_ms, once)

        self._agenda.after(self._settings.call_timeout_ms, "timeout", otherwise, lambda: once(otherwise))
        return answer

    def _send_back(self, outcome: A, more_ms: int, reply: Callable[[A], None]) -> None:
        delay_ms = self._draw(self._settings.latency.reply) + more_ms
        self._agenda.after(delay_ms, "reply", outcome, lambda: reply(outcome))

    def _send_quote(self, book: PublishedBook) -> None:
        listener = self.on_quote
        if listener is None:
            return
        # One socket: a later quote never overtakes an earlier one.
        at_ms = self._agenda.now_ms + self._draw(self._settings.latency.quote)
        at_ms = self._quoted_ms = max(at_ms, self._quoted_ms)
        quote = quote_of(book, at_ms)
        self._agenda.at(at_ms, "quote", quote, lambda: listener(quote))

    def _note_positions(self) -> None:
        held = {name: self.engine.read.position(ACCOUNT, name).quantity for name in self._instruments}
        self._positions.append((self._agenda.now_ms, held))

    def _positions_at(self, at_ms: int) -> dict[str, int]:
        found: dict[str, int] = dict.fromkeys(self._instruments, 0)
        for noted_ms, held in self._positions:
            if noted_ms <= at_ms:
                found = held
        return found

    def _is_hidden(self, client_id: str) -> bool:
        return self._hidden_until.get(client_id, 0) > self._agenda.now_ms

    def _draw(self, bounds: tuple[int, int]) -> int:
        low, high = bounds
        return low if low == high else self._rng.randint(low, high)
