"""One schedule, run: the world moves, faults strike, every invariant is asked after every step."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from actors.actor_names import RISK
from actors.virtual.agenda import Step
from actors.virtual.settings import ACCOUNT
from actors.virtual.world import GATEWAY, World
from exchanges.desk.events import HoldAsked
from exchanges.sim.market import BookTop, Trade
from exchanges.sim.orders import NewOrder, TimeInForce
from exchanges.sim.refusal import Refused
from grid.book import Book
from grid.holds import HoldCause
from grid.order import Side
from grid.records import from_body
from grid.snapshot import to_snapshot
from tests.simulation.faults import Fault, Kind
from tests.simulation.invariants import AT_REST, EVERY_STEP, Invariant
from tests.simulation.schedule import Move, Schedule
from tests.simulation.shock import ShockTape
from tests.simulation.truth import Truth
from tests.simulation.weather import Weather

QUIET_MS = 75_000
QUIET_QUOTE_MS = 1_000
VIOLATIONS_MAX = 3


@dataclass(slots=True, kw_only=True)
class Result:
    """What a schedule came to."""

    seed: int
    steps: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


class Run:
    """The run of one schedule. `trace` hears of every step, fault and violation."""

    def __init__(
        self,
        schedule: Schedule,
        *,
        trace: Callable[[int, str, object], None] | None = None,
        every_step: tuple[Invariant, ...] = EVERY_STEP,
        at_rest: tuple[Invariant, ...] = AT_REST,
    ) -> None:
        self.schedule = schedule
        self.result = Result(seed=schedule.seed)
        self._trace = trace
        self._every_step = every_step
        self._at_rest = at_rest
        self._weather = Weather(schedule.faults)
        self._tape = ShockTape(schedule.settings.risk)
        self.world = world = World(schedule.settings, mishaps=self._weather, candles=self._tape)
        self._weather.now = lambda: world.agenda.now_ms
        self._weather.absent_after_ms = schedule.settings.desk.absent_after_ms
        self._weather.before_cancel = self._fill_before_cancel
        self._weather.on_outage = self._outage
        if trace is not None:
            self._weather.on_strike = lambda fault, about: trace(world.agenda.now_ms, f"FAULT {fault}", about)
        self.truth = Truth(world=world, journal_id=schedule.settings.desk.journal)
        self._has_news = True
        world.venue.on_order = self._on_order
        world.venue.on_sent = self._on_sent
        world.on_step = self._after_step
        self._symbol = schedule.settings.grids[0].symbol
        self._bid = 3000_00

    def run(self) -> Result:
        """Run it to its end, or to its first violation."""
        try:
            self._play()
        except Exception:  # noqa: BLE001 - whatever breaks is what the schedule was to find
            self.result.violations.append(traceback.format_exc(limit=-6))
        self.result.steps = self.world.agenda.taken
        self.result.struck = self._weather.struck
        return self.result

    def _play(self) -> None:
        world, end_ms = self.world, self.schedule.end_ms
        self._show(Move(at_ms=0, bid=self._bid, quantity=1, shown=5))
        world.start()
        for move in self.schedule.moves:
            world.agenda.at(move.at_ms, "market", move, lambda move=move: self._move(move))  # type: ignore[misc]
        for fault in self.schedule.faults:
            act = _ACTS.get(fault.kind)
            if act is not None:
                world.agenda.at(fault.at_ms, "fault", fault, lambda act=act, fault=fault: act(self, fault))  # type: ignore[misc]
        if not self._advance(end_ms):
            return
        self._calm_down()
        if self._advance(end_ms + QUIET_MS):
            self._judge(self._at_rest)

    def _advance(self, until_ms: int) -> bool:
        agenda = self.world.agenda
        while (next_ms := agenda.next_ms()) is not None and next_ms <= until_ms:
            self.world.step()
            if self.result.violations:
                return False
        return True

    def _calm_down(self) -> None:
        """No more faults: what is broken comes back, the market stands still and is quoted once a second."""
        world = self.world
        self._weather.is_over = True
        self._thaw()
        if not world.venue.stream.is_up:
            world.venue.stream.cut("the connection is back")
        if world.gateway is not None:
            self._ask_hold(is_put=False)
        for side in Side:  # nothing of ours stands beyond the market unfilled
            self._print(self._bid if side is Side.SELL else self._bid + 1, 10_000_000, side)
        for number in range(QUIET_MS // QUIET_QUOTE_MS):
            quiet = Move(at_ms=0, bid=self._bid, quantity=0, shown=5 + number % 2)
            world.agenda.after(number * QUIET_QUOTE_MS, "market", quiet, lambda quiet=quiet: self._show(quiet))  # type: ignore[misc]
        world.agenda.after(5_000, "operator", "resume", lambda: self._ask_hold(is_put=False))

    # -- what is asked after each step

    def _on_order(self, event: object) -> None:
        self._has_news = True
        self.truth.on_order(event)  # type: ignore[arg-type]

    def _on_sent(self, request: object) -> None:
        self._has_news = True
        self.truth.on_sent(request)  # type: ignore[arg-type]

    def _after_step(self, step: Step) -> None:
        if self._trace is not None and not step.is_timer:
            self._trace(self.world.agenda.now_ms, step.what, step.about)
        if self.truth.read_journal() or self._has_news:
            self._has_news = False
            self._judge(self._every_step)
            self.truth.sent.clear()

    def _judge(self, invariants: tuple[Invariant, ...]) -> None:
        for invariant in invariants:
            for breach in invariant(self.world, self.truth):
                self._complain(f"{invariant.__name__}: {breach}")

    def _complain(self, text: str) -> None:
        if len(self.result.violations) < VIOLATIONS_MAX:
            self.result.violations.append(f"at {self.world.agenda.now_ms} ms {text}")
            if self._trace is not None:
                self._trace(self.world.agenda.now_ms, "VIOLATION", text)

    # -- the market

    def _move(self, move: Move) -> None:
        falls = move.bid < self._bid or (move.bid == self._bid and move.quantity % 2 == 0)
        self._print(move.bid if falls else move.bid + 1, move.quantity, Side.SELL if falls else Side.BUY)
        self._show(move)

    def _show(self, move: Move) -> None:
        self._bid = move.bid
        self.world.venue.on_market(
            BookTop(
                symbol=self._symbol,
                time_ms=self.world.agenda.wall_ms,
                bid=move.bid,
                bid_quantity=move.shown,
                ask=move.bid + 1,
                ask_quantity=move.shown,
            )
        )

    def _print(self, price: int, quantity: int, aggressor: Side) -> None:
        self.world.venue.on_market(
            Trade(
                symbol=self._symbol,
                time_ms=self.world.agenda.wall_ms,
                price=price,
                quantity=quantity,
                aggressor=aggressor,
            )
        )

    def _fill_before_cancel(self, fault: Fault) -> None:
        """The market takes a part of the order that is nearest to it."""
        orders = [o for o in self.truth.open.values() if o.symbol == self._symbol]
        if orders:
            nearest = min(orders, key=lambda order: abs(order.price - self._bid))
            self.world.agenda.after(1, "market", nearest.client_id, lambda: self._take(nearest.client_id, fault))

    def _take(self, client_id: str, fault: Fault) -> None:
        order = self.truth.open.get(client_id)
        if order is None:
            return
        side = order.side.other
        price = order.price
        self.world.venue.on_market(
            BookTop(
                symbol=self._symbol,
                time_ms=self.world.agenda.wall_ms,
                bid=price if side is Side.SELL else price - 1,
                bid_quantity=1,
                ask=price + 1 if side is Side.SELL else price,
                ask_quantity=1,
            )
        )
        self._bid = price if side is Side.SELL else price - 1
        self._print(price, 1 + fault.scaled(1, max(1, order.left)), side)

    # -- what strikes the world itself

    def _kill(self, fault: Fault, name: str) -> None:
        world = self.world
        if not world.network.is_alive(name):
            return
        self._weather.strike(fault, name)
        if name == GATEWAY:
            book = Book()
            book.replay(from_body(kind, body) for kind, _, body in world.journal)
            if to_snapshot(book) != to_snapshot(world.book):
                self._complain("the_journal_gives_the_same_book: a restart would rebuild another book")
        world.kill(name)

    def _ask_hold(self, *, is_put: bool) -> None:
        if self.world.gateway is not None:
            event = HoldAsked(cause=HoldCause.OPERATOR, symbol="", is_put=is_put, reason="operator")
            self.truth.operator_holds = False  # until it is taken
            self.world.gateway.on_event(event)
            self.truth.operator_holds = is_put

    def kill_gateway(self, fault: Fault) -> None:
        """Kill the gateway between two events."""
        self._kill(fault, GATEWAY)

    def kill_slot(self, fault: Fault) -> None:
        """Kill a slot actor."""
        names = sorted(self.world.slots)
        self._kill(fault, names[fault.size % len(names)])

    def kill_feed(self, fault: Fault) -> None:
        """Kill the feed."""
        self._kill(fault, f"feed/{self._symbol}")

    def kill_risk(self, fault: Fault) -> None:
        """Kill the supervisor."""
        self._kill(fault, RISK)

    def gap(self, fault: Fault) -> None:
        """Mute the private stream, and cut it with an error later."""
        stream = self.world.venue.stream
        if stream.is_up:
            self._weather.strike(fault, "mute")
            stream.mute()
            gap_ms = fault.scaled(50, 6_000)
            self.world.agenda.after(gap_ms, "stream", "cut", lambda: stream.cut("connection reset"))

    def _outage(self, fault: Fault) -> None:
        stream = self.world.venue.stream
        if fault.size % 2 == 0 and stream.is_up:
            stream.mute()
            self.world.agenda.after(fault.scaled(1_500, 5_000), "stream", "cut", lambda: stream.cut("connection reset"))

    def deaf(self, fault: Fault) -> None:
        """Mute the private stream for good."""
        if self.world.venue.stream.is_up:
            self._weather.strike(fault, "deaf")
            self.world.venue.stream.mute()

    def freeze(self, fault: Fault) -> None:
        """Send no quotes for a while."""
        if self._symbol in self.world.venue.frozen:
            return
        self._weather.strike(fault, self._symbol)
        frozen = self.world.venue.frozen
        frozen.add(self._symbol)
        self.truth.frozen_ms.setdefault(self._symbol, self.world.agenda.now_ms)
        self.truth.note_lives()
        self.world.agenda.after(fault.scaled(500, 40_000), "thaw", self._symbol, self._thaw)

    def _thaw(self) -> None:
        self.world.venue.frozen.discard(self._symbol)
        self.truth.frozen_ms.pop(self._symbol, None)

    def jump(self, fault: Fault) -> None:
        """Let the price jump by up to 16 in one print."""
        self._weather.strike(fault, "")
        away = fault.scaled(-1_600, 1_600)
        self._move(Move(at_ms=0, bid=self._bid + away, quantity=100_000, shown=3))

    def shock(self, fault: Fault) -> None:
        """Let every watched coin fall on loud volume."""
        start_ms = self.world.agenda.now_ms // 1_000 * 1_000
        if any(end_ms + 5_000 > start_ms for _, end_ms in self._tape.shocks):
            return  # one fall at a time: a second would be judged by the mean of the first
        shock = (start_ms, start_ms + fault.scaled(1, 13) * 1_000)
        self._weather.strike(fault, "")
        self._tape.shocks.append(shock)
        self.truth.shocks.append(shock)

    def hold(self, fault: Fault) -> None:
        """Let the operator hold entries for a while."""
        if self.world.gateway is None:
            return
        self._weather.strike(fault, "")
        self._ask_hold(is_put=True)
        self.world.agenda.after(fault.scaled(200, 9_000), "operator", "resume", lambda: self._ask_hold(is_put=False))

    def foreign_order(self, fault: Fault) -> None:
        """Let somebody rest an order by hand, far from the market."""
        side = Side.BUY if fault.size % 2 else Side.SELL
        price = self._bid - 5_000 if side is Side.BUY else self._bid + 5_000
        instrument = self.schedule.settings.grids[0].venue
        order = NewOrder(
            symbol=self._symbol,
            side=side,
            quantity=instrument.quantity(20),
            price=instrument.price(price),
            time_in_force=TimeInForce.GTC,
        )
        try:
            placed = self.world.venue.engine.foreign.place(ACCOUNT, order, self.world.agenda.wall_ms)
        except Refused:
            return
        self._weather.strike(fault, side.value)
        self.world.venue.publish(placed.events)

    def foreign_buy(self, fault: Fault) -> None:
        """Let somebody open by hand, in the direction of the grid."""
        self._trade_by_hand(fault, self.schedule.settings.grids[0].side.sign * fault.scaled(1, 40))

    def foreign_sell(self, fault: Fault) -> None:
        """Let somebody close by hand; what is beyond theirs comes off our lots."""
        self._trade_by_hand(fault, -self.schedule.settings.grids[0].side.sign * fault.scaled(1, 25))

    def _trade_by_hand(self, fault: Fault, quantity: int) -> None:
        self._weather.strike(fault, quantity)
        engine = self.world.venue.engine
        self.world.venue.publish(
            engine.foreign.move_position(ACCOUNT, self._symbol, quantity, self.world.agenda.wall_ms)
        )

    def end_exit(self, fault: Fault) -> None:
        """Let the venue cancel a resting exit of ours."""
        exits = sorted(client_id for client_id, order in self.truth.open.items() if order.reduce_only)
        if not exits:
            return
        client_id = exits[fault.size % len(exits)]
        self._weather.strike(fault, client_id)
        engine, wall_ms = self.world.venue.engine, self.world.agenda.wall_ms
        self.world.venue.publish(engine.cancel(ACCOUNT, self._symbol, wall_ms, client_id=client_id).events)


_ACTS: dict[Kind, Callable[[Run, Fault], None]] = {
    Kind.KILL_GATEWAY: Run.kill_gateway,
    Kind.KILL_SLOT: Run.kill_slot,
    Kind.KILL_FEED: Run.kill_feed,
    Kind.KILL_RISK: Run.kill_risk,
    Kind.STREAM_GAP: Run.gap,
    Kind.STREAM_DEAF: Run.deaf,
    Kind.FROZEN_PRICE: Run.freeze,
    Kind.PRICE_JUMP: Run.jump,
    Kind.MARKET_SHOCK: Run.shock,
    Kind.OPERATOR_HOLD: Run.hold,
    Kind.FOREIGN_ORDER: Run.foreign_order,
    Kind.FOREIGN_BUY: Run.foreign_buy,
    Kind.FOREIGN_SELL: Run.foreign_sell,
    Kind.VENUE_ENDS_EXIT: Run.end_exit,
}
