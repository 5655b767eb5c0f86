"""Measures what one append to the journal costs: p50, p99 and the largest, in microseconds, by batch size."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from actors.journal import Entry, Journal

ROUNDS = 3000


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


def main() -> None:
    """Print one line for each batch size."""
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal.open(Path(folder) / "bench.sqlite")
        for batch_size in (1, 2, 5, 20):
            p50, p99, largest = measure(journal, batch_size)
            print(
                f"journal append of {batch_size:>2}: p50 {p50:6.1f} us   p99 {p99:6.1f} us   largest {largest:8.1f} us"
            )
        begun = time.perf_counter_ns()
        count = sum(1 for _ in journal.replay())
        print(f"journal replay of {count}: {(time.perf_counter_ns() - begun) / 1e6:.0f} ms")
        journal.close()


if __name__ == "__main__":
    main()
