"""The venue's request limits: weight by address, orders by account, and the ban for those who don't listen.

Windows are fixed and aligned to the clock, as the venue's are. A request over the limit is refused with 429; who
goes on in the same window is banned (418) for a time that doubles with each ban.
"""

from __future__ import annotations

from dataclasses import dataclass

from exchanges.sim.binance.errors import ApiError
from exchanges.sim.server.windows import BanRule, Interval, Kind, Window

BINANCE_WINDOWS = (
    Window(kind=Kind.WEIGHT, interval=Interval.MINUTE, number=1, limit=2400),
    Window(kind=Kind.ORDERS, interval=Interval.MINUTE, number=1, limit=1200),
    Window(kind=Kind.ORDERS, interval=Interval.SECOND, number=10, limit=300),
)


@dataclass(slots=True)
class _Address:
    banned_until_ms: int = 0
    bans: int = 0
    strikes: int = 0
    strikes_window: int = -1


class RateLimits:
    """Counts by (window, owner); the owner is an address for weight and an account for orders."""

    def __init__(self, windows: tuple[Window, ...] = BINANCE_WINDOWS, ban: BanRule | None = None) -> None:
        self.windows = windows
        self._ban = ban or BanRule()
        self._used: dict[tuple[Window, str], tuple[int, int]] = {}
        self._addresses: dict[str, _Address] = {}

    def used(self, window: Window, owner: str, now_ms: int) -> int:
        index, count = self._used.get((window, owner), (-1, 0))
        return count if index == now_ms // window.length_ms else 0

    def charge_weight(self, address: str, weight: int, now_ms: int) -> None:
        """Count `weight` for the address. Raises 418 while it is banned, 429 where the window is used up."""
        self.check_ban(address, now_ms)
        for window in self._windows_of(Kind.WEIGHT):
            used = self._add(window, address, weight, now_ms)
            if used > window.limit:
                self._strike(window, address, now_ms)
                raise ApiError(
                    429,
                    -1003,
                    f"Too many requests; current limit of IP({address}) is {window.limit} requests per minute. "
                    "Please use the websocket for live updates to avoid polling the API.",
                    retry_after_s=_seconds_left(window, now_ms),
                )

    def charge_orders(self, account: str, orders: dict[Interval, int], now_ms: int) -> None:
        """Count orders for the account by the interval of the window. Raises 429 and counts nothing over a limit."""
        for window in self._windows_of(Kind.ORDERS):
            if self.used(window, account, now_ms) + orders.get(window.interval, 0) > window.limit:
                raise ApiError(
                    429,
                    -1015,
                    f"Too many new orders; current limit is {window.limit} orders per "
                    f"{window.number} {window.interval.word}.",
                    retry_after_s=_seconds_left(window, now_ms),
                )
        for window in self._windows_of(Kind.ORDERS):
            self._add(window, account, orders.get(window.interval, 0), now_ms)

    def check_ban(self, address: str, now_ms: int) -> None:
        until_ms = self._addresses[address].banned_until_ms if address in self._addresses else 0
        if now_ms < until_ms:
            raise ApiError(
                418,
                -1003,
                f"Way too many requests; IP({address}) banned until {until_ms}. "
                "Please use the websocket for live updates to avoid bans.",
                retry_after_s=max(1, -(-(until_ms - now_ms) // 1000)),
            )

    def ban(self, address: str, until_ms: int) -> None:
        self._addresses.setdefault(address, _Address()).banned_until_ms = until_ms

    def lift(self, address: str) -> None:
        self._addresses.pop(address, None)

    def weight_headers(self, address: str, now_ms: int) -> dict[str, str]:
        return {
            f"X-MBX-USED-WEIGHT-{window.label}": str(self.used(window, address, now_ms))
            for window in self._windows_of(Kind.WEIGHT)
        }

    def order_headers(self, account: str, now_ms: int) -> dict[str, str]:
        return {
            f"X-MBX-ORDER-COUNT-{window.label}": str(self.used(window, account, now_ms))
            for window in self._windows_of(Kind.ORDERS)
        }

    def report(self, address: str, account: str, now_ms: int, *, with_orders: bool) -> list[dict[str, object]]:
        """Return the `rateLimits` list of a WebSocket reply: weight always, orders where the request placed any."""
        rows: list[dict[str, object]] = []
        for window in self.windows:
            owner = address if window.kind is Kind.WEIGHT else account
            if window.kind is Kind.ORDERS and not with_orders:
                continue
            rows.append({**window.rendered(), "count": self.used(window, owner, now_ms)})
        return rows

    def _windows_of(self, kind: Kind) -> list[Window]:
        return [window for window in self.windows if window.kind is kind]

    def _add(self, window: Window, owner: str, amount: int, now_ms: int) -> int:
        used = self.used(window, owner, now_ms) + amount
        self._used[(window, owner)] = (now_ms // window.length_ms, used)
        return used

    def _strike(self, window: Window, address: str, now_ms: int) -> None:
        record = self._addresses.setdefault(address, _Address())
        index = now_ms // window.length_ms
        record.strikes = record.strikes + 1 if record.strikes_window == index else 1
        record.strikes_window = index
        if record.strikes < self._ban.strikes:
            return
        record.banned_until_ms = now_ms + min(self._ban.first_ms << record.bans, self._ban.longest_ms)
        record.bans += 1
        record.strikes = 0


def _seconds_left(window: Window, now_ms: int) -> int:
    return max(1, -(-(window.length_ms - now_ms % window.length_ms) // 1000))
