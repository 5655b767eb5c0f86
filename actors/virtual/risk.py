"""The risk supervisor of a virtual world: the live machine, fed with candles from a tape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from actors.mail.mailbox import Mailbox
from actors.mail.messages import Envelope, HoldWord, Receipt, SetupWanted
from actors.mail.outbox import Outbox
from actors.virtual.agenda import Agenda
from grid.holds import Hold, HoldCause
from grid.intent import Standing
from risk.candle import Candle
from risk.events import CoinSeeded, CoinStreamUp, HoldLifted, HoldPlaced, SupervisorEvent, SupervisorOutput, Tick
from risk.lease import Go
from risk.rules import RiskRules
from risk.supervisor import Phase, Supervisor

ASK_AGAIN_MS = 1_000
OWN_CAUSES = (HoldCause.RISK,)


class CandleTape(Protocol):
    """Candles of the watched coins, by wall-clock time."""

    def closed(self, symbol: str, count: int, wall_ms: int) -> tuple[Candle, ...]:
        """Return the newest closed candles, oldest first."""
        ...

    def newest(self, symbol: str, wall_ms: int) -> tuple[Candle, ...]:
        """Return what the stream tells now: the candle that just closed, the running one, or nothing."""
        ...


class VirtualRisk:
    """One life of the supervisor. It begins once the gateway has said which holds of its causes stand."""

    def __init__(
        self,
        *,
        name: str,
        gateway: str,
        rules: RiskRules,
        tick_ms: int,
        tape: CandleTape,
        agenda: Agenda,
        outbox: Outbox,
        is_alive: Callable[[], bool],
    ) -> None:
        self._name = name
        self._gateway = gateway
        self._rules = rules
        self._tick_ms = tick_ms
        self._tape = tape
        self._agenda = agenda
        self._outbox = outbox
        self._is_alive = is_alive
        self._mailbox = Mailbox()
        self._asked_ms: int | None = None
        self.machine: Supervisor | None = None

    def start(self) -> None:
        """Begin to ask and to watch."""
        self._tick()

    def receive(self, envelope: Envelope) -> Receipt:
        """Take a message of another actor."""
        arrival = self._mailbox.accept(envelope)
        if arrival.needs_whole and envelope.sender == self._gateway:
            self._ask()
        if arrival.is_fresh and isinstance(envelope.message, Standing):
            self._on_standing(envelope.message)
        return Receipt()

    def _on_standing(self, standing: Standing) -> None:
        if self.machine is None:
            self._begin(standing)
        elif HoldCause.RISK.value in standing.holds and self.machine.state().phase is Phase.GO:
            # The gateway died between taking our word and writing it down: it is said again.
            self._tell(HoldLifted(cause=HoldCause.RISK, symbol="", reason="said again"))

    def _begin(self, standing: Standing) -> None:
        holds = tuple(
            Hold(cause=cause, symbol="", reason="in force before", since_ms=self._agenda.now_ms)
            for cause in OWN_CAUSES
            if cause.value in standing.holds
        )
        self.machine = Supervisor(self._rules, incarnation=self._agenda.wall_ms, holds=holds)
        wall_ms = self._agenda.wall_ms
        for coin in self._rules.watch:
            self._handle(CoinStreamUp(symbol=coin))
            candles = self._tape.closed(coin, self._rules.coin_rule.length + 2, wall_ms)
            self._handle(CoinSeeded(symbol=coin, candles=candles, venue_ms=wall_ms))

    def _tick(self) -> None:
        if not self._is_alive():
            return
        if self.machine is None:
            if self._asked_ms is None or self._agenda.now_ms - self._asked_ms >= ASK_AGAIN_MS:
                self._ask()
        else:
            for coin in self._rules.watch:
                for candle in self._tape.newest(coin, self._agenda.wall_ms):
                    self._handle(candle)
            self._handle(Tick())
        self._agenda.tick(self._tick_ms, self._name, self._tick)

    def _ask(self) -> None:
        self._asked_ms = self._agenda.now_ms
        self._outbox.post(self._gateway, SetupWanted(receiver=self._name, symbol=""))

    def _handle(self, event: SupervisorEvent) -> None:
        if self.machine is not None:
            for output in self.machine.handle(event, self._agenda.now_ms):
                self._tell(output)

    def _tell(self, output: SupervisorOutput) -> None:
        match output:
            case Go():
                self._outbox.post(self._gateway, output)
            case HoldPlaced(hold=hold):
                word = HoldWord(cause=hold.cause, symbol=hold.symbol, is_put=True, reason=hold.reason)
                self._outbox.post(self._gateway, word)
            case HoldLifted():
                word = HoldWord(cause=output.cause, symbol=output.symbol, is_put=False, reason=output.reason)
                self._outbox.post(self._gateway, word)
