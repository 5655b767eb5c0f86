"""`make bench`: measures, judges nothing. Tables above, one JSON object as the last line.

ARGS="--only latency,start" runs some sections, or all whose name begins so; ARGS=--full adds those that take minutes.
Each section is a process of its own: one that breaks or hangs is named, the others run, and the end is an error.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tests.bench.figures import Figures

SHORT = ("latency_1", "latency_5", "latency_20", "halt", "throughput", "journal")
LONG = ("packing", "growth")
PATIENCE_S = 240.0
LONG_PATIENCE_S = 900.0
END_S = 60.0


def section(name: str) -> Callable[[Figures], None]:
    """Return what measures a section; only that is imported."""
    if name.startswith("latency_"):
        from tests.bench import latency

        return partial(latency.measure, coins=int(name.removeprefix("latency_")))
    if name in LONG:
        from tests.bench import cost, growth

        return {"packing": cost.by_packing, "growth": growth.measure}[name]
    from tests.bench import halt, journal_append, throughput

    return {"halt": halt.measure, "throughput": throughput.measure, "journal": journal_append.put}[name]


def main() -> None:
    """Run the sections asked for."""
    parser = argparse.ArgumentParser(prog="make bench", description="What the hot path costs on this machine.")
    parser.add_argument("--only", default="", help=f"sections, by comma: {', '.join((*SHORT, *LONG))}")
    parser.add_argument("--full", action="store_true", help=f"with {', '.join(LONG)}")
    parser.add_argument("--into", type=Path, help="be one section, and write its figures into this file")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # what was started is ended first
    names = _chosen(asked.only) if asked.only else [*SHORT, *(LONG if asked.full else ())]
    if not names:
        parser.error(f"no section {asked.only}")
    if asked.into is not None:
        _be(names[0], asked.into)
        return
    figures = Figures()
    figures.put("machine.cores", os.cpu_count() or 0)
    figures.put("machine.load_before", os.getloadavg()[0])
    begun_s = time.monotonic()
    failed = _run_each(names, figures)
    figures.put("machine.load_after", os.getloadavg()[0])
    figures.put("took_s", time.monotonic() - begun_s)
    for name, why in failed.items():
        figures.put(f"failed.{name}", why)
        print(f"\nSECTION {name} FAILED: {why}", flush=True)
    print(json.dumps(figures.document()))
    sys.exit(1 if failed else 0)


def _chosen(asked: str) -> list[str]:
    every = (*SHORT, *LONG)
    wanted = asked.split(",")
    return [name for name in every if any(name == one or name.startswith(f"{one}_") for one in wanted)]


def _be(name: str, into: Path) -> None:
    figures = Figures()
    try:
        section(name)(figures)
    finally:
        into.write_text(json.dumps(figures.document()))


def _run_each(names: Sequence[str], figures: Figures) -> dict[str, str]:
    """Run the sections one after another; return why those that failed did."""
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="gmbench") as folder:
        for name in names:
            into = Path(folder) / f"{name}.json"
            if why := _run(name, into):
                failed[name] = why
            if into.exists():
                figures.take(json.loads(into.read_text()))
    return failed


def _run(name: str, into: Path) -> str:
    command = [sys.executable, "-m", "tests.bench", "--only", name, "--into", str(into)]
    process = subprocess.Popen(command, env=dict(os.environ))
    patience_s = LONG_PATIENCE_S if name in LONG else PATIENCE_S
    try:
        code = process.wait(patience_s)
        return f"it ended with {code}" if code else ""
    except subprocess.TimeoutExpired:
        return f"it was not through after {patience_s:.0f} s"
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Have a section that still runs end what it has started, and itself."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
