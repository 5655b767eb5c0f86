"""Falls of an index of coins, found by definition: the yardstick that halts are measured with.

The index is the geometric mean of the watched coins' closes, each relative to its first, so that no coin weighs
more for its price. Ratios of it are statistics, not money: twelve digits are kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
FALL = Decimal("0.05")
_ROUNDED = Context(prec=12)


@dataclass(frozen=True, slots=True)
class Point:
    """The index at the end of one candle."""

    at_ms: int
    level: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """5 % or more within 60 minutes: from its start to the lowest point within 60 minutes of that.

    The deepest of a tape is one; then the deepest that lies 60 minutes or more from every fall already found, and so
    on. So a crash is never hidden in a lesser fall that ran into it. Of equally deep ones the latest start counts.
    """

    start_ms: int
    half_ms: int
    """The first candle at whose close half of the way down is done."""
    bottom_ms: int
    depth: Decimal
    """Fraction lost from start to bottom."""


def index_level(closes: Mapping[str, Decimal], firsts: Mapping[str, Decimal]) -> Decimal:
    """Return the geometric mean of closes relative to each coin's first."""
    product = Decimal(1)
    for symbol, close in closes.items():
        product = _ROUNDED.multiply(product, _ROUNDED.divide(close, firsts[symbol]))
    return _ROUNDED.power(product, _ROUNDED.divide(Decimal(1), Decimal(len(closes))))


def find_falls(index: Sequence[Point]) -> list[Fall]:
    """Return the falls of an index in time order."""
    falls: list[Fall] = []
    for _, start, bottom in sorted(_drops(index), key=lambda drop: (drop[0], -drop[1])):
        start_ms, bottom_ms = index[start].at_ms, index[bottom].at_ms
        if all(start_ms >= f.bottom_ms + HOUR_MS or bottom_ms <= f.start_ms - HOUR_MS for f in falls):
            falls.append(_fall(index, start, bottom))
    return sorted(falls, key=lambda fall: fall.start_ms)


def lowest_within(index: Sequence[Point], place: int, span_ms: int) -> int:
    """Return the place of the lowest point from `place` on to `span_ms` after it; the first of equals."""
    lowest = place
    for later in range(place, len(index)):
        if index[later].at_ms > index[place].at_ms + span_ms:
            break
        if index[later].level < index[lowest].level:
            lowest = later
    return lowest


def _drops(index: Sequence[Point]) -> Iterator[tuple[Decimal, int, int]]:
    """Yield (what is left, start, bottom) for each place from which the index loses 5 % within 60 minutes."""
    lowest: deque[int] = deque()  # places whose levels rise from the left: the leftmost is the hour's lowest
    for start in range(len(index) - 1, -1, -1):
        point = index[start]
        while lowest and index[lowest[-1]].level >= point.level:
            lowest.pop()
        lowest.append(start)
        while index[lowest[0]].at_ms > point.at_ms + HOUR_MS:
            lowest.popleft()
        left = index[lowest[0]].level / point.level
        if left <= 1 - FALL:
            yield left, start, lowest[0]


def _fall(index: Sequence[Point], start: int, bottom: int) -> Fall:
    middle = (index[start].level + index[bottom].level) / 2
    half = next(place for place in range(start, bottom + 1) if index[place].level <= middle)
    return Fall(
        start_ms=index[start].at_ms,
        half_ms=index[half].at_ms,
        bottom_ms=index[bottom].at_ms,
        depth=1 - index[bottom].level / index[start].level,
    )
