"""OKX behind its doors: the core of every venue, with this one's keys, limits, swaps and streams."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from exchanges.sim.okx import render
from exchanges.sim.okx.call import Call, Row
from exchanges.sim.okx.contracts import Swaps
from exchanges.sim.okx.errors import ApiError
from exchanges.sim.okx.hub import Hub
from exchanges.sim.okx.market_streams import MarketStreams
from exchanges.sim.okx.private_streams import PrivateStreams
from exchanges.sim.okx.rates import Rates
from exchanges.sim.okx.signing import KeyRing
from exchanges.sim.orders import OrderView
from exchanges.sim.server.core import VenueCore
from exchanges.sim.server.faults import FaultKind, Strike, Subject
from exchanges.sim.server.options import VenueOptions
from exchanges.sim.venue_events import VenueEvent

RETENTION_MS = 2 * 3600 * 1000
"""Orders cancelled without a fill are forgotten after so long."""


class OkxVenue(VenueCore):
    """Everything of the venue that decides."""

    def __init__(self, options: VenueOptions, wall_ms: Callable[[], int]) -> None:
        engine = replace(
            options.engine,
            post_only_cancels=True,
            reduce_only_strict=False,
            order_retention_ms=min(options.engine.order_retention_ms, RETENTION_MS),
        )
        super().__init__(replace(options, engine=engine), wall_ms)
        self.swaps = Swaps(self)
        self.keys = KeyRing(self.book)
        self.rates = Rates(are_off=options.windows == ())
        self.hub = Hub(self)
        self.market = MarketStreams(self)
        self.private = PrivateStreams(self)
        self.open_accounts()

    def advance(self) -> None:
        """Let time pass: countdowns, funding, idle sockets, what is pushed by its period."""
        super().advance()
        for account in self.engine.read.accounts():
            if self.strike(FaultKind.LISTEN_KEY_EXPIRED, Subject(account=account)):
                self.expire_session(account)
        self.hub.sweep()
        self.market.tick(self.now_ms())

    def tell_accounts(self, events: Sequence[VenueEvent]) -> None:
        self.private.send(events)

    def tell_everybody(self, event: VenueEvent) -> None:
        self.market.send(event)

    def expire_session(self, account: str) -> None:
        """Announce an upgrade of the service to the account's sockets, and end them."""
        self.hub.upgrade(account)

    def ban(self, address: str, until_ms: int) -> None:
        self.rates.ban(address, until_ms)

    def lift(self, address: str) -> None:
        self.rates.lift(address)

    def subject(self, call: Call, endpoints: tuple[str, ...] = ()) -> Subject:
        row = call.params
        try:
            symbol = self.swaps.named(row).symbol
        except ApiError:
            symbol = ""
        return Subject(
            endpoints=(*endpoints, call.action, call.door.value),
            symbol=symbol,
            account=call.account,
            path=call.path,
            client_id=str(row.get("clOrdId") or ""),
        )

    def read_strike(self, kind: FaultKind, call: Call) -> Strike | None:
        return self.plan.strike(kind, self.subject(call), self.now_ms())

    def mode(self, account: str, symbol: str) -> str:
        return render.mode_of(self.engine.read.position(account, symbol).margin_type)

    def order_row(self, order: OrderView) -> Row:
        swap = self.swaps.of_symbol(order.symbol)
        fills = self.engine.read.user_trades(order.account, order.symbol, order_id=order.order_id, limit=10_000)
        return render.order(swap, order, self.mode(order.account, order.symbol), fills)
