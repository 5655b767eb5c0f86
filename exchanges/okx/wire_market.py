"""Quotes, candles and mark prices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges import wire
from exchanges.errors import BadReply, Refusal, VenueRefused
from exchanges.okx.contracts import Contract
from exchanges.okx.wire_orders import side
from exchanges.okx.wire_rules import only_row
from exchanges.port import FundingDue, PublicTrade
from grid.order import Quote
from risk.candle import Candle

OPEN_MS, OPEN, HIGH, LOW, CLOSE, CONTRACTS, BASE, _, CONFIRM = range(9)
"""Columns of a candle; the volume is told in contracts, in base currency and in quote currency."""
BARS: dict[str, tuple[str, int]] = {
    "1s": ("1s", 1),
    "1m": ("1m", 60),
    "3m": ("3m", 180),
    "5m": ("5m", 300),
    "15m": ("15m", 900),
    "30m": ("30m", 1800),
    "1h": ("1H", 3600),
    "2h": ("2H", 7200),
    "4h": ("4H", 14400),
    "6h": ("6Hutc", 21600),
    "12h": ("12Hutc", 43200),
    "1d": ("1Dutc", 86400),
}
"""Our intervals as the venue names them, and their seconds; without `utc` its long bars begin in Hong Kong time."""


def bar(interval: str) -> tuple[str, int]:
    """Return the venue's name of an interval and its length in ms."""
    if interval not in BARS:
        raise VenueRefused("51000", f"no interval {interval}", Refusal.OTHER)
    name, seconds = BARS[interval]
    return name, seconds * 1000


def quote(row: wire.Row, contract: Contract, received_ns: int) -> Quote | None:
    """Return the quote of a book of depth 1; None while one side is empty."""
    where = "bbo-tbt"
    sides = {key: wire.sequence(row.get(key), f"{where}.{key}") for key in ("bids", "asks")}
    if not sides["bids"] or not sides["asks"]:
        return None
    best = {key: wire.sequence(levels[0], f"{where}.{key}") for key, levels in sides.items()}
    if any(len(level) < 2 for level in best.values()):
        raise BadReply(f"{where}: a level of less than two columns")
    told: wire.Row = {
        "bid": best["bids"][0],
        "bid_size": best["bids"][1],
        "ask": best["asks"][0],
        "ask_size": best["asks"][1],
    }
    instrument = contract.instrument
    bid, ask = wire.ticks(instrument, told, "bid", where), wire.ticks(instrument, told, "ask", where)
    if bid <= 0 or ask <= 0:
        return None
    if bid >= ask:
        raise BadReply(f"{where}: {contract.inst_id} is crossed, bid {told['bid']} ask {told['ask']}")
    return Quote(
        symbol=contract.symbol,
        bid=bid,
        ask=ask,
        bid_quantity=contract.amount(told, "bid_size", where),
        ask_quantity=contract.amount(told, "ask_size", where),
        venue_ms=wire.integer(row, "ts", where),
        received_ns=received_ns,
    )


def rest_quote(reply: Any, contract: Contract, received_ns: int) -> Quote:
    """Return the quote of `market/books`; raises `BadReply` while one side of the book is empty."""
    found = quote(only_row(reply, "books"), contract, received_ns)
    if found is None:
        raise BadReply(f"books: one side of {contract.symbol} is empty")
    return found


def candle(value: Any, symbol: str, length_ms: int) -> Candle:
    """Return one candle."""
    where = "candle"
    row = wire.sequence(value, where)
    if len(row) <= CONFIRM:
        raise BadReply(f"{where}: a row of {len(row)} columns")
    open_ms = wire.integer({"open": row[OPEN_MS]}, "open", where)
    if row[CONFIRM] not in ("0", "1"):
        raise BadReply(f"{where}.confirm: expected 0 or 1, got {wire.shown(row[CONFIRM])}")
    return Candle(
        symbol=symbol,
        open_ms=open_ms,
        close_ms=open_ms + length_ms - 1,
        open=wire.exact(row[OPEN], f"{where}.open"),
        high=wire.exact(row[HIGH], f"{where}.high"),
        low=wire.exact(row[LOW], f"{where}.low"),
        close=wire.exact(row[CLOSE], f"{where}.close"),
        volume=wire.exact(row[BASE], f"{where}.volume"),
        is_closed=row[CONFIRM] == "1",
    )


def candles(reply: Any, symbol: str, length_ms: int) -> list[Candle]:
    """Return candles oldest first; the venue sends the newest first."""
    body = wire.mapping(reply, "candles")
    return [candle(row, symbol, length_ms) for row in reversed(wire.sequence(body.get("data"), "candles.data"))]


def trade(row: wire.Row, contract: Contract) -> PublicTrade:
    """Return one trade of the trades channel: fills of one order at one price."""
    where = "trades"
    return PublicTrade(
        symbol=contract.symbol,
        trade_id=wire.text(row, "tradeId", where),
        price=wire.ticks(contract.instrument, row, "px", where),
        quantity=contract.amount(row, "sz", where),
        aggressor=side(row, where),
        venue_ms=wire.integer(row, "ts", where),
    )


def mark(row: wire.Row, symbol: str) -> tuple[str, Decimal, int]:
    """Return (symbol, mark price, venue time in ms)."""
    return symbol, wire.decimal(row, "markPx", "mark-price"), wire.integer(row, "ts", "mark-price")


def funding(reply: Any, symbol: str) -> FundingDue:
    """Return the next funding; `fundingTime` is when it is settled, `nextFundingTime` when the one after is."""
    row = only_row(reply, "funding-rate")
    return FundingDue(
        symbol=symbol,
        rate=wire.decimal(row, "fundingRate", "funding-rate"),
        at_ms=wire.count(row, "fundingTime", "funding-rate"),
    )
