"""The actor around the risk supervisor: candles and the account in; holds and the lease of "go" out, to the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from actors.clock import Clock
from actors.ending import end_process
from actors.loop_thread import LoopThread
from actors.mailbox import Mailbox
from actors.messages import AccountWord, Envelope, HoldWord, Receipt, SetupWanted
from actors.outbox import Gauges, NoGauges, Outbox
from actors.structured_log import log_of
from exchanges.errors import VenueError
from exchanges.port import MarketVenue, StreamDown, StreamUp
from grid.holds import Hold, HoldCause
from grid.intent import Standing
from risk.breakers import Drawdown
from risk.candle import Candle
from risk.detector import Condition
from risk.events import (
    CashMoved,
    CoinSeeded,
    CoinStreamDown,
    CoinStreamUp,
    EquityRead,
    Evidence,
    HoldLifted,
    HoldPlaced,
    OperatorSaid,
    OperatorWord,
    SupervisorEvent,
    SupervisorOutput,
    Tick,
    VenueErrors,
)
from risk.lease import Go
from risk.rules import RiskRules
from risk.supervisor import Phase, Supervisor

TICK_S = 0.5
RETRY_S = 1.0
MEND_S = 15.0
SEED_CANDLES_MORE = 5


class RiskSupervisor:
    """Watches the coins' candles and renews the lease while they are sound; its silence is a no.

    A new one first learns from the gateway whether its own hold stands, and how the account stands where a drawdown is
    limited, so that a restart lifts nothing early and measures from the same peak.
    The streams live in its own loop thread; queries answer from a snapshot.
    """

    def __init__(
        self,
        *,
        name: str,
        gateway: str,
        rules: RiskRules,
        interval: str,
        market: Callable[[], MarketVenue],
        outbox: Outbox,
        clock: Clock,
        drawdown: Decimal | None = None,
        gauges: Gauges | None = None,
        end: Callable[[], None] = end_process,
    ) -> None:
        self._name = name
        self._gateway = gateway
        self._rules = rules
        self._interval = interval
        self._drawdown = drawdown
        self._market = market
        self._outbox = outbox
        self._clock = clock
        self._gauges = gauges or NoGauges()
        self._mailbox = Mailbox()
        self._loop = LoopThread(name, self._main, end=end)
        self._machine: Supervisor | None = None
        self._standing: Standing | None = None
        self._account: AccountWord | None = None
        self._counted = ("", Decimal(0), 0)
        self._seeds: dict[str, asyncio.Task[None]] = {}
        self._streams: dict[str, str] = dict.fromkeys(rules.watch, "not subscribed yet")
        self._evidence: Evidence = ()
        self._published: dict[str, Any] = {}

    def start(self) -> None:
        """Begin; returns at once."""
        self._loop.start()

    def stop(self) -> bool:
        """End the streams and the loop; returns whether they ended in time."""
        return self._loop.stop()

    def receive(self, envelope: Envelope) -> Receipt:
        """Take a message of another actor."""
        return Receipt(is_busy=not self._loop.hand_over(self._take, envelope))

    def snapshot(self) -> dict[str, Any]:
        """Return phase, reason, holds and the figures of each coin."""
        waiting = {"phase": "restoring", "reason": f"waits for the holds in force from {self._gateway}"}
        return {"name": self._name, "inner_queue": self._loop.depth, **(self._published or waiting)}

    def _take(self, envelope: Envelope) -> None:
        arrival = self._mailbox.accept(envelope)
        if arrival.needs_whole and envelope.sender == self._gateway:
            self._ask()
        if not arrival.is_fresh:
            return
        match envelope.message:
            case Standing() as standing:
                self._on_standing(standing)
            case AccountWord() as word:
                self._on_account(word, envelope.incarnation)

    def _on_standing(self, standing: Standing) -> None:
        self._standing = standing
        if self._machine is None:
            self._begin()
        elif HoldCause.RISK.value in standing.holds and self._machine.state().phase is Phase.GO:
            # The gateway died between taking our word and writing it down: it is said again.
            self._tell(HoldLifted(cause=HoldCause.RISK, symbol="", reason="said again after the gateway's restart"))

    def _ask(self) -> None:
        self._outbox.post(self._gateway, SetupWanted(receiver=self._name, symbol=""))

    def _on_account(self, word: AccountWord, incarnation: str) -> None:
        """Take the newest word; what it counts is a total of one life of the gateway."""
        of_life, cash, errors = self._counted
        if of_life != incarnation:
            cash, errors = Decimal(0), 0
        self._account, self._counted = word, (incarnation, word.cash_moved, word.venue_errors)
        if self._machine is None:
            self._begin()
            return
        if word.cash_moved != cash:
            self._feed(CashMoved(amount=word.cash_moved - cash))
        if word.venue_errors > errors:
            self._feed(VenueErrors(count=word.venue_errors - errors))
        if word.equity is not None:
            self._feed(EquityRead(equity=word.equity))

    def clear_stop_loss(self, reason: str) -> bool:
        """Take the operator's word that a drawdown is over: its measure starts anew."""
        return self._loop.hand_over(self._feed, OperatorSaid(word=OperatorWord.CLEAR_STOP_LOSS, reason=reason))

    def _begin(self) -> None:
        """Begin once everything is known that must not be lost. A stop-loss that the gateway keeps is its own."""
        standing, account, drawdown = self._standing, self._account, None
        if standing is None:
            return
        taken_over = [HoldCause.RISK] if HoldCause.RISK.value in standing.holds else []
        if self._drawdown is not None:
            if account is None or account.equity is None:
                return
            drawdown = Drawdown(fraction=self._drawdown, peak=account.peak, is_tripped=account.is_drawn_down)
            taken_over += [HoldCause.STOP_LOSS] if account.is_drawn_down else []
        reason, now_ms = "in force before the supervisor started", self._mono_ms()
        holds = tuple(Hold(cause=cause, symbol="", reason=reason, since_ms=now_ms) for cause in taken_over)
        self._machine = Supervisor(self._rules, incarnation=self._clock.now_ms(), drawdown=drawdown, holds=holds)
        if account is not None and account.equity is not None:
            self._feed(EquityRead(equity=account.equity))
        log_of(self._name).info(
            "supervising", coins=self._rules.watch, taken_over=[cause.value for cause in taken_over]
        )

    async def _main(self) -> None:
        venue = self._market()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._tick(venue))
                await self._until_begun()
                group.create_task(self._listen(venue))
                group.create_task(self._mend(venue))
        finally:
            for task in self._seeds.values():
                task.cancel()
            await venue.close()

    async def _until_begun(self) -> None:
        while self._machine is None:
            self._ask()
            await asyncio.sleep(RETRY_S)

    async def _tick(self, venue: MarketVenue) -> None:
        while True:
            self._feed(Tick())
            self._publish()
            self._gauges.set("gridmesh_heartbeat_s", self._clock.now_ms() // 1000, actor=self._name)
            for stream, age_s in venue.ages().items():
                self._gauges.set("gridmesh_stream_age_ms", age_s * 1000, stream=stream)
            await asyncio.sleep(TICK_S)

    async def _listen(self, venue: MarketVenue) -> None:
        while True:
            try:
                await self._read(venue)
                reason = "stream ended"
            except VenueError as error:
                reason = str(error)
            for coin in self._rules.watch:
                self._down(coin, reason)
            await asyncio.sleep(RETRY_S)

    async def _read(self, venue: MarketVenue) -> None:
        candles = venue.candle_stream(self._rules.watch, self._interval)
        async with aclosing(candles) as events:
            async for event in events:
                match event:
                    case Candle():
                        self._feed(event)
                    case StreamUp():
                        self._gauges.count("gridmesh_stream_connects", stream=event.name)
                        self._up(venue, event.name.rpartition("/")[2])
                    case StreamDown():
                        self._down(event.name.rpartition("/")[2], event.reason)

    def _up(self, venue: MarketVenue, coin: str) -> None:
        self._streams[coin] = "up"
        self._feed(CoinStreamUp(symbol=coin))
        self._start_seed(venue, coin)

    async def _mend(self, venue: MarketVenue) -> None:
        """Fill what is missing under a living stream: a close that never came, or an answer that came too short."""
        while True:
            await asyncio.sleep(MEND_S)
            readings = self._machine.state().readings if self._machine is not None else ()
            for reading in readings:
                if reading.condition is Condition.MISSING and self._streams[reading.symbol] == "up":
                    self._start_seed(venue, reading.symbol)

    def _start_seed(self, venue: MarketVenue, coin: str) -> None:
        running = self._seeds.get(coin)
        if running is None or running.done():
            self._seeds[coin] = task = asyncio.create_task(self._seed(venue, coin))
            task.add_done_callback(_raise_in_loop)

    def _down(self, coin: str, reason: str) -> None:
        self._streams[coin] = reason
        self._feed(CoinStreamDown(symbol=coin, reason=reason))
        log_of(self._name).warning("candles_lost", coin=coin, reason=reason)

    async def _seed(self, venue: MarketVenue, coin: str) -> None:
        """Fetch the closed candles before the stream's first; until they are here the coin counts as danger."""
        while True:
            asked_ms = self._clock.now_ms()
            try:
                count = self._rules.coin_rule.length + SEED_CANDLES_MORE
                candles = await venue.candles(coin, self._interval, count)
            except VenueError as error:
                log_of(self._name).warning("seed_failed", coin=coin, reason=str(error))
                await asyncio.sleep(RETRY_S)
                continue
            self._feed(CoinSeeded(symbol=coin, candles=tuple(candles), venue_ms=asked_ms))
            return

    def _feed(self, event: SupervisorEvent) -> None:
        if self._machine is None:
            return
        for output in self._machine.handle(event, self._mono_ms()):
            self._tell(output)

    def _tell(self, output: SupervisorOutput) -> None:
        match output:
            case Go():
                self._outbox.post(self._gateway, output)
            case HoldPlaced(hold=hold):
                self._outbox.post(
                    self._gateway, HoldWord(cause=hold.cause, symbol=hold.symbol, is_put=True, reason=hold.reason)
                )
                if not output.is_repeat:
                    self._evidence = output.evidence
                    self._say("halted", hold.cause, hold.reason, output.evidence)
            case HoldLifted():
                self._outbox.post(
                    self._gateway,
                    HoldWord(cause=output.cause, symbol=output.symbol, is_put=False, reason=output.reason),
                )
                self._evidence = output.evidence
                self._say("resumed", output.cause, output.reason, output.evidence)

    def _say(self, what: str, cause: HoldCause, reason: str, evidence: Evidence) -> None:
        log_of(self._name).warning(what, cause=cause.value, reason=reason, evidence=dict(evidence))
        self._gauges.count("gridmesh_risk_changes", what=what)
        self._publish()

    def _publish(self) -> None:
        if self._machine is None:
            return
        state = self._machine.state()
        self._gauges.set("gridmesh_inner_queue", self._loop.depth, actor=self._name)
        self._gauges.set("gridmesh_risk_go", state.phase is Phase.GO)
        self._published = {
            "phase": state.phase.value,
            "reason": state.reason,
            "held_ms": self._mono_ms() - state.since_ms if state.phase is Phase.HALTED else None,
            "troubles": [trouble.value for trouble in state.troubles],
            "holds": [asdict(hold) for hold in state.holds],
            "coins": {reading.symbol: reading for reading in state.readings},
            "streams": dict(self._streams),
            "last_change": dict(self._evidence),
        }

    def _mono_ms(self) -> int:
        return self._clock.monotonic_ns() // 1_000_000


def _raise_in_loop(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error  # in the loop, which ends the process
