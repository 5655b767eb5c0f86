"""One coin's candles: the closed ones with exact running sums, and the unfinished one beside them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from decimal import Context, Decimal, Inexact, InvalidOperation

from risk.candle import Candle

# Sums and products stay exact: every value is bounded by `_is_sound`, so none here can need more digits, and one that
# did would raise rather than drift.
EXACT = Context(prec=120, traps=[Inexact, InvalidOperation])
_MAGNITUDE_MAX = 25
_ZERO = Decimal(0)


class CoinWindow:
    """The last `length` + 1 closed candles of a coin by opening time, and the unfinished one after them.

    One more than the baseline is kept because the newest closed candle is itself judged against those before it.
    Candles may come late, doubled or out of order; a closed one that comes again replaces what stood there.
    """

    def __init__(self, *, length: int, interval_ms: int) -> None:
        self._length = length
        self._interval_ms = interval_ms
        self._closed: list[Candle] = []
        self._volume_sum = _ZERO
        self._close_sum = _ZERO
        self._move_sum = _ZERO
        self._move_count = 0
        self._running: Candle | None = None

    @property
    def running(self) -> Candle | None:
        """Return the unfinished candle, where one newer than every closed candle is known."""
        return self._running

    @property
    def latest_closed(self) -> Candle | None:
        """Return the newest closed candle."""
        return self._closed[-1] if self._closed else None

    @property
    def current(self) -> Candle | None:
        """Return the candle that tells the present: the unfinished one, else the newest closed."""
        return self._running or self.latest_closed

    def add(self, candle: Candle) -> bool:
        """Take one candle; returns whether it was usable (a malformed one is not, and changes nothing)."""
        if not self._is_sound(candle):
            return False
        if candle.is_closed:
            self._add_closed(candle)
        else:
            self._add_running(candle)
        return True

    def baseline_before(self, candle: Candle) -> tuple[Decimal, Decimal] | None:
        """Return (volume sum, close sum) over the `length` closed candles directly before this one.

        None where one of them is missing: a mean over a gap is no mean of what came before.
        """
        end = self._place_of(candle)
        if not self._is_gapless(end, self._length, candle):
            return None
        volume, close = self._volume_sum, self._close_sum
        for outside in (*self._closed[: end - self._length], *self._closed[end:]):
            volume = EXACT.subtract(volume, outside.volume)
            close = EXACT.subtract(close, outside.close)
        return volume, close

    def directly_before(self, candle: Candle, count: int) -> Sequence[Candle] | None:
        """Return the `count` closed candles directly before this one, or None where one of them is missing."""
        known = self.known_before(candle, count)
        return known if len(known) == count else None

    def known_before(self, candle: Candle, count: int) -> Sequence[Candle]:
        """Return those that are known of the `count` closed candles directly before this one, oldest first."""
        end = self._place_of(candle)
        first_ms = candle.open_ms - count * self._interval_ms
        return self._closed[bisect_left(self._closed, first_ms, max(0, end - count), end, key=_opened) : end]

    def moves_before(self, candle: Candle) -> tuple[Decimal, int]:
        """Return (sum, count) of the moves from close to close among the `length` closed candles before this one.

        Those that are not known are left out, and a gap is no move.
        """
        end = self._place_of(candle)
        total, count = self._move_sum, self._move_count
        for outside in (*range(1, end - self._length + 1), *range(end, len(self._closed))):
            if (move := self._move_to(outside)) is not None:
                total, count = EXACT.subtract(total, move), count - 1
        return total, count

    def _add_closed(self, candle: Candle) -> None:
        place = self._place_of(candle)
        if place < len(self._closed) and self._closed[place].open_ms == candle.open_ms:
            self._forget(place)
        self._closed.insert(place, candle)
        self._count(place, EXACT.add, 1)
        if len(self._closed) > self._length + 1:
            self._forget(0)  # this one itself, where it is older than all that is kept
        if self._running is not None and self._running.open_ms <= self._closed[-1].open_ms:
            self._running = None

    def _add_running(self, candle: Candle) -> None:
        newest = self._running or self.latest_closed
        if newest is None or candle.open_ms > newest.open_ms:
            self._running = candle
        elif newest is self._running and candle.open_ms == newest.open_ms and candle.volume >= newest.volume:
            # Within one candle volume only grows, so a smaller one is an older message that came late.
            self._running = candle

    def _forget(self, place: int) -> None:
        self._count(place, EXACT.subtract, -1)
        self._closed.pop(place)

    def _count(self, place: int, apply: Callable[[Decimal, Decimal], Decimal], sign: int) -> None:
        """Put the candle of this place into the sums, or take it out, with the moves to it and from it."""
        self._volume_sum = apply(self._volume_sum, self._closed[place].volume)
        self._close_sum = apply(self._close_sum, self._closed[place].close)
        for later in (place, place + 1):
            if (move := self._move_to(later)) is not None:
                self._move_sum = apply(self._move_sum, move)
                self._move_count += sign

    def _move_to(self, place: int) -> Decimal | None:
        if not 0 < place < len(self._closed):
            return None
        before, after = self._closed[place - 1], self._closed[place]
        if after.open_ms - before.open_ms != self._interval_ms:
            return None
        return abs(EXACT.subtract(after.close, before.close))

    def _place_of(self, candle: Candle) -> int:
        newest_ms = self._closed[-1].open_ms if self._closed else -1
        if candle.open_ms >= newest_ms:  # nearly always: the present one is the newest closed or after it
            return len(self._closed) - (candle.open_ms == newest_ms)
        return bisect_left(self._closed, candle.open_ms, key=_opened)

    def _is_gapless(self, end: int, count: int, candle: Candle) -> bool:
        start = end - count
        return start >= 0 and self._closed[start].open_ms == candle.open_ms - count * self._interval_ms

    def _is_sound(self, candle: Candle) -> bool:
        return (
            candle.open_ms >= 0
            and candle.open_ms % self._interval_ms == 0
            and _is_bounded(candle.volume)
            and _is_bounded(candle.close)
            and _is_bounded(candle.low)
            and candle.volume >= 0
            and 0 < candle.low <= candle.close
        )


def _opened(candle: Candle) -> int:
    return candle.open_ms


def _is_bounded(value: Decimal) -> bool:
    if not value.is_finite():
        return False
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -_MAGNITUDE_MAX and value.adjusted() <= _MAGNITUDE_MAX
