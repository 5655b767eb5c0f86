"""The actor around the risk supervisor: candles and accounts in; holds and the lease of "go" out, to the gateways."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from decimal import Decimal
from typing import Any

from actors.clock import Clock
from actors.ending import end_process
from actors.loop_thread import LoopThread
from actors.mail.mailbox import Mailbox
from actors.mail.messages import AccountWord, Envelope, Receipt
from actors.mail.outbox import Gauges, NoGauges, Outbox
from actors.risk_ward import RiskWard
from actors.structured_log import log_of
from exchanges.errors import VenueError
from exchanges.port import MarketVenue, StreamDown, StreamUp
from grid.intent import Standing
from risk.candle import Candle
from risk.detector import Condition
from risk.events import (
    CoinSeeded,
    CoinStreamDown,
    CoinStreamUp,
    OperatorSaid,
    OperatorWord,
    SupervisorEvent,
    Tick,
)
from risk.rules import RiskRules
from risk.supervisor import Phase

TICK_S = 0.5
RETRY_S = 1.0
MEND_S = 15.0
SEED_CANDLES_MORE = 5
_GRAVITY = {Phase.GO.value: 0, Phase.WAITING.value: 1, Phase.HALTED.value: 2}


class RiskSupervisor:
    """Watches the coins' candles at one venue and renews the leases while they are sound; its silence is a no.

    One for all accounts of a deployment, each a ward by the name of its gateway. One whose gateway is silent keeps no
    other waiting. The streams live in its own loop thread; queries answer from a snapshot.
    """

    def __init__(
        self,
        *,
        name: str,
        wards: Mapping[str, Decimal | None],
        rules: RiskRules,
        interval: str,
        market: Callable[[], MarketVenue],
        outbox: Outbox,
        clock: Clock,
        gauges: Gauges | None = None,
        end: Callable[[], None] = end_process,
    ) -> None:
        """`wards` are the gateways, each with the drawdown that halts its account where one is limited."""
        self._name = name
        self._rules = rules
        self._interval = interval
        self._market = market
        self._clock = clock
        self._gauges = gauges or NoGauges()
        self._mailbox = Mailbox()
        self._loop = LoopThread(name, self._main, end=end)
        self._venue: MarketVenue | None = None
        self._wards = {
            gateway: RiskWard(
                name=name,
                gateway=gateway,
                rules=rules,
                drawdown=drawdown,
                outbox=outbox,
                clock=clock,
                gauges=self._gauges,
                on_begun=self._on_begun,
                on_change=self._publish,
            )
            for gateway, drawdown in wards.items()
        }
        self._seeds: dict[str, asyncio.Task[None]] = {}
        self._streams: dict[str, str] = dict.fromkeys(rules.watch, "not subscribed yet")
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
        """Return phase, reason, holds and the figures of each coin; `wards` has the same of each account."""
        silent = ", ".join(gateway for gateway in self._wards if not self._published.get("wards", {}).get(gateway))
        waiting = {"phase": "restoring", "reason": f"waits for the holds in force from {silent}"}
        return {"name": self._name, "inner_queue": self._loop.depth, **(self._published or waiting)}

    def clear_stop_loss(self, reason: str, gateway: str) -> bool:
        """Take the operator's word that an account's drawdown is over: its measure starts anew."""
        said = OperatorSaid(word=OperatorWord.CLEAR_STOP_LOSS, reason=reason)
        return self._loop.hand_over(self._wards[gateway].feed, said)

    def _take(self, envelope: Envelope) -> None:
        arrival, ward = self._mailbox.accept(envelope), self._wards.get(envelope.sender)
        if ward is None:
            return
        if arrival.needs_whole:
            ward.ask()
        if not arrival.is_fresh:
            return
        match envelope.message:
            case Standing() as standing:
                ward.on_standing(standing)
            case AccountWord() as word:
                ward.on_account(word, envelope.incarnation)

    def _on_begun(self, ward: RiskWard) -> None:
        """Tell a ward that begins after others what they have heard already."""
        for coin, state in self._streams.items():
            if state == "up" and self._venue is not None:
                ward.feed(CoinStreamUp(symbol=coin))
                self._start_seed(self._venue, coin)

    async def _main(self) -> None:
        self._venue = venue = self._market()
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
        """Return once one ward has; the others are asked on."""
        while all(ward.state is None for ward in self._wards.values()):
            self._ask_the_silent()
            await asyncio.sleep(RETRY_S)

    def _ask_the_silent(self) -> None:
        for ward in self._wards.values():
            if ward.state is None:
                ward.ask()

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
            self._ask_the_silent()
            states = [state for ward in self._wards.values() if (state := ward.state) is not None]
            missing = {one.symbol for state in states for one in state.readings if one.condition is Condition.MISSING}
            for coin in missing:
                if self._streams[coin] == "up":
                    self._start_seed(venue, coin)

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
        for ward in self._wards.values():
            ward.feed(event)

    def _publish(self) -> None:
        self._gauges.set("gridmesh_inner_queue", self._loop.depth, actor=self._name)
        wards = {gateway: picture for gateway, ward in self._wards.items() if (picture := ward.picture())}
        if not wards:
            return
        # What is said of the whole is what is said to the account that has it worst.
        worst = max(wards.values(), key=lambda picture: _GRAVITY.get(picture["phase"], 0))
        told = {
            gateway: {key: value for key, value in picture.items() if key not in ("coins", "last_change")}
            for gateway, picture in wards.items()
        }
        self._published = {**worst, "streams": dict(self._streams), "wards": told}


def _raise_in_loop(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error  # in the loop, which ends the process
