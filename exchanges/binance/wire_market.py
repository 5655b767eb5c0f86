"""Quotes, candles and mark prices."""

from __future__ import annotations

from typing import Any

from exchanges import wire
from exchanges.errors import BadReply
from exchanges.port import FundingDue, PublicTrade
from grid.instrument import Instrument
from grid.order import Quote, Side
from risk.candle import Candle

# columns of a kline row
OPEN_MS, OPEN, HIGH, LOW, CLOSE, VOLUME, CLOSE_MS = range(7)


def streamed_quote(row: wire.Row, instruments: wire.Instruments, received_ns: int) -> Quote | None:
    """Return the quote of a bookTicker event; None while one side of the book is empty."""
    where = "bookTicker"
    instrument = wire.instrument_of(instruments, row, "s", where)
    return _quote(instrument, row, ("b", "B", "a", "A"), wire.integer(row, "T", where), received_ns)


def rest_quote(message: Any, instrument: Instrument, received_ns: int) -> Quote:
    """Return the quote of `ticker/bookTicker`; raises `BadReply` while one side of the book is empty."""
    row = wire.mapping(message, "ticker/bookTicker")
    keys = ("bidPrice", "bidQty", "askPrice", "askQty")
    quote = _quote(instrument, row, keys, wire.integer(row, "time", "ticker/bookTicker"), received_ns)
    if quote is None:
        raise BadReply(f"ticker/bookTicker: one side of {instrument.symbol} is empty")
    return quote


def streamed_candle(message: wire.Row) -> Candle:
    """Return the candle of a kline event."""
    row = wire.mapping(message.get("k"), "kline.k")
    where = "kline.k"
    return Candle(
        symbol=wire.text(row, "s", where),
        open_ms=wire.integer(row, "t", where),
        close_ms=wire.integer(row, "T", where),
        open=wire.decimal(row, "o", where),
        high=wire.decimal(row, "h", where),
        low=wire.decimal(row, "l", where),
        close=wire.decimal(row, "c", where),
        volume=wire.decimal(row, "v", where),
        is_closed=wire.flag(row, "x", where),
    )


def rest_candles(message: Any, symbol: str) -> list[Candle]:
    """Return candles oldest first. A reply has no flag for "closed": the last one is given as still running."""
    rows = [wire.sequence(row, "klines") for row in wire.sequence(message, "klines")]
    return [_candle(row, symbol, is_closed=index < len(rows) - 1) for index, row in enumerate(rows)]


def trade(row: wire.Row, instruments: wire.Instruments) -> PublicTrade:
    """Return the trade of an aggTrade event: one order's fills at one price."""
    where = "aggTrade"
    instrument = wire.instrument_of(instruments, row, "s", where)
    return PublicTrade(
        symbol=instrument.symbol,
        trade_id=str(wire.integer(row, "a", where)),
        price=wire.ticks(instrument, row, "p", where),
        quantity=wire.amount(instrument, row, "q", where),
        aggressor=Side.SELL if wire.flag(row, "m", where) else Side.BUY,
        venue_ms=wire.integer(row, "T", where),
    )


def mark(message: wire.Row) -> tuple[str, Any, int]:
    """Return (symbol, mark price, venue time in ms) of a markPriceUpdate event."""
    where = "markPriceUpdate"
    return wire.text(message, "s", where), wire.decimal(message, "p", where), wire.integer(message, "E", where)


def _quote(
    instrument: Instrument, row: wire.Row, keys: tuple[str, str, str, str], venue_ms: int, received_ns: int
) -> Quote | None:
    bid_key, bid_quantity_key, ask_key, ask_quantity_key = keys
    where = "bookTicker"
    bid, ask = wire.ticks(instrument, row, bid_key, where), wire.ticks(instrument, row, ask_key, where)
    if bid <= 0 or ask <= 0:
        return None
    if bid >= ask:
        raise BadReply(f"bookTicker: {instrument.symbol} is crossed, bid {row[bid_key]} ask {row[ask_key]}")
    return Quote(
        symbol=instrument.symbol,
        bid=bid,
        ask=ask,
        bid_quantity=wire.steps(instrument, row, bid_quantity_key, where),
        ask_quantity=wire.steps(instrument, row, ask_quantity_key, where),
        venue_ms=venue_ms,
        received_ns=received_ns,
    )


def _candle(row: list[Any], symbol: str, *, is_closed: bool) -> Candle:
    if len(row) <= CLOSE_MS:
        raise BadReply(f"klines: a row of {len(row)} columns")
    times = {"open": row[OPEN_MS], "close": row[CLOSE_MS]}
    return Candle(
        symbol=symbol,
        open_ms=wire.integer(times, "open", "klines"),
        close_ms=wire.integer(times, "close", "klines"),
        open=wire.exact(row[OPEN], "klines.open"),
        high=wire.exact(row[HIGH], "klines.high"),
        low=wire.exact(row[LOW], "klines.low"),
        close=wire.exact(row[CLOSE], "klines.close"),
        volume=wire.exact(row[VOLUME], "klines.volume"),
        is_closed=is_closed,
    )


def funding(message: Any) -> FundingDue:
    """Return the next funding of a premium index."""
    where = "premiumIndex"
    row = wire.mapping(message, where)
    return FundingDue(
        symbol=wire.text(row, "symbol", where),
        rate=wire.decimal(row, "lastFundingRate", where),
        at_ms=wire.count(row, "nextFundingTime", where),
    )
