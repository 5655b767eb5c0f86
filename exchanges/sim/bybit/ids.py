"""The venue's ids: in the shape of UUIDs, made of the engine's numbers, so that they can be read back."""

from __future__ import annotations

import re
import zlib

ORDER, CONDITIONAL = 1, 2
_SHAPE = re.compile(r"([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-8000-00000000000([12])")


def order_uid(order_id: int, algo_id: int = 0) -> str:
    """Return an order's id. A conditional order keeps its own when it becomes an order."""
    return _uid(algo_id, CONDITIONAL) if algo_id else _uid(order_id, ORDER)


def read_uid(text: str) -> tuple[int, int]:
    """Return (order number, number of the conditional order), one of which is 0; both where the id is none of ours."""
    match = _SHAPE.fullmatch(text)
    if match is None:
        return 0, 0
    number = int(match[1] + match[2] + match[3], 16)
    return (number, 0) if int(match[4]) == ORDER else (0, number)


def trade_uid(symbol: str, trade_id: int) -> str:
    """Return an execution's id; the engine counts trades for each symbol."""
    return f"{zlib.crc32(symbol.encode()):08x}-0000-5000-8000-{trade_id:012x}"


def _uid(number: int, kind: int) -> str:
    digits = f"{number:016x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:]}-8000-{kind:012x}"
