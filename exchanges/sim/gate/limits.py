"""The venue's limits: new orders, cancels, and each thing that can be read, for an account or an address."""

from __future__ import annotations

from exchanges.sim.gate.call import Counted
from exchanges.sim.gate.errors import too_many
from exchanges.sim.server.windows import Interval, Kind, Window

GATE_WINDOWS = (
    Window(kind=Kind.ORDERS, interval=Interval.SECOND, number=1, limit=100),
    Window(kind=Kind.WEIGHT, interval=Interval.SECOND, number=10, limit=200),
)
"""Orders, of which twice as many may be cancelled; and readings of one thing."""

RESET = "X-Gate-RateLimit-Reset-Timestamp"
"""When a limit that was met ends, in seconds; without one it is the present."""


class Limits:
    """Counts by what is counted and by owner; windows are aligned to the clock."""

    def __init__(self, windows: tuple[Window, ...]) -> None:
        self._orders = next((window for window in windows if window.kind is Kind.ORDERS), None)
        self._reads = next((window for window in windows if window.kind is Kind.WEIGHT), None)
        self._used: dict[tuple[str, str], tuple[int, int]] = {}
        self._banned_until_ms: dict[str, int] = {}

    def check_ban(self, address: str, now_ms: int) -> None:
        left_ms = self._banned_until_ms.get(address, 0) - now_ms
        if left_ms > 0:
            raise too_many(left_ms)

    def charge(self, counted: Counted, what: str, owner: str, amount: int, now_ms: int) -> dict[str, str]:
        """Count requests of an owner; return what the reply's headers tell. Raises at the limit and counts nothing."""
        window = self._reads if counted is Counted.READS else self._orders
        if window is None:
            return {}
        limit = window.limit * 2 if counted is Counted.CANCELS else window.limit
        index, key = now_ms // window.length_ms, (what if counted is Counted.READS else counted.value, owner)
        before, used = self._used.get(key, (index, 0))
        used = amount + (used if before == index else 0)
        if used > limit:
            raise too_many((index + 1) * window.length_ms - now_ms)
        self._used[key] = (index, used)
        return {
            "X-Gate-RateLimit-Limit": str(limit),
            "X-Gate-RateLimit-Requests-Remain": str(limit - used),
            RESET: str(now_ms // 1000),
        }

    def ban(self, address: str, until_ms: int) -> None:
        self._banned_until_ms[address] = until_ms

    def lift(self, address: str) -> None:
        self._banned_until_ms.pop(address, None)
