"""`gridmesh demo`: a simulated venue as its own process, a deployment against it over real sockets, and a reckoning."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from actors.clock import monotonic_s
from actors.exit_codes import ExitCode
from actors.settings.deployment import DeploymentSettings
from actors.stop_signals import stop_signals
from actors.trials.demo_market import DemoMarket
from actors.trials.demo_reckoning import Reckoning, reckon
from actors.trials.demo_view import DemoView
from actors.trials.journal_order import journalled
from actors.trials.sim_process import SimProcess
from grid.errors import RefusedToStart

START_PATIENCE_S = 240.0
LOOK_S = 0.25


def run(*, duration_s: float, tape: tuple[Path, ...], seed: int, as_json: bool) -> int:
    """Trade for so many seconds, stop as a live run would, compare book and venue. Returns 0 where all agrees."""
    market = DemoMarket(seed=seed, duration_s=duration_s, tapes=tape)
    with tempfile.TemporaryDirectory(prefix="gridmesh-demo-") as folder:
        # A home of its own: the demo neither sees nor disturbs another run of this user.
        os.environ["GRIDMESH_HOME"] = folder
        venue = SimProcess(market.arguments(), Path(folder) / "venue.log")
        try:
            return _trade(market, venue, duration_s, as_json=as_json)
        finally:
            venue.stop()


def _trade(market: DemoMarket, venue: SimProcess, duration_s: float, *, as_json: bool) -> int:
    from actors.runtime import launch

    settings = market.settings(venue)

    begun = monotonic_s()
    view = DemoView(live=not as_json and sys.stdout.isatty(), quiet=as_json)
    view.say(f"simulated venue at {venue.rest_url}; starting Ray and the actors")
    launched = launch.start(DeploymentSettings.of(settings))
    stop_signals.pass_to(launched.on_signal)
    try:
        launch.refuse_interrupted(launched)
        launched.launch()
        dashboard = f"{launched.file.dashboard_url} (it asks for the token in {launched.file.token_path})"
        with view:
            watch = Watch(launched.look, launched.is_stopping, view, dashboard)
            watch.until_running(begun)
            market.begin(venue)
            traded_s = watch.trading(duration_s)
            played_s = venue.played_s
            launched.stop("keep")
            last = launched.until_stopped(lambda seen: view.show(seen, "", dashboard))
        launch.refuse_interrupted(launched, last)
    finally:
        launched.end()
    reckoning = reckon(last, venue.truth(), settings, traded_s, records=journalled(settings))
    remarks = [] if as_json else market.remarks(settings, played_s)
    _print(reckoning, remarks, as_json=as_json)
    return ExitCode.OK if not reckoning.violations else ExitCode.ERROR


class Watch:
    """Shows a deployment while it starts and trades. A signal ends either."""

    def __init__(
        self, look: Callable[[], dict[str, Any]], is_stopping: Callable[[], bool], view: DemoView, dashboard: str
    ) -> None:
        self._look = look
        self._is_stopping = is_stopping
        self._view = view
        self._dashboard = dashboard

    def until_running(self, begun_s: float) -> None:
        """Return once everything runs; raises `RefusedToStart` where it does not come to that."""
        while not self._is_stopping():
            seen = self._seen("")
            if seen.get("state") == "running":
                self._view.say(
                    f"trading {monotonic_s() - begun_s:.1f} s after the start; Ray dashboard {self._dashboard}"
                )
                return
            if monotonic_s() - begun_s > START_PATIENCE_S:
                waits = ", ".join(seen.get("waiting_for", []))
                raise RefusedToStart((f"not running after {START_PATIENCE_S:.0f} s; waits for {waits}",))
            time.sleep(LOOK_S)

    def trading(self, duration_s: float, on_look: Callable[[dict[str, Any]], None] = lambda seen: None) -> float:
        """Return after so many seconds, or at a signal, and for how long it traded. `on_look` hears of each look."""
        begun_s = monotonic_s()
        while not self._is_stopping() and (left_s := duration_s - (monotonic_s() - begun_s)) > 0:
            on_look(self._seen(f"{left_s:.0f} s left"))
            time.sleep(LOOK_S)
        return monotonic_s() - begun_s

    def _seen(self, note: str) -> dict[str, Any]:
        seen = self._look()
        if seen.get("state") == "refused":
            raise RefusedToStart(tuple(seen["refusals"]))
        self._view.show(seen, note, self._dashboard)
        return seen


def _print(reckoning: Reckoning, remarks: list[str], *, as_json: bool) -> None:
    from actors.commands.output import emit, table

    def text() -> list[Any]:
        rows = [[symbol.symbol, *symbol.cells()] for symbol in reckoning.symbols]
        columns = ("symbol", "fills", "round trips", "grid profit", "fees", "lots left", "book", "venue")
        ending = "every invariant held" if not reckoning.violations else "VIOLATIONS:"
        return [
            table("", columns, rows, columns[1:]),
            f"orders placed {reckoning.orders_placed}, cancelled {reckoning.orders_cancelled}; "
            f"halts {reckoning.halts}, recoveries {reckoning.recoveries}; "
            f"own orders left {reckoning.open_own_orders}, doubled {reckoning.duplicate_orders}",
            *remarks,
            ending,
            *(f"  {violation}" for violation in reckoning.violations),
        ]

    emit(reckoning.document(), as_json=as_json, render=text)
