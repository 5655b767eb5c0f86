"""Gate behind its doors: the core of every venue, with this one's contracts, limits, streams and ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from exchanges.sim.gate.call import Call
from exchanges.sim.gate.contracts import SimContract, contract_of, symbol_of, under_own_filters
from exchanges.sim.gate.errors import ApiError, refused
from exchanges.sim.gate.hub import Hub
from exchanges.sim.gate.limits import GATE_WINDOWS, Limits
from exchanges.sim.gate.market_streams import MarketStreams
from exchanges.sim.gate.private_streams import PrivateStreams
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.refusal import Refused
from exchanges.sim.server.core import VenueCore
from exchanges.sim.server.faults import FaultKind, Strike, Subject
from exchanges.sim.server.options import VenueOptions
from exchanges.sim.venue_events import VenueEvent

RETENTION_MS = 10 * 60 * 1000
NAMED_FOR_MS = 60_000
"""So long an ended order is still found by its text."""
FIRST_USER = 10_001


class GateVenue(VenueCore):
    """Everything of the venue that decides."""

    def __init__(self, options: VenueOptions, wall_ms: Callable[[], int]) -> None:
        ways = replace(options.engine, reduce_only_strict=False, order_retention_ms=RETENTION_MS)
        super().__init__(replace(options, engine=ways), wall_ms)
        self.limits = Limits(options.windows or GATE_WINDOWS)
        self.hub = Hub(self)
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
        """End the account's streams, as a restart of the venue's service does."""
        self.hub.cut_account(account)

    def ban(self, address: str, until_ms: int) -> None:
        self.limits.ban(address, until_ms)

    def lift(self, address: str) -> None:
        self.limits.lift(address)

    def contract(self, symbol: str) -> SimContract:
        return contract_of(self.instrument(symbol))

    def user(self, account: str) -> int:
        """Return the account's number."""
        return FIRST_USER + list(self.engine.read.accounts()).index(account)

    def subject(self, call: Call, endpoints: tuple[str, ...] = ()) -> Subject:
        name, text = call.params.get("contract"), call.params.get("text") or call.params.get("order_id")
        try:
            symbol = symbol_of(str(name)) if name else ""
        except ApiError:
            symbol = ""
        return Subject(
            endpoints=(*endpoints, call.action, call.door.value),
            symbol=symbol,
            account=call.account,
            path=call.path,
            client_id=str(text).removeprefix("t-") if text else "",
        )

    def read_strike(self, kind: FaultKind, call: Call) -> Strike | None:
        return self.plan.strike(kind, self.subject(call), self.now_ms())

    def refused(self, refusal: Refused) -> ApiError:
        """Turn the engine's refusal into the venue's answer, and count it."""
        error = refused(refusal)
        self.refusals[error.label] += 1
        return error
