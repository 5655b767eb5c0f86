"""A whole deployment in one process: gateway, feeds, slots, supervisor and venue on one virtual clock.

The objects that decide are those of the live run; only what carries messages, keeps the journal and tells the time is
virtual. The same settings, tape and mishaps give the same run, step for step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from random import Random

from actors.actor_names import RISK, SlotLayout, gateway_name
from actors.grid_slot import GridSlot
from actors.virtual.agenda import Agenda, Step
from actors.virtual.candles import CalmTape
from actors.virtual.feed import VirtualFeed
from actors.virtual.gateway import Died, JournalRow, VirtualGateway
from actors.virtual.mishaps import Calm, Mishaps
from actors.virtual.network import Network
from actors.virtual.risk import CandleTape, VirtualRisk
from actors.virtual.settings import WorldSettings
from actors.virtual.venue import VirtualVenue
from exchanges.sim.market import MarketEvent
from grid.book import Book
from grid.order import Quote

GATEWAY = gateway_name("virtual")


class VirtualClock:
    """The agenda's time in the form that actors take."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda

    def now_ms(self) -> int:
        """Return the wall clock."""
        return self._agenda.wall_ms

    def monotonic_ns(self) -> int:
        """Return the monotonic clock."""
        return self._agenda.now_ms * 1_000_000


class _Waker:
    """An actor's alarm clock: a newer appointment replaces an older one."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name
        self._appointment = 0

    def wake_in(self, delay_ms: int) -> None:
        """Have the slot look at the time."""
        self._appointment += 1
        number = self._appointment
        life = self._world.network.life(self._name)

        def ring() -> None:
            slot = self._world.slots.get(self._name)
            if slot is not None and number == self._appointment and self._world.network.in_life(self._name, life):
                slot.tick()

        self._world.agenda.tick(delay_ms, self._name, ring)


class World:
    """One deployment. `run_until` moves it; `kill` and `restart` are what a cluster does to actors."""

    def __init__(
        self, settings: WorldSettings, *, mishaps: Mishaps | None = None, candles: CandleTape | None = None
    ) -> None:
        self.settings = settings
        self.agenda = Agenda()
        self.mishaps: Mishaps = mishaps or Calm()
        rng = Random(settings.seed)
        self.network = Network(self.agenda, settings.latency, self.mishaps, Random(rng.getrandbits(64)))
        self.venue = VirtualVenue(settings, self.agenda, self.mishaps, Random(rng.getrandbits(64)))
        self.venue.on_quote = self._on_quote
        self.journal: list[JournalRow] = []
        self.gateway: VirtualGateway | None = None
        self.slots: dict[str, GridSlot] = {}
        self.feeds: dict[str, VirtualFeed] = {}
        self.risk: VirtualRisk | None = None
        self.on_step: Callable[[Step], None] | None = None
        """Called after each step: the place of invariants and traces."""
        self._candles: CandleTape = candles or CalmTape(settings.risk)
        self._clock = VirtualClock(self.agenda)
        self._feed_names = settings.feeds
        self._starts = self._starts_of(settings)

    @property
    def book(self) -> Book:
        """Return the book of the living gateway."""
        assert self.gateway is not None
        return self.gateway.desk.book

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all actors, in their start order."""
        return tuple(self._starts)

    def play(self, tape: Iterable[MarketEvent]) -> None:
        """Let the market follow a tape, sorted by time (wall clock)."""
        self._play_next(iter(tape))

    def start(self) -> None:
        """Start every actor."""
        for start in self._starts.values():
            start()

    def kill(self, name: str) -> None:
        """End an actor at once; it comes back by itself after a while, as a cluster restarts it."""
        if not self.network.is_alive(name):
            return
        self.network.kill(name)
        if name == GATEWAY:
            self.gateway = None
            self.venue.stream.disconnect()
        self._start_again(name)

    def restart_all(self, settings: WorldSettings) -> None:
        """End every actor at once and start all anew, in their order, with settings for the same symbols."""
        for name in self.names:
            if self.network.is_alive(name):
                self.network.kill(name)
        self.gateway = None
        self.venue.stream.disconnect()
        self.settings = settings
        self._starts = self._starts_of(settings)
        for name in self.names:
            self._start_again(name)

    def run_until(self, at_ms: int) -> None:
        """Take every step up to a time (monotonic ms)."""
        agenda = self.agenda
        while (next_ms := agenda.next_ms()) is not None and next_ms <= at_ms:
            self.step()
        agenda.now_ms = max(agenda.now_ms, at_ms)

    def step(self) -> None:
        """Take one step."""
        step = self.agenda.take()
        try:
            step.action()
        except Died:
            self.kill(GATEWAY)
        if self.on_step is not None:
            self.on_step(step)

    def _start_again(self, name: str) -> None:
        life = self.network.life(name)

        def again() -> None:
            if self.network.life(name) == life and not self.network.is_alive(name):
                self._starts[name]()

        self.agenda.after(self.settings.restart_ms, "restart", name, again)

    def _starts_of(self, settings: WorldSettings) -> dict[str, Callable[[], None]]:
        starts: dict[str, Callable[[], None]] = {GATEWAY: self._start_gateway, RISK: self._start_risk}
        layouts = settings.layouts
        for grid in settings.grids:
            feed = self._feed_names[grid.symbol]
            starts[feed] = self._starter_of_feed(
                feed, [layouts[s] for s, name in self._feed_names.items() if name == feed]
            )
            for index, name in enumerate(layouts[grid.symbol].names()):
                starts[name] = self._starter_of_slot(index, [one for one in layouts.values() if name in one.names()])
        return starts

    def _play_next(self, tape: Iterator[MarketEvent]) -> None:
        event = next(tape, None)
        if event is None:
            return
        at_ms = event.time_ms - (self.agenda.wall_ms - self.agenda.now_ms)

        def move() -> None:
            self.venue.on_market(event)
            self._play_next(tape)

        self.agenda.at(at_ms, "market", event, move)

    def _on_quote(self, quote: Quote) -> None:
        name = self._feed_names[quote.symbol]
        if self.network.is_alive(name):
            self.feeds[quote.symbol].on_quote(quote)

    def _is_alive(self, name: str) -> Callable[[], bool]:
        life = self.network.life(name) + 1
        return lambda: self.network.in_life(name, life)

    def _start_gateway(self) -> None:
        gateway = VirtualGateway(
            settings=self.settings,
            agenda=self.agenda,
            venue=self.venue,
            outbox=self.network.outbox(GATEWAY),
            mishaps=self.mishaps,
            journal=self.journal,
            risk=RISK,
            is_alive=self._is_alive(GATEWAY),
        )
        self.network.register(GATEWAY, gateway)
        self.gateway = gateway
        gateway.start()

    def _start_risk(self) -> None:
        risk = VirtualRisk(
            name=RISK,
            gateway=GATEWAY,
            rules=self.settings.risk,
            tick_ms=self.settings.risk_tick_ms,
            tape=self._candles,
            agenda=self.agenda,
            outbox=self.network.outbox(RISK),
            is_alive=self._is_alive(RISK),
        )
        self.network.register(RISK, risk)
        self.risk = risk
        risk.start()

    def _starter_of_feed(self, name: str, layouts: list[SlotLayout]) -> Callable[[], None]:
        def start() -> None:
            feed = VirtualFeed(
                name=name,
                gateway=GATEWAY,
                layouts=layouts,
                agenda=self.agenda,
                venue=self.venue,
                outbox=self.network.outbox(name),
                is_alive=self._is_alive(name),
            )
            self.network.register(name, feed)
            self.feeds.update({layout.symbol: feed for layout in layouts})
            feed.start()

        return start

    def _starter_of_slot(self, index: int, layouts: list[SlotLayout]) -> Callable[[], None]:
        name = layouts[0].name(index)

        def start() -> None:
            slot = GridSlot(
                layouts=layouts,
                index=index,
                gateway=GATEWAY,
                feed=self._feed_names[layouts[0].symbol],
                outbox=self.network.outbox(name),
                waker=_Waker(self, name),
                clock=self._clock,
                reconcile_ms=self.settings.reconcile_ms,
            )
            self.network.register(name, slot)
            self.slots[name] = slot
            slot.start()

        return start
