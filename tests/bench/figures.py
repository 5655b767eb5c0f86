"""Figures by name: percentiles, a table for people and one nested JSON object for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

PERCENTILES = {"p50": 0.5, "p99": 0.99, "p99_9": 0.999}


class Figures:
    """Numbers under dotted names. A list of spans becomes its percentiles, its largest and its count."""

    def __init__(self) -> None:
        self._found: dict[str, Any] = {}

    def put(self, name: str, value: float | str) -> None:
        """Keep one number."""
        at = self._found
        *path, last = name.split(".")
        for part in path:
            at = at.setdefault(part, {})
        at[last] = round(value, 4) if isinstance(value, float) else value

    def put_spans_ms(self, name: str, spans_ns: Iterable[int]) -> None:
        """Keep the percentiles of spans given in nanoseconds; nothing where there are none."""
        values = sorted(span / 1e6 for span in spans_ns)
        if not values:
            return
        for label, share in PERCENTILES.items():
            self.put(f"{name}.{label}", percentile(values, share))
        self.put(f"{name}.max", values[-1])
        self.put(f"{name}.count", len(values))

    def get(self, name: str) -> float | None:
        """Return a number, None where it was not measured."""
        at: Any = self._found
        for part in name.split("."):
            at = at.get(part) if isinstance(at, dict) else None
        return at if isinstance(at, int | float) else None

    def take(self, document: Mapping[str, Any], path: str = "") -> None:
        """Keep what another process has measured."""
        for name, value in document.items():
            if isinstance(value, Mapping):
                self.take(value, f"{path}{name}.")
            else:
                self.put(f"{path}{name}", value)

    def document(self) -> dict[str, Any]:
        """Return all of them."""
        return self._found


def percentile(values: Sequence[float], share: float) -> float:
    """Return a percentile of sorted values, by the nearest rank."""
    return values[min(len(values) - 1, int(len(values) * share))]


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table of text; the first column is to the left, numbers are to the right."""
    cells = [list(columns), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    lines = [
        "  ".join(text.ljust(width) if index == 0 else text.rjust(width) for index, (text, width) in enumerate(both))
        for both in (list(zip(row, widths, strict=True)) for row in cells)
    ]
    return "\n".join(["", title, lines[0], "-" * len(lines[0]), *lines[1:]])


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3f}"
    return "-" if value is None else str(value)
