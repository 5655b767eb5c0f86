"""`make bench`: measures, judges nothing. Tables above, one JSON object as the last line.

ARGS="--only latency,start" runs some sections; ARGS=--full adds those that take minutes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable

from tests.bench import cost, halt, journal_append, latency, throughput
from tests.bench.figures import Figures

SECTIONS: dict[str, Callable[[Figures], None]] = {
    "latency": latency.measure,
    "halt": halt.measure,
    "throughput": throughput.measure,
    "journal": journal_append.put,
}
LONG: dict[str, Callable[[Figures], None]] = {"packing": cost.by_packing, "growth": cost.by_symbols}


def main() -> None:
    """Run the sections asked for."""
    parser = argparse.ArgumentParser(prog="make bench", description="What the hot path costs on this machine.")
    parser.add_argument("--only", default="", help=f"sections, by comma: {', '.join({**SECTIONS, **LONG})}")
    parser.add_argument("--full", action="store_true", help=f"with {', '.join(LONG)}")
    asked = parser.parse_args()
    known = {**SECTIONS, **LONG}
    names = asked.only.split(",") if asked.only else list(known if asked.full else SECTIONS)
    figures = Figures()
    for name in names:
        if name not in known:
            parser.error(f"no section {name}")
        known[name](figures)
    print(json.dumps(figures.document()))


if __name__ == "__main__":
    main()
