"""One deployment in a virtual world: its gateway, feeds, slots and supervisor on one network, and their deaths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from actors.actor_names import RISK, SlotLayout, gateway_name
from actors.grid_slot import GridSlot
from actors.virtual.agenda import Agenda
from actors.virtual.feed import VirtualFeed
from actors.virtual.gateway import VirtualGateway
from actors.virtual.journal import VirtualJournal
from actors.virtual.leases import VirtualLeases
from actors.virtual.mishaps import Mishaps
from actors.virtual.network import Network
from actors.virtual.owner import HostClock, VirtualOwner
from actors.virtual.process import Process
from actors.virtual.risk import CandleTape, VirtualRisk
from actors.virtual.settings import HostPlan, WorldSettings
from actors.virtual.venue import VirtualVenue
from actors.virtual.waiting import Waiting
from grid.order import Quote

GATEWAY = gateway_name("virtual")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all deployments of a world share."""

    agenda: Agenda
    venue: VirtualVenue
    journal: VirtualJournal
    mishaps: Mishaps
    candles: CandleTape
    leases: VirtualLeases | None


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

    def __init__(self, deployment: Deployment, agenda: Agenda, name: str) -> None:
        self._deployment = deployment
        self._agenda = agenda
        self._name = name
        self._appointment = 0

    def wake_in(self, delay_ms: int) -> None:
        """Have the slot look at the time."""
        self._appointment += 1
        number, deployment = self._appointment, self._deployment
        life = deployment.network.life(self._name)

        def ring() -> None:
            slot = deployment.slots.get(self._name)
            if slot is not None and number == self._appointment and deployment.network.in_life(self._name, life):
                slot.tick()

        self._agenda.tick(delay_ms, self._name, ring)


class Deployment:
    """With a lease store, its gateway has to get the account first; the others are started once it has.

    `on_begun` is called when a gateway has taken over the book. One that loses the account to another ends whole, and
    is started again by a process manager.
    """

    def __init__(
        self,
        settings: WorldSettings,
        around: Surroundings,
        rng: Random,
        *,
        host: HostPlan | None,
        on_begun: Callable[[Deployment], None],
    ) -> None:
        self.settings = settings
        self.host = host
        self.name = host.name if host is not None else ""
        self.network = Network(around.agenda, settings.latency, around.mishaps, rng)
        self.stream = around.venue.streams.open()
        self.gateway: VirtualGateway | None = None
        """The living one that has the account, or had it when it was stopped."""
        self.owner: VirtualOwner | None = None
        self.process: Process | None = None
        """Of the gateway's present life."""
        self.is_up = False
        self._boot = 1
        self.slots: dict[str, GridSlot] = {}
        self.feeds: dict[str, VirtualFeed] = {}
        self.risk: VirtualRisk | None = None
        self.clock = HostClock(3_600_000 * len(self.name))
        self._around = around
        self._agenda = around.agenda
        self._on_begun = on_begun
        self._clock = VirtualClock(around.agenda)
        self._feed_names = settings.feeds
        self._starts = self._starts_of(settings)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all actors, in their start order."""
        return tuple(self._starts)

    def start(self) -> None:
        """Start every actor; those of a claimant of the account follow its gateway."""
        self.is_up = True
        if self.host is not None:
            self._start_gateway()
            return
        for start in self._starts.values():
            start()

    def kill(self, name: str) -> None:
        """End an actor at once; it comes back by itself after a while, as a cluster restarts it."""
        if self.network.is_alive(name):
            self._end(name)
            self._start_again(name)

    def fall(self, *, again_ms: int, is_dark: bool = False) -> None:
        """End every actor at once, for good; a process manager starts everything anew after a while.

        `is_dark`: the host lost its power, so nobody on it can tell any more who held the account there.
        """
        self._boot += is_dark
        for name in self.names:
            if self.network.is_alive(name):
                self._end(name)
        self.is_up = False
        self._agenda.after(again_ms, "start", self.name, self._start_unless_up)

    def restart(self, settings: WorldSettings) -> None:
        """End every actor at once and start all anew, in their order, with settings for the same symbols."""
        self.settings = settings
        self._starts = self._starts_of(settings)
        if self.host is not None:
            if self.is_up:
                self.fall(again_ms=settings.restart_ms)
            return
        for name in self.names:
            if self.network.is_alive(name):
                self.network.kill(name)
        self.gateway = None
        self.stream.disconnect()
        for name in self.names:
            self._start_again(name)

    def on_quote(self, quote: Quote) -> None:
        """Hand a quote of the venue to its feed."""
        if self.network.is_alive(self._feed_names[quote.symbol]):
            self.feeds[quote.symbol].on_quote(quote)

    def _end(self, name: str) -> None:
        self.network.kill(name)
        if name == GATEWAY:
            self.gateway = None
            self.stream.disconnect()

    def _start_unless_up(self) -> None:
        if not self.is_up:
            self.start()

    def _start_again(self, name: str) -> None:
        life = self.network.life(name)

        def again() -> None:
            if self.network.life(name) == life and not self.network.is_alive(name):
                self._starts[name]()

        self._agenda.after(self.settings.restart_ms, "restart", name, again)

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

    def _is_alive(self, name: str) -> Callable[[], bool]:
        life = self.network.life(name) + 1
        return lambda: self.network.in_life(name, life)

    def _start_gateway(self) -> None:
        outbox = self.network.outbox(GATEWAY)
        self.process = process = Process(self._agenda, self._is_alive(GATEWAY))
        waiting = Waiting()

        def open_gateway(owner: VirtualOwner | None) -> None:
            gateway = VirtualGateway(
                settings=self.settings,
                process=process,
                venue=self._around.venue,
                stream=self.stream,
                outbox=outbox,
                mishaps=self._around.mishaps,
                journal=self._around.journal,
                risk=RISK,
                owner=owner,
                mailbox=waiting.mailbox,
            )
            if owner is None:
                self.network.register(GATEWAY, gateway)
            else:
                self.network.hand_over(GATEWAY, gateway)
            self.gateway = gateway
            self._on_begun(self)
            gateway.start()
            for message in waiting.kept:
                gateway.on_message(message)
            if owner is not None:
                self._start_the_others()

        if self.host is None:
            open_gateway(None)
        else:
            self.network.register(GATEWAY, waiting)
            self.owner = self._claim(self.host, process, open_gateway)
            self.owner.start()

    def _claim(
        self, host: HostPlan, process: Process, open_gateway: Callable[[VirtualOwner | None], None]
    ) -> VirtualOwner:
        plan, leases = self.settings.ownership, self._around.leases
        assert plan is not None
        assert leases is not None
        owner = VirtualOwner(
            host=host,
            life=self.network.life(GATEWAY),
            place=f"{host.name} {self._boot}",
            terms=plan.terms,
            patience_ms=plan.patience_ms,
            clock=self.clock,
            leases=leases,
            mishaps=self._around.mishaps,
            process=process,
            on_begun=lambda: open_gateway(owner),
            on_lost=self._on_lost,
        )
        return owner

    def _on_lost(self, is_taken: bool) -> None:
        if is_taken:
            self.fall(again_ms=self.settings.manager_ms)
        else:
            self.kill(GATEWAY)

    def _start_the_others(self) -> None:
        for name, start in self._starts.items():
            if not self.network.is_alive(name):
                start()

    def _start_risk(self) -> None:
        risk = VirtualRisk(
            name=RISK,
            gateway=GATEWAY,
            rules=self.settings.risk,
            tick_ms=self.settings.risk_tick_ms,
            tape=self._around.candles,
            agenda=self._agenda,
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
                agenda=self._agenda,
                venue=self._around.venue,
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
                waker=_Waker(self, self._agenda, name),
                clock=self._clock,
                reconcile_ms=self.settings.reconcile_ms,
            )
            self.network.register(name, slot)
            self.slots[name] = slot
            slot.start()

        return start
