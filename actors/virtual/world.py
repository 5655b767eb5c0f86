"""A whole deployment in one process: gateway, feeds, slots, supervisor and venue on one virtual clock.

The objects that decide are those of the live run; only what carries messages, keeps the journal and tells the time is
virtual. The same settings, tape and mishaps give the same run, step for step. With an `OwnershipPlan` several hosts
run the deployment of the one account, with a lease store and the journal between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from random import Random

from actors.grid_slot import GridSlot
from actors.virtual.agenda import Agenda, Step
from actors.virtual.candles import CalmTape
from actors.virtual.deployment import GATEWAY, Deployment, Surroundings
from actors.virtual.feed import VirtualFeed
from actors.virtual.gateway import Died, VirtualGateway
from actors.virtual.journal import JournalRow, VirtualJournal
from actors.virtual.leases import VirtualLeases
from actors.virtual.mishaps import Calm, Mishaps
from actors.virtual.network import Network
from actors.virtual.private_stream import PrivateStream
from actors.virtual.risk import CandleTape
from actors.virtual.settings import HostPlan, WorldSettings
from actors.virtual.venue import VirtualVenue
from exchanges.sim.market import MarketEvent
from grid.book import Book
from grid.order import Quote

__all__ = ["GATEWAY", "World"]


class World:
    """`run_until` moves it; `kill` and `restart_all` are what a cluster and its operator do to actors.

    Where there are several deployments, the leader is the one whose gateway took over the book last, and the actors
    that a world names are the leader's.
    """

    def __init__(
        self, settings: WorldSettings, *, mishaps: Mishaps | None = None, candles: CandleTape | None = None
    ) -> None:
        self.settings = settings
        self.agenda = Agenda()
        self.mishaps: Mishaps = mishaps or Calm()
        rng = Random(settings.seed)
        network_seed, venue_rng = rng.getrandbits(64), Random(rng.getrandbits(64))
        self.venue = VirtualVenue(settings, self.agenda, self.mishaps, venue_rng)
        self.venue.on_quote = self._on_quote
        self.shared_journal = VirtualJournal()
        self.on_step: Callable[[Step], None] | None = None
        """Called after each step: the place of invariants and traces."""
        self.on_begun: Callable[[Deployment, Deployment], None] | None = None
        """Called when a gateway takes over, before it does anything, with the former leader and its own deployment."""
        plan = settings.ownership
        self.leases: VirtualLeases | None = None
        if plan is not None:
            self.leases = VirtualLeases(self.agenda, settings.latency, self.mishaps, Random(f"leases {settings.seed}"))
        around = Surroundings(
            agenda=self.agenda,
            venue=self.venue,
            journal=self.shared_journal,
            mishaps=self.mishaps,
            candles=candles or CalmTape(settings.risk),
            leases=self.leases,
        )
        hosts: tuple[HostPlan | None, ...] = plan.hosts if plan is not None else (None,)
        self.deployments = tuple(
            Deployment(settings, around, Random(network_seed + number), host=host, on_begun=self._begun)
            for number, host in enumerate(hosts)
        )
        self.leader = self.deployments[0]

    @property
    def gateway(self) -> VirtualGateway | None:
        """Return the gateway that has the account and acts, None while there is none."""
        process = self.leader.process
        return self.leader.gateway if process is not None and not process.is_stopped else None

    @property
    def book(self) -> Book:
        """Return the book of the living gateway."""
        assert self.leader.gateway is not None
        return self.leader.gateway.desk.book

    @property
    def journal(self) -> list[JournalRow]:
        """Return what has been written so far."""
        return self.shared_journal.rows

    @property
    def network(self) -> Network:
        """Return who lives in the leader's deployment."""
        return self.leader.network

    @property
    def stream(self) -> PrivateStream:
        """Return the leader's private stream."""
        return self.leader.stream

    @property
    def slots(self) -> dict[str, GridSlot]:
        """Return the leader's slots."""
        return self.leader.slots

    @property
    def feeds(self) -> dict[str, VirtualFeed]:
        """Return the leader's feeds."""
        return self.leader.feeds

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all actors of a deployment, in their start order."""
        return self.leader.names

    def life(self, name: str) -> tuple[str, int]:
        """Return which life of an actor is the leader's: the deployment and a number."""
        return self.leader.name, self.leader.network.life(name)

    def is_in_life(self, name: str, life: tuple[str, int]) -> bool:
        """Whether the leader's actor is alive and in exactly that life."""
        return self.life(name) == life and self.leader.network.is_alive(name)

    def play(self, tape: Iterable[MarketEvent]) -> None:
        """Let the market follow a tape, sorted by time (wall clock)."""
        self._play_next(iter(tape))

    def start(self) -> None:
        """Start the deployment, on each host at its time."""
        for one in self.deployments:
            if one.host is None:
                one.start()
            else:
                self.agenda.at(one.host.starts_ms, "start", one.name, one.start)

    def kill(self, name: str) -> None:
        """End an actor of the leader at once; it comes back by itself after a while, as a cluster restarts it."""
        self.leader.kill(name)

    def restart_all(self, settings: WorldSettings) -> None:
        """End every actor at once and start all anew, in their order, with settings for the same symbols."""
        self.settings = settings
        for one in self.deployments:
            one.restart(settings)

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
        except Died as died:
            self._bury(died)
        if self.on_step is not None:
            self.on_step(step)

    def _bury(self, died: Died) -> None:
        (one,) = (held for held in self.deployments if held.name == died.host)
        if died.is_taken:
            one.fall(again_ms=self.settings.manager_ms)
        else:
            one.kill(GATEWAY)

    def _begun(self, deployment: Deployment) -> None:
        former, self.leader = self.leader, deployment
        if self.on_begun is not None:
            self.on_begun(former, deployment)

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
        for one in self.deployments:
            one.on_quote(quote)
