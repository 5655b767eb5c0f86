"""The matching engine behind plain calls, for a desk that is driven by hand."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from actors.virtual.settings import ACCOUNT
from exchanges.desk.events import Accepted, Outcome
from exchanges.port import Position
from exchanges.sim.catalogue import demo_instrument
from exchanges.sim.engine import MatchingEngine
from exchanges.sim.market import BookTop, Trade
from exchanges.sim.port_words import fill_of, order_of, position_of, refused_of, report_of, update_of
from exchanges.sim.refusal import Refused as VenueRefused
from exchanges.sim.settings import AccountSpec, EngineConfig, FillModel, ThroughFill
from exchanges.sim.venue_events import OrderEvent, VenueEvent
from grid.client_id import decode
from grid.order import Fill, OrderReport, OrderRequest, OrderUpdate, Side
from tests.simulation.worlds import SYMBOL

WALL_MS = 1_750_000_000_000


class PlainVenue:
    """One account on ETHUSDT at 2999.00 in which a print fills what it trades."""

    def __init__(self) -> None:
        self._now_ms = WALL_MS
        self._instrument = demo_instrument(SYMBOL)
        thin = FillModel(name="thin", through=ThroughFill.TRADED, hidden_level_is_empty=True)
        self.engine = MatchingEngine([self._instrument], rng=Random(1), config=EngineConfig(fills=thin))
        self.engine.open_account(AccountSpec(account=ACCOUNT, deposit=Decimal(10_000)), self._now_ms)
        self._updates: list[OrderUpdate] = []
        self.engine.on_market(
            BookTop(symbol=SYMBOL, time_ms=WALL_MS, bid=299_900, bid_quantity=1, ask=299_901, ask_quantity=1)
        )

    def pass_ms(self, ms: int) -> None:
        """Let time pass."""
        self._now_ms += ms

    def place(self, request: OrderRequest) -> Outcome:
        """Place an order."""
        try:
            placed = self.engine.submit(ACCOUNT, order_of(request, self._instrument), self._now_ms)
        except VenueRefused as error:
            return refused_of(error)
        self._note(list(placed.events))
        return Accepted(report=report_of(placed.accepted))

    def cancel(self, client_id: str) -> Outcome:
        """Cancel an order."""
        try:
            placed = self.engine.cancel(ACCOUNT, SYMBOL, self._now_ms, client_id=client_id)
        except VenueRefused as error:
            return refused_of(error)
        self._note(list(placed.events))
        return Accepted(report=report_of(placed.order))

    def look_up(self, client_id: str) -> Outcome:
        """Read an order."""
        try:
            return Accepted(
                report=report_of(self.engine.read.order(ACCOUNT, SYMBOL, self._now_ms, client_id=client_id))
            )
        except VenueRefused as error:
            return refused_of(error)

    def open_orders(self) -> tuple[OrderReport, ...]:
        """Read the open orders."""
        return tuple(report_of(order) for order in self.engine.read.open_orders(ACCOUNT, SYMBOL))

    def fills(self) -> tuple[Fill, ...]:
        """Read every fill."""
        rows = self.engine.read.user_trades(ACCOUNT, SYMBOL, start_ms=1, limit=10_000)
        return tuple(fill_of(row) for row in rows)

    def positions(self) -> tuple[Position, ...]:
        """Read the position."""
        return tuple(position_of(view) for view in self.engine.read.positions(ACCOUNT))

    def position(self) -> int:
        """Return the position in steps."""
        return self.engine.read.position(ACCOUNT, SYMBOL).quantity

    def live(self) -> list[str]:
        """Return the client ids of what rests."""
        return [order.client_id for order in self.engine.read.open_orders(ACCOUNT, SYMBOL)]

    def level_of(self, client_id: str) -> int:
        """Return the level that a client id names."""
        identity = decode(client_id, SYMBOL)
        assert identity is not None
        return identity.level

    def take(self, client_id: str, quantity: int) -> None:
        """Print a trade of so many steps just beyond an order's price."""
        order = self.engine.read.open_order(ACCOUNT, SYMBOL, client_id=client_id)
        side = order.side.other
        self._trade(order.price + side.sign, quantity, side)

    def take_updates(self) -> list[OrderUpdate]:
        """Return what the private stream has to tell."""
        found, self._updates = self._updates, []
        return found

    def _trade(self, price: int, quantity: int, side: Side) -> None:
        self._note(
            self.engine.on_market(
                Trade(symbol=SYMBOL, time_ms=self._now_ms, price=price, quantity=quantity, aggressor=side)
            )
        )

    def _note(self, events: list[VenueEvent]) -> None:
        self._updates += [update_of(event) for event in events if isinstance(event, OrderEvent)]
