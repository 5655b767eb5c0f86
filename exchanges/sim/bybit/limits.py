"""The venue's limits: each address of the interface by itself for an account, all requests for an internet address."""

from __future__ import annotations

from exchanges.sim.bybit.errors import shut_out, too_many_visits
from exchanges.sim.server.windows import BanRule, Interval, Kind, Window

BYBIT_WINDOWS = (
    Window(kind=Kind.ORDERS, interval=Interval.SECOND, number=1, limit=10),
    Window(kind=Kind.WEIGHT, interval=Interval.SECOND, number=5, limit=600),
)
"""For an account without a tier. The orders' window holds for placing and for cancelling, each counted apart."""


class Limits:
    """Counts by window and owner; windows are aligned to the clock."""

    def __init__(self, windows: tuple[Window, ...], ban: BanRule) -> None:
        self._windows = windows
        self._ban = ban
        self._used: dict[tuple[str, str], tuple[int, int]] = {}
        self._banned_until_ms: dict[str, int] = {}

    def charge_address(self, address: str, now_ms: int) -> None:
        """Count a request of an address; one over the limit is shut out for a time."""
        if now_ms < self._banned_until_ms.get(address, 0):
            raise shut_out()
        for window in self._of(Kind.WEIGHT):
            if self._add(window, "", address, 1, now_ms) > window.limit:
                self.ban(address, now_ms + self._ban.first_ms)
                raise shut_out()

    def charge(self, counted: str, account: str, amount: int, now_ms: int) -> dict[str, str]:
        """Count placed or cancelled orders of an account; return what the reply's headers tell. Raises at the limit."""
        for window in self._of(Kind.ORDERS):
            if self._count(window, counted, account, now_ms) + amount > window.limit:
                raise too_many_visits()
            used = self._add(window, counted, account, amount, now_ms)
            return {
                "X-Bapi-Limit": str(window.limit),
                "X-Bapi-Limit-Status": str(window.limit - used),
                "X-Bapi-Limit-Reset-Timestamp": str(now_ms),
            }
        return {}

    def ban(self, address: str, until_ms: int) -> None:
        self._banned_until_ms[address] = until_ms

    def lift(self, address: str) -> None:
        self._banned_until_ms.pop(address, None)

    def _of(self, kind: Kind) -> list[Window]:
        return [window for window in self._windows if window.kind is kind]

    def _count(self, window: Window, counted: str, owner: str, now_ms: int) -> int:
        index, count = self._used.get((counted, owner), (-1, 0))
        return count if index == now_ms // window.length_ms else 0

    def _add(self, window: Window, counted: str, owner: str, amount: int, now_ms: int) -> int:
        used = self._count(window, counted, owner, now_ms) + amount
        self._used[counted, owner] = (now_ms // window.length_ms, used)
        return used
