"""The venue's dead-man switch, which is one for the whole account, behind the port's, which is one for each symbol."""

from __future__ import annotations

from exchanges.errors import NotSupported

SECONDS_MIN, SECONDS_MAX = 10, 120


class Countdowns:
    """Which symbols want the switch. It ends when the last of them lets go of it."""

    def __init__(self) -> None:
        self._wanted: set[str] = set()

    def seconds(self, symbol: str, countdown_ms: int) -> int | None:
        """Return what to set, or None where others still want the switch.

        Raises `NotSupported` for a longer time than the venue allows; a shorter one is its shortest.
        """
        if countdown_ms == 0:
            self._wanted.discard(symbol)
            return None if self._wanted else 0
        seconds = -(-countdown_ms // 1000)
        if seconds > SECONDS_MAX:
            raise NotSupported(f"a countdown of {seconds} s: the venue allows {SECONDS_MIN} to {SECONDS_MAX}")
        self._wanted.add(symbol)
        return max(seconds, SECONDS_MIN)
