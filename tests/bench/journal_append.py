"""Measures what one append to the journal costs: p50, p99 and the largest, in microseconds, by batch size."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from actors.journal.writer import Entry, Journal
from tests.bench.figures import Figures, table

ROUNDS = 2000
BATCHES = (1, 2, 5, 20)


def measure(journal: Journal, batch_size: int) -> tuple[float, float, float]:
    """Return p50, p99 and the largest time of an append of so many records, in microseconds."""
    batch: list[Entry] = [
        (
            1_760_000_000_000 + index,
            "fill",
            "ETHUSDT",
            {"client_id": "g" * 25, "price": 300_000, "quantity": 10, "fee": "0.006"},
        )
        for index in range(batch_size)
    ]
    taken: list[float] = []
    for _ in range(ROUNDS):
        begun = time.perf_counter_ns()
        journal.append(batch)
        taken.append((time.perf_counter_ns() - begun) / 1000)
    taken.sort()
    return taken[len(taken) // 2], taken[int(len(taken) * 0.99)], taken[-1]


def put(figures: Figures) -> None:
    """Measure what an append to the journal costs: it stands before every order."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal.open(Path(folder) / "bench.sqlite")
        for size in BATCHES:
            p50, p99, largest = measure(journal, size)
            figures.put(f"journal_append_{size}_us.p50", p50)
            figures.put(f"journal_append_{size}_us.p99", p99)
            rows.append((f"{size} records", p50, p99, largest))
        journal.close()
    first, last = (figures.get(f"journal_append_{size}_us.p50") or 0.0 for size in (BATCHES[0], BATCHES[-1]))
    figures.put("ratio.journal_append_20_to_1_p50", last / first)
    print(table("One append to the journal, us", ("", "p50", "p99", "largest"), rows), flush=True)
