"""What the venue says is used of its limits: from the headers of a reply and from the list in a WebSocket reply."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from exchanges import wire
from exchanges.binance import wire_rules
from exchanges.port import UsedQuota

HEADER = re.compile(r"x-mbx-(used-weight|order-count)-([0-9]{1,4})([smhd])", re.IGNORECASE | re.ASCII)
COUNT = re.compile(r"[0-9]{1,12}")
HEADER_KINDS = {"used-weight": "weight", "order-count": "orders"}
LETTERS_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def from_headers(headers: Mapping[str, str], at_ns: int) -> UsedQuota | None:
    """Return the counts of a REST reply, or None where it names none."""
    used: dict[tuple[str, int], int] = {}
    for name, value in headers.items():
        match = HEADER.fullmatch(name)
        if match and COUNT.fullmatch(value):
            kind, number, letter = match.groups()
            used[HEADER_KINDS[kind.lower()], int(number) * LETTERS_MS[letter.lower()]] = int(value)
    return UsedQuota(used=used, at_ns=at_ns) if used else None


def from_reply(rows: Any, at_ns: int) -> UsedQuota | None:
    """Return the counts of a WebSocket reply's `rateLimits`, or None where it has none."""
    if not isinstance(rows, list):
        return None
    used: dict[tuple[str, int], int] = {}
    for value in rows:
        row = wire.mapping(value, "rateLimits")
        window = wire_rules.rate_window(row)
        if window is not None and "count" in row:
            used[window.kind, window.interval_ms] = wire.integer(row, "count", "rateLimits")
    return UsedQuota(used=used, at_ns=at_ns) if used else None
