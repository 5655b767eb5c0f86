"""One account of a deployment from its start to its end, each in the one safe order, in a thread of its own.

An account waits for nothing that is another's: one that is refused, or whose venue is down, keeps no other from it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any

from actors.clock import monotonic_s
from actors.deployment.crew import Crew
from actors.deployment.roll_call import RollCall
from actors.deployment.roster import Roster
from actors.deployment.roster_changes import RosterChanges
from actors.mail.messages import HoldWord
from actors.settings.account import Settings
from actors.structured_log import log_of
from grid.holds import HoldCause

POLL_S = 0.1
WATCH_S = 1.0
AT_ONCE = 4
CLOSE_PATIENCE_S = 110.0


class DeploymentState(Enum):
    """Where a deployment, or one account of it, stands."""

    STARTING = "starting"
    RUNNING = "running"
    REFUSED = "refused"
    STOPPING = "stopping"
    STOPPED = "stopped"


class RiskView:
    """What the one supervisor says, as the accounts need it."""

    def __init__(self, crew: Crew, name: str) -> None:
        self._crew = crew
        self._name = name
        self.picture: dict[str, Any] = {}

    def look(self) -> None:
        """Ask it."""
        self.picture = self._crew.ask(self._name, "snapshot") or self.picture

    def of(self, gateway: str) -> dict[str, Any]:
        """Return what it says to a gateway."""
        wards: dict[str, dict[str, Any]] = self.picture.get("wards", {})
        return wards.get(gateway, {})


class AccountCourse:
    """It decides nothing about orders; one of a restarted coordinator adopts the living by name."""

    def __init__(
        self,
        settings: Settings,
        *,
        crew: Crew,
        roll: RollCall,
        risk: RiskView,
        is_replaced: Callable[[], bool],
        is_last: Callable[[AccountCourse], bool],
        is_restarted: bool,
    ) -> None:
        self.changes = RosterChanges(settings, Roster.of(settings), crew)
        self.state = DeploymentState.STARTING
        self.waiting_for: list[str] = []
        self.gateway: dict[str, Any] = {}
        self.gateway_answers = False
        self.refusals: list[str] = []
        self._refusal_code = 0
        self._crew = crew
        self._roll = roll
        self._risk = risk
        self._is_replaced = is_replaced
        self._is_last = is_last
        self._is_restarted = is_restarted
        self._has_served = is_restarted
        self._final: dict[str, Any] = {}
        self._stop_mode: str | None = None
        self._wake = threading.Event()
        self._log = log_of(self.roster.coordinator, account=self.name)
        self._thread = threading.Thread(target=self._run, name=f"course {self.name}", daemon=True)

    @property
    def name(self) -> str:
        """Return the account's name; empty where it is the only one."""
        return self.settings.account_name

    @property
    def settings(self) -> Settings:
        """Return its settings as they are just now."""
        return self.changes.settings

    @property
    def roster(self) -> Roster:
        """Return who takes part just now."""
        return self.changes.roster

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is left to do."""
        return self._thread.ident is not None and not self._thread.is_alive()

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, mode: str) -> None:
        """Begin to stop (`keep`, `leave_exits`, `flatten`)."""
        self._stop_mode = mode
        self._roll.leaving(self.roster.own)
        self._wake.set()

    def say(self, words: Iterable[HoldWord]) -> bool:
        """Have the gateway put or lift holds; whether it took every word, and there was one."""
        taken = [bool(self._crew.ask(self.roster.gateway, "say", word)) for word in words]
        return bool(taken) and all(taken)

    def held(self, cause: HoldCause, scope: str) -> list[str]:
        """Return what the cause holds of the scope: symbols, and empty for the whole account."""
        held = {hold["symbol"] for hold in self.gateway.get("holds", []) if hold["cause"] == cause.value}
        return sorted(held if scope == "all" else held & {"" if scope == "account" else scope})

    def section(self) -> dict[str, Any]:
        """Return how it stands, with the last picture of its gateway."""
        return {
            "state": self.state.value,
            "waiting_for": list(self.waiting_for),
            "refusals": list(self.refusals),
            "refusal_code": self._refusal_code,
            "gateway": self.gateway,
            "gateway_answers": self.gateway_answers,
            "final": self._final,
            "layouts": {symbol: layout.names() for symbol, layout in self.roster.layouts.items()},
            "feeds": dict(self.roster.feeds),
            "max_lots": {symbol.symbol: symbol.max_lots for symbol in self.settings.symbols},
        }

    def troubles(self) -> list[str]:
        """Return a sentence for each actor of this account that does not do well."""
        return self._roll.troubles((*self.roster.own, self.roster.risk, self.roster.coordinator))

    def _run(self) -> None:
        if self._start_in_order():
            self.state = DeploymentState.RUNNING
            self.waiting_for = []
            while not self._wake.wait(WATCH_S):
                self._look()
                self.changes.follow(self.gateway.get("roster", ()), self._enlist_all, self._dismissed)
                self.waiting_for = []
                self._roll.call()
                self._notice_close()
                if self.gateway_answers and self._gateway_refuses():
                    self._give_up()
                    return
            self._stop()
        elif self._stop_mode is not None:
            self._stop()
        else:
            self._be_refused()

    def _be_refused(self) -> None:
        """Keep the gateway's words until a stop ends the others too."""
        self.state, self.waiting_for = DeploymentState.REFUSED, []
        if not self.name:
            return
        self._wake.wait()
        self._end_actors()

    def _start_in_order(self) -> bool:
        """Return False where the gateway refuses or a stop came first."""
        roster = self.roster
        if self._is_restarted and not self._crew.is_there(roster.gateway):
            # Nothing but a stop ends the gateway: a new one would trade again after it.
            self._stop_mode = self._stop_mode or "keep"
            return False
        self._roll.enlist(roster.gateway)
        if not self._until("the order gateway", self._gateway_serves):
            return False
        self.changes.adopt(self.gateway.get("roster", ()))
        roster = self.roster
        # Creating is slow and trades nothing: it goes on while the order stream is confirmed and the supervisor gathers
        # its data. Slots have no price before the feeds are there, and no leave before the gateway lifts its hold.
        if self.settings.risk.enabled:
            self._roll.enlist(roster.risk)
        if not self._enlist_all((*roster.slots, roster.reconciler)):
            return False
        if not self._until("the order stream and the first reading", self._gateway_is_ready):
            return False
        if self.settings.risk.enabled and not self._until("the risk supervisor's data", self._risk_has_data):
            return False
        # Feeds last: without a price nothing is placed.
        return self._enlist_all(roster.feed_list)

    def _enlist_all(self, names: tuple[str, ...]) -> bool:
        """Create a few at a time: starting a process is work for a core."""
        return all(self._enlist(names[start : start + AT_ONCE]) for start in range(0, len(names), AT_ONCE))

    def _enlist(self, names: tuple[str, ...]) -> bool:
        for name in names:
            self._roll.enlist(name)
        return self._until(f"{', '.join(names)} to answer", lambda: self._all_answer(names))

    def _dismissed(self, names: tuple[str, ...]) -> None:
        self._roll.leaving(names)
        self._roll.supervision.dismissed(names)

    def _until(self, what: str, is_so: Callable[[], bool | None]) -> bool:
        while True:
            answer = is_so()
            if answer is not None:
                return answer
            self._roll.call()
            self._notice_close()
            waits = self.gateway.get("waiting_for") or [] if self.gateway_answers else []
            self.waiting_for = [what, *waits, *self.troubles()]
            if self._wake.wait(POLL_S):
                return False

    def _gateway_serves(self) -> bool | None:
        self._look()
        if self._gateway_refuses():
            return False
        return True if self.gateway.get("state") == "serving" else None

    def _gateway_refuses(self) -> bool:
        if self.gateway.get("state") != "refused":
            return False
        self.refusals = list(self.gateway["refusals"])
        self._refusal_code = int(self.gateway["refusal_code"])
        return True

    def _give_up(self) -> None:
        """A gateway that served and refuses now has lost its account, or cannot go on: the account ends with it."""
        self._final = {**self.gateway, "verified": False, "has_served": self._has_served}
        if self._is_replaced():
            self.withdraw()
            return
        self._end_actors()
        self.state = DeploymentState.REFUSED
        self._log.error("gave_up", why="; ".join(self.refusals))

    def withdraw(self) -> None:
        """End without touching anybody: a later life of the coordinator leads."""
        self.refusals = ["this coordinator was cut off and replaced: a later life of it leads"]
        self.state = DeploymentState.REFUSED
        self._log.error("replaced")

    def _gateway_is_ready(self) -> bool | None:
        self._look()
        return True if self.gateway.get("is_ready") else None

    def _risk_has_data(self) -> bool | None:
        self._look()
        return True if self._risk.of(self.roster.gateway).get("phase") in ("go", "halted") else None

    def _all_answer(self, names: tuple[str, ...]) -> bool | None:
        answers = self._crew.ask_all(names, "snapshot")
        return True if all(answers.get(name) is not None for name in names) else None

    def _look(self) -> None:
        seen = self._crew.ask(self.roster.gateway, "snapshot")
        self.gateway, self.gateway_answers = seen or self.gateway, bool(seen)
        self._has_served = self._has_served or self.gateway.get("state") == "serving"
        if self.settings.risk.enabled:
            self._risk.look()

    def _notice_close(self) -> None:
        """Go on with a stop that an earlier life of this coordinator began: the gateway remembers it."""
        closing = self.gateway.get("closing")
        if self._is_restarted and self.gateway_answers and closing and self._stop_mode is None:
            self.stop(closing)

    def _stop(self) -> None:
        """Fence first, cancel own orders, verify, then streams, then actors (design, section 4)."""
        self.state, mode = DeploymentState.STOPPING, self._stop_mode or "keep"
        verified = self._has_served and self._close_gateway(mode, monotonic_s() + CLOSE_PATIENCE_S)
        if self._is_replaced():
            self.withdraw()
            return
        troubles = self.troubles()
        self._final = {
            **self.gateway,
            "mode": mode,
            "verified": verified,
            "has_served": self._has_served,
            "troubles": troubles,
        }
        self._end_actors()
        self.waiting_for = []
        self.state = DeploymentState.STOPPED
        self._log.info("stopped", mode=mode, verified=verified)

    def _end_actors(self) -> None:
        """End everybody of this account; the supervisor with the last account."""
        roster = self.roster
        is_last = self._is_last(self)
        risk = (roster.risk,) if is_last else ()
        self._roll.dismiss((*roster.feed_list, *roster.slots, *risk, roster.reconciler))
        self._crew.ask(roster.gateway, "stop")
        self._roll.dismiss((roster.gateway,))
        if not is_last:
            self._roll.supervision.dismissed(roster.own)

    def _close_gateway(self, mode: str, deadline_s: float) -> bool:
        """Return whether the gateway says that it is closed. One that died meanwhile is asked again when it is back."""
        gateway = self.roster.gateway
        while self._crew.is_there(gateway) and monotonic_s() < deadline_s:
            self._look()
            state, closing = self.gateway.get("state"), self.gateway.get("closing")
            if self.gateway_answers and state == "refused":
                return False
            if self.gateway_answers and closing == mode and self.gateway.get("is_closed"):
                return True
            if not self.gateway_answers or closing != mode:
                self._crew.ask(gateway, "close", mode)
            self._roll.call()
            self.waiting_for = ["own orders to be verified gone", *self.troubles()]
            time.sleep(POLL_S)
        return False
