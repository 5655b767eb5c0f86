"""The venue behind a paper account: our matching engine, fed by the public streams of a real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from decimal import Decimal
from itertools import count
from random import Random
from typing import TypeVar

from exchanges.errors import VenueError, VenueRefused, VenueUnreachable
from exchanges.paper.axis import TimeAxis
from exchanges.paper.instruments import sim_instrument
from exchanges.paper.memory import ACCOUNT, Memory
from exchanges.paper.road import RefusedAtVenue, Road
from exchanges.paper.store import PaperStore
from exchanges.paper.tap import Tap, raise_bug, top_of
from exchanges.paper.terms import FUNDING_EVERY_MS, PaperTerms
from exchanges.port import FundingDue, MarketVenue, PrivateEvent, StreamDown, StreamUp
from exchanges.session.buffers import LatestBuffer
from exchanges.sim import port_words
from exchanges.sim.engine import MatchingEngine
from exchanges.sim.market import Funding, MarketEvent
from exchanges.sim.refusal import Refused
from exchanges.sim.settings import AccountSpec, EngineConfig
from exchanges.sim.venue_events import AlgoEvent, OrderEvent, VenueEvent
from grid.instrument import Instrument

A = TypeVar("A")
HISTORY_MAX = 20_000
EVENTS_MAX = 10_000
PULSE_S = 1.0
FUNDING_READ_S = 30.0
STREAM = "private"


class PaperVenue:
    """One account at one engine. What a call or a trade changes is written down before anybody hears of it."""

    def __init__(
        self,
        *,
        market: MarketVenue,
        terms: PaperTerms,
        store: PaperStore,
        monotonic_ns: Callable[[], int],
        strict_time: bool,
    ) -> None:
        self.market = market
        self.terms = terms
        self.axis = TimeAxis(monotonic_ns, strict=strict_time)
        self.instruments: dict[str, Instrument] = {}
        self._spec = AccountSpec(
            account=ACCOUNT,
            deposit=terms.balance,
            maker_fee=terms.maker_fee,
            taker_fee=terms.taker_fee,
            leverage=terms.leverage,
        )
        self._memory = Memory(store, self._spec, HISTORY_MAX)
        self._tap = Tap(market, self._on_market, self._on_state)
        latency_ms = (terms.latency_min_ms, terms.latency_max_ms)
        self._road = Road(seed=terms.seed, latency_ms=latency_ms, strict_time=strict_time)
        self._engine: MatchingEngine | None = None
        self._events: LatestBuffer[PrivateEvent] | None = None
        self._pulses: list[asyncio.Task[None]] = []
        self._numbers = count()

    @property
    def heard(self) -> int:
        """Return how many quotes, trades and marks were taken in."""
        return self._tap.heard

    @property
    def under_way(self) -> int:
        """Return how many calls have not reached the matcher yet."""
        return self._road.waiting

    @property
    def engine(self) -> MatchingEngine:
        """Return the engine; raises `VenueUnreachable` before `load`."""
        if self._engine is None:
            raise VenueUnreachable("the paper venue has not read its rules yet")
        return self._engine

    async def load(self) -> MatchingEngine:
        """Make the engine of the venue's public rules and present prices, and begin or go on with the account."""
        if self._engine is not None:
            return self._engine
        kept = self._memory.symbols()
        rules: dict[str, Instrument] = {}
        for symbol in dict.fromkeys((*self.terms.symbols, *kept)):
            try:
                rules[symbol] = await self.market.instrument(symbol)
            except VenueRefused:
                if symbol in kept:
                    raise
        quotes = [await self.market.quote(symbol) for symbol in rules]
        for quote in quotes:
            self.axis.hear(quote.venue_ms)
        engine = MatchingEngine(
            [sim_instrument(one, self.terms) for one in rules.values()],
            rng=Random(self.terms.seed),
            config=self._config(),
            start_ms=0 if not self._memory.is_new else self.axis.now_ms(),
        )
        if self._memory.is_new:
            engine.open_account(self._spec, self.axis.now_ms())
            self._memory.keep(engine, [])
        else:
            self._memory.revive(engine)
        self._engine, self.instruments = engine, rules
        for quote in quotes:
            self.told(engine.on_market(top_of(quote)))
        return engine

    def _config(self) -> EngineConfig:
        rate, ways = self.terms.funding_rate, self.terms.ways
        return EngineConfig(
            funding_every_ms=0 if rate is None else FUNDING_EVERY_MS,
            funding_rate=rate or Decimal(0),
            history_max=HISTORY_MAX,
            post_only_cancels=ways.post_only_cancels,
            reduce_only_strict=ways.reduce_only_strict,
        )

    async def list_symbol(self, symbol: str) -> None:
        """Take a symbol up that nobody named before."""
        engine = await self.load()
        if symbol in self.instruments:
            return
        rules = await self.market.instrument(symbol)
        quote = await self.market.quote(symbol)
        engine.list_symbol(sim_instrument(rules, self.terms))
        self.instruments[symbol] = rules
        self._on_market(top_of(quote))
        if self._pulses:
            self._tap.cover([symbol])

    def why_silent(self, symbol: str) -> str:
        """Return why nothing can be said of a symbol's market now; empty where something can."""
        return self._tap.why_silent(symbol)

    def send(self, about: str, order: str, act: Callable[[int], A]) -> asyncio.Future[A]:
        """Send a call about an order to the matcher; `act` gets the time of its arrival and may raise `Refused`."""

        def arrive(at_ms: int) -> A:
            try:
                return act(at_ms)
            except Refused as refused:
                raise RefusedAtVenue(port_words.error_of(refused)) from None

        return self._road.send(about, order, self.axis.now_ms(), arrive)

    def told(self, events: Sequence[VenueEvent], *, is_write: bool = False) -> None:
        """Write down what a step has changed, then tell it."""
        if not events and not is_write:
            return
        self._memory.keep(self.engine, events)
        for event in events:
            if isinstance(event, OrderEvent):
                self._put(port_words.update_of(event))
            elif isinstance(event, AlgoEvent):
                self._put(port_words.stop_of(event.algo, self.engine.read.instrument(event.algo.symbol)))

    async def events(self) -> AsyncGenerator[PrivateEvent, None]:
        """Yield what happens to the account; down while the public streams cannot tell what would have filled."""
        await self.load()
        # no two events are one: nothing is dropped but by an overflow, which says so
        buffer: LatestBuffer[PrivateEvent] = LatestBuffer(
            lambda _: next(self._numbers), EVENTS_MAX, lambda: [StreamUp(name=STREAM)]
        )
        self._events = buffer
        if not self._pulses:
            self._pulses = [asyncio.create_task(self._beat()), asyncio.create_task(self._follow_funding())]
            for pulse in self._pulses:
                pulse.add_done_callback(raise_bug)
            self._tap.cover(list(self.instruments))
        elif not self._tap.silence():
            self._put(StreamUp(name=STREAM))
        try:
            while True:
                yield await buffer.get()
        finally:
            if self._events is buffer:
                self._events = None

    async def close(self) -> None:
        """Stop listening and let go of the account's file. Open orders stay in it."""
        self._road.close()
        for pulse in self._pulses:
            pulse.cancel()
        await asyncio.gather(*self._pulses, return_exceptions=True)
        await self._tap.close()
        await self.market.close()
        self._memory.close()

    def _on_market(self, event: MarketEvent) -> None:
        self.axis.hear(event.time_ms)
        self._road.arrive(event.time_ms)
        self.told(self.engine.on_market(event))

    def _on_state(self, silence: str) -> None:
        self._put(
            StreamDown(name=STREAM, reason=f"the market is not heard: {silence}") if silence else StreamUp(name=STREAM)
        )

    def _put(self, event: PrivateEvent) -> None:
        if self._events is not None:
            self._events.add(event)

    async def _beat(self) -> None:
        """Let time pass at the venue while the market is quiet: countdowns, funding."""
        while True:
            await asyncio.sleep(PULSE_S)
            if not self.axis.strict:
                self.told(self.engine.advance(self.axis.now_ms()))

    async def _follow_funding(self) -> None:
        """Take over what the venue would settle next; the last word before its time counts."""
        while self.terms.funding_rate is None:
            for symbol in list(self.instruments):
                try:
                    due = await self.market.funding(symbol)
                except VenueError:
                    continue  # what it told before stands
                self.take_funding(due)
            await asyncio.sleep(FUNDING_READ_S)

    def take_funding(self, due: FundingDue) -> None:
        """Take over the next funding of a symbol, and write it down: it is due though we be dead by then."""
        now_ms = self.axis.now_ms()
        if due.at_ms > now_ms:
            funding = Funding(symbol=due.symbol, time_ms=due.at_ms, rate=due.rate)
            self.told(self.engine.schedule_funding(funding, now_ms), is_write=True)
