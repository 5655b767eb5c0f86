"""Binance USD-M behind its doors: the core of every venue, with this one's keys, limits and streams."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from exchanges.sim.binance.call import Call
from exchanges.sim.binance.errors import ApiError
from exchanges.sim.binance.hub import Hub
from exchanges.sim.binance.listen_keys import ListenKeys
from exchanges.sim.binance.market_streams import MarketStreams
from exchanges.sim.binance.private_streams import PrivateStreams
from exchanges.sim.binance.rate_limits import BINANCE_WINDOWS, RateLimits
from exchanges.sim.binance.signing import KeyRing
from exchanges.sim.refusal import Refused
from exchanges.sim.server.core import VenueCore
from exchanges.sim.server.faults import FaultKind, Strike, Subject
from exchanges.sim.server.options import VenueOptions
from exchanges.sim.venue_events import VenueEvent


class Venue(VenueCore):
    """Everything of the venue that decides."""

    def __init__(self, options: VenueOptions, wall_ms: Callable[[], int]) -> None:
        super().__init__(options, wall_ms)
        self.keys = KeyRing(self.book)
        self.listen_keys = ListenKeys(
            validity_ms=self.behaviour.listen_key_validity_ms, rng=random.Random(f"{options.seed}/listen keys")
        )
        self.limits = RateLimits(options.windows or BINANCE_WINDOWS, options.ban)
        self.hub = Hub(self, legacy_is_retired=self.behaviour.legacy_is_retired)
        self.market = MarketStreams(self)
        self.private = PrivateStreams(self)
        self.modify_ids = 0
        self.indicators: dict[str, list[dict[str, object]]] = {}
        """What the trading status tells, in the venue's own form; nothing here is measured."""
        self.open_accounts()

    def advance(self) -> None:
        """Let time pass: countdowns, funding, listen keys that run out, what is pushed by its period."""
        super().advance()
        now_ms = self.now_ms()
        for account in self.engine.read.accounts():
            has_key = self.listen_keys.key_of(account, now_ms) is not None
            if has_key and self.plan.strike(FaultKind.LISTEN_KEY_EXPIRED, Subject(account=account), now_ms):
                self.private.expire(account)
        self.private.sweep(now_ms)
        self.market.tick(now_ms)

    def tell_accounts(self, events: Sequence[VenueEvent]) -> None:
        self.private.send(events)

    def tell_everybody(self, event: VenueEvent) -> None:
        self.market.send(event)

    def expire_session(self, account: str) -> None:
        self.private.expire(account)

    def ban(self, address: str, until_ms: int) -> None:
        self.limits.ban(address, until_ms)

    def lift(self, address: str) -> None:
        self.limits.lift(address)

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

    def refused(self, refusal: Refused) -> ApiError:
        """Turn the engine's refusal into the venue's answer, and count it."""
        self.refusals[str(refusal.code)] += 1
        return ApiError(refusal.http_status, refusal.code, refusal.message)
