"""The venue's limits: each kind of call by itself for an account, all requests for an internet address."""

from __future__ import annotations

from exchanges.sim.bitget.errors import too_many_requests
from exchanges.sim.server.quota import OverQuota, Quota
from exchanges.sim.server.windows import Interval, Kind, Window

BITGET_WINDOWS = (
    Window(kind=Kind.ORDERS, interval=Interval.SECOND, number=1, limit=10),
    Window(kind=Kind.WEIGHT, interval=Interval.MINUTE, number=1, limit=6000),
)
"""The orders' window holds for each address of the private interface, counted apart."""


class Limits:
    """Counts by window and owner, and refuses in the venue's words."""

    def __init__(self, windows: tuple[Window, ...]) -> None:
        self._quota = Quota(windows)

    def charge_address(self, address: str, now_ms: int) -> None:
        """Count a request of an internet address."""
        try:
            self._quota.check_ban(address, now_ms)
            self._quota.charge(Kind.WEIGHT, address, now_ms)
        except OverQuota:
            raise too_many_requests() from None

    def charge(self, counted: str, account: str, now_ms: int) -> None:
        """Count a call of an account."""
        try:
            self._quota.charge(Kind.ORDERS, f"{counted}/{account}", now_ms)
        except OverQuota:
            raise too_many_requests() from None

    def ban(self, address: str, until_ms: int) -> None:
        self._quota.ban(address, until_ms)

    def lift(self, address: str) -> None:
        self._quota.lift(address)
