"""Starts a deployment's accounts, watches them, and ends them. It decides nothing about orders."""

from __future__ import annotations

import threading
import time
from typing import Any

from actors.actor_names import COORDINATOR, MAIN, RISK
from actors.clock import Clock
from actors.deployment.account_course import AccountCourse, DeploymentState, RiskView
from actors.deployment.crew import Crew
from actors.deployment.roll_call import RollCall
from actors.deployment.supervision import Health
from actors.mail.messages import Envelope, HoldWord, LastWords, Receipt
from actors.mail.outbox import Gauges, NoGauges
from actors.settings.deployment import DeploymentSettings, deployment_hash
from grid.holds import HoldCause

SHOW_S = 1.0
ASK_AGAIN_S = 0.1
_ENDED = (DeploymentState.STOPPED, DeploymentState.REFUSED)


class Coordinator:
    """One deployment's coordinator; a restarted one adopts the living by name.

    Words for people go by account: the only account of a deployment without a list has an empty name.
    """

    def __init__(
        self,
        *,
        settings: DeploymentSettings,
        crew: Crew,
        clock: Clock,
        is_restarted: bool = False,
        version: str = "",
        incarnation: str = "",
        gauges: Gauges | None = None,
    ) -> None:
        self._settings = settings
        self._crew = crew
        self._clock = clock
        self._version = version
        self._incarnation = incarnation
        self._gauges = gauges or NoGauges()
        self._restarts: dict[str, int] = {}
        self._started_ms = clock.now_ms()
        self._roll = RollCall(crew, clock, COORDINATOR)
        self._risk = RiskView(crew, RISK)
        self._lock = threading.Lock()
        self._ending: set[str] = set()
        self._courses = {
            one.account_name: AccountCourse(
                one,
                crew=crew,
                roll=self._roll,
                risk=self._risk,
                is_replaced=self._is_replaced,
                is_last=self._is_last,
                is_restarted=is_restarted,
            )
            for one in settings.accounts
        }
        self._thread = threading.Thread(target=self._show_always, name="coordinator", daemon=True)

    def start(self) -> None:
        """Begin to start the others; returns at once."""
        for course in self._courses.values():
            course.start()
        self._thread.start()

    def receive(self, envelope: Envelope) -> Receipt:
        """Take what a dying actor says; nobody sends anything else."""
        if isinstance(envelope.message, LastWords):
            words, now_ms = envelope.message, self._roll.now_ms()
            self._roll.supervision.last_words(envelope.sender, envelope.incarnation, words, now_ms)
        return Receipt()

    def snapshot(self) -> dict[str, Any]:
        """Return the deployment's state with the last pictures of gateways and supervisor.

        With a list, `accounts` holds for each what a deployment of one account says of itself.
        """
        rows = self._roll.supervision.rows(self._roll.now_ms())
        troubles = self._roll.troubles()
        whole = {
            "deployment": self._settings.deployment,
            "started_ms": self._started_ms,
            "configuration_hash": deployment_hash(self._present()),
            "version": self._version,
            "risk": self._risk.picture,
            "actors": rows,
            "troubles": troubles,
        }
        if not self._settings.is_listed:
            return {**whole, **self._courses[""].section()}
        sections = {name: self._section(course, rows) for name, course in self._courses.items()}
        refused = {name: section["refusals"] for name, section in sections.items() if section["refusals"]}
        return {
            **whole,
            "state": self._state().value,
            "waiting_for": [f"{n}: {what}" for n, section in sections.items() for what in section["waiting_for"]],
            "refusals": [f"{name}: {reason}" for name, reasons in refused.items() for reason in reasons],
            "refusal_code": max(section["refusal_code"] for section in sections.values()),
            "troubles": [
                *troubles,
                *(f"account {name} is refused: {'; '.join(reasons)}" for name, reasons in refused.items()),
            ],
            "accounts": sections,
        }

    def stop(self, mode: str, account: str | None = None) -> bool:
        """Begin to stop all accounts, or one (`keep`, `leave_exits`, `flatten`); `snapshot` says when it is done."""
        for course in self._chosen(account):
            course.stop(mode)
        return True

    def add(self, settings: DeploymentSettings, symbol: str, token: str, account: str = "") -> str:
        """Begin to add a symbol by the settings that name it; `snapshot` says how it goes, under the token.

        Returns why not, or empty. An empty token only asks that.
        """
        course = self._courses[account]
        if why := _not_running(course):
            return why
        if deployment_hash(self._present().with_account(settings.account(account))) != deployment_hash(settings):
            return f"the configuration differs from the running one in more than {account}"
        return course.changes.add(settings.account(account), symbol, token)

    def remove(self, symbol: str, mode: str, account: str = "") -> str:
        """Begin to remove a symbol; modes as for `stop`. Returns why not, or empty."""
        course = self._courses[account]
        return _not_running(course) or course.changes.remove(symbol, mode)

    def halt(self, reason: str, account: str | None = None) -> bool:
        """Put the operator's hold on all accounts, or one: entries are withdrawn, exits stay."""
        word = HoldWord(cause=HoldCause.OPERATOR, symbol="", is_put=True, reason=reason)
        taken = [course.say([word]) for course in self._chosen(account)]
        return all(taken)

    def resume(self, account: str | None = None) -> bool:
        """Lift the operator's hold, and no other."""
        word = HoldWord(cause=HoldCause.OPERATOR, symbol="", is_put=False, reason="the operator resumes")
        taken = [course.say([word]) for course in self._chosen(account)]
        return all(taken)

    def clear_stop_loss(self, scope: str, account: str = "") -> bool:
        """Release breakers: of a symbol, of the `account`, or `all` of them. Returns False where none is in force."""
        course, reason = self._courses[account], "the operator releases the stop-loss"
        chosen = course.held(HoldCause.STOP_LOSS, scope)
        if "" in chosen and self._settings.risk.enabled:
            # First: until it is told, it says again that its drawdown holds.
            self._crew.ask(RISK, "clear_stop_loss", reason, course.roster.gateway)
        return course.say(_lifted(HoldCause.STOP_LOSS, chosen, reason))

    def clear_venue_rule(self, scope: str, account: str = "") -> bool:
        """Lift what the venue's doing holds: of a symbol, of the `account`, or `all`. False where nothing is held."""
        course = self._courses[account]
        chosen = course.held(HoldCause.VENUE_RULE, scope)
        return course.say(_lifted(HoldCause.VENUE_RULE, chosen, "the operator has looked at it"))

    def _chosen(self, account: str | None) -> list[AccountCourse]:
        return list(self._courses.values()) if account is None else [self._courses[account]]

    def _present(self) -> DeploymentSettings:
        """Return the settings with the symbols that came and went."""
        present: DeploymentSettings = self._settings
        for course in self._courses.values():
            present = present.with_account(course.settings)
        return present

    def _section(self, course: AccountCourse, rows: list[dict[str, Any]]) -> dict[str, Any]:
        own = course.roster.own
        return {
            **course.section(),
            "risk": self._risk.of(course.roster.gateway),
            "actors": [row for row in rows if row["name"] in own],
            "troubles": self._roll.troubles(own),
        }

    def _state(self) -> DeploymentState:
        """Return the state of the whole: it runs while any account does, and has ended when all have."""
        states = [course.state for course in self._courses.values()]
        if len(states) == 1 or all(state is DeploymentState.REFUSED for state in states):
            return states[0]
        if all(state in _ENDED for state in states):
            is_over = all(course.is_over for course in self._courses.values())
            return DeploymentState.STOPPED if is_over else DeploymentState.STOPPING
        for state in (DeploymentState.RUNNING, DeploymentState.STARTING):
            if state in states:
                return state
        return DeploymentState.STOPPING

    def _is_last(self, course: AccountCourse) -> bool:
        """Take note that an account ends, and say whether none is left that needs what they share."""
        with self._lock:
            self._ending.add(course.name)
            return len(self._ending) == len(self._courses)

    def _is_replaced(self) -> bool:
        """Whether a later life of this coordinator leads: this one was cut off and taken for dead, with its gateways.

        The names are the later one's actors by now: ending them would end the living. So it asks until Ray answers.
        """
        while self._incarnation:
            leads = self._crew.incarnations((COORDINATOR,))[COORDINATOR]
            if leads is not None:
                return leads != self._incarnation
            for course in self._courses.values():
                course.waiting_for = ["Ray to say who leads"]
            time.sleep(ASK_AGAIN_S)
        return False

    def _show_always(self) -> None:
        while not all(course.is_over for course in self._courses.values()):
            self._show()
            time.sleep(SHOW_S)

    def _show(self) -> None:
        rows = self._roll.supervision.rows(self._roll.now_ms())
        self._gauges.set("gridmesh_heartbeat_s", self._clock.now_ms() // 1000, actor=COORDINATOR)
        for name, course in self._courses.items():
            self._gauges.set("gridmesh_is_running", course.state is DeploymentState.RUNNING, account=name or MAIN)
        for health in Health:
            count = sum(1 for row in rows if row["health"] == health.value)
            self._gauges.set("gridmesh_actors", count, health=health.value)
        for row in rows:
            self._gauges.count("gridmesh_actor_restarts", self._more(row["name"], row["restarts"]), actor=row["name"])

    def _more(self, name: str, restarts: int) -> int:
        more, self._restarts[name] = restarts - self._restarts.get(name, 0), restarts
        return more


def _not_running(course: AccountCourse) -> str:
    return "" if course.state is DeploymentState.RUNNING else f"it is {course.state.value}"


def _lifted(cause: HoldCause, symbols: list[str], reason: str) -> list[HoldWord]:
    return [HoldWord(cause=cause, symbol=symbol, is_put=False, reason=reason) for symbol in symbols]
