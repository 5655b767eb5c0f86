"""Everybody who does something to the world beside the deployment itself, and what they share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from actors.virtual.settings import GridPlan
from actors.virtual.world import GATEWAY, World
from exchanges.desk.events import ClosingMode, HoldAsked
from grid.book import Book
from grid.holds import HoldCause
from grid.records import from_body
from grid.snapshot import to_snapshot
from tests.simulation import owners
from tests.simulation.faults import Fault, Kind
from tests.simulation.market import Market
from tests.simulation.shock import ShockTape
from tests.simulation.stopping import Stop
from tests.simulation.truth import Truth
from tests.simulation.weather import Weather

STOP_MODES = {
    Kind.STOP_KEEP: ClosingMode.KEEP,
    Kind.STOP_LEAVE_EXITS: ClosingMode.LEAVE_EXITS,
    Kind.STOP_FLATTEN: ClosingMode.FLATTEN,
}
INTERVALS = {"ETHUSDT": (150, 200, 250, 300), "SOLUSDT": (15, 20, 30)}


class Hands:
    """Everybody who does something to the world beside the deployment itself."""

    def __init__(
        self,
        world: World,
        truth: Truth,
        market: Market,
        weather: Weather,
        tape: ShockTape,
        complain: Callable[[str], None],
    ) -> None:
        self.world = world
        self.truth = truth
        self.market = market
        self.weather = weather
        self.tape = tape
        self.complain = complain
        self.stop: Stop | None = None

    def symbol(self, fault: Fault) -> str:
        """Return which symbol a fault is about."""
        return self.market.symbols[fault.size % len(self.market.symbols)]

    def plan(self, symbol: str) -> GridPlan:
        """Return the symbol's grid as it is configured now."""
        return next(grid for grid in self.world.settings.grids if grid.symbol == symbol)

    def mend(self) -> None:
        """End every state of trouble that lasts."""
        self.weather.silent_until_ms = 0
        self.world.venue.told_ticks.clear()
        for symbol in self.market.symbols:
            self.thaw(symbol)
            self.reopen(symbol)
        owners.mend(self)

    def ask_hold(self, *, is_put: bool) -> None:
        """Have the operator hold or resume."""
        if self.world.gateway is not None:
            event = HoldAsked(cause=HoldCause.OPERATOR, symbol="", is_put=is_put, reason="operator")
            self.truth.operator_holds = False  # until it is taken
            self.world.gateway.on_event(event)
            self.truth.operator_holds = is_put and self.stop is None

    # -- the deployment's own processes

    def kill(self, fault: Fault, name: str) -> None:
        """End an actor."""
        if self.world.network.is_alive(name):
            self.weather.strike(fault, name)
            if name == GATEWAY:
                self.check_journal()
            self.world.kill(name)

    def check_journal(self) -> None:
        """Compare the book with what a restart would make of the journal."""
        if self.world.gateway is None:
            return
        book = Book()
        book.replay(from_body(kind, body) for kind, _, body in self.world.journal)
        if to_snapshot(book) != to_snapshot(self.world.book):
            self.complain("the_journal_gives_the_same_book: a restart would rebuild another book")

    def restart_all(self, grids: tuple[GridPlan, ...]) -> None:
        """Start everything anew with these grids."""
        self.check_journal()
        self.world.restart_all(replace(self.world.settings, grids=grids))

    def judge_stop(self) -> None:
        """Complain of a stop that has not come to its end in all that time."""
        if self.stop is not None and not self.stop.is_done:
            self.complain(f"a stop ({self.stop.mode.value}) asked for at {self.stop.asked_ms} is not done")

    # -- the market and the streams

    def fill_before_cancel(self, fault: Fault) -> None:
        """The market takes a part of the order that is nearest to it."""
        bids = self.market.bids
        orders = [o for o in self.truth.open.values() if o.symbol == self.symbol(fault)]
        if orders and not self.market.is_still:
            nearest = min(orders, key=lambda order: abs(order.price - bids[order.symbol]))
            self.world.agenda.after(1, "market", nearest.client_id, lambda: self._take(nearest.client_id, fault))

    def _take(self, client_id: str, fault: Fault) -> None:
        order = self.truth.open.get(client_id)
        if order is not None:
            self.market.take(order.symbol, order.price, order.side, 1 + fault.scaled(1, max(1, order.left)))

    def outage(self, fault: Fault) -> None:
        """Mute the private stream for a while, every second time."""
        stream = self.world.stream
        if fault.size % 2 == 0 and stream.is_up:
            stream.mute()
            self.world.agenda.after(fault.scaled(1_500, 5_000), "stream", "cut", lambda: stream.cut("connection reset"))

    def stand_still(self) -> None:
        """Let no price move any more."""
        self.market.is_still = True

    def thaw(self, symbol: str) -> None:
        """Let quotes come again."""
        self.world.venue.frozen.discard(symbol)
        self.truth.unheard_ms.pop(symbol, None)

    def reopen(self, symbol: str) -> None:
        """Let the symbol trade again."""
        engine = self.world.venue.engine
        instrument = engine.read.instrument(symbol)
        self.truth.closed_ms.pop(symbol, None)
        if not instrument.trading:
            events = engine.foreign.change_instrument(instrument.with_status("TRADING"), self.world.agenda.wall_ms)
            self.world.venue.publish(events)
