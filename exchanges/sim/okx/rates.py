"""The venue's limits: each endpoint has a sliding window of 2 s for each of its users."""

from __future__ import annotations

from collections import defaultdict, deque

from exchanges.sim.okx.errors import ApiError

WINDOW_MS = 2000


class Rates:
    """Counts calls. An address under a ban is refused whatever it asks, and heard no longer than before."""

    def __init__(self, *, are_off: bool) -> None:
        self._are_off = are_off
        self._calls: dict[tuple[str, ...], deque[int]] = defaultdict(deque)
        self._banned_until_ms: dict[str, int] = {}

    def ban(self, address: str, until_ms: int) -> None:
        self._banned_until_ms[address] = until_ms

    def lift(self, address: str) -> None:
        self._banned_until_ms.pop(address, None)

    def check_ban(self, address: str, now_ms: int) -> None:
        if now_ms < self._banned_until_ms.get(address, 0):
            raise too_many()

    def charge(self, key: tuple[str, ...], limit: int, now_ms: int, *, count: int = 1) -> None:
        if self._are_off:
            return
        seen = self._calls[key]
        while seen and seen[0] <= now_ms - WINDOW_MS:
            seen.popleft()
        if len(seen) + count > limit:
            raise too_many()
        seen.extend([now_ms] * count)


def too_many() -> ApiError:
    return ApiError(429, "50011", "Too Many Requests")
