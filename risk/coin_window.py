"""One coin's candles: a fixed window of closed ones with exact sums, and the running one beside it."""

from __future__ import annotations

from bisect import bisect_left
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
        end = bisect_left(self._closed, candle.open_ms, key=_opened)
        start = end - self._length
        if start < 0 or self._closed[start].open_ms != candle.open_ms - self._length * self._interval_ms:
            return None
        volume, close = self._volume_sum, self._close_sum
        for outside in (*self._closed[:start], *self._closed[end:]):
            volume = EXACT.subtract(volume, outside.volume)
            close = EXACT.subtract(close, outside.close)
        return volume, close

    def _add_closed(self, candle: Candle) -> None:
        place = bisect_left(self._closed, candle.open_ms, key=_opened)
        if place < len(self._closed) and self._closed[place].open_ms == candle.open_ms:
            self._forget(place)
        self._closed.insert(place, candle)
        self._volume_sum = EXACT.add(self._volume_sum, candle.volume)
        self._close_sum = EXACT.add(self._close_sum, candle.close)
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
        gone = self._closed.pop(place)
        self._volume_sum = EXACT.subtract(self._volume_sum, gone.volume)
        self._close_sum = EXACT.subtract(self._close_sum, gone.close)

    def _is_sound(self, candle: Candle) -> bool:
        return (
            candle.open_ms >= 0
            and candle.open_ms % self._interval_ms == 0
            and _is_bounded(candle.volume)
            and _is_bounded(candle.close)
            and candle.volume >= 0
            and candle.close > 0
        )


def _opened(candle: Candle) -> int:
    return candle.open_ms


def _is_bounded(value: Decimal) -> bool:
    if not value.is_finite():
        return False
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -_MAGNITUDE_MAX and value.adjusted() <= _MAGNITUDE_MAX
