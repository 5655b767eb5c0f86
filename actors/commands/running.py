"""The client side of a run: what a command needs of it, and how it is found. Ray stays behind `actors.runtime`."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeVar, cast

import typer

from actors import run_file
from actors.clock import monotonic_s
from actors.errors import NotInstalled, TimedOut
from actors.run_file import RunFile

if TYPE_CHECKING:
    from actors.settings.deployment import DeploymentSettings

T = TypeVar("T")
ANSWER_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 120.0
ANSWER_MARGIN_S = 3.0
LEAST_S = 0.5

Deployment = Annotated[str | None, typer.Option("--deployment", "-d", help="Which run; needed only where several run.")]
Account = Annotated[
    str | None, typer.Option("--account", "-a", help="Only this account of several; left out, all of them.")
]
Timeout = Annotated[float, typer.Option("--timeout", min=0.1, help="Give up after so many seconds.")]


class StopMode(Enum):
    """What `stop` leaves behind; the position stays in all but the last."""

    KEEP = "keep"
    LEAVE_EXITS = "leave-exits"
    FLATTEN = "flatten"


class RunningDeployment(Protocol):
    """One run, as the commands see it. Answers are plain values for JSON; each method may raise `GridmeshError`.

    `status`: deployment, state, started_ms, halt_epoch, owner_epoch; holds [{cause, symbol, reason, since_ms}];
    symbols [{symbol, state, price, lots, max_lots, position, foreign, entries, exits, grid_profit, total_profit}];
    account {wallet, equity, unexplained, notional, max_notional, ...}; actors [{name, state, waiting_for}]; addresses.
    With several accounts: `accounts`, a list of the same for each under its name, in place of epochs, symbols, account.
    `explain`: symbol, price, holds, levels [{level, price, state, order, lot, target, reason, detail, retry_ms}].
    The verbs: done (whether it is finished), said (one sentence each for what happened), and what they count.
    """

    def status(self) -> dict[str, Any]: ...

    def explain(self, symbol: str) -> dict[str, Any]:
        """Raises `NotFound`, naming the symbols there are, where it trades no such symbol."""
        ...

    def halt(self, reason: str, account: str | None = None) -> dict[str, Any]: ...

    def resume(self, account: str | None = None) -> dict[str, Any]: ...

    def clear_stop_loss(self, scope: str) -> dict[str, Any]:
        """Release breakers of a symbol, of the `account` or `all`; raises `NotFound` where none is in force."""
        ...

    def clear_venue_rule(self, scope: str) -> dict[str, Any]:
        """Lift what the venue's doing holds; scopes as for breakers."""
        ...

    def add(self, settings: DeploymentSettings, symbol: str, *, dry_run: bool) -> dict[str, Any]:
        """Return once the symbol trades; raises `RefusedToStart` where the checks say no."""
        ...

    def remove(self, symbol: str, mode: StopMode) -> dict[str, Any]:
        """Return once the symbol is verified gone, as `mode` says, and its actors have ended."""
        ...

    def stop(self, mode: StopMode, account: str | None = None) -> dict[str, Any]:
        """Return once the run has ended and its own orders are verified gone, or left as `mode` says."""
        ...

    def close(self) -> None: ...


class Connector(Protocol):
    """`actors.runtime.client.connect`."""

    def __call__(self, run: RunFile, *, timeout_s: float) -> RunningDeployment: ...


def ask(deployment: str | None, question: Callable[[RunningDeployment], T], *, timeout_s: float) -> T:
    """Find the run, ask it, and return its answer; a dead run is noticed before Ray is loaded."""
    begun_s, run = monotonic_s(), run_file.find(deployment)

    def answer() -> T:
        # before the import: ray reads them once
        if run.token_path:
            os.environ.update(run_file.ray_environment(run.token_path))
        connector = _connector()
        # an answer such as "not verified yet" is worth more than none: it is given before the time is over
        left_s = max(LEAST_S, timeout_s - ANSWER_MARGIN_S - (monotonic_s() - begun_s))
        connected = connector(run, timeout_s=left_s)
        try:
            return question(connected)
        finally:
            connected.close()

    return within(timeout_s, answer, f"{run.deployment} at {run.address}")


def _connector() -> Connector:
    return cast(Connector, load("actors.runtime.client", "connect"))


def load(module: str, name: str) -> Any:
    """Return a part of the program that is loaded only when needed; raises `NotInstalled` where it is absent."""
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name is None or not module.startswith(error.name):
            raise
        raise NotInstalled(f"{module} is not part of this installation") from error


def within(timeout_s: float, call: Callable[[], T], whom: str) -> T:
    """Return the call's answer, or raise `TimedOut`; a call that hangs is left behind, and `main` does not wait."""
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="gridmesh-ask")
    pending = pool.submit(call)
    finished, _ = wait([pending], timeout=timeout_s)
    pool.shutdown(wait=False)
    if not finished:
        raise TimedOut(
            f"no answer from {whom} within {timeout_s:g} s; whether it acted is unknown: see gridmesh status"
        )
    return pending.result()
