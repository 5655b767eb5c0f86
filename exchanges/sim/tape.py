"""Recorded markets as a stream of events: any mix of candles, trades and quotes of several symbols, by time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from heapq import merge
from pathlib import Path

from exchanges.sim.instrument import SimInstrument
from exchanges.sim.klines import INTERVALS_MS
from exchanges.sim.market import BookTop, Candle, MarketEvent, Trade
from exchanges.sim.tape_layouts import Layout, TapeError, TapeKind, symbol_of
from exchanges.sim.tape_rows import Row, read_rows
from grid.order import Side

MICROSECONDS_FROM = 10**14
"""A time this large is in microseconds, as in the archive's newer spot files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeFile:
    """One file of a tape. An empty `symbol` is read from the file's name; `interval` (such as 1m) likewise."""

    path: Path
    symbol: str = ""
    interval: str = ""


def open_tape(files: Iterable[TapeFile | Path], instruments: Mapping[str, SimInstrument]) -> Iterator[MarketEvent]:
    """Return the events of all files in the order of time; of the same millisecond, trades come before quotes.

    Formats: Parquet or CSV (plain, .gz, .zip) with the columns open_time_ms, open, high, low, close, volume for
    candles; ts_ms, price, qty, is_buyer_maker for trades; ts_ms, bid_price, bid_qty, ask_price, ask_qty for quotes; or
    the venue's archive layouts (klines, trades, aggTrades, bookTicker) with or without their header.

    Prices become whole ticks and quantities whole steps of the symbol, to the nearest: a float in a Parquet file is
    exact only so. A candle comes at its close. Each file must be sorted by time. Raises `TapeError` (file, row, column)
    at once for what the first row shows, and while reading for the rest. Memory does not grow with the files.
    """
    feeds = [_feed(file if isinstance(file, TapeFile) else TapeFile(path=file), instruments) for file in files]
    return merge(*feeds, key=_when)


def _when(event: MarketEvent) -> tuple[int, int]:
    return event.time_ms, 1 if isinstance(event, BookTop) else 0


def tape_symbols(files: Iterable[TapeFile | Path], known: Iterable[str]) -> list[str]:
    """Return the symbols the files are of, each once, in the order of the files."""
    symbols = list(known)
    named = [
        file.symbol or symbol_of(file.path, symbols) if isinstance(file, TapeFile) else symbol_of(file, symbols)
        for file in files
    ]
    return list(dict.fromkeys(named))


def _feed(file: TapeFile, instruments: Mapping[str, SimInstrument]) -> Iterator[MarketEvent]:
    layout, rows = read_rows(file.path)
    symbol = file.symbol or symbol_of(file.path, list(instruments))
    if symbol not in instruments:
        raise TapeError(file.path, f"the symbol {symbol} has no instrument")
    interval_ms = 0
    if layout.kind is TapeKind.CANDLES and "close_time" not in layout.places:
        interval_ms = _interval(file)
    return _events(_Cells(file.path, layout, instruments[symbol]), rows, interval_ms)


def _interval(file: TapeFile) -> int:
    words = [file.interval] if file.interval else file.path.name.replace(".", "-").replace("_", "-").split("-")
    found = [INTERVALS_MS[word] for word in words if word in INTERVALS_MS]
    if not found:
        raise TapeError(file.path, "neither its name (such as ETHUSDT-1m) nor a column tells the candles' interval")
    return found[0]


class _Cells:
    """Reads one file's cells, and says where one is bad."""

    def __init__(self, path: Path, layout: Layout, instrument: SimInstrument) -> None:
        self.path = path
        self.layout = layout
        self.instrument = instrument
        self._as_float = {unit: float(unit) for unit in (instrument.tick, instrument.step)}

    def has(self, field: str) -> bool:
        return field in self.layout.places

    def fail(self, problem: str, number: int, field: str) -> TapeError:
        column = self.layout.columns[self.layout.places[field]]
        return TapeError(self.path, problem, row=number, column=column)

    def whole(self, row: Row, number: int, field: str) -> int:
        value = row[self.layout.places[field]]
        try:
            return int(value)
        except (TypeError, ValueError) as bad:
            raise self.fail(f"{value!r} is no whole number", number, field) from bad

    def time_ms(self, row: Row, number: int, field: str) -> int:
        value = self.whole(row, number, field)
        if value <= 0:
            raise self.fail(f"{value} is no time", number, field)
        return value // 1000 if value >= MICROSECONDS_FROM else value

    def truth(self, row: Row, number: int, field: str) -> bool:
        value = row[self.layout.places[field]]
        if isinstance(value, bool):
            return value
        word = str(value).strip().lower()
        if word not in ("true", "false", "1", "0"):
            raise self.fail(f"{value!r} is neither true nor false", number, field)
        return word in ("true", "1")

    def price(self, row: Row, number: int, field: str) -> int:
        ticks = self._units(row, number, field, self.instrument.tick)
        if ticks <= 0:
            raise self.fail(f"{row[self.layout.places[field]]} is no price", number, field)
        return ticks

    def quantity(self, row: Row, number: int, field: str) -> int:
        steps = self._units(row, number, field, self.instrument.step)
        if steps < 0:
            raise self.fail(f"{row[self.layout.places[field]]} is no quantity", number, field)
        return steps

    def amount(self, row: Row, number: int, field: str) -> Decimal:
        value = row[self.layout.places[field]]
        try:
            amount = Decimal(str(value))
        except InvalidOperation as bad:
            raise self.fail(f"{value!r} is no number", number, field) from bad
        if not amount.is_finite():
            raise self.fail(f"{value!r} is no number", number, field)
        return amount

    def _units(self, row: Row, number: int, field: str, unit: Decimal) -> int:
        """Count units to the nearest. A recorded float is within one part in 2**53 of its decimal, far under half."""
        value = row[self.layout.places[field]]
        if isinstance(value, float) and math.isfinite(value):
            return round(value / self._as_float[unit])
        return round(self.amount(row, number, field) / unit)


def _events(cells: _Cells, rows: Iterator[tuple[int, Row]], interval_ms: int) -> Iterator[MarketEvent]:
    before_ms = 0
    for number, row in rows:
        if cells.layout.kind is TapeKind.CANDLES:
            event: MarketEvent = _candle(cells, row, number, interval_ms)
        elif cells.layout.kind is TapeKind.TRADES:
            event = _trade(cells, row, number)
        else:
            event = _quote(cells, row, number)
        if event.time_ms < before_ms:
            raise cells.fail(f"time goes back by {before_ms - event.time_ms} ms", number, "time")
        before_ms = event.time_ms
        yield event


def _candle(cells: _Cells, row: Row, number: int, interval_ms: int) -> Candle:
    open_ms = cells.time_ms(row, number, "time")
    length = interval_ms or cells.time_ms(row, number, "close_time") - open_ms + 1
    opened, high = cells.price(row, number, "open"), cells.price(row, number, "high")
    low, close = cells.price(row, number, "low"), cells.price(row, number, "close")
    if not low <= min(opened, close) <= max(opened, close) <= high:
        raise cells.fail("low, open, close and high contradict each other", number, "low")
    return Candle(
        symbol=cells.instrument.symbol,
        open_ms=open_ms,
        interval_ms=length,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=cells.quantity(row, number, "volume"),
        quote_volume=cells.amount(row, number, "quote_volume") if cells.has("quote_volume") else Decimal(0),
        trades=cells.whole(row, number, "trades") if cells.has("trades") else 0,
        taker_buy_volume=cells.quantity(row, number, "taker_buy_volume") if cells.has("taker_buy_volume") else 0,
        taker_buy_quote_volume=(
            cells.amount(row, number, "taker_buy_quote_volume") if cells.has("taker_buy_quote_volume") else Decimal(0)
        ),
    )


def _trade(cells: _Cells, row: Row, number: int) -> Trade:
    return Trade(
        symbol=cells.instrument.symbol,
        time_ms=cells.time_ms(row, number, "time"),
        price=cells.price(row, number, "price"),
        quantity=cells.quantity(row, number, "quantity"),
        aggressor=Side.SELL if cells.truth(row, number, "buyer_is_maker") else Side.BUY,
        trade_id=cells.whole(row, number, "trade_id") if cells.has("trade_id") else 0,
    )


def _quote(cells: _Cells, row: Row, number: int) -> BookTop:
    top = BookTop(
        symbol=cells.instrument.symbol,
        time_ms=cells.time_ms(row, number, "time"),
        bid=cells.price(row, number, "bid"),
        bid_quantity=cells.quantity(row, number, "bid_quantity"),
        ask=cells.price(row, number, "ask"),
        ask_quantity=cells.quantity(row, number, "ask_quantity"),
    )
    if top.bid >= top.ask:
        raise cells.fail(f"bid {cells.instrument.price(top.bid)} is not under the ask", number, "bid")
    return top
