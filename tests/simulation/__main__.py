"""Runs schedules: `SEEDS=n` that many from `FIRST` on, `SEED=n` exactly one with its trace. The last line is JSON."""

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
    print(f"seed {schedule.seed}: {len(schedule.faults)} faults, {len(smallest.faults)} are enough:")
    print("\n".join(trace.lines(last_ms=TRACE_MS)))
    print("\n".join(result.violations))
    print(f"replay: make simulate SEED={schedule.seed}", flush=True)


def replay(seed: int) -> int:
    """Run one schedule and print every step."""
    trace = Trace()
    schedule = draw_schedule(seed)
    started = time.perf_counter()
    result = Run(schedule, trace=trace).run()
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
            print(f"seed {result.seed} failed: {result.violations[0]}", flush=True)
    took = time.perf_counter() - started
    for result in [found for found in results if found.violations][:SHRUNK_MAX]:
        explain(draw_schedule(result.seed))
    return summary(results, took)


def summary(results: list[Result], seconds: float) -> int:
    """Print the last line; return the exit code."""
    struck: Counter[str] = Counter()
    for result in results:
        struck.update(result.struck)
    violations = sum(len(result.violations) for result in results)
    print(
        json.dumps(
            {
                "schedules": len(results),
                "steps": sum(result.steps for result in results),
                "faults": dict(sorted(struck.items())),
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
