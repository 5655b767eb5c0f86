"""One account in the supervisor's care: its own state machine over the same candles, its own equity and errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from actors.clock import Clock
from actors.mail.messages import AccountWord, HoldWord, SetupWanted
from actors.mail.outbox import Gauges, Outbox
from actors.structured_log import log_of
from grid.holds import Hold, HoldCause
from grid.intent import Standing
from risk.breakers import Drawdown
from risk.events import (
    CashMoved,
    EquityRead,
    Evidence,
    HoldLifted,
    HoldPlaced,
    SupervisorEvent,
    SupervisorOutput,
    VenueErrors,
)
from risk.lease import Go
from risk.rules import RiskRules
from risk.supervisor import Phase, Supervisor, SupervisorState


class RiskWard:
    """The market halts every account, since each machine sees the same candles; what an account does halts its own.

    It begins once it has learnt from the gateway whether its own hold stands, and how the account stands where a
    drawdown is limited, so that a restart lifts nothing early and measures from the same peak.
    """

    def __init__(
        self,
        *,
        name: str,
        gateway: str,
        rules: RiskRules,
        drawdown: Decimal | None,
        outbox: Outbox,
        clock: Clock,
        gauges: Gauges,
        on_begun: Callable[[RiskWard], None],
        on_change: Callable[[], None],
    ) -> None:
        self.gateway = gateway
        self._name = name
        self._rules = rules
        self._drawdown = drawdown
        self._outbox = outbox
        self._clock = clock
        self._gauges = gauges
        self._on_begun = on_begun
        self._on_change = on_change
        self._log = log_of(name, gateway=gateway)
        self._machine: Supervisor | None = None
        self._standing: Standing | None = None
        self._account: AccountWord | None = None
        self._counted = ("", Decimal(0), 0)
        self._evidence: Evidence = ()

    @property
    def label(self) -> str:
        """Return the account as the gateway's name has it."""
        return self.gateway.rpartition("/")[2]

    @property
    def state(self) -> SupervisorState | None:
        """Return the machine's state, None before it has begun."""
        return self._machine.state() if self._machine is not None else None

    def ask(self) -> None:
        """Ask the gateway how things stand."""
        self._outbox.post(self.gateway, SetupWanted(receiver=self._name, symbol=""))

    def on_standing(self, standing: Standing) -> None:
        """Take which holds stand."""
        self._standing = standing
        if self._machine is None:
            self._begin()
        elif HoldCause.RISK.value in standing.holds and self._machine.state().phase is Phase.GO:
            # The gateway died between taking our word and writing it down: it is said again.
            self._tell(HoldLifted(cause=HoldCause.RISK, symbol="", reason="said again after the gateway's restart"))

    def on_account(self, word: AccountWord, incarnation: str) -> None:
        """Take the newest word; what it counts is a total of one life of the gateway."""
        of_life, cash, errors = self._counted
        if of_life != incarnation:
            cash, errors = Decimal(0), 0
        self._account, self._counted = word, (incarnation, word.cash_moved, word.venue_errors)
        if self._machine is None:
            self._begin()
            return
        if word.cash_moved != cash:
            self.feed(CashMoved(amount=word.cash_moved - cash))
        if word.venue_errors > errors:
            self.feed(VenueErrors(count=word.venue_errors - errors))
        if word.equity is not None:
            self.feed(EquityRead(equity=word.equity))

    def feed(self, event: SupervisorEvent) -> None:
        """Let the machine take an event, and tell the gateway what it says; nothing before it has begun."""
        if self._machine is None:
            return
        for output in self._machine.handle(event, self._mono_ms()):
            self._tell(output)

    def picture(self) -> dict[str, Any]:
        """Return phase, reason, holds and the figures of each coin; empty before it has begun."""
        state = self.state
        if state is None:
            return {}
        self._gauges.set("gridmesh_risk_go", state.phase is Phase.GO, account=self.label)
        return {
            "phase": state.phase.value,
            "reason": state.reason,
            "held_ms": self._mono_ms() - state.since_ms if state.phase is Phase.HALTED else None,
            "troubles": [trouble.value for trouble in state.troubles],
            "holds": [asdict(hold) for hold in state.holds],
            "coins": {reading.symbol: reading for reading in state.readings},
            "last_change": dict(self._evidence),
        }

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
            self.feed(EquityRead(equity=account.equity))
        self._log.info("supervising", coins=self._rules.watch, taken_over=[cause.value for cause in taken_over])
        self._on_begun(self)

    def _tell(self, output: SupervisorOutput) -> None:
        match output:
            case Go():
                self._outbox.post(self.gateway, output)
            case HoldPlaced(hold=hold):
                word = HoldWord(cause=hold.cause, symbol=hold.symbol, is_put=True, reason=hold.reason)
                self._outbox.post(self.gateway, word)
                if not output.is_repeat:
                    self._say("halted", hold.cause, hold.reason, output.evidence)
            case HoldLifted():
                word = HoldWord(cause=output.cause, symbol=output.symbol, is_put=False, reason=output.reason)
                self._outbox.post(self.gateway, word)
                self._say("resumed", output.cause, output.reason, output.evidence)

    def _say(self, what: str, cause: HoldCause, reason: str, evidence: Evidence) -> None:
        self._evidence = evidence
        self._log.warning(what, cause=cause.value, reason=reason, evidence=dict(evidence))
        self._gauges.count("gridmesh_risk_changes", what=what, account=self.label)
        self._on_change()

    def _mono_ms(self) -> int:
        return self._clock.monotonic_ns() // 1_000_000
