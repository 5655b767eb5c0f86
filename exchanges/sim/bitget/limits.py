"""The venue's limits: each kind of call by itself for an account, all requests for an internet address."""

from __future__ import annotations

from exchanges.sim.bitget.errors import too_many_requests
from exchanges.sim.server.windows import Interval, Kind, Window

BITGET_WINDOWS = (
    Window(kind=Kind.ORDERS, interval=Interval.SECOND, number=1, limit=10),
    Window(kind=Kind.WEIGHT, interval=Interval.MINUTE, number=1, limit=6000),
)
"""The orders' window holds for each address of the private interface, counted apart."""


class Limits:
    """Counts by window and owner; windows are aligned to the clock."""

    def __init__(self, windows: tuple[Window, ...]) -> None:
        self._windows = windows
        self._used: dict[tuple[Window, str], tuple[int, int]] = {}
        self._banned_until_ms: dict[str, int] = {}

    def charge_address(self, address: str, now_ms: int) -> None:
        """Count a request of an internet address."""
        if now_ms < self._banned_until_ms.get(address, 0):
            raise too_many_requests()
        self._charge(Kind.WEIGHT, address, now_ms)

    def charge(self, counted: str, account: str, now_ms: int) -> None:
        """Count a call of an account."""
        self._charge(Kind.ORDERS, f"{counted}/{account}", now_ms)

    def ban(self, address: str, until_ms: int) -> None:
        self._banned_until_ms[address] = until_ms

    def lift(self, address: str) -> None:
        self._banned_until_ms.pop(address, None)

    def _charge(self, kind: Kind, owner: str, now_ms: int) -> None:
        for window in self._windows:
            if window.kind is not kind:
                continue
            present = now_ms // window.length_ms
            index, count = self._used.get((window, owner), (-1, 0))
            used = count + 1 if index == present else 1
            if used > window.limit:
                raise too_many_requests()
            self._used[window, owner] = (present, used)
