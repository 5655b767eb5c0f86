"""The venue behind its doors: engine, keys, limits, faults and streams of one process, told the time by a clock."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace

from exchanges.sim.binance.call import Call
from exchanges.sim.binance.errors import ApiError
from exchanges.sim.binance.faults import FaultKind, FaultPlan, Strike, Subject
from exchanges.sim.binance.hub import Hub
from exchanges.sim.binance.listen_keys import ListenKeys
from exchanges.sim.binance.market_streams import MarketStreams
from exchanges.sim.binance.options import VenueOptions
from exchanges.sim.binance.past_views import PastViews
from exchanges.sim.binance.private_streams import PrivateStreams
from exchanges.sim.binance.rate_limits import RateLimits
from exchanges.sim.binance.signing import KeyRing
from exchanges.sim.engine import MatchingEngine
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.market import MarketEvent
from exchanges.sim.orders import OrderView
from exchanges.sim.refusal import Refused
from exchanges.sim.venue_events import AccountEvent, OrderEvent, VenueEvent, private_account


class Venue:
    """Everything of the venue that decides. It is called from one event loop and never waits.

    `wall_ms` reads the wall clock; `now_ms` is the venue's own clock, which a fault may put wrong.
    """

    def __init__(self, options: VenueOptions, wall_ms: Callable[[], int]) -> None:
        self.options = options
        self.behaviour = options.behaviour
        self._wall_ms = wall_ms
        start_ms = wall_ms()
        self.plan = FaultPlan(options.faults, seed=options.seed, now_ms=start_ms)
        self.source = options.market(start_ms)
        self.engine = MatchingEngine(
            list(self.source.instruments()),
            rng=random.Random(options.seed),
            config=replace(options.engine, publish=True),
            start_ms=start_ms,
        )
        self.keys = KeyRing(key for account in options.accounts for key in account.keys)
        self.listen_keys = ListenKeys(
            validity_ms=self.behaviour.listen_key_validity_ms, rng=random.Random(f"{options.seed}/listen keys")
        )
        self.limits = RateLimits(options.windows, options.ban)
        self.hub = Hub(self.plan, self.now_ms, legacy_is_retired=self.behaviour.legacy_is_retired)
        self.past = PastViews()
        self.market = MarketStreams(self)
        self.private = PrivateStreams(self)
        self.control_token = options.control_token or secrets.token_urlsafe(24)
        self.modify_ids = 0
        self.refusals: dict[int, int] = {}
        self.indicators: dict[str, list[dict[str, object]]] = {}
        """What the trading status tells, in the venue's own form; nothing here is measured."""
        self._hidden_until_ms: dict[tuple[str, int], int] = {}
        for account in options.accounts:
            self.tell(self.engine.open_account(account.spec, start_ms))

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
        """Let time pass: countdowns, funding, listen keys that run out."""
        now_ms = self.now_ms()
        self.tell(self.engine.advance(now_ms))
        for account in self.engine.read.accounts():
            has_key = self.listen_keys.key_of(account, now_ms) is not None
            if has_key and self.plan.strike(FaultKind.LISTEN_KEY_EXPIRED, Subject(account=account), now_ms):
                self.private.expire(account)
        self.private.sweep(now_ms)

    def tell(self, events: Iterable[VenueEvent]) -> None:
        """Send what the engine caused to whoever listens, and remember it for reads that lag."""
        events = list(events)
        now_ms = self.now_ms()
        for event in events:
            if isinstance(event, OrderEvent):
                self.past.record_order(event, now_ms)
            elif isinstance(event, AccountEvent):
                self.past.record_account(event, self.engine.read.account(event.account), now_ms)
        self.private.send([event for event in events if private_account(event) is not None])
        for event in events:
            self.market.send(event)

    def subject(self, call: Call, endpoints: tuple[str, ...] = ()) -> Subject:
        return Subject(
            endpoints=(*endpoints, call.action, call.door.value),
            symbol=call.params.get("symbol", "").upper(),
            account=call.account,
            path=call.path,
            client_id=call.params.get("newClientOrderId", "") or call.params.get("origClientOrderId", ""),
        )

    def read_strike(self, kind: FaultKind, call: Call) -> Strike | None:
        return self.plan.strike(kind, self.subject(call), self.now_ms())

    def hide_for_a_while(self, call: Call, order: OrderView) -> None:
        """Let a fault make a new order invisible to queries for some time."""
        strike = self.read_strike(FaultKind.LATE_VISIBILITY, call)
        if strike:
            self._hidden_until_ms[(order.account, order.order_id)] = self.now_ms() + strike.delay_ms

    def is_visible(self, order: OrderView) -> bool:
        return self.now_ms() >= self._hidden_until_ms.get((order.account, order.order_id), 0)

    def refused(self, refusal: Refused) -> ApiError:
        """Turn the engine's refusal into the venue's answer, and count it."""
        self.refusals[refusal.code] = self.refusals.get(refusal.code, 0) + 1
        return ApiError(refusal.http_status, refusal.code, refusal.message)
