"""`make soak`: the demo's deployment for a long time under faults that never end; what it uses has to stay flat."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from actors.clock import monotonic_s
from actors.exit_codes import ExitCode
from actors.settings.account import Settings
from actors.trials.demo_market import CONFIG, LEAD_S
from actors.trials.drill_faults import continuous_faults
from actors.trials.drill_settings import DEFAULT, drill_settings
from actors.trials.ordeal import Ordeal, undergo
from actors.trials.sim_process import SimProcess
from actors.trials.soak_samples import Sample, Verdict, judge

SAMPLES = 60
SAMPLE_S_MIN, SAMPLE_S_MAX = 2.0, 30.0
AFTER_S = 60.0
ERRORS_MAX = 100_000
ACTOR_MARK = "ray::"
"""How Ray names the processes of actors."""


class Sampler:
    """Looks at this deployment's processes and files, now and then."""

    def __init__(self, settings: Settings, every_s: float) -> None:
        self._journal = settings.journal_path
        self._every_s = every_s
        self._begun_s = monotonic_s()
        self._next_s = self._begun_s
        self.samples: list[Sample] = []

    def __call__(self, seen: dict[str, Any]) -> None:
        """Take a sample where one is due."""
        now_s = monotonic_s()
        if now_s < self._next_s:
            return
        self._next_s = now_s + self._every_s
        gateway, risk = seen.get("gateway", {}), seen.get("risk", {})
        memory, handles, actors = _processes()
        self.samples.append(
            Sample(
                at_s=round(now_s - self._begun_s, 1),
                memory=memory,
                handles=handles,
                actors=actors,
                depth=max(gateway.get("depth", 0), risk.get("inner_queue", 0)),
                journal=sum(path.stat().st_size for path in self._journal.parent.glob(f"{self._journal.name}*")),
                orders=gateway.get("counts", {}).get("orders_sent", 0),
            )
        )


def run(minutes: float, *, seed: int, as_json: bool) -> int:
    """Soak for so many minutes. Returns 0 where every invariant held and everything stayed flat, else 1."""
    duration_s = minutes * 60
    with tempfile.TemporaryDirectory(prefix="gridmesh-soak-") as folder:
        os.environ["GRIDMESH_HOME"] = folder
        whole_s = LEAD_S + duration_s + AFTER_S
        market = ["--seed", str(seed), "--lead", str(LEAD_S), "--duration", str(whole_s), "--deposit", "100000"]
        venue = SimProcess(market, Path(folder) / "venue.log")
        try:
            settings = _unmoved(drill_settings(CONFIG, venue.rest_url, venue.ws_url))
            every_s = min(max(duration_s / SAMPLES, SAMPLE_S_MIN), SAMPLE_S_MAX)
            sampler = Sampler(settings, every_s)
            ordeal = undergo(
                settings,
                venue,
                continuous_faults(),
                duration_s,
                quiet=as_json,
                begin=lambda: venue.skip_to(LEAD_S),
                on_look=sampler,
            )
        finally:
            venue.stop()
    verdicts = judge(sampler.samples)
    _print(ordeal, sampler.samples, verdicts, as_json=as_json)
    is_sound = not ordeal.reckoning.violations and all(verdict.is_flat for verdict in verdicts)
    return ExitCode.OK if is_sound else ExitCode.ERROR


def _unmoved(settings: Settings) -> Settings:
    """Return the settings with a supervisor that faults alone do not halt: a soak that stands still shows nothing."""
    return settings.model_copy(update={"risk": settings.risk.model_copy(update={"errors_max": ERRORS_MAX})})


def _processes() -> tuple[int, int, int]:
    """Return memory, open files and number of the actors that this process started."""
    memory = handles = actors = 0
    for process in psutil.Process().children(recursive=True):
        try:
            if not " ".join(process.cmdline()).startswith(ACTOR_MARK):
                continue
            memory += process.memory_info().rss
            handles += process.num_fds()
            actors += 1
        except psutil.Error:
            continue  # it ended between being listed and being looked at
    return memory, handles, actors


def _print(ordeal: Ordeal, samples: Sequence[Sample], verdicts: Sequence[Verdict], *, as_json: bool) -> None:
    from actors.commands.output import emit, table
    from actors.trials.drill import document, tables

    columns = ("", "measure", "second quarter", "last quarter", "highest", "allowed")
    rows = [
        ["flat" if one.is_flat else "GROWS", one.name, one.early, one.late, one.highest, round(one.allowed, 1)]
        for one in verdicts
    ]
    told = {
        **document(ordeal, DEFAULT),
        "flat": {one.name: one.is_flat for one in verdicts},
        "samples": [
            [one.at_s, one.memory, one.handles, one.actors, one.depth, one.journal, one.orders] for one in samples
        ],
    }
    emit(told, as_json=as_json, render=lambda: [*tables(ordeal, DEFAULT, []), table("use", columns, rows, columns[2:])])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a program."""
    parser = argparse.ArgumentParser(prog="actors.trials.soak", description="The demo for long, under faults.")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    return run(given.minutes, seed=given.seed, as_json=given.json)


if __name__ == "__main__":
    sys.exit(main())
