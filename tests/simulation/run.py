"""One schedule, run: the world moves, faults strike, every invariant is asked after every step."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from actors.virtual.agenda import Step
from actors.virtual.world import World
from exchanges.desk.events import HoldAsked
from grid.holds import HoldCause
from tests.simulation.deeds import DEEDS
from tests.simulation.faults import Fault, Kind
from tests.simulation.hands import Hands
from tests.simulation.invariants import AT_REST, EVERY_STEP, Invariant
from tests.simulation.market import Market
from tests.simulation.schedule import Schedule
from tests.simulation.shock import ShockTape
from tests.simulation.truth import Truth
from tests.simulation.weather import Weather
from tests.simulation.writers import Writers

QUIET_MS = 75_000
QUIET_QUOTE_MS = 1_000
STOP_DONE_MS = 25_000
"""After the last fault a stop has so long to come to its end; then everything is started again."""
OPERATOR_MS = (5_000, 20_000, 35_000, 45_000)
"""When in the quiet the operator lifts what only he may lift."""
STEPS_MIN = 500
VIOLATIONS_MAX = 3


@dataclass(slots=True, kw_only=True)
class Result:
    """What a schedule came to."""

    seed: int
    steps: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    traits: tuple[str, ...] = ()
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
        self.result = Result(seed=schedule.seed, traits=tuple(sorted(trait.value for trait in schedule.traits)))
        self._trace = trace
        self._every_step = every_step
        self._at_rest = at_rest
        self._weather = Weather(schedule.faults)
        tape = ShockTape(schedule.settings.risk)
        self.world = world = World(schedule.settings, mishaps=self._weather, candles=tape)
        self.truth = Truth(world=world, journal_id=schedule.settings.desk.journal)
        self.market = Market(world)
        self.hands = Hands(world, self.truth, self.market, self._weather, tape, self._complain)
        self.writers = Writers(world, lambda: self._weather.struck[Kind.CRASH_BEFORE_COMMIT.value])
        self._weather.owner = lambda: world.leader.name
        self._weather.now = lambda: world.agenda.now_ms
        self._weather.absent_after_ms = schedule.settings.desk.absent_after_ms
        self._weather.before_cancel = self.hands.fill_before_cancel
        self._weather.on_outage = self.hands.outage
        self._weather.on_still = self.hands.stand_still
        if trace is not None:
            self._weather.on_strike = lambda fault, about: trace(world.agenda.now_ms, f"FAULT {fault}", about)
        self._has_news = True
        world.venue.on_order = self._on_order
        world.venue.on_sent = self._on_sent
        world.venue.on_refused = lambda request, out: self.truth.refusals.append((world.agenda.now_ms, request, out))
        world.on_step = self._after_step

    def run(self) -> Result:
        """Run it to its end, or to its first violation."""
        try:
            self._play()
        except Exception:  # noqa: BLE001 - whatever breaks is what the schedule was to find
            self.result.violations.append(traceback.format_exc(limit=-6))
        self.result.steps = self.world.agenda.taken
        self.result.struck = self._weather.struck
        if not self.result.violations and self.result.steps < STEPS_MIN:
            self.result.violations.append(f"the schedule has {self.result.steps} steps, {STEPS_MIN} are the least")
        return self.result

    def _play(self) -> None:
        world, end_ms = self.world, self.schedule.end_ms
        self.market.open()
        world.start()
        for move in self.schedule.moves:
            world.agenda.at(move.at_ms, "market", move, lambda move=move: self.market.move(move))  # type: ignore[misc]
        for fault in self.schedule.faults:
            if fault.kind in DEEDS:
                world.agenda.at(fault.at_ms, "fault", fault, lambda fault=fault: self._strike(fault))  # type: ignore[misc]
        if not self._advance(end_ms):
            return
        self._calm_down()
        if self._advance(end_ms + QUIET_MS):
            self._judge(self._at_rest)

    def _strike(self, fault: Fault) -> None:
        DEEDS[fault.kind](self.hands, fault)

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
        self.hands.mend()
        if not world.stream.is_up:
            world.stream.cut("the connection is back")
        if world.gateway is not None:
            self.hands.ask_hold(is_put=False)
        self.market.settle(QUIET_MS, QUIET_QUOTE_MS)
        for after_ms in OPERATOR_MS:
            world.agenda.after(after_ms, "operator", "resume", self._operate)
        world.agenda.after(STOP_DONE_MS, "operator", "start again", self.hands.judge_stop)

    def _operate(self) -> None:
        """Lift what only an operator lifts."""
        self.hands.ask_hold(is_put=False)
        gateway = self.world.gateway
        if gateway is None:
            return
        for hold in self.world.book.holds.holds:
            if hold.cause in (HoldCause.VENUE_RULE, HoldCause.STOP_LOSS):
                gateway.on_event(HoldAsked(cause=hold.cause, symbol=hold.symbol, is_put=False, reason="operator"))
        self.truth.were_breakers_cleared = True

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
        self.truth.note_marks()
        self.truth.note_quotes()
        if self.world.leases is not None:
            for breach in self.writers.breaches():
                self._complain(breach)
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
