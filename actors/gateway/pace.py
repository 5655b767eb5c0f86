"""The readings of a start, no faster than the venue takes them: its windows are known once its rules are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from actors.clock import Clock
from exchanges.cost import Cost
from exchanges.lane import Lane
from exchanges.port import RateWindow
from exchanges.throttle import Throttle, ThrottleRule

MS_NS, SECOND_NS = 1_000_000, 1_000_000_000


class Pace:
    """Stands in for the account's limiter, which is made of what the start reads."""

    def __init__(self, windows: Sequence[RateWindow], clock: Clock) -> None:
        self._throttle = Throttle(windows, ThrottleRule())
        self._clock = clock

    async def pay(self, cost: Cost) -> None:
        """Return once so much may be spent; it is counted."""
        while not self._throttle.take(Lane.READ, cost, now_ns := self._clock.monotonic_ns()):
            ready_ns = self._throttle.ready_at(Lane.READ, cost, now_ns)
            await asyncio.sleep(max(ready_ns - now_ns, MS_NS) / SECOND_NS)
