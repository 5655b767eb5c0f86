"""A venue behind its doors, whatever language the doors speak: engine, keys, faults and time of one process."""

from __future__ import annotations

import random
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from exchanges.sim.engine import MatchingEngine
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.market import MarketEvent
from exchanges.sim.orders import OrderView
from exchanges.sim.server.connection import Connection, Health
from exchanges.sim.server.faults import FaultKind, FaultPlan, Strike, Subject, frame_copies
from exchanges.sim.server.keys import KeyBook
from exchanges.sim.server.options import VenueOptions
from exchanges.sim.server.past_views import PastViews
from exchanges.sim.venue_events import AccountEvent, OrderEvent, VenueEvent, private_account


class VenueCore:
    """What of a venue no protocol changes. It is called from one event loop and never waits.

    `wall_ms` reads the wall clock; `server_ms` is the venue's own clock, which a fault may put wrong. A protocol adds
    how events are told, how sessions end and how requests are counted.
    """

    def __init__(self, options: VenueOptions, wall_ms: Callable[[], int]) -> None:
        self.options = options
        self.behaviour = options.behaviour
        self._wall_ms = wall_ms
        start_ms = wall_ms()
        self.plan = FaultPlan(options.faults, seed=options.seed, now_ms=start_ms)
        self.source = options.market(start_ms)
        self.engine = MatchingEngine(
            self.listed(),
            rng=random.Random(options.seed),
            config=replace(options.engine, publish=True),
            start_ms=start_ms,
        )
        self.book = KeyBook(key for account in options.accounts for key in account.keys)
        self.past = PastViews()
        self.control_token = options.control_token or secrets.token_urlsafe(24)
        self.refusals: Counter[str] = Counter()
        self.private_sent: Counter[str] = Counter()
        """Events to accounts, by the protocol's own name."""
        self.frames_sent = 0
        self._hidden: dict[tuple[str, int], tuple[int, Strike]] = {}
        """Orders that queries do not show: until when, and by which fault."""

    def listed(self) -> list[SimInstrument]:
        """Return the symbols of the market under this venue's filters."""
        return list(self.source.instruments())

    def open_accounts(self) -> None:
        """Open every account of the options; call once the protocol can tell events."""
        for account in self.options.accounts:
            self.tell(self.engine.open_account(account.spec, self.now_ms()))

    def now_ms(self) -> int:
        return self._wall_ms()

    def server_ms(self) -> int:
        """Return the time that the venue says it is: off by the skew that a fault sets."""
        now_ms = self._wall_ms()
        return now_ms + self.plan.skew_ms(now_ms)

    def instrument(self, symbol: str) -> SimInstrument:
        return self.engine.read.instrument(symbol)

    def instruments(self) -> dict[str, SimInstrument]:
        return {held.symbol: held for held in self.engine.read.instruments()}

    def on_market(self, event: MarketEvent) -> None:
        self.tell(self.engine.on_market(event))

    def advance(self) -> None:
        """Let time pass: countdowns, funding, sessions that run out, what is pushed by its period."""
        self.tell(self.engine.advance(self.now_ms()))

    def tell(self, events: Iterable[VenueEvent]) -> None:
        """Send what the engine caused to whoever listens, and remember it for reads that lag."""
        events = list(events)
        now_ms = self.now_ms()
        for event in events:
            if isinstance(event, OrderEvent):
                self.past.record_order(event, now_ms)
            elif isinstance(event, AccountEvent):
                self.past.record_account(event, self.engine.read.account(event.account), now_ms)
        self.tell_accounts([event for event in events if private_account(event) is not None])
        for event in events:
            self.tell_everybody(event)

    def tell_accounts(self, events: Sequence[VenueEvent]) -> None:
        """Send events to the accounts that they belong to."""
        raise NotImplementedError

    def tell_everybody(self, event: VenueEvent) -> None:
        """Send what is public of an event."""
        raise NotImplementedError

    def expire_session(self, account: str) -> None:
        """End the account's private session now, in the protocol's way."""
        raise NotImplementedError

    def ban(self, address: str, until_ms: int) -> None:
        """Refuse every request from an address."""
        raise NotImplementedError

    def lift(self, address: str) -> None:
        """End a ban."""
        raise NotImplementedError

    def send(self, connection: Connection, frame: bytes, subject: Subject) -> None:
        """Send one frame of a stream, through the faults."""
        if connection.health is not Health.OPEN:
            return
        now_ms = self.now_ms()
        if self.plan.strike(FaultKind.FORCED_CUT, subject, now_ms):
            connection.cut()
            return
        if self.plan.strike(FaultKind.HALF_OPEN, subject, now_ms):
            connection.go_half_open()
            return
        for copy in frame_copies(self.plan, subject, now_ms):
            self.frames_sent += 1
            connection.push(frame, delay_s=copy.delay_ms / 1000, is_in_line=copy.is_in_line)

    def hide_for_a_while(self, subject: Subject, order: OrderView) -> None:
        """Let a fault make a new order invisible to queries for some time."""
        strike = self.plan.strike(FaultKind.LATE_VISIBILITY, subject, self.now_ms())
        if strike:
            self._hidden[(order.account, order.order_id)] = (self.now_ms() + strike.delay_ms, strike)

    def is_visible(self, order: OrderView) -> bool:
        """Say whether queries show an order."""
        hidden = self._hidden.get((order.account, order.order_id))
        return hidden is None or (self.now_ms() >= hidden[0] and hidden[1].is_over)

    def told_order_id(self, order: OrderView) -> int | str:
        """Return an order's id as clients are told it."""
        return order.order_id

    def told_trade_id(self, symbol: str, trade_id: int) -> int | str:
        """Return the id of an account's trade as clients are told it."""
        return trade_id

    def strike(self, kind: FaultKind, subject: Subject) -> Strike | None:
        """Decide whether a fault strikes now."""
        return self.plan.strike(kind, subject, self.now_ms())

    def candles_are_missing(self, symbol: str) -> bool:
        """Say whether a fault withholds this coin's candles now."""
        return self.strike(FaultKind.CANDLES_MISSING, Subject(symbol=symbol)) is not None
