"""The command line's side of a run: finds its actors by name and asks them."""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from typing import Any

import ray

from actors import run_file
from actors.actor_names import COORDINATOR
from actors.clock import monotonic_s
from actors.commands.running import StopMode
from actors.deployment_view import explanation, status_view, stop_report
from actors.errors import NotFound, NotRunning, TimedOut
from actors.roster_view import is_serving, removal_report, roster_state
from actors.run_file import RunFile
from actors.runtime.cluster import Cluster
from actors.runtime.crew import ask_all
from actors.settings import Settings
from grid.errors import RefusedToStart
from grid.holds import HoldCause

POLL_S = 0.2
HALT_PATIENCE_S = 10.0
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
        return status_view(self._coordinator(), self._run)

    def explain(self, symbol: str) -> dict[str, Any]:
        """Return each level of the symbol with its reason, from the actors that decide about it."""
        seen = self._coordinator()
        layouts = seen["layouts"]
        if symbol not in layouts:
            raise NotFound(f"{symbol} is not traded here; there are {', '.join(sorted(layouts))}")
        answers = ask_all(self._cluster, layouts[symbol], "explain", timeout_s=self._left_s())
        return explanation(symbol, seen, answers)

    def halt(self, reason: str) -> dict[str, Any]:
        """Put the operator's hold and wait until the entries are verified gone at the venue."""
        earlier = _operators_hold(self._coordinator()["gateway"])
        self._say("halt", reason)
        stands = [f"it was halted already; its first reason stands: {earlier['reason']}"] if earlier else []
        seen: dict[str, Any] = {}
        deadline = min(monotonic_s() + HALT_PATIENCE_S, self._deadline_s)
        while monotonic_s() < deadline:
            seen = self._coordinator()
            gateway = seen["gateway"]
            if "" in gateway.get("entries_gone", ()) and _operators_hold(gateway):
                return {"done": True, "said": ["all entries are verified gone; exits stay", *stands]}
            time.sleep(POLL_S)
        why = "; ".join(_obstacles(seen)) or "the venue has not confirmed it yet"
        said = f"the hold is set; entries are NOT verified gone: {why}"
        return {"done": False, "said": [said, *stands, WHAT_NEXT]}

    def resume(self) -> dict[str, Any]:
        """Lift the operator's hold."""
        self._say("resume")
        deadline = min(monotonic_s() + HALT_PATIENCE_S, self._deadline_s)
        while monotonic_s() < deadline:
            gateway = self._coordinator()["gateway"]
            if not _operators_hold(gateway):
                others = sorted({hold["cause"] for hold in gateway.get("holds", [])})
                said = f"still held by {', '.join(others)}" if others else "entries are placed again"
                return {"done": True, "said": [said]}
            time.sleep(POLL_S)
        return {"done": False, "said": ["the hold still stands: see gridmesh status"]}

    def clear_stop_loss(self, scope: str) -> dict[str, Any]:
        """Release breakers and wait until the gateway has lifted their holds."""
        return self._clear(HoldCause.STOP_LOSS, "clear_stop_loss", scope)

    def clear_venue_rule(self, scope: str) -> dict[str, Any]:
        """Lift what the venue's doing holds, and wait until the gateway has."""
        return self._clear(HoldCause.VENUE_RULE, "clear_venue_rule", scope)

    def _clear(self, cause: HoldCause, verb: str, scope: str) -> dict[str, Any]:
        held = _scopes(self._coordinator()["gateway"], cause, scope)
        if not held:
            raise NotFound(f"no hold {cause.value} is in force for {scope}")
        self._say(verb, scope)
        deadline = min(monotonic_s() + HALT_PATIENCE_S, self._deadline_s)
        while monotonic_s() < deadline:
            if not _scopes(self._coordinator()["gateway"], cause, scope):
                return {"done": True, "said": [f"released: {', '.join(name or 'the account' for name in held)}"]}
            time.sleep(POLL_S)
        return {"done": False, "said": ["it still stands, or has tripped again: see gridmesh status"]}

    def add(self, settings: Settings, symbol: str, *, dry_run: bool) -> dict[str, Any]:
        """Add a symbol and return once it trades; raises `RefusedToStart` where the checks say no."""
        if why := self._ask("add", settings, symbol, ""):
            raise RefusedToStart((why,))
        if dry_run:
            return {"done": True, "said": ["nothing is done: this is what would be"]}
        token, seen = secrets.token_hex(8), self._coordinator()
        while monotonic_s() < self._deadline_s:
            change = seen["gateway"].get("change") or {}
            if change.get("token") == token and change["state"] == "refused":
                raise RefusedToStart(tuple(change["reasons"]))
            if roster_state(seen, symbol) not in ("comparing", "joined") and change.get("state") != "checking":
                # For the first time, or again where a gateway died before it had written anything down.
                self._ask("add", settings, symbol, token)
            if is_serving(seen, symbol):
                self._note_configuration(seen)
                return {"done": True, "said": [f"{symbol} trades: its actors are up, book and venue agree"]}
            time.sleep(POLL_S)
            seen = self._coordinator()
        why = "; ".join(seen["waiting_for"]) or f"{symbol} is {roster_state(seen, symbol) or 'not taken yet'}"
        return {"done": False, "said": [f"{symbol} does not trade yet: {why}; it goes on by itself"]}

    def remove(self, symbol: str, mode: StopMode) -> dict[str, Any]:
        """Remove a symbol and return once that is verified and its actors have gone."""
        word, seen = mode.value.replace("-", "_"), self._coordinator()
        if symbol not in seen["layouts"]:
            raise NotFound(f"{symbol} is not traded here; there are {', '.join(sorted(seen['layouts']))}")
        if why := self._ask("remove", symbol, word):
            raise RefusedToStart((why,))
        while monotonic_s() < self._deadline_s:
            seen = self._coordinator()
            if roster_state(seen, symbol) == "left" and symbol not in seen["layouts"]:
                self._note_configuration(seen)
                return removal_report(seen, symbol, word)
            if roster_state(seen, symbol) not in ("leaving", "left"):
                self._ask("remove", symbol, word)  # a gateway that died may not have written it down
            time.sleep(POLL_S)
        why = "; ".join(_obstacles(seen)) or "its own orders to be verified gone"
        return {"done": False, "said": [f"{symbol} is fenced and NOT removed yet: it waits for {why}", WHAT_NEXT]}

    def _note_configuration(self, seen: dict[str, Any]) -> None:
        run_file.write(replace(self._run, configuration_hash=seen["configuration_hash"]))

    def stop(self, mode: StopMode) -> dict[str, Any]:
        """Stop and return once the own orders are verified gone, or left as the mode says."""
        word = mode.value.replace("-", "_")
        self._say("stop", word)
        seen: dict[str, Any] = {}
        while monotonic_s() < self._deadline_s:
            seen = self._coordinator()
            if seen["state"] == "stopped":
                self._end_on_cluster()
                return stop_report(seen)
            if seen["state"] != "stopping":
                self._say("stop", word)  # a coordinator that was started anew may not have heard it
            time.sleep(POLL_S)
        why = "; ".join([*seen.get("waiting_for", ()), *_obstacles(seen)]) or "its own orders to be verified gone"
        said = f"NOT stopped yet: no new order is placed, and it waits for {why}"
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
        while monotonic_s() < self._deadline_s:
            answer = ask_all(self._cluster, [COORDINATOR], question, *arguments, timeout_s=2.0)[COORDINATOR]
            if answer is not None:
                return answer
            self._cluster.find(COORDINATOR)  # raises NotRunning where it is gone
            time.sleep(POLL_S)
        raise NotRunning(f"the coordinator of {self._run.deployment} does not answer")


def _operators_hold(gateway: dict[str, Any]) -> dict[str, Any] | None:
    cause = HoldCause.OPERATOR.value
    return next((hold for hold in gateway.get("holds", []) if hold["cause"] == cause and not hold["symbol"]), None)


def _obstacles(seen: dict[str, Any]) -> list[str]:
    """Return what keeps the gateway from hearing of its orders' ends."""
    gateway = seen.get("gateway", {})
    if not seen.get("gateway_answers", True):
        return ["the order gateway does not answer"]
    deaf = (HoldCause.ORDER_STREAM.value, HoldCause.RECONCILE.value)
    silent = [hold["reason"] for hold in gateway.get("holds", []) if hold["cause"] in deaf]
    return [f"the venue does not answer ({'; '.join(silent)})"] if silent else list(gateway.get("waiting_for", []))


def _scopes(gateway: dict[str, Any], cause: HoldCause, scope: str) -> list[str]:
    """Return the scopes in which the cause holds; the account's is empty."""
    held = [hold["symbol"] for hold in gateway.get("holds", []) if hold["cause"] == cause.value]
    return [name for name in held if scope == "all" or name == ("" if scope == "account" else scope)]
