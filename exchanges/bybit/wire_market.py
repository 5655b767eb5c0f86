"""Quotes, candles and mark prices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges import wire
from exchanges.bybit.wire_orders import side
from exchanges.errors import BadReply, NotSupported
from exchanges.port import FundingDue, PublicTrade
from grid.instrument import Instrument
from grid.order import Quote
from risk.candle import Candle

MINUTE_MS = 60_000
HOUR_MS, DAY_MS = 60 * MINUTE_MS, 24 * 60 * MINUTE_MS
INTERVALS: dict[str, tuple[str, int]] = {
    "1m": ("1", MINUTE_MS),
    "3m": ("3", 3 * MINUTE_MS),
    "5m": ("5", 5 * MINUTE_MS),
    "15m": ("15", 15 * MINUTE_MS),
    "30m": ("30", 30 * MINUTE_MS),
    "1h": ("60", HOUR_MS),
    "2h": ("120", 2 * HOUR_MS),
    "4h": ("240", 4 * HOUR_MS),
    "6h": ("360", 6 * HOUR_MS),
    "12h": ("720", 12 * HOUR_MS),
    "1d": ("D", DAY_MS),
    "1w": ("W", 7 * DAY_MS),
}
"""The venue's word for each length of a candle, and the length in ms."""
# columns of a kline row
OPEN_MS, OPEN, HIGH, LOW, CLOSE, VOLUME = range(6)


def interval_of(words: str) -> tuple[str, int]:
    """Return the venue's word for a length of candles, and the length in ms."""
    if words not in INTERVALS:
        raise NotSupported(f"bybit has no candles of {words}")
    return INTERVALS[words]


def update_id(message: wire.Row) -> int:
    """Return the number of a book's state: it grows, and begins at 1 where the venue has restarted."""
    return wire.integer(wire.mapping(message.get("data"), "orderbook.data"), "u", "orderbook.data")


def streamed_quote(message: wire.Row, instruments: wire.Instruments, received_ns: int) -> Quote | None:
    """Return the quote of a book of one level; None while one side of it is empty."""
    row = wire.mapping(message.get("data"), "orderbook.data")
    instrument = wire.instrument_of(instruments, row, "s", "orderbook.data")
    return _quote(instrument, row, wire.integer(message, "ts", "orderbook"), received_ns)


def rest_quote(result: wire.Row, instrument: Instrument, received_ns: int) -> Quote:
    """Return the quote of a book that was asked for; raises `BadReply` while one side of it is empty."""
    quote = _quote(instrument, result, wire.integer(result, "ts", "orderbook"), received_ns)
    if quote is None:
        raise BadReply(f"orderbook: one side of {instrument.symbol} is empty")
    return quote


def trades(message: wire.Row, instruments: wire.Instruments) -> list[PublicTrade]:
    """Return the trades of a publicTrade event, oldest first as the venue lists them."""
    where = "publicTrade.data"
    return [_trade(wire.mapping(row, where), instruments, where) for row in wire.sequence(message.get("data"), where)]


def _trade(row: wire.Row, instruments: wire.Instruments, where: str) -> PublicTrade:
    instrument = wire.instrument_of(instruments, row, "s", where)
    return PublicTrade(
        symbol=instrument.symbol,
        trade_id=wire.text(row, "i", where),
        price=wire.ticks(instrument, row, "p", where),
        quantity=wire.amount(instrument, row, "v", where),
        aggressor=side(row, "S", where),
        venue_ms=wire.integer(row, "T", where),
    )


def streamed_candles(message: wire.Row) -> list[Candle]:
    """Return the candles of a kline event; the topic names the symbol."""
    symbol = wire.text(message, "topic", "kline").rpartition(".")[2]
    rows = wire.sequence(message.get("data"), "kline.data")
    return [_streamed_candle(wire.mapping(row, "kline.data"), symbol) for row in rows]


def rest_candles(result: wire.Row, symbol: str, length_ms: int) -> list[Candle]:
    """Return candles oldest first: the venue lists the newest first, and has no flag for "closed".

    The last one is given as still running.
    """
    rows = [wire.sequence(row, "kline") for row in wire.sequence(result.get("list"), "kline.list")]
    return [_candle(row, symbol, length_ms, is_closed=index > 0) for index, row in enumerate(rows)][::-1]


def rest_mark(result: wire.Row, symbol: str, venue_ms: int) -> tuple[str, Decimal, int]:
    """Return (symbol, mark price, venue time in ms) of a reading, which has no time of its own."""
    where = "tickers"
    for row in (wire.mapping(value, where) for value in wire.sequence(result.get("list"), f"{where}.list")):
        if row.get("symbol") == symbol:
            return symbol, wire.decimal(row, "markPrice", where), venue_ms
    raise BadReply(f"{where}.list: no row for {symbol}")


class Marks:
    """The mark price of each symbol, of which the venue tells changes only."""

    def __init__(self) -> None:
        self._known: dict[str, Decimal] = {}

    def take(self, message: wire.Row) -> tuple[str, Decimal, int] | None:
        """Return (symbol, mark price, venue time in ms); None before the first full state.

        An event without a mark price says that it is still the last one.
        """
        where = "tickers"
        row = wire.mapping(message.get("data"), "tickers.data")
        symbol = wire.text(row, "symbol", where)
        if "markPrice" in row:
            self._known[symbol] = wire.decimal(row, "markPrice", where)
        if symbol not in self._known:
            return None
        return symbol, self._known[symbol], wire.integer(message, "ts", where)

    def forget(self) -> None:
        """Forget everything: a new connection begins with a full state."""
        self._known.clear()


def _quote(instrument: Instrument, row: wire.Row, venue_ms: int, received_ns: int) -> Quote | None:
    bid, ask = _level(instrument, row, "b"), _level(instrument, row, "a")
    if bid is None or ask is None:
        return None
    if bid[0] >= ask[0]:
        raise BadReply(f"orderbook: {instrument.symbol} is crossed, bid {bid[0]} ask {ask[0]} ticks")
    return Quote(
        symbol=instrument.symbol,
        bid=bid[0],
        ask=ask[0],
        bid_quantity=bid[1],
        ask_quantity=ask[1],
        venue_ms=venue_ms,
        received_ns=received_ns,
    )


def _level(instrument: Instrument, row: wire.Row, key: str) -> tuple[int, int] | None:
    """Return the best level of a side in ticks and steps; None where there is none."""
    where = f"orderbook.{key}"
    levels = wire.sequence(row.get(key), where)
    if not levels:
        return None
    best = wire.sequence(levels[0], where)
    if len(best) != 2:
        raise BadReply(f"{where}: a level of {len(best)} columns")
    named = {"price": best[0], "size": best[1]}
    price = wire.ticks(instrument, named, "price", where)
    return (price, wire.amount(instrument, named, "size", where)) if price > 0 else None


def _streamed_candle(row: wire.Row, symbol: str) -> Candle:
    where = "kline.data"
    return Candle(
        symbol=symbol,
        open_ms=wire.integer(row, "start", where),
        close_ms=wire.integer(row, "end", where),
        open=wire.decimal(row, "open", where),
        high=wire.decimal(row, "high", where),
        low=wire.decimal(row, "low", where),
        close=wire.decimal(row, "close", where),
        volume=wire.decimal(row, "volume", where),
        is_closed=wire.flag(row, "confirm", where),
    )


def _candle(row: list[Any], symbol: str, length_ms: int, *, is_closed: bool) -> Candle:
    if len(row) <= VOLUME:
        raise BadReply(f"kline: a row of {len(row)} columns")
    open_ms = wire.integer({"open": row[OPEN_MS]}, "open", "kline")
    return Candle(
        symbol=symbol,
        open_ms=open_ms,
        close_ms=open_ms + length_ms - 1,
        open=wire.exact(row[OPEN], "kline.open"),
        high=wire.exact(row[HIGH], "kline.high"),
        low=wire.exact(row[LOW], "kline.low"),
        close=wire.exact(row[CLOSE], "kline.close"),
        volume=wire.exact(row[VOLUME], "kline.volume"),
        is_closed=is_closed,
    )


def funding(result: wire.Row) -> FundingDue:
    """Return the next funding of a ticker."""
    where = "tickers"
    rows = wire.sequence(result.get("list"), f"{where}.list")
    if len(rows) != 1:
        raise BadReply(f"{where}.list: {len(rows)} rows")
    row = wire.mapping(rows[0], f"{where}.list")
    return FundingDue(
        symbol=wire.text(row, "symbol", where),
        rate=wire.decimal(row, "fundingRate", where),
        at_ms=wire.count(row, "nextFundingTime", where),
    )
