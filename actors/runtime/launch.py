"""`gridmesh run`: starts Ray or joins it, starts the coordinator, and on `local` stays until the run has ended."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from actors import run_file
from actors.actor_names import COORDINATOR
from actors.check.writable import require_writable
from actors.clock import monotonic_s, now_ms
from actors.commands.observe import render_status
from actors.commands.output import emit, report_error
from actors.deployment.account_sections import sections
from actors.deployment.roster import Roster
from actors.deployment.view import status_view
from actors.errors import NotRunning, RunDied
from actors.exit_codes import ExitCode
from actors.journal.place import journal_place
from actors.ownership.stores import require_store
from actors.run_file import RunFile
from actors.runtime import cluster as clusters
from actors.runtime.cluster import Cluster
from actors.runtime.ray_watch import RayWatch
from actors.settings.account import Settings
from actors.settings.accounts_apart import account_marks, require_apart
from actors.settings.credentials import account_keys
from actors.settings.deployment import DeploymentSettings, deployment_hash, for_each_account
from actors.stop_signals import Interrupted, stop_signals
from actors.structured_log import set_up_logging
from actors.trading_words import say_trading
from actors.venues import market_venue
from grid.errors import RefusedToStart

POLL_S = 0.2
WATCH_S = 1.0
STOP_PATIENCE_S = 150.0
END_PATIENCE_S = 60.0
WHAT_TO_DO = (
    "its orders may still rest at the venue: start it again as before (gridmesh run), or cancel them "
    "(gridmesh panic CONFIG)"
)
LOCAL = "local"


class Run:
    """A deployment that this process launched. On `local` it ends with this process."""

    def __init__(self, settings: DeploymentSettings, cluster: Cluster) -> None:
        from actors.runtime.crew import RayCrew

        self.cluster = cluster
        self.crew = RayCrew(settings, cluster)
        self.file = RunFile(
            deployment=settings.deployment,
            address=cluster.address,
            namespace=settings.deployment,
            pid=os.getpid(),
            pid_started_ms=run_file.process_started_ms(os.getpid()),
            started_ms=now_ms(),
            token_path=str(cluster.token_path or ""),
            configuration_hash=deployment_hash(settings),
            version=version("gridmesh"),
            dashboard_url=cluster.dashboard_url,
            needs_launcher=cluster.is_ours,
            account=" ".join(account_marks(settings)),
            trading=settings.trading.value,
        )
        self._stopping = threading.Event()
        self._watch = RayWatch(cluster.address, self._on_dead_ray)

    def found(self) -> dict[str, Any] | None:
        """Return the last word of this deployment where it runs already; raises where that is another one."""
        from actors.runtime.attach import running

        return running(self.crew, self.file)

    def launch(self) -> None:
        """Create the coordinator, which creates the others; write the run file."""
        self.crew.enlist(COORDINATOR)
        run_file.write(self.file)
        if self.cluster.is_ours:
            self._watch.start()

    def look(self) -> dict[str, Any]:
        """Return the coordinator's last word; empty while it starts."""
        return self.crew.ask(COORDINATOR, "snapshot") or {}

    def stop(self, mode: str = "keep") -> None:
        """Ask for the stop, once; a signal may ask too."""
        self._stopping.set()
        self.crew.ask(COORDINATOR, "stop", mode)

    def until_stopped(self, watch: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        """Show what happens until the deployment has stopped or refused; return the last word."""
        deadline = float("inf")
        while True:
            seen = self.look()
            watch(seen)
            if seen.get("state") in ("stopped", "refused"):
                return seen
            if self._stopping.is_set() and seen.get("state") != "stopping":
                # Asked again of a coordinator that was started anew before it had begun to stop.
                self.crew.ask(COORDINATOR, "stop", "keep")
                deadline = min(deadline, monotonic_s() + STOP_PATIENCE_S)
            if monotonic_s() > deadline:
                return seen
            # A look brings the whole picture: while nothing is awaited, one a second is enough.
            pause_s = WATCH_S if seen.get("state") == "running" else POLL_S
            time.sleep(POLL_S) if self._stopping.is_set() else self._stopping.wait(pause_s)

    def is_stopping(self) -> bool:
        """Whether a stop was asked for."""
        return self._stopping.is_set()

    def on_signal(self, number: int = 0, frame: object = None) -> None:
        """Begin to stop: what a process manager or Ctrl-C asks for. A second one changes nothing."""
        self._stopping.set()

    def end(self) -> None:
        """End everything that was started here and nothing else, within a bounded time."""
        self._watch.ending(END_PATIENCE_S)
        run_file.remove(self.file)
        self.cluster.shutdown()
        self._watch.close()

    def _on_dead_ray(self, why: str) -> None:
        """Nothing can be asked any more, and what hangs in Ray would not return: say what is left to do, and go."""
        run_file.remove(self.file)
        self._watch.end_family()
        died = RunDied(f"{self.file.deployment} has ended: {why}; {WHAT_TO_DO}")
        os._exit(report_error(died, as_json="--json" in sys.argv))


def start(settings: DeploymentSettings) -> Run:
    """Start or join Ray for the settings. Raises where the deployment runs already with another configuration."""
    set_up_logging(level="warning", as_json=settings.runtime.log_json)
    if settings.runtime.address == LOCAL:
        refuse_second(settings.deployment)
        runtime = settings.runtime
        with stop_signals.deferred():
            local = clusters.start_local(
                settings.deployment,
                actors=_actors_of(settings),
                dashboard=runtime.dashboard,
                dashboard_port=runtime.dashboard_port,
                metrics_port=runtime.metrics_port,
            )
        return Run(settings, local)
    token = os.environ.get("RAY_AUTH_TOKEN_PATH")
    return Run(
        settings, clusters.connect(settings.runtime.address, settings.deployment, Path(token) if token else None)
    )


def _actors_of(settings: DeploymentSettings) -> int:
    """Return how many actors the configuration names, the coordinator with them."""
    return 1 + len({name for one in settings.accounts for name in Roster.of(one).everyone})


def refuse_second(deployment: str) -> None:
    """Raise `RefusedToStart` where the deployment runs on this machine."""
    try:
        running = run_file.read(deployment)
        run_file.check_alive(running)
    except NotRunning:
        return
    raise RefusedToStart((f"{deployment} runs already: process {running.pid}, Ray at {running.address}",))


def require_startable(settings: Settings) -> None:
    """Raise where something is wrong with an account's keys, addresses or files: before Ray takes its time."""
    account_keys(settings)
    market_venue(settings)
    require_writable(settings)
    require_store(settings)
    journal_place(settings)


def run(settings: DeploymentSettings, *, config: Path, as_json: bool) -> int:
    """Run a deployment; on `local` until a signal or `gridmesh stop` ends it. Returns the exit code."""
    for_each_account(settings, require_startable)
    require_apart(settings)
    say_trading(settings.accounts, as_json=as_json)
    launched = start(settings)
    stop_signals.pass_to(launched.on_signal)
    try:
        refuse_interrupted(launched)
        if not launched.cluster.is_ours and (seen := launched.found()) is not None:
            return _attach(launched, seen, as_json=as_json)
        launched.launch()
        if not launched.cluster.is_ours:
            words = f"launched {settings.deployment} at {launched.file.address}; see gridmesh status"
            document = {"launched": settings.deployment, "address": launched.file.address}
            emit(document, as_json=as_json, render=lambda: words)
            return ExitCode.OK
        last = launched.until_stopped(_Teller(as_json))
        refuse_interrupted(launched, last)
        return _verdict(last, as_json=as_json)
    finally:
        if launched.cluster.is_ours:
            launched.end()


def refuse_interrupted(launched: Run, last: Mapping[str, Any] | None = None) -> None:
    """Raise `Interrupted` where a signal came before the deployment served: it has placed nothing then."""
    finals = [part.get("final", {}) for part in sections(last).values()] if last is not None else []
    has_served = any(final.get("has_served", True) for final in finals)
    if stop_signals.number and launched.is_stopping() and not has_served:
        raise Interrupted(stop_signals.number)


def _attach(launched: Run, seen: dict[str, Any], *, as_json: bool) -> int:
    """Show what runs; other commands of this user find it from now on."""
    try:
        file = run_file.read(launched.file.deployment)
    except NotRunning:
        file = launched.file
        run_file.write(file)
    answer = status_view(seen, file, now_ms())
    emit({"attached": True, **answer}, as_json=as_json, render=lambda: ["it runs already", *render_status(answer)])
    return ExitCode.OK


class _Teller:
    """Says each change of state once."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._said: tuple[Any, ...] = ()

    def __call__(self, seen: dict[str, Any]) -> None:
        words = (seen.get("state"), tuple(seen.get("waiting_for", ())))
        if seen and words != self._said:
            self._said = words
            waits = f", waits for {', '.join(words[1])}" if words[1] else ""
            emit(
                {"state": words[0], "waiting_for": list(words[1])},
                as_json=self._as_json,
                render=lambda: [f"{words[0]}{waits}"],
            )


def _verdict(last: dict[str, Any], *, as_json: bool) -> int:
    from actors.deployment.view import stop_report

    is_refused = last.get("state") == "refused"
    report = stop_report(last) if not is_refused else {}
    if report:
        emit(report, as_json=as_json, render=lambda: report["said"])
    if is_refused or ("accounts" in last and last["refusals"]):
        code = report_error(RefusedToStart(tuple(last.get("refusals", ()))), as_json=as_json)
        return last["refusal_code"] if last.get("refusal_code") == ExitCode.CONFIGURATION else code
    return ExitCode.OK if report["done"] else ExitCode.ERROR
