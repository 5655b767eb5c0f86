"""Starts a deployment in the one safe order, watches it, and ends it in the one safe order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any

from actors.clock import Clock, monotonic_s
from actors.crew import Crew
from actors.messages import Envelope, HoldWord, LastWords, Receipt
from actors.outbox import Gauges, NoGauges
from actors.roster import Roster
from actors.roster_changes import RosterChanges
from actors.settings import Settings, configuration_hash
from actors.structured_log import log_of
from actors.supervision import Health, Supervision
from grid.holds import HoldCause

POLL_S = 0.1
WATCH_S = 1.0
AT_ONCE = 4
CLOSE_PATIENCE_S = 110.0
ROLL_CALL_S = 3.0


class DeploymentState(Enum):
    """Where the deployment stands."""

    STARTING = "starting"
    RUNNING = "running"
    REFUSED = "refused"
    STOPPING = "stopping"
    STOPPED = "stopped"


class Coordinator:
    """One deployment's coordinator. It decides nothing about orders; a restarted one adopts the living by name."""

    def __init__(
        self,
        *,
        settings: Settings,
        roster: Roster,
        crew: Crew,
        clock: Clock,
        is_restarted: bool = False,
        version: str = "",
        incarnation: str = "",
        gauges: Gauges | None = None,
    ) -> None:
        self._changes = RosterChanges(settings, roster, crew)
        self._crew = crew
        self._clock = clock
        self._is_restarted = is_restarted
        self._version = version
        self._incarnation = incarnation
        self._gauges = gauges or NoGauges()
        self._restarts: dict[str, int] = {}
        self._log = log_of(roster.coordinator)
        self._state = DeploymentState.STARTING
        self._waiting_for: list[str] = []
        self._refusals: list[str] = []
        self._refusal_code = 0
        self._started_ms = clock.now_ms()
        self._supervision = Supervision()
        self._roll_called_ms = 0
        self._gateway: dict[str, Any] = {}
        self._gateway_answers = False
        self._has_served = is_restarted
        self._risk: dict[str, Any] = {}
        self._last: dict[str, Any] = {}
        self._stop_mode: str | None = None
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="coordinator", daemon=True)

    @property
    def _settings(self) -> Settings:
        return self._changes.settings

    @property
    def _roster(self) -> Roster:
        return self._changes.roster

    def start(self) -> None:
        """Begin to start the others; returns at once."""
        self._thread.start()

    def receive(self, envelope: Envelope) -> Receipt:
        """Take what a dying actor says; nobody sends anything else."""
        if isinstance(envelope.message, LastWords):
            self._supervision.last_words(envelope.sender, envelope.incarnation, envelope.message, self._now_ms())
        return Receipt()

    def snapshot(self) -> dict[str, Any]:
        """Return the deployment's state with the last pictures of gateway and supervisor."""
        return {
            "deployment": self._settings.deployment,
            "state": self._state.value,
            "waiting_for": list(self._waiting_for),
            "refusals": list(self._refusals),
            "refusal_code": self._refusal_code,
            "started_ms": self._started_ms,
            "configuration_hash": configuration_hash(self._settings),
            "version": self._version,
            "gateway": self._gateway,
            "gateway_answers": self._gateway_answers,
            "risk": self._risk,
            "actors": self._supervision.rows(self._now_ms()),
            "troubles": self._troubles(),
            "final": self._last,
            "layouts": {symbol: layout.names() for symbol, layout in self._roster.layouts.items()},
            "feeds": dict(self._roster.feeds),
            "max_lots": {symbol.symbol: symbol.max_lots for symbol in self._settings.symbols},
        }

    def stop(self, mode: str) -> bool:
        """Begin to stop (`keep`, `leave_exits`, `flatten`); `snapshot` says when it is done."""
        self._stop_mode = mode
        self._wake.set()
        return True

    def add(self, settings: Settings, symbol: str, token: str) -> str:
        """Begin to add a symbol by the settings that name it; `snapshot` says how it goes, under the token.

        Returns why not, or empty. An empty token only asks that.
        """
        return self._is_not_running() or self._changes.add(settings, symbol, token)

    def remove(self, symbol: str, mode: str) -> str:
        """Begin to remove a symbol; modes as for `stop`. Returns why not, or empty."""
        return self._is_not_running() or self._changes.remove(symbol, mode)

    def halt(self, reason: str) -> bool:
        """Put the operator's hold: entries are withdrawn, exits stay."""
        word = HoldWord(cause=HoldCause.OPERATOR, symbol="", is_put=True, reason=reason)
        return bool(self._crew.ask(self._roster.gateway, "say", word))

    def resume(self) -> bool:
        """Lift the operator's hold, and no other."""
        word = HoldWord(cause=HoldCause.OPERATOR, symbol="", is_put=False, reason="the operator resumes")
        return bool(self._crew.ask(self._roster.gateway, "say", word))

    def clear_stop_loss(self, scope: str) -> bool:
        """Release breakers: of a symbol, of the `account`, or `all` of them. Returns False where none is in force."""
        chosen = self._held(HoldCause.STOP_LOSS, scope)
        reason = "the operator releases the stop-loss"
        if "" in chosen and self._settings.risk.enabled:
            # First: until it is told, it says again that its drawdown holds.
            self._crew.ask(self._roster.risk, "clear_stop_loss", reason)
        return self._lift(HoldCause.STOP_LOSS, chosen, reason)

    def clear_venue_rule(self, scope: str) -> bool:
        """Lift what the venue's doing holds: of a symbol, of the `account`, or `all`. False where nothing is held."""
        chosen = self._held(HoldCause.VENUE_RULE, scope)
        return self._lift(HoldCause.VENUE_RULE, chosen, "the operator has looked at it")

    def _is_not_running(self) -> str:
        return "" if self._state is DeploymentState.RUNNING else f"it is {self._state.value}"

    def _held(self, cause: HoldCause, scope: str) -> list[str]:
        held = {hold["symbol"] for hold in self._gateway.get("holds", []) if hold["cause"] == cause.value}
        return sorted(held if scope == "all" else held & {"" if scope == "account" else scope})

    def _lift(self, cause: HoldCause, symbols: Iterable[str], reason: str) -> bool:
        words = [HoldWord(cause=cause, symbol=symbol, is_put=False, reason=reason) for symbol in symbols]
        taken = [bool(self._crew.ask(self._roster.gateway, "say", word)) for word in words]
        return bool(taken) and all(taken)

    def _run(self) -> None:
        if self._start_in_order():
            self._state = DeploymentState.RUNNING
            self._waiting_for = []
            while not self._wake.wait(WATCH_S):
                self._look()
                self._changes.follow(self._gateway.get("roster", ()), self._enlist_all, self._supervision.dismissed)
                self._waiting_for = []
                self._call_roll()
                self._show()
                self._notice_close()
                if self._gateway_answers and self._gateway_refuses():
                    self._give_up()
                    return
            self._stop()
        elif self._stop_mode is not None:
            self._stop()
        else:
            self._state = DeploymentState.REFUSED

    def _start_in_order(self) -> bool:
        """Return False where the gateway refuses or a stop came first."""
        roster = self._roster
        if self._is_restarted and not self._crew.is_there(roster.gateway):
            # Nothing but a stop ends the gateway: a new one would trade again after it.
            self._stop_mode = self._stop_mode or "keep"
            return False
        self._enlist_one(roster.gateway)
        if not self._until("the order gateway", self._gateway_serves):
            return False
        self._changes.adopt(self._gateway.get("roster", ()))
        roster = self._roster
        # Creating is slow and trades nothing: it goes on while the order stream is confirmed and the supervisor gathers
        # its data. Slots have no price before the feeds are there, and no leave before the gateway lifts its hold.
        if self._settings.risk.enabled:
            self._enlist_one(roster.risk)
        if not self._enlist_all((*roster.slots, roster.reconciler)):
            return False
        if not self._until("the order stream and the first reading", self._gateway_is_ready):
            return False
        if self._settings.risk.enabled and not self._until("the risk supervisor's data", self._risk_has_data):
            return False
        # Feeds last: without a price nothing is placed.
        return self._enlist_all(roster.feed_list)

    def _enlist_all(self, names: tuple[str, ...]) -> bool:
        """Create a few at a time: starting a process is work for a core."""
        return all(self._enlist(names[start : start + AT_ONCE]) for start in range(0, len(names), AT_ONCE))

    def _enlist(self, names: tuple[str, ...]) -> bool:
        for name in names:
            self._enlist_one(name)
        return self._until(f"{', '.join(names)} to answer", lambda: self._all_answer(names))

    def _enlist_one(self, name: str) -> None:
        self._crew.enlist(name)
        self._supervision.enlisted(name, self._now_ms())

    def _until(self, what: str, is_so: Callable[[], bool | None]) -> bool:
        while True:
            answer = is_so()
            if answer is not None:
                return answer
            self._call_roll()
            self._notice_close()
            waits = self._gateway.get("waiting_for") or [] if self._gateway_answers else []
            self._waiting_for = [what, *waits, *self._troubles()]
            if self._wake.wait(POLL_S):
                return False

    def _gateway_serves(self) -> bool | None:
        self._look()
        if self._gateway_refuses():
            return False
        return True if self._gateway.get("state") == "serving" else None

    def _gateway_refuses(self) -> bool:
        if self._gateway.get("state") != "refused":
            return False
        self._refusals = list(self._gateway["refusals"])
        self._refusal_code = int(self._gateway["refusal_code"])
        return True

    def _give_up(self) -> None:
        """A gateway that served and refuses now has lost its account, or cannot go on: the deployment ends with it."""
        self._last = {**self._gateway, "verified": False, "has_served": self._has_served}
        if self._is_replaced():
            self._withdraw()
            return
        self._crew.dismiss((*self._roster.feed_list, *self._roster.slots, self._roster.risk, self._roster.reconciler))
        self._crew.ask(self._roster.gateway, "stop")
        self._crew.dismiss((self._roster.gateway,))
        self._state = DeploymentState.REFUSED
        self._log.error("gave_up", why="; ".join(self._refusals))

    def _is_replaced(self) -> bool:
        """Whether a later life of this coordinator leads: this one was cut off and taken for dead, with its gateway.

        The names are the later one's actors by now: ending them would end the living. So it asks until Ray answers.
        """
        me, leads = self._roster.coordinator, None
        while self._incarnation:
            leads = self._crew.incarnations((me,))[me]
            if leads is not None:
                return leads != self._incarnation
            self._waiting_for = ["Ray to say who leads"]
            time.sleep(POLL_S)
        return False

    def _withdraw(self) -> None:
        self._refusals = ["this coordinator was cut off and replaced: a later life of it leads"]
        self._state = DeploymentState.REFUSED
        self._log.error("replaced")

    def _gateway_is_ready(self) -> bool | None:
        self._look()
        return True if self._gateway.get("is_ready") else None

    def _risk_has_data(self) -> bool | None:
        self._look()
        return True if self._risk.get("phase") in ("go", "halted") else None

    def _all_answer(self, names: tuple[str, ...]) -> bool | None:
        answers = self._crew.ask_all(names, "snapshot")
        return True if all(answers.get(name) is not None for name in names) else None

    def _look(self) -> None:
        seen = self._crew.ask(self._roster.gateway, "snapshot")
        self._gateway, self._gateway_answers = seen or self._gateway, bool(seen)
        self._has_served = self._has_served or self._gateway.get("state") == "serving"
        if self._settings.risk.enabled:
            self._risk = self._crew.ask(self._roster.risk, "snapshot") or self._risk

    def _call_roll(self) -> None:
        """Learn who lives; create anew who is gone altogether, which Ray would not."""
        if self._now_ms() - self._roll_called_ms < ROLL_CALL_S * 1000:
            return
        self._roll_called_ms = self._now_ms()
        self._supervision.heard(self._crew.incarnations(self._supervision.names), self._now_ms())
        for name in self._supervision.silent(self._now_ms()):
            if not self._wake.is_set() and not self._crew.is_there(name):
                self._log.error("actor_gone", actor_gone=name)
                self._crew.enlist(name)

    def _show(self) -> None:
        rows = self._supervision.rows(self._now_ms())
        self._gauges.set("gridmesh_heartbeat_s", self._clock.now_ms() // 1000, actor=self._roster.coordinator)
        self._gauges.set("gridmesh_is_running", self._state is DeploymentState.RUNNING)
        for health in Health:
            count = sum(1 for row in rows if row["health"] == health.value)
            self._gauges.set("gridmesh_actors", count, health=health.value)
        for row in rows:
            self._gauges.count("gridmesh_actor_restarts", self._more(row["name"], row["restarts"]), actor=row["name"])

    def _more(self, name: str, restarts: int) -> int:
        more, self._restarts[name] = restarts - self._restarts.get(name, 0), restarts
        return more

    def _notice_close(self) -> None:
        """Go on with a stop that an earlier life of this coordinator began: the gateway remembers it."""
        closing = self._gateway.get("closing")
        if self._is_restarted and self._gateway_answers and closing and self._stop_mode is None:
            self.stop(closing)

    def _stop(self) -> None:
        """Fence first, cancel own orders, verify, then streams, then actors (design, section 4)."""
        self._state = DeploymentState.STOPPING
        self._show()
        roster, crew, mode = self._roster, self._crew, self._stop_mode or "keep"
        verified = self._has_served and self._close_gateway(mode, monotonic_s() + CLOSE_PATIENCE_S)
        if self._is_replaced():
            self._withdraw()
            return
        self._last = {
            **self._gateway,
            "mode": mode,
            "verified": verified,
            "has_served": self._has_served,
            "troubles": self._troubles(),
        }
        crew.dismiss((*roster.feed_list, *roster.slots, roster.risk, roster.reconciler))
        crew.ask(roster.gateway, "stop")
        crew.dismiss((roster.gateway,))
        self._waiting_for = []
        self._state = DeploymentState.STOPPED
        self._log.info("stopped", mode=mode, verified=verified)

    def _close_gateway(self, mode: str, deadline_s: float) -> bool:
        """Return whether the gateway says that it is closed. One that died meanwhile is asked again when it is back."""
        gateway = self._roster.gateway
        while self._crew.is_there(gateway) and monotonic_s() < deadline_s:
            self._look()
            state, closing = self._gateway.get("state"), self._gateway.get("closing")
            if self._gateway_answers and state == "refused":
                return False
            if self._gateway_answers and closing == mode and self._gateway.get("is_closed"):
                return True
            if not self._gateway_answers or closing != mode:
                self._crew.ask(gateway, "close", mode)
            self._call_roll()
            self._waiting_for = ["own orders to be verified gone", *self._troubles()]
            time.sleep(POLL_S)
        return False

    def _troubles(self) -> list[str]:
        return self._supervision.troubles(self._now_ms())

    def _now_ms(self) -> int:
        return self._clock.monotonic_ns() // 1_000_000
