"""When a topic's candles are pushed: the one that closed, as it ended, then the running one where it has changed."""

from __future__ import annotations

from exchanges.sim.server.core import VenueCore
from exchanges.sim.views import Kline

CLOSED_MAX = 1440


class CandleFeed:
    """Remembers, by topic, the candle that was pushed last."""

    def __init__(self, venue: VenueCore, *, every_ms: int) -> None:
        self._venue = venue
        self._every_ms = every_ms
        self._last: dict[str, Kline] = {}
        self._told_ms: dict[str, int] = {}

    def due(self, topic: str, symbol: str, interval: str, now_ms: int) -> list[Kline]:
        """Return what a topic pushes now; a fault may withhold it."""
        read = self._venue.engine.read
        running, before = read.kline(symbol, interval, now_ms), self._last.get(topic)
        rows: list[Kline] = []
        has_closed = before is not None and now_ms > before.close_ms
        if before is not None and has_closed:
            found = read.klines(symbol, interval, now_ms, start_ms=before.open_ms, limit=CLOSED_MAX)
            rows = [row for row in found if row.close_ms < now_ms]
        if running is None:
            self._last.pop(topic, None)
        elif has_closed or (running != before and now_ms - self._told_ms.get(topic, 0) >= self._every_ms):
            self._told_ms[topic] = now_ms
            self._last[topic] = running
            rows.append(running)
        return [] if rows and self._venue.candles_are_missing(symbol) else rows
