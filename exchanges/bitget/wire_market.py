"""Quotes, candles and mark prices."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges import wire
from exchanges.bitget.wire_orders import side
from exchanges.errors import BadReply, NotSupported
from exchanges.port import FundingDue, PublicTrade
from grid.instrument import Instrument
from grid.order import Quote
from risk.candle import Candle

# columns of a candle
OPEN_MS, OPEN, HIGH, LOW, CLOSE, VOLUME = range(6)
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
INTERVALS = {
    "1m": ("1m", MINUTE_MS),
    "3m": ("3m", 3 * MINUTE_MS),
    "5m": ("5m", 5 * MINUTE_MS),
    "15m": ("15m", 15 * MINUTE_MS),
    "30m": ("30m", 30 * MINUTE_MS),
    "1h": ("1H", HOUR_MS),
    "2h": ("2H", 2 * HOUR_MS),
    "4h": ("4H", 4 * HOUR_MS),
    "6h": ("6Hutc", 6 * HOUR_MS),
    "12h": ("12Hutc", 12 * HOUR_MS),
    "1d": ("1Dutc", 24 * HOUR_MS),
}
"""Our interval to the venue's word and its length in ms; days and halves of them by universal time."""


def interval_of(interval: str) -> tuple[str, int]:
    """Return the venue's word and the length; raises `NotSupported` for one that the venue has not."""
    if interval not in INTERVALS:
        raise NotSupported(f"bitget has no candles of {interval}: one of {', '.join(INTERVALS)}")
    return INTERVALS[interval]


def streamed_quote(message: wire.Row, instruments: wire.Instruments, received_ns: int) -> tuple[int, Quote | None]:
    """Return sequence number and quote of a `books1` event; no quote while one side of the book is empty."""
    where = "books1"
    instrument = wire.instrument_of(instruments, wire.mapping(message.get("arg"), where), "instId", where)
    row = _only(message, where)
    bid, ask = _best(row, "bids", where), _best(row, "asks", where)
    venue_ms = wire.integer(row, "ts", where)
    number = wire.integer(row, "seq", where) if "seq" in row else venue_ms
    if bid is None or ask is None:
        return number, None
    levels = {"bidPr": bid[0], "bidSz": bid[1], "askPr": ask[0], "askSz": ask[1]}
    return number, _quote(instrument, levels, venue_ms, received_ns, where)


def rest_quote(rows: Any, instrument: Instrument, received_ns: int) -> Quote:
    """Return the quote of a ticker; raises `BadReply` while one side of the book is empty."""
    where = "ticker"
    found = wire.sequence(rows, where)
    if len(found) != 1:
        raise BadReply(f"{where}: {len(found)} rows for {instrument.symbol}")
    row = wire.mapping(found[0], where)
    quote = _quote(instrument, row, wire.integer(row, "ts", where), received_ns, where)
    if quote is None:
        raise BadReply(f"{where}: one side of {instrument.symbol} is empty")
    return quote


def trades(message: wire.Row, instruments: wire.Instruments) -> list[PublicTrade]:
    """Return the trades of an event, oldest first: the venue lists the newest first.

    The first event after a subscription (`snapshot`) holds past ones, which somebody may have heard of already: none.
    """
    where = "trade"
    arg = wire.mapping(message.get("arg"), where)
    instrument = wire.instrument_of(instruments, arg, "instId", where)
    if message.get("action") == "snapshot":
        return []
    rows = [wire.mapping(row, where) for row in reversed(wire.sequence(message.get("data"), f"{where}.data"))]
    rows.sort(key=lambda row: wire.integer(row, "ts", where))
    return [_trade(row, instrument, where) for row in rows]


def _trade(row: wire.Row, instrument: Instrument, where: str) -> PublicTrade:
    return PublicTrade(
        symbol=instrument.symbol,
        trade_id=wire.text(row, "tradeId", where),
        price=wire.ticks(instrument, row, "price", where),
        quantity=wire.amount(instrument, row, "size", where),
        aggressor=side(row, "side", where),
        venue_ms=wire.integer(row, "ts", where),
    )


def streamed_candles(message: wire.Row, length_ms: int) -> list[Candle]:
    """Return the candles of an event, oldest first. No flag says which is closed: all but the last one are."""
    arg = wire.mapping(message.get("arg"), "candle.arg")
    return rest_candles(message.get("data"), wire.text(arg, "instId", "candle.arg"), length_ms)


def rest_candles(rows: Any, symbol: str, length_ms: int) -> list[Candle]:
    """Return candles oldest first; the last one is given as still running."""
    found = sorted((_candle(row, symbol, length_ms) for row in wire.sequence(rows, "candles")), key=_open_ms)
    return [closed(candle) for candle in found[:-1]] + found[-1:]


def closed(candle: Candle) -> Candle:
    """Return the candle as one whose time is over."""
    return replace(candle, is_closed=True)


def mark(message: wire.Row) -> tuple[str, Decimal, int]:
    """Return (symbol, mark price, venue time in ms) of a `ticker` event."""
    where = "ticker"
    row = _only(message, where)
    return wire.text(row, "instId", where), wire.decimal(row, "markPrice", where), wire.integer(row, "ts", where)


def rest_mark(data: Any, symbol: str) -> tuple[str, Decimal, int]:
    """Return (symbol, mark price, venue time in ms) of the ticker as read."""
    where = "ticker"
    row = _only({"data": data}, where)
    if row.get("symbol") != symbol:
        raise BadReply(f"{where}.symbol: asked about {symbol}, answered {wire.shown(row.get('symbol'))}")
    return symbol, wire.decimal(row, "markPrice", where), wire.integer(row, "ts", where)


def _only(message: wire.Row, where: str) -> wire.Row:
    rows = wire.sequence(message.get("data"), f"{where}.data")
    if len(rows) != 1:
        raise BadReply(f"{where}.data: {len(rows)} rows")
    return wire.mapping(rows[0], f"{where}.data")


def _best(row: wire.Row, side: str, where: str) -> list[Any] | None:
    levels = wire.sequence(row.get(side), f"{where}.{side}")
    if not levels:
        return None
    level = wire.sequence(levels[0], f"{where}.{side}")
    if len(level) < 2:
        raise BadReply(f"{where}.{side}: a level of {len(level)} columns")
    return level


def _quote(instrument: Instrument, row: wire.Row, venue_ms: int, received_ns: int, where: str) -> Quote | None:
    if "" in (row.get("bidPr"), row.get("askPr")):
        return None
    bid, ask = wire.ticks(instrument, row, "bidPr", where), wire.ticks(instrument, row, "askPr", where)
    if bid <= 0 or ask <= 0:
        return None
    if bid >= ask:
        raise BadReply(f"{where}: {instrument.symbol} is crossed, bid {row['bidPr']} ask {row['askPr']}")
    return Quote(
        symbol=instrument.symbol,
        bid=bid,
        ask=ask,
        bid_quantity=wire.steps(instrument, row, "bidSz", where),
        ask_quantity=wire.steps(instrument, row, "askSz", where),
        venue_ms=venue_ms,
        received_ns=received_ns,
    )


def _candle(value: Any, symbol: str, length_ms: int) -> Candle:
    row = wire.sequence(value, "candles")
    if len(row) <= VOLUME:
        raise BadReply(f"candles: a row of {len(row)} columns")
    open_ms = wire.integer({"open": row[OPEN_MS]}, "open", "candles")
    return Candle(
        symbol=symbol,
        open_ms=open_ms,
        close_ms=open_ms + length_ms - 1,
        open=wire.exact(row[OPEN], "candles.open"),
        high=wire.exact(row[HIGH], "candles.high"),
        low=wire.exact(row[LOW], "candles.low"),
        close=wire.exact(row[CLOSE], "candles.close"),
        volume=wire.exact(row[VOLUME], "candles.volume"),
        is_closed=False,
    )


def _open_ms(candle: Candle) -> int:
    return candle.open_ms


def funding(message: Any) -> FundingDue:
    """Return the next funding of a `current-fund-rate`."""
    where = "current-fund-rate"
    rows = wire.sequence(message, where)
    if len(rows) != 1:
        raise BadReply(f"{where}: {len(rows)} rows")
    row = wire.mapping(rows[0], where)
    return FundingDue(
        symbol=wire.text(row, "symbol", where),
        rate=wire.decimal(row, "fundingRate", where),
        at_ms=wire.count(row, "nextUpdate", where),
    )
