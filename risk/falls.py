"""Falls of an index of coins, found by definition: the yardstick that halts are measured with.

The index is the geometric mean of the watched coins' closes, each relative to its first, so that no coin weighs
more for its price. Ratios of it are statistics, not money: twelve digits are kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
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
    """5 % or more within 60 minutes: from its start to its lowest point within 60 minutes of that.

    Falls whose minutes of being 5 % under the last hour's highest lie less than 60 minutes apart are one.
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
    highest: deque[int] = deque()  # places of falling levels: the first is the highest of the last hour
    deep_ms: int | None = None
    for place, point in enumerate(index):
        while highest and index[highest[-1]].level < point.level:
            highest.pop()
        highest.append(place)
        while index[highest[0]].at_ms < point.at_ms - HOUR_MS:
            highest.popleft()
        if point.level > index[highest[0]].level * (1 - FALL):
            continue
        if deep_ms is None or point.at_ms - deep_ms >= HOUR_MS:
            falls.append(_fall_from(index, highest[0]))
        deep_ms = point.at_ms
    return falls


def lowest_within(index: Sequence[Point], place: int, span_ms: int) -> int:
    """Return the place of the lowest point from `place` on to `span_ms` after it; the first of equals."""
    lowest = place
    for later in range(place, len(index)):
        if index[later].at_ms > index[place].at_ms + span_ms:
            break
        if index[later].level < index[lowest].level:
            lowest = later
    return lowest


def _fall_from(index: Sequence[Point], start: int) -> Fall:
    bottom = lowest_within(index, start, HOUR_MS)
    middle = (index[start].level + index[bottom].level) / 2
    half = next(place for place in range(start, bottom + 1) if index[place].level <= middle)
    return Fall(
        start_ms=index[start].at_ms,
        half_ms=index[half].at_ms,
        bottom_ms=index[bottom].at_ms,
        depth=1 - index[bottom].level / index[start].level,
    )
