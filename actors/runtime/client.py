"""The command line's side of a run: finds its actors by name and asks them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import ray

from actors import run_file
from actors.actor_names import COORDINATOR, of_account
from actors.clock import monotonic_s, now_ms
from actors.commands.running import StopMode
from actors.deployment.account_sections import Section, chosen, find_symbol, prefixed, sections
from actors.deployment.roster_view import is_serving, removal_report, roster_state
from actors.deployment.view import explanation, status_view, stop_report
from actors.errors import NotFound, NotRunning, TimedOut
from actors.run_file import RunFile
from actors.runtime.cluster import Cluster
from actors.runtime.crew import ask_all
from actors.settings.deployment import DeploymentSettings
from grid.errors import RefusedToStart
from grid.holds import HoldCause

POLL_S = 0.2
NOT_TAKEN = "the order gateway does not answer: whether it will be done is unknown"
Begin = Callable[[str], Any]
Look = Callable[[str, Section], list[str] | None]
GiveUp = Callable[[str, Section], list[str]]
WHAT_NEXT = "what to do: see gridmesh status; gridmesh panic CONFIG cancels own orders without the run"


def connect(run: RunFile, *, timeout_s: float) -> Client:
    """Return a client of a living run. The environment that Ray reads has been set by the caller."""
    import logging

    deadline_s = monotonic_s() + timeout_s
    ray.init(address=run.address, namespace=run.namespace, log_to_driver=False, logging_level=logging.ERROR)
    cluster = Cluster(
        address=run.address, deployment=run.namespace, dashboard_url=run.dashboard_url, token_path=None, is_ours=False
    )
    return Client(run, cluster, deadline_s=deadline_s)


class Client:
    """The `RunningDeployment` over Ray."""

    def __init__(self, run: RunFile, cluster: Cluster, *, deadline_s: float) -> None:
        self._run = run
        self._cluster = cluster
        self._deadline_s = deadline_s

    def status(self) -> dict[str, Any]:
        """Return what the run holds, what stops it, and where it can be watched."""
        return status_view(self._coordinator(), self._run, now_ms())

    def explain(self, symbol: str) -> dict[str, Any]:
        """Return each level of the symbol with its reason, from the actors that decide about it."""
        seen = self._coordinator()
        account, name = find_symbol(seen, symbol)
        section = sections(seen)[account]
        answers = ask_all(self._cluster, section["layouts"][name], "explain", name, timeout_s=self._left_s())
        gateway = section["gateway"].get("name", "")
        book = ask_all(self._cluster, [gateway] if gateway else [], "snapshot", timeout_s=self._left_s())
        told = explanation(name, {**section, "gateway": book.get(gateway) or section["gateway"]}, answers, now_ms())
        return {**told, "symbol": of_account(account, name)}

    def halt(self, reason: str, account: str | None = None) -> dict[str, Any]:
        """Put the operator's hold and wait until the entries are verified gone at the venues."""
        earlier = self._operators_holds()

        def look(name: str, section: Section) -> list[str] | None:
            gateway, first = section["gateway"], earlier.get(name)
            stands = [f"it was halted already; its first reason stands: {first['reason']}"] if first else []
            if section["state"] == "refused":
                return ["it is refused and places nothing"]
            if "" in gateway.get("entries_gone", ()) and _operators_hold(gateway):
                return ["all entries are verified gone; exits stay", *stands]
            return None

        def give_up(name: str, section: Section) -> list[str]:
            first = earlier.get(name)
            stands = [f"it was halted already; its first reason stands: {first['reason']}"] if first else []
            why = "; ".join(_obstacles(section)) or "the venue has not confirmed it yet"
            return [f"the hold is set; entries are NOT verified gone: {why}", *stands, WHAT_NEXT]

        return self._over_accounts(account, partial(self._ask, "halt", reason), look, give_up)

    def resume(self, account: str | None = None) -> dict[str, Any]:
        """Lift the operator's hold."""

        def look(name: str, section: Section) -> list[str] | None:
            gateway = section["gateway"]
            if _operators_hold(gateway):
                return None
            others = sorted({hold["cause"] for hold in gateway.get("holds", [])})
            return [f"still held by {', '.join(others)}" if others else "entries are placed again"]

        def give_up(name: str, section: Section) -> list[str]:
            return ["the hold still stands: see gridmesh status"]

        return self._over_accounts(account, partial(self._ask, "resume"), look, give_up)

    def clear_stop_loss(self, scope: str) -> dict[str, Any]:
        """Release breakers and wait until the gateway has lifted their holds."""
        return self._clear(HoldCause.STOP_LOSS, "clear_stop_loss", scope)

    def clear_venue_rule(self, scope: str) -> dict[str, Any]:
        """Lift what the venue's doing holds, and wait until the gateway has."""
        return self._clear(HoldCause.VENUE_RULE, "clear_venue_rule", scope)

    def _clear(self, cause: HoldCause, verb: str, scope: str) -> dict[str, Any]:
        account, _, of_it = scope.rpartition("/")
        seen = self._coordinator()
        there = {name: sections(seen)[name]["gateway"] for name in chosen(seen, account or None)}
        held = {name: found for name, gateway in there.items() if (found := _scopes(gateway, cause, of_it))}
        if not held:
            raise NotFound(f"no hold {cause.value} is in force for {scope}")
        if len(held) > 1 and of_it not in ("account", "all"):
            raise NotFound(
                f"{scope} is held on several accounts: write {' or '.join(of_account(n, scope) for n in held)}"
            )

        def look(name: str, section: Section) -> list[str] | None:
            if _scopes(section["gateway"], cause, of_it):
                return None
            return [f"released: {', '.join(one or 'the account' for one in held[name])}"]

        def give_up(name: str, section: Section) -> list[str]:
            return ["it still stands, or has tripped again: see gridmesh status"]

        return self._each(tuple(held), partial(self._ask, verb, of_it), look, give_up)

    def _over_accounts(self, account: str | None, begin: Begin, look: Look, give_up: GiveUp) -> dict[str, Any]:
        return self._each(chosen(self._coordinator(), account), begin, look, give_up)

    def _each(self, names: tuple[str, ...], begin: Begin, look: Look, give_up: GiveUp) -> dict[str, Any]:
        """Begin something with each account, then wait until each is done with it: none waits for another."""
        taken = {name: bool(begin(name)) for name in names}
        if not any(taken.values()):
            raise TimedOut("it was not taken; whether it will be done is unknown: see gridmesh status")
        said = {name: [NOT_TAKEN] for name in names if not taken[name]}
        done: set[str] = set()
        while len(said) < len(names):
            parts, is_late = sections(self._coordinator()), monotonic_s() >= self._deadline_s
            for name in names:
                if name not in said and (words := look(name, parts[name])) is not None:
                    said[name] = words
                    done.add(name)
                elif name not in said and is_late:
                    said[name] = give_up(name, parts[name])
            if len(said) < len(names):
                time.sleep(POLL_S)
        return {
            "done": len(done) == len(names),
            "said": [line for name in names for line in prefixed(name, said[name])],
        }

    def _operators_holds(self) -> dict[str, dict[str, Any]]:
        parts = sections(self._coordinator())
        return {name: hold for name, part in parts.items() if (hold := _operators_hold(part["gateway"]))}

    def add(self, settings: DeploymentSettings, symbol: str, *, dry_run: bool) -> dict[str, Any]:
        """Add a symbol and return once it trades; raises `RefusedToStart` where the checks say no."""
        account, _, name = symbol.rpartition("/")
        chosen(self._coordinator(), account)
        if why := self._ask("add", settings, name, "", account):
            raise RefusedToStart((why,))
        if dry_run:
            return {"done": True, "said": ["nothing is done: this is what would be"]}
        token, seen = secrets.token_hex(8), self._coordinator()
        while True:
            part = sections(seen)[account]
            change = part["gateway"].get("change") or {}
            if change.get("token") == token and change["state"] == "refused":
                raise RefusedToStart(tuple(change["reasons"]))
            if roster_state(part, name) not in ("comparing", "joined") and change.get("state") != "checking":
                # For the first time, or again where a gateway died before it had written anything down.
                self._ask("add", settings, name, token, account)
            if is_serving(part, name):
                self._note_configuration(seen)
                return {"done": True, "said": [f"{symbol} trades: its actors are up, book and venue agree"]}
            if monotonic_s() >= self._deadline_s:
                break
            time.sleep(POLL_S)
            seen = self._coordinator()
        why = "; ".join(part["waiting_for"]) or f"{symbol} is {roster_state(part, name) or 'not taken yet'}"
        return {"done": False, "said": [f"{symbol} does not trade yet: {why}; it goes on by itself"]}

    def remove(self, symbol: str, mode: StopMode) -> dict[str, Any]:
        """Remove a symbol and return once that is verified and its actors have gone."""
        word, seen = mode.value.replace("-", "_"), self._coordinator()
        account, name = find_symbol(seen, symbol)
        if why := self._ask("remove", name, word, account):
            raise RefusedToStart((why,))
        while monotonic_s() < self._deadline_s:
            seen = self._coordinator()
            part = sections(seen)[account]
            if roster_state(part, name) == "left" and name not in part["layouts"]:
                self._note_configuration(seen)
                return removal_report(part, name, word)
            if roster_state(part, name) not in ("leaving", "left"):
                self._ask("remove", name, word, account)  # a gateway that died may not have written it down
            time.sleep(POLL_S)
        why = "; ".join(_obstacles(sections(seen)[account])) or "its own orders to be verified gone"
        return {"done": False, "said": [f"{symbol} is fenced and NOT removed yet: it waits for {why}", WHAT_NEXT]}

    def _note_configuration(self, seen: dict[str, Any]) -> None:
        run_file.write(replace(self._run, configuration_hash=seen["configuration_hash"]))

    def stop(self, mode: StopMode, account: str | None = None) -> dict[str, Any]:
        """Stop and return once the own orders are verified gone, or left as the mode says."""
        word = mode.value.replace("-", "_")
        chosen(self._coordinator(), account)
        self._say("stop", word, account)
        while True:
            seen = self._coordinator()
            part = sections(seen)[account] if account is not None else seen
            if part["state"] == "stopped" or (account and part["state"] == "refused"):
                if seen["state"] == "stopped":
                    self._end_on_cluster()
                return stop_report(part, account or "")
            if part["state"] != "stopping":
                self._say("stop", word, account)  # a coordinator that was started anew may not have heard it
            if monotonic_s() >= self._deadline_s:
                break
            time.sleep(POLL_S)
        parts = {name: part for name, part in sections(seen).items() if name == account or account is None}
        why = [line for name, part in parts.items() for line in prefixed(name, _waits(part))]
        said = f"NOT stopped yet: no new order is placed, and it waits for {'; '.join(why)}"
        return {"done": False, "said": [said, WHAT_NEXT]}

    def _end_on_cluster(self) -> None:
        """Take the last actor away where nobody waits for it: with its launcher it ends by itself."""
        if not self._run.needs_launcher:
            self._cluster.end_actors([COORDINATOR])
            run_file.remove(self._run)

    def close(self) -> None:
        """Disconnect; the run goes on."""
        self._cluster.shutdown()

    def _left_s(self) -> float:
        return max(0.1, self._deadline_s - monotonic_s())

    def _coordinator(self) -> dict[str, Any]:
        seen = self._ask("snapshot")
        return dict(seen)

    def _say(self, verb: str, *arguments: Any) -> None:
        if not self._ask(verb, *arguments):
            raise TimedOut(f"{verb} was not taken; whether it will act is unknown: see gridmesh status")

    def _ask(self, question: str, *arguments: Any) -> Any:
        # Once in any case: who waits has to have a last look, after which it says what is missing.
        while True:
            answer = ask_all(self._cluster, [COORDINATOR], question, *arguments, timeout_s=2.0)[COORDINATOR]
            if answer is not None:
                return answer
            self._cluster.find(COORDINATOR)  # raises NotRunning where it is gone
            if monotonic_s() >= self._deadline_s:
                break
            time.sleep(POLL_S)
        raise NotRunning(f"the coordinator of {self._run.deployment} does not answer")


def _waits(section: Section) -> list[str]:
    if section["state"] in ("stopped", "refused"):
        return []
    return [*section.get("waiting_for", ()), *_obstacles(section)] or ["its own orders to be verified gone"]


def _operators_hold(gateway: Mapping[str, Any]) -> dict[str, Any] | None:
    cause = HoldCause.OPERATOR.value
    return next((hold for hold in gateway.get("holds", []) if hold["cause"] == cause and not hold["symbol"]), None)


def _obstacles(seen: Section) -> list[str]:
    """Return what keeps the gateway from hearing of its orders' ends."""
    gateway = seen.get("gateway", {})
    if not seen.get("gateway_answers", True):
        return ["the order gateway does not answer"]
    deaf = (HoldCause.ORDER_STREAM.value, HoldCause.RECONCILE.value)
    silent = [hold["reason"] for hold in gateway.get("holds", []) if hold["cause"] in deaf]
    return [f"the venue does not answer ({'; '.join(silent)})"] if silent else list(gateway.get("waiting_for", []))


def _scopes(gateway: Mapping[str, Any], cause: HoldCause, scope: str) -> list[str]:
    """Return the scopes in which the cause holds; the account's is empty."""
    held = [hold["symbol"] for hold in gateway.get("holds", []) if hold["cause"] == cause.value]
    return [name for name in held if scope == "all" or name == ("" if scope == "account" else scope)]
