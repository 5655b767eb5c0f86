"""Limits of a venue that counts in windows aligned to the clock, by owner."""

from __future__ import annotations

from exchanges.sim.server.windows import Kind, Window


class OverQuota(Exception):
    """A window is spent, or its owner is banned."""


class Quota:
    """Counts by window and owner: an account, or an internet address."""

    def __init__(self, windows: tuple[Window, ...]) -> None:
        self._windows = windows
        self._used: dict[tuple[Window, str], tuple[int, int]] = {}
        self._banned_until_ms: dict[str, int] = {}

    def check_ban(self, address: str, now_ms: int) -> None:
        if now_ms < self._banned_until_ms.get(address, 0):
            raise OverQuota

    def ban(self, address: str, until_ms: int) -> None:
        self._banned_until_ms[address] = until_ms

    def lift(self, address: str) -> None:
        self._banned_until_ms.pop(address, None)

    def charge(self, kind: Kind, owner: str, now_ms: int, weight: int = 1) -> None:
        """Count a call; one over the limit is refused and not counted."""
        for window in self._windows:
            if window.kind is not kind:
                continue
            used = self._spent(window, owner, now_ms) + weight
            if used > window.limit:
                raise OverQuota
            self._used[window, owner] = (now_ms // window.length_ms, used)

    def left(self, kind: Kind, owner: str, now_ms: int) -> tuple[int, int, int] | None:
        """Return limit, what is left of it, and how long its window lasts (ms); None where nothing limits."""
        for window in self._windows:
            if window.kind is kind:
                rest = window.limit - self._spent(window, owner, now_ms)
                return window.limit, rest, window.length_ms - now_ms % window.length_ms
        return None

    def _spent(self, window: Window, owner: str, now_ms: int) -> int:
        index, count = self._used.get((window, owner), (-1, 0))
        return count if index == now_ms // window.length_ms else 0
