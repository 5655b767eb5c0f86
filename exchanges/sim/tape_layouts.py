"""Which columns a tape file has: the documented ones, and those of the venue's public archive."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class TapeError(ValueError):
    """A tape cannot be read as it is. Names the file, and the row and column where there is one."""

    def __init__(self, path: Path, problem: str, *, row: int = 0, column: str = "") -> None:
        place = f", row {row}" if row else ""
        place += f", column {column}" if column else ""
        super().__init__(f"{path}{place}: {problem}")


class TapeKind(Enum):
    """What a file holds."""

    CANDLES = "candles"
    TRADES = "trades"
    QUOTES = "quotes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where a file keeps what a kind of tape needs: field name to the column's place in a row."""

    kind: TapeKind
    places: dict[str, int]
    columns: tuple[str, ...]


NEEDED: dict[TapeKind, dict[str, tuple[str, ...]]] = {
    TapeKind.CANDLES: {
        "time": ("open_time_ms", "open_time"),
        "open": ("open",),
        "high": ("high",),
        "low": ("low",),
        "close": ("close",),
        "volume": ("volume",),
    },
    TapeKind.TRADES: {
        "time": ("ts_ms", "time", "transact_time"),
        "price": ("price",),
        "quantity": ("qty", "quantity"),
        "buyer_is_maker": ("is_buyer_maker",),
    },
    TapeKind.QUOTES: {
        "time": ("ts_ms", "transaction_time"),
        "bid": ("bid_price", "best_bid_price"),
        "bid_quantity": ("bid_qty", "best_bid_qty"),
        "ask": ("ask_price", "best_ask_price"),
        "ask_quantity": ("ask_qty", "best_ask_qty"),
    },
}
WELCOME: dict[TapeKind, dict[str, tuple[str, ...]]] = {
    TapeKind.CANDLES: {
        "close_time": ("close_time",),
        "quote_volume": ("quote_volume",),
        "trades": ("trades", "count"),
        "taker_buy_volume": ("taker_buy_volume",),
        "taker_buy_quote_volume": ("taker_buy_quote_volume",),
    },
    TapeKind.TRADES: {"trade_id": ("trade_id", "id", "agg_trade_id", "agg_id")},
    TapeKind.QUOTES: {},
}
ARCHIVE_CANDLES = (
    "open_time open high low close volume close_time quote_volume count taker_buy_volume taker_buy_quote_volume ignore"
).split()
ARCHIVE_TRADES = "id price qty quote_qty time is_buyer_maker".split()
ARCHIVE_AGG_TRADES = "agg_trade_id price quantity first_trade_id last_trade_id transact_time is_buyer_maker".split()
ARCHIVE_QUOTES = (
    "update_id best_bid_price best_bid_qty best_ask_price best_ask_qty transaction_time event_time"
).split()


def layout_of(path: Path, columns: Sequence[str]) -> Layout:
    """Return the layout of named columns; raises `TapeError`, naming what is missing from the nearest kind."""
    named = {name.strip().lower(): place for place, name in enumerate(columns)}
    misses: dict[TapeKind, list[str]] = {}
    for kind, fields in NEEDED.items():
        places = _places(fields, named)
        misses[kind] = [" or ".join(names) for field, names in fields.items() if field not in places]
        if not misses[kind]:
            places.update(_places(WELCOME[kind], named))
            return Layout(kind=kind, places=places, columns=tuple(columns))
    nearest = min(misses, key=lambda kind: len(misses[kind]))
    raise TapeError(path, f"no column {misses[nearest][0]}, so it is no tape of {nearest.value}")


def archive_layout(path: Path, row: Sequence[str]) -> Layout:
    """Return the layout of an archive CSV without a header, told by the number and shape of its columns."""
    shapes = {12: ARCHIVE_CANDLES, 6: ARCHIVE_TRADES, 7: ARCHIVE_AGG_TRADES}
    columns = shapes.get(len(row))
    if columns is ARCHIVE_AGG_TRADES and row[-1].strip().lower() not in ("true", "false"):
        columns = ARCHIVE_QUOTES
    if columns is None:
        raise TapeError(path, f"{len(row)} columns without a header are none of the archive's layouts", row=1)
    return layout_of(path, columns)


def symbol_of(path: Path, known: Sequence[str]) -> str:
    """Return the symbol a file's name carries, such as ETHUSDT in ETHUSDT-1m.csv; the longest known one wins."""
    words = set(re.split(r"[^A-Za-z0-9]+", path.name.upper()))
    found = sorted((symbol for symbol in known if symbol.upper() in words), key=len)
    if not found:
        raise TapeError(path, f"its name carries no known symbol ({', '.join(sorted(known)[:5])}, ...)")
    return found[-1]


def _places(fields: dict[str, tuple[str, ...]], named: dict[str, int]) -> dict[str, int]:
    places = {}
    for field, names in fields.items():
        place = next((named[name] for name in names if name in named), None)
        if place is not None:
            places[field] = place
    return places
