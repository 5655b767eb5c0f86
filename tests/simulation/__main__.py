"""Runs schedules: `SEEDS=n` that many from `FIRST` on, `SEED=n` exactly one with its trace. The last line is JSON.

Progress goes to the error stream; what failed, with its shrunk trace, and the last line go to the output.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing import Pool

from tests.simulation.run import Result, Run
from tests.simulation.schedule import Schedule, draw_schedule
from tests.simulation.shrink import shrink
from tests.simulation.trace import Trace

SEEDS = 2_000
PROCESSES = 2
CHUNK = 10
SHRUNK_MAX = 3
TRACE_MS = 6_000
PROGRESS = 100


def run_seed(seed: int) -> Result:
    """Run the schedule of a seed."""
    return run_schedule(draw_schedule(seed))


def run_schedule(schedule: Schedule) -> Result:
    """Run a schedule."""
    return Run(schedule).run()


def explain(schedule: Schedule) -> None:
    """Print a failing schedule as short as it can be made, with its last steps."""
    smallest = shrink(schedule, run_schedule)
    trace = Trace()
    result = Run(smallest, trace=trace).run()
    print(
        f"seed {schedule.seed}: {len(schedule.faults)} faults, {len(smallest.faults)} are enough ({_like(smallest)}):"
    )
    print("\n".join(trace.lines(last_ms=TRACE_MS)))
    print("\n".join(result.violations))
    print(f"replay: make simulate SEED={schedule.seed}", flush=True)


def replay(seed: int) -> int:
    """Run one schedule and print every step."""
    trace = Trace()
    schedule = draw_schedule(seed)
    started = time.perf_counter()
    result = Run(schedule, trace=trace).run()
    print(f"seed {seed}: {_like(schedule)}; faults: {', '.join(map(str, schedule.faults)) or 'none'}")
    print("\n".join(text for _, text in trace.rows))
    print("\n".join(result.violations))
    if result.violations:
        explain(schedule)
    return summary([result], time.perf_counter() - started)


def run_many(seeds: range) -> int:
    """Run many schedules; explain the first that fail."""
    started = time.perf_counter()
    results, failed = [], 0
    for result in _results(seeds):
        results.append(result)
        if result.violations:
            failed += 1
            print(f"seed {result.seed} failed: {result.violations[0]}", file=sys.stderr, flush=True)
        if len(results) % PROGRESS == 0:
            took = time.perf_counter() - started
            print(
                f"{len(results)} of {len(seeds)} schedules, {failed} failed, {took:.0f} s", file=sys.stderr, flush=True
            )
    took = time.perf_counter() - started
    for result in [found for found in results if found.violations][:SHRUNK_MAX]:
        explain(draw_schedule(result.seed))
    return summary(results, took)


def _like(schedule: Schedule) -> str:
    """Return what the deployment is like."""
    grids = [
        f"{g.side.value} {g.symbol} interval {g.interval} window {g.policy.buy_window}" for g in schedule.settings.grids
    ]
    return ", ".join([*grids, *sorted(trait.value for trait in schedule.traits)])


def summary(results: list[Result], seconds: float) -> int:
    """Print the last line; return the exit code."""
    struck, traits = Counter[str](), Counter[str]()
    for result in results:
        struck.update(result.struck)
        traits.update(result.traits)
    violations = sum(len(result.violations) for result in results)
    print(
        json.dumps(
            {
                "schedules": len(results),
                "steps": sum(result.steps for result in results),
                "steps_least": min((result.steps for result in results), default=0),
                "faults": dict(sorted(struck.items())),
                "traits": dict(sorted(traits.items())),
                "violations": violations,
                "seconds": round(seconds, 1),
            }
        )
    )
    return 1 if violations else 0


def _results(seeds: range) -> Iterator[Result]:
    with Pool(PROCESSES) as pool:
        yield from pool.imap_unordered(run_seed, seeds, chunksize=CHUNK)


def main() -> int:
    """Read what is asked for from the environment."""
    seed = os.environ.get("SEED")
    if seed:
        return replay(int(seed))
    first = int(os.environ.get("FIRST") or 0)
    return run_many(range(first, first + int(os.environ.get("SEEDS") or SEEDS)))


if __name__ == "__main__":
    sys.exit(main())
