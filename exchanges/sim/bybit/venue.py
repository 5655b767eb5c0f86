"""Bybit behind its doors: the core of every venue, with this one's limits, streams and ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from exchanges.sim.algo_orders import AlgoView
from exchanges.sim.bybit.call import Call
from exchanges.sim.bybit.errors import ApiError, refused
from exchanges.sim.bybit.hub import Hub
from exchanges.sim.bybit.ids import order_uid, trade_uid
from exchanges.sim.bybit.limits import BYBIT_WINDOWS, Limits
from exchanges.sim.bybit.market_streams import MarketStreams
from exchanges.sim.bybit.private_streams import PrivateStreams
from exchanges.sim.orders import OrderView
from exchanges.sim.refusal import Refused
from exchanges.sim.server.core import VenueCore
from exchanges.sim.server.faults import FaultKind, Strike, Subject
from exchanges.sim.server.options import VenueOptions
from exchanges.sim.venue_events import VenueEvent

ORDERS_MAX = 500
RETENTION_MS = 24 * 3600 * 1000


class BybitVenue(VenueCore):
    """Everything of the venue that decides."""

    def __init__(self, options: VenueOptions, wall_ms: Callable[[], int]) -> None:
        ways = replace(
            options.engine,
            post_only_cancels=True,
            reduce_only_strict=False,
            orders_max=ORDERS_MAX,
            order_retention_ms=RETENTION_MS,
        )
        super().__init__(replace(options, engine=ways), wall_ms)
        self.limits = Limits(options.windows or BYBIT_WINDOWS, options.ban)
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
        """End the account's streams, as a restart of the venue's service does."""
        self.hub.cut_account(account)

    def ban(self, address: str, until_ms: int) -> None:
        self.limits.ban(address, until_ms)

    def lift(self, address: str) -> None:
        self.limits.lift(address)

    def told_order_id(self, order: OrderView) -> str:
        """Return an order's id as clients are told it."""
        return order_uid(order.order_id, order.algo_id)

    def told_trade_id(self, symbol: str, trade_id: int) -> str:
        """Return the id of an account's trade as clients are told it."""
        return trade_uid(symbol, trade_id)

    def subject(self, call: Call, endpoints: tuple[str, ...] = ()) -> Subject:
        told = {name: call.params.get(name) for name in ("symbol", "orderLinkId")}
        symbol, client_id = (str(value) if isinstance(value, str) else "" for value in told.values())
        return Subject(
            endpoints=(*endpoints, call.action, call.door.value),
            symbol=symbol,
            account=call.account,
            path=call.path,
            client_id=client_id,
        )

    def read_strike(self, kind: FaultKind, call: Call) -> Strike | None:
        return self.plan.strike(kind, self.subject(call), self.now_ms())

    def refused(self, refusal: Refused) -> ApiError:
        """Turn the engine's refusal into the venue's answer, and count it."""
        error = refused(refusal)
        self.refusals[str(error.code)] += 1
        return error

    def algo(self, account: str, symbol: str, algo_id: int, client_id: str) -> AlgoView | None:
        """Return a conditional order of a symbol by either id, waiting or not."""
        if not algo_id and not client_id:
            return None
        try:
            found = self.engine.read.algo(account, algo_id=algo_id, client_id=client_id)
        except Refused:
            return None
        return found if found.symbol == symbol else None

    def waiting(self, account: str, symbol: str, algo_id: int, client_id: str) -> AlgoView | None:
        """Return a conditional order that waits."""
        found = self.algo(account, symbol, algo_id, client_id)
        return found if found is not None and found.status.is_open else None

    def knows(self, account: str, symbol: str, client_id: str) -> bool:
        """Whether an order of that client id was ever placed: the venue takes none twice."""
        if self.algo(account, symbol, 0, client_id) is not None:
            return True
        try:
            self.engine.read.order(account, symbol, self.now_ms(), client_id=client_id)
        except Refused:
            return False
        return True
