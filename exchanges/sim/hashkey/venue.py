"""HashKey Global behind its doors: the core of every venue, with this one's limits, streams and ways."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from exchanges.sim.hashkey.contracts import under_own_filters
from exchanges.sim.hashkey.errors import wrong_side
from exchanges.sim.hashkey.streams import MarketStreams, PrivateStreams
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.orders import OrderView
from exchanges.sim.server.core import VenueCore
from exchanges.sim.server.listeners import Listeners, Session
from exchanges.sim.server.options import VenueOptions
from exchanges.sim.server.quota import Quota
from exchanges.sim.server.tokens import Tokens
from exchanges.sim.server.windows import Interval, Kind, Window
from exchanges.sim.venue_events import VenueEvent
from grid.order import Side

PUBLIC, PRIVATE = "/quote/ws/v1", "/api/v1/ws"
WINDOWS = (
    Window(kind=Kind.WEIGHT, interval=Interval.MINUTE, number=1, limit=2400),
    Window(kind=Kind.ORDERS, interval=Interval.SECOND, number=10, limit=300),
    Window(kind=Kind.ORDERS, interval=Interval.MINUTE, number=1, limit=1200),
)


class HashkeyVenue(VenueCore):
    """Everything of the venue that decides."""

    def __init__(self, options: VenueOptions, wall_ms: Callable[[], int]) -> None:
        super().__init__(options, wall_ms)
        self.quota = Quota(WINDOWS if options.windows is None else options.windows)
        self.keys = Tokens(validity_ms=self.behaviour.listen_key_validity_ms, rng=random.Random(options.seed))
        self.listeners = Listeners(self)
        self.market = MarketStreams(self)
        self.private = PrivateStreams(self)
        self._opened_by: dict[Session, str] = {}
        self.open_accounts()

    def listed(self) -> list[SimInstrument]:
        return [under_own_filters(held) for held in super().listed()]

    def advance(self) -> None:
        """Let time pass, push what is pushed by its period, and end the streams whose key is none any more."""
        super().advance()
        self.market.tick(self.now_ms())
        for session, key in list(self._opened_by.items()):
            if self.keys.account_of(key, self.now_ms()) is None:
                session.connection.cut()

    def tell_accounts(self, events: Sequence[VenueEvent]) -> None:
        self.private.send(events)

    def tell_everybody(self, event: VenueEvent) -> None:
        self.market.send(event)

    def join(self, session: Session, key: str = "") -> None:
        self.listeners.join(session)
        if key:
            self._opened_by[session] = key

    def leave(self, session: Session) -> None:
        self.listeners.leave(session)
        self._opened_by.pop(session, None)

    def expire_session(self, account: str) -> None:
        """End the account's listen keys and its streams: a new one wants a new key."""
        self.keys.expire(account)
        for session in self.listeners.of_account(account):
            session.connection.cut()

    def ban(self, address: str, until_ms: int) -> None:
        self.quota.ban(address, until_ms)

    def lift(self, address: str) -> None:
        self.quota.lift(address)

    def orders_of(self, account: str) -> list[OrderView]:
        return self.engine.read.every_order(account)

    def check_opening(self, account: str, symbol: str, side: Side) -> None:
        """Refuse to open against what is held or about to be: the engine has one position where the venue has two.

        What is refused here would there be a second position beside the first, and never the end of it.
        """
        held = self.engine.read.position(account, symbol).quantity
        others = (one.side for one in self.engine.read.open_orders(account, symbol) if not one.reduce_only)
        if held * (1 if side is Side.BUY else -1) < 0 or any(other is not side for other in others):
            raise wrong_side()
