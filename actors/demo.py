"""`gridmesh demo`: a simulated venue as its own process, a deployment against it over real sockets, and a reckoning."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from actors.clock import monotonic_s
from actors.demo_reckoning import Reckoning, reckon
from actors.demo_view import DemoView
from actors.exit_codes import ExitCode
from actors.settings import Settings, load_settings
from actors.sim_process import SimProcess
from grid.errors import RefusedToStart

CONFIG = Path(__file__).resolve().parents[1] / "configs" / "demo.yaml"
START_PATIENCE_S = 90.0
LEAD_S = 12.0
"""How long the market has run when trading begins, about."""


def run(*, duration_s: float, tape: Path | None, seed: int, as_json: bool) -> int:
    """Trade for so many seconds, stop as a live run would, compare book and venue. Returns 0 where all agrees."""
    with tempfile.TemporaryDirectory(prefix="gridmesh-demo-") as folder:
        home = Path(folder)
        # A home of its own: the demo neither sees nor disturbs another run of this user.
        os.environ["GRIDMESH_HOME"] = folder
        arguments = ["--seed", str(seed), "--duration", str(duration_s + LEAD_S)]
        venue = SimProcess([*arguments, *(["--tape", str(tape)] if tape else [])], home / "venue.log")
        try:
            return _trade(_settings(venue), venue, duration_s, as_json=as_json)
        finally:
            venue.stop()


def _settings(venue: SimProcess) -> Settings:
    os.environ["GRIDMESH_DEMO_KEY"], os.environ["GRIDMESH_DEMO_SECRET"] = venue.keys
    addresses = {"GRIDMESH__VENUE__REST_URL": venue.rest_url, "GRIDMESH__VENUE__WS_URL": venue.ws_url}
    return load_settings(CONFIG, {**os.environ, **addresses})


def _trade(settings: Settings, venue: SimProcess, duration_s: float, *, as_json: bool) -> int:
    from actors.runtime import launch

    begun = monotonic_s()
    view = DemoView(live=not as_json and sys.stdout.isatty(), quiet=as_json)
    view.say(f"simulated venue at {venue.rest_url}; starting Ray and the actors")
    launched = launch.start(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, launched.on_signal)
    try:
        launched.launch()
        with view:
            traded_s = _watch(launched.look, launched.is_stopping, view, begun, duration_s, launched.file.dashboard_url)
            launched.stop("keep")
            last = launched.until_stopped(lambda seen: view.show(seen, "stopping", launched.file.dashboard_url))
    finally:
        launched.end()
    reckoning = reckon(last, venue.truth(), settings, traded_s)
    _print(reckoning, as_json=as_json)
    return ExitCode.OK if not reckoning.violations else ExitCode.ERROR


def _watch(
    look: Callable[[], dict[str, Any]],
    is_stopping: Callable[[], bool],
    view: DemoView,
    begun: float,
    duration_s: float,
    dashboard: str,
) -> float:
    """Show the deployment until its time is over or a signal came; return for how long it traded."""
    running_since: float | None = None
    while not is_stopping():
        now = monotonic_s()
        seen = look()
        if seen.get("state") == "refused":
            raise RefusedToStart(tuple(seen["refusals"]))
        if running_since is None and seen.get("state") == "running":
            running_since = now
            view.say(f"trading {now - begun:.1f} s after the start; Ray dashboard at {dashboard}")
        if running_since is None and now - begun > START_PATIENCE_S:
            raise RefusedToStart((f"not running after {START_PATIENCE_S:.0f} s; waits for {seen.get('waiting_for')}",))
        if running_since is not None and now - running_since >= duration_s:
            break
        view.show(seen, f"{duration_s - (now - running_since):.0f} s left" if running_since else "starting", dashboard)
        time.sleep(0.25)
    return monotonic_s() - running_since if running_since is not None else 0.0


def _print(reckoning: Reckoning, *, as_json: bool) -> None:
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
            "The tape is generated: it proves mechanics, and its profit says nothing about money.",
            ending,
            *(f"  {violation}" for violation in reckoning.violations),
        ]

    emit(reckoning.document(), as_json=as_json, render=text)
