"""A deployment against a simulated venue under faults, and the reckoning afterwards: what a drill and a soak share."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actors.clock import monotonic_s
from actors.settings.account import Settings
from actors.settings.deployment import DeploymentSettings
from actors.trials.demo import Watch
from actors.trials.demo_reckoning import Reckoning, reckon
from actors.trials.demo_view import DemoView
from actors.trials.drill_settings import KEY_ENV, PASSPHRASE_ENV, SECRET_ENV
from actors.trials.journal_order import journalled
from actors.trials.sim_process import SimProcess

QUIET_SHARE = 0.15
QUIET_MAX_S = 10.0
"""How long nothing more goes wrong at the end, so that what was lost on the way is found before the stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordeal:
    """What came of it. `struck`: faults by name and how often each struck."""

    reckoning: Reckoning
    final: Mapping[str, Any]
    struck: tuple[tuple[str, int], ...]


def undergo(
    settings: Settings,
    venue: SimProcess,
    faults: Sequence[Mapping[str, Any]],
    duration_s: float,
    *,
    quiet: bool,
    begin: Callable[[], None],
    on_look: Callable[[dict[str, Any]], None] = lambda seen: None,
) -> Ordeal:
    """Start, trade for so many seconds under the faults, stop as a live run would, and compare book and venue."""
    from actors.runtime import launch

    os.environ[KEY_ENV], os.environ[SECRET_ENV] = venue.keys
    os.environ[PASSPHRASE_ENV] = venue.passphrase
    begun = monotonic_s()
    view = DemoView(live=not quiet and sys.stdout.isatty(), quiet=quiet)
    view.say(f"simulated {settings.venue.name} at {venue.rest_url}; starting Ray and the actors")
    launched = launch.start(DeploymentSettings.of(settings))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, launched.on_signal)
    quiet_s = min(QUIET_MAX_S, duration_s * QUIET_SHARE)
    struck: tuple[tuple[str, int], ...] = ()
    try:
        launched.launch()
        with view:
            watch = Watch(launched.look, launched.is_stopping, view, launched.file.dashboard_url)
            watch.until_running(begun)
            begin()
            venue.fault(faults)
            traded_s = watch.trading(duration_s - quiet_s, on_look)
            struck = _struck(venue.truth())
            venue.heal()
            traded_s += watch.trading(quiet_s, on_look)
            launched.stop("keep")
            last = launched.until_stopped(lambda seen: view.show(seen, "stopping", launched.file.dashboard_url))
    finally:
        launched.end()
    reckoning = reckon(last, venue.truth(), settings, traded_s, records=journalled(settings))
    return Ordeal(reckoning=reckoning, final=last.get("final", {}), struck=struck)


def _struck(truth: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    return tuple((rule["name"], rule["strikes"]) for rule in truth["faults"]["rules"])
