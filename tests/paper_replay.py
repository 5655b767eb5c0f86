"""A whole deployment on paper over recorded frames, so that equal frames give equal journals."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from actors import symbol_feed
from actors.clock import SystemClock
from actors.deployment.roster import Roster
from actors.grid_slot import GridSlot
from actors.journal.schema import PAPER_ACCOUNT
from actors.journal.writer import Journal
from actors.mail.messages import Envelope
from actors.order_gateway import OrderGateway
from actors.price_feed import PriceFeed
from actors.settings.account import Settings
from actors.venues import market_venue, paper_terms
from exchanges.paper.memory import ACCOUNT as ACCOUNT_NAME
from exchanges.paper.store import PaperStore
from exchanges.paper.trading import PaperTrading
from exchanges.port import MarketVenue, StreamDown, StreamUp
from grid.client_id import decode
from grid.records import FillBooked, OrderEnded, OrderIntended, Record, from_body
from tests import live_crew
from tests.frame_server import ACCOUNT, OTHERS, FrameServer, serving
from tests.frame_tongues import Tongue
from tests.live_control import VenueControl
from tests.live_crew import LocalCrew
from tests.live_deployment import LiveDeployment, deployed, live_settings
from tests.live_mail import Mailbox
from tests.recorded_frames import (
    MARK,
    QUOTE,
    TRADE,
    Frame,
)

PATIENCE_S = 90.0
TURNS = 20
"""Longer than the longest chain of callbacks, from a frame that is read to a record that is written."""
AHEAD_MS = 1 << 42
"""The slots' time is the tape's, and so far ahead of ours that no stamp of ours lies after it."""
UNHURRIED: dict[str, Any] = {
    # what our own clock decides must not decide anything here: the tape's time passes at another pace
    "gateway": {"recv_window_ms": 5000, "echo_timeout_s": 60, "orders_per_second": 300, "burst": 300},
    "runtime": {"look_ahead": 1, "reconcile_s": 600, "price_age_s": 600, "push_interval_ms": 1, "slots_per_actor": 100},
    "account": {"max_notional": 20_000, "daily_loss": 10_000},
}
SLOT_OF = LocalCrew._slot
PUT = Mailbox.put
LADDER: dict[str, Any] = {"interval": "1.5", "anchor": None, "buy_window": 4, "max_lots": 40, "min_rest_s": 0}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to: its fills, what the journal says beyond ids and our own times, and the money."""

    fills: list[tuple[Any, ...]]
    facts: list[tuple[Any, ...]]
    wallet: str
    held: dict[str, int]

    def differences(self, other: Outcome) -> list[tuple[Any, ...]]:
        """Return the first things that another run did otherwise, and everything that the two ended with unlike."""
        found = []
        for what in ("fills", "facts"):
            ours, others = getattr(self, what), getattr(other, what)
            at = next((n for n, (one, two) in enumerate(zip(ours, others, strict=False)) if one != two), None)
            if at is not None or len(ours) != len(others):
                at = at if at is not None else min(len(ours), len(others))
                found.append((what, at, len(ours), len(others), ours[max(0, at - 4) : at + 4], others[at : at + 4]))
        return [
            *found,
            *((name, self, other) for name in ("wallet", "held") if getattr(self, name) != getattr(other, name)),
        ]


class PublicEars:
    """The public streams of everybody but the paper account, and how much of them was heard and taken to its end."""

    def __init__(self) -> None:
        self.taken = 0

    def of(self, settings: Settings) -> MarketVenue:
        market = market_venue(settings)
        for stream in ("quotes", "marks"):
            setattr(market, stream, partial(self._counted, getattr(market, stream)))
        return market

    async def _counted(
        self, stream: Callable[[Sequence[str]], AsyncGenerator[Any, None]], symbols: Sequence[str]
    ) -> AsyncGenerator[Any, None]:
        async with aclosing(stream(symbols)) as events:
            async for event in events:
                yield event
                self.taken += not isinstance(event, StreamUp | StreamDown)


class TapeClock:
    """The slots' clock: the venue's time as the paper account has heard it."""

    def __init__(self, made: Sequence[PaperTrading]) -> None:
        self._made = made

    def now_ms(self) -> int:
        return AHEAD_MS + (self._made[-1].venue.axis.now_ms() if self._made else 0)

    def monotonic_ns(self) -> int:
        return self.now_ms() * 1_000_000


class SteppedClock(SystemClock):
    """Everybody else's clock: real, and further by a few milliseconds with each step of the replay.

    The desk asks whether a price is younger than a fill: what came in two steps is never of one millisecond.
    """

    STEP_MS = 3

    def __init__(self) -> None:
        self._steps = 0

    def step(self) -> None:
        self._steps += 1

    def now_ms(self) -> int:
        return super().now_ms() + self._steps * self.STEP_MS

    def monotonic_ns(self) -> int:
        return super().monotonic_ns() + self._steps * self.STEP_MS * 1_000_000


class NoWaker:
    """Wakes nobody: the replay looks at the time after each frame."""

    def wake_in(self, delay_ms: int) -> None:
        pass


class HeldMail:
    """The actors' mail, held back until nothing else moves, then delivered by receiver, sender and number.

    So the answer of one thread to the first of two events never races the second.
    """

    def __init__(self) -> None:
        self._held: list[tuple[Mailbox, Envelope]] = []
        self._door = threading.Lock()
        self.is_holding = False

    def put(self, box: Mailbox, envelope: Envelope) -> None:
        with self._door:
            if self.is_holding:
                self._held.append((box, envelope))
                return
        PUT(box, envelope)

    def deliver(self) -> bool:
        """Deliver what was held; return whether that was anything."""
        with self._door:
            held, self._held = self._held, []
        for box, envelope in sorted(held, key=lambda one: (one[0].name, one[1].sender, one[1].sequence)):
            PUT(box, envelope)
            box.call(lambda: None)
        return bool(held)


class Replay:
    """Plays frames to a deployment, each only once everything that the one before caused has come to rest.

    The account hears a frame before everybody else does: in a run nothing says which of two sockets is read first, so
    this is a choice, and with it the order of everything that follows is a matter of the frames alone.
    """

    def __init__(
        self,
        live: LiveDeployment,
        server: FrameServer,
        paper: PaperTrading,
        public: PublicEars,
        clock: SteppedClock,
        mail: HeldMail,
    ) -> None:
        self._mail = mail
        self._clock = clock
        self._live = live
        self._server = server
        self._paper = paper
        self._public = public
        self._symbols = list(live.roster.layouts)
        self._first = sum(ladder.buy_window for ladder in live.settings.symbols)

    def play(self, frames: Iterable[Frame]) -> None:
        self._until(self._is_connected, "every stream is asked for")
        self._until(lambda: self._live.gateway().get("is_ready") and not self._live.holds(), "entries may be placed")
        self._until(lambda: self._paper.venue.under_way >= self._first, "the first entries are under way")
        self._mail.is_holding = True
        self._rest()
        for frame in frames:
            self._clock.step()
            heard = self._paper.venue.heard
            assert self._server.send(frame, ACCOUNT) == 1
            self._until(lambda heard=heard: self._paper.venue.heard > heard, "the account hears it")
            self._rest()
            self._clock.step()
            self._wake_slots()
            self._clock.step()
            if frame.kind == TRADE:
                continue
            taken = self._public.taken
            assert self._server.send(frame, OTHERS) == 1
            self._until(lambda taken=taken: self._public.taken > taken, "feed or gateway hears it")
            self._rest()

    def _is_connected(self) -> bool:
        stream = self._server.tongue.stream
        wanted = [(QUOTE, ACCOUNT), (QUOTE, OTHERS), (TRADE, ACCOUNT), (MARK, ACCOUNT), (MARK, OTHERS)]
        return all(
            self._server.listeners(stream(kind, name), door) == 1 for name in self._symbols for kind, door in wanted
        )

    def _rest(self) -> None:
        """Wait until nothing moves but what waits for the tape's own time."""
        before = None
        deadline = time.monotonic() + PATIENCE_S
        while True:
            self._give_turns()
            now = None if self._mail.deliver() else self._stir()
            if now is not None and now == before:
                return
            before = now
            assert time.monotonic() < deadline, f"it never rests: {before}"

    def _wake_slots(self) -> None:
        """Time has passed: what waited for that may act now."""
        for layout in self._live.roster.layouts.values():
            for name in layout.names():
                box = self._live.room.box(name)
                assert isinstance(box.actor, GridSlot)
                box.call(box.actor.tick)
        self._rest()

    def _give_turns(self) -> None:
        """Let every loop go round often enough for a chain of callbacks to end, then every actor take its turn."""
        actors = [self._live.room.box(name).actor for name in self._live.roster.everyone]
        threads = [one._thread for one in actors if isinstance(one, OrderGateway)]
        for thread in [*threads, *(one._loop for one in actors if isinstance(one, PriceFeed))]:
            loop, done = thread._loop, threading.Event()
            assert loop is not None

            def turn(left: int, loop: asyncio.AbstractEventLoop = loop, done: threading.Event = done) -> None:
                if left:
                    loop.call_soon(turn, left - 1)
                else:
                    done.set()

            loop.call_soon_threadsafe(turn, TURNS)
            assert done.wait(PATIENCE_S)
        for name in self._live.roster.everyone:
            self._live.room.box(name).call(lambda: None)

    def _stir(self) -> tuple[int, ...] | None:
        """Return what counts everything that happens; None while something is under way."""
        gateway = self._live.room.box(self._live.roster.gateway).actor
        boxes = [self._live.room.box(name) for name in self._live.roster.everyone]
        if any(box._incoming.qsize() or box._letters for box in boxes):
            return None
        assert isinstance(gateway, OrderGateway)
        caller, keeper = gateway._caller, gateway._keeper
        if caller is None or keeper is None or gateway._thread.depth or any(caller.depths().values()):
            return None
        if caller.in_flight() != self._paper.venue.under_way:
            return None
        return (
            keeper._journal.last_seq,
            caller.in_flight(),
            sum(gateway._mailbox.counts.values()),
            self._paper.venue.heard,
        )

    def _until(self, condition: Any, what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"it is not so that {what}: {self._live._plight()}"
            time.sleep(0.0003)


def run(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    tongue: Tongue,
    frames: Sequence[Frame],
    *ladders: dict[str, Any],
    **paper: Any,
) -> Outcome:
    """Run a deployment on paper over the frames; return what it came to."""
    made: list[PaperTrading] = []
    public = PublicEars()
    clock, mail = SteppedClock(), HeldMail()
    folder.mkdir()
    with serving(tongue, frames) as server:

        def strict(settings: Settings, _: object) -> PaperTrading:
            own = settings.venue.model_copy(update={"ws_url": server.ws_url(ACCOUNT)})
            made.append(
                PaperTrading(
                    market=market_venue(settings.model_copy(update={"venue": own})),
                    terms=paper_terms(settings),
                    store=PaperStore(settings.paper_account_path),
                    now_ms=lambda: time.time_ns() // 1_000_000,
                    monotonic_ns=time.monotonic_ns,
                    strict_time=True,
                )
            )
            return made[-1]

        monkeypatch.setattr(live_crew, "trading_venue", strict)
        monkeypatch.setattr(live_crew, "market_venue", public.of)
        monkeypatch.setattr(live_crew, "SystemClock", lambda: clock)
        monkeypatch.setattr(Mailbox, "put", lambda box, envelope: mail.put(box, envelope))

        def on_tape(crew: LocalCrew, name: str, roster: Roster, around: dict[str, Any]) -> GridSlot:
            slot = SLOT_OF(crew, name, roster, {**around, "clock": TapeClock(made)})
            slot._waker = NoWaker()
            return slot

        monkeypatch.setattr(LocalCrew, "_slot", on_tape)
        monkeypatch.setattr(symbol_feed, "WORD_EVERY_MS", 10**9)  # the gateway hears of crossings alone
        control = VenueControl(server.rest_url, server.ws_url(), "", tongue.name)
        settings = live_settings(
            folder, control, *ladders or (LADDER,), paper={"balance": 50_000, **paper}, **UNHURRIED
        )
        with deployed(settings, control) as live:
            Replay(live, server, made[0], public, clock, mail).play(frames)
            wallet = made[0].venue.engine.read.account(ACCOUNT_NAME).assets[0].wallet
            held = {one.symbol: one.quantity for one in made[0].venue.engine.read.positions(ACCOUNT_NAME)}
            gateway = live.room.box(live.roster.gateway).actor
            assert isinstance(gateway, OrderGateway)
            assert gateway._keeper is not None
            mail.is_holding = False
            ended = gateway._keeper._journal.last_seq  # what comes after the last frame goes by our own clock
    records = list(_records(settings, ended))
    fills = [_fill(one) for one in records if isinstance(one, FillBooked)]
    facts = [_fact(one) for one in records if isinstance(one, OrderIntended | OrderEnded)]
    return Outcome(fills=fills, facts=facts, wallet=str(wallet), held=held)


def _records(settings: Settings, last_seq: int) -> Iterable[Record]:
    journal = Journal.open(settings.journal_path, account=PAPER_ACCOUNT)
    try:
        yield from (from_body(row.kind, row.body) for row in journal.replay() if row.seq <= last_seq)
    finally:
        journal.close()


def _told(client_id: str, symbol: str) -> tuple[Any, ...]:
    """Return what an id says that is no accident of its journal."""
    identity = decode(client_id, symbol)
    assert identity is not None
    return symbol, identity.generation, identity.level, identity.purpose.value


def _fill(booked: FillBooked) -> tuple[Any, ...]:
    fill = booked.fill
    own = (fill.side.value, fill.price, fill.quantity, str(fill.fee), fill.is_maker, fill.venue_ms, fill.trade_id)
    return (*_told(booked.client_id, fill.symbol), *own)


def _fact(record: OrderIntended | OrderEnded) -> tuple[Any, ...]:
    if isinstance(record, OrderIntended):
        return ("intended", *_told(record.client_id, record.symbol), record.price, record.quantity)
    return ("ended", *_told(record.client_id, record.symbol), record.status.value, record.filled)
