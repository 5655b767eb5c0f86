"""`make bench`: measures, judges nothing. One table above, one JSON object as the last line."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from actors.journal import Journal
from tests.bench.journal_append import measure

BATCHES = (1, 2, 5, 20)


def main() -> None:
    """Measure what an append to the journal costs: it stands before every order."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal.open(Path(folder) / "bench.sqlite")
        for size in BATCHES:
            p50, p99, largest = measure(journal, size)
            figures[f"journal_append_{size}_us.p50"], figures[f"journal_append_{size}_us.p99"] = p50, p99
            print(f"journal append of {size:>2}: p50 {p50:7.1f} us   p99 {p99:7.1f} us   largest {largest:9.1f} us")
        journal.close()
    figures["ratio.journal_append_20_to_1_p50"] = (
        figures["journal_append_20_us.p50"] / figures["journal_append_1_us.p50"]
    )
    print(json.dumps({name: round(value, 2) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
