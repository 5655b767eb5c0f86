"""KuCoin Futures behind its doors: the core of every venue, with this one's limits, streams and ways."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from exchanges.sim.instrument import SimInstrument
from exchanges.sim.kucoinfutures.contracts import under_own_filters
from exchanges.sim.kucoinfutures.streams import MarketStreams, PrivateStreams
from exchanges.sim.orders import OrderView
from exchanges.sim.server.core import VenueCore
from exchanges.sim.server.listeners import Listeners
from exchanges.sim.server.options import VenueOptions
from exchanges.sim.server.quota import Quota
from exchanges.sim.server.tokens import Tokens
from exchanges.sim.server.windows import Interval, Kind, Window
from exchanges.sim.venue_events import VenueEvent

DAY_MS = 24 * 3600 * 1000
PATH = "/endpoint"
"""Where sockets are opened."""
WINDOWS = (Window(kind=Kind.WEIGHT, interval=Interval.SECOND, number=30, limit=2000),)
"""The lowest tier's pool for contracts; public reads have one of their own for each address."""


class KucoinVenue(VenueCore):
    """Everything of the venue that decides."""

    def __init__(self, options: VenueOptions, wall_ms: Callable[[], int]) -> None:
        ways = replace(options.engine, post_only_cancels=True, reduce_only_strict=False)
        super().__init__(replace(options, engine=ways), wall_ms)
        self.quota = Quota(WINDOWS if options.windows is None else options.windows)
        self.tokens = Tokens(validity_ms=DAY_MS, rng=random.Random(options.seed))
        self.listeners = Listeners(self)
        self.market = MarketStreams(self)
        self.private = PrivateStreams(self)
        self.open_accounts()

    def listed(self) -> list[SimInstrument]:
        return [under_own_filters(held) for held in super().listed()]

    def advance(self) -> None:
        """Let time pass, and push what is pushed by its period."""
        super().advance()
        self.market.tick(self.now_ms())

    def tell_accounts(self, events: Sequence[VenueEvent]) -> None:
        self.private.send(events)

    def tell_everybody(self, event: VenueEvent) -> None:
        self.market.send(event)

    def expire_session(self, account: str) -> None:
        """End the account's tokens and its sockets: a new socket wants a new token."""
        self.tokens.expire(account)
        for session in self.listeners.of_account(account):
            session.connection.cut()

    def ban(self, address: str, until_ms: int) -> None:
        self.quota.ban(address, until_ms)

    def lift(self, address: str) -> None:
        self.quota.lift(address)

    def own_order(self, account: str, order_id: str) -> OrderView | None:
        """Return an order of the account by the venue's id alone, in whatever symbol it is."""
        found = self.engine.read.every_order(account)
        return next((one for one in reversed(found) if str(one.order_id) == order_id), None)
