"""Bitget behind its doors: the core of every venue, with this one's limits, streams and ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from exchanges.sim.bitget.call import Call
from exchanges.sim.bitget.errors import ApiError, refused
from exchanges.sim.bitget.hub import Hub
from exchanges.sim.bitget.limits import BITGET_WINDOWS, Limits
from exchanges.sim.bitget.market_streams import MarketStreams
from exchanges.sim.bitget.private_streams import PrivateStreams
from exchanges.sim.refusal import Refused
from exchanges.sim.server.core import VenueCore
from exchanges.sim.server.faults import FaultKind, Strike, Subject
from exchanges.sim.server.options import VenueOptions
from exchanges.sim.venue_events import VenueEvent


class BitgetVenue(VenueCore):
    """Everything of the venue that decides."""

    def __init__(self, options: VenueOptions, wall_ms: Callable[[], int]) -> None:
        ways = replace(options.engine, post_only_cancels=True, reduce_only_strict=False)
        super().__init__(replace(options, engine=ways), wall_ms)
        self.limits = Limits(BITGET_WINDOWS if options.windows is None else options.windows)
        self.hub = Hub(self)
        self.market = MarketStreams(self)
        self.private = PrivateStreams(self)
        self.open_accounts()

    def advance(self) -> None:
        """Let time pass, and push what is pushed by its period."""
        super().advance()
        self.market.tick(self.now_ms())

    def tell_accounts(self, events: Sequence[VenueEvent]) -> None:
        self.private.send(events)

    def tell_everybody(self, event: VenueEvent) -> None:
        self.market.send(event)

    def expire_session(self, account: str) -> None:
        """End the account's streams, as the venue does once a day."""
        self.hub.cut_account(account)

    def ban(self, address: str, until_ms: int) -> None:
        self.limits.ban(address, until_ms)

    def lift(self, address: str) -> None:
        self.limits.lift(address)

    def subject(self, call: Call, endpoints: tuple[str, ...] = ()) -> Subject:
        told = {name: call.params.get(name) for name in ("symbol", "clientOid")}
        symbol, client_id = (str(value) if isinstance(value, str) else "" for value in told.values())
        return Subject(
            endpoints=(*endpoints, call.action, call.door.value),
            symbol=symbol.upper(),
            account=call.account,
            path=call.path,
            client_id=client_id,
        )

    def read_strike(self, kind: FaultKind, call: Call) -> Strike | None:
        return self.plan.strike(kind, self.subject(call), self.now_ms())

    def refused(self, refusal: Refused) -> ApiError:
        """Turn the engine's refusal into the venue's answer, and count it."""
        error = refused(refusal)
        self.refusals[error.code] += 1
        return error

    def knows(self, account: str, symbol: str, client_id: str) -> bool:
        """Whether an order of that client id was ever placed: the venue takes none twice."""
        try:
            self.engine.read.order(account, symbol, self.now_ms(), client_id=client_id)
        except Refused:
            return False
        return True
