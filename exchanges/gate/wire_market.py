"""Quotes, candles and mark prices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges import wire
from exchanges.errors import BadReply, NotSupported
from exchanges.gate.contracts import Contract, Contracts, contract_of, steps_of, symbol_of
from exchanges.port import FundingDue, PublicTrade
from grid.order import Quote, Side
from risk.candle import Candle

INTERVALS_MS = {
    "10s": 10_000,
    "1m": 60_000,
    "5m": 300_000,
    "15m": 900_000,
    "30m": 1_800_000,
    "1h": 3_600_000,
    "4h": 14_400_000,
    "8h": 28_800_000,
    "1d": 86_400_000,
}


def interval_ms(interval: str) -> int:
    """Return a candle's length; raises `NotSupported` for one that the venue has not."""
    if interval not in INTERVALS_MS:
        raise NotSupported(f"gate has no candles of {interval}: one of {', '.join(INTERVALS_MS)}")
    return INTERVALS_MS[interval]


def streamed_quote(message: wire.Row, contracts: Contracts, received_ns: int) -> Quote | None:
    """Return the quote of a book_ticker event; None while one side of the book is empty (its price is then no text)."""
    where = "book_ticker"
    row = wire.mapping(message.get("result"), where)
    contract = contract_of(contracts, row, "s", where)
    if not row.get("b") or not row.get("a"):
        return None
    sizes = steps_of(contract, row, "B", where), steps_of(contract, row, "A", where)
    prices = wire.ticks(contract.instrument, row, "b", where), wire.ticks(contract.instrument, row, "a", where)
    return _quote(contract, prices, sizes, wire.integer(row, "t", where), received_ns)


def update_id(message: wire.Row) -> int:
    """Return the number of a book_ticker event; it never falls."""
    return wire.integer(wire.mapping(message.get("result"), "book_ticker"), "u", "book_ticker")


def rest_quote(message: Any, contract: Contract, received_ns: int) -> Quote:
    """Return the quote of a book; raises `BadReply` while one side of it is empty."""
    where = "order_book"
    row = wire.mapping(message, where)
    bid, ask = _best(row, "bids"), _best(row, "asks")
    sizes = steps_of(contract, bid, "s", where), steps_of(contract, ask, "s", where)
    prices = wire.ticks(contract.instrument, bid, "p", where), wire.ticks(contract.instrument, ask, "p", where)
    quote = _quote(contract, prices, sizes, moment_ms(row, "current", where), received_ns)
    if quote is None:
        raise BadReply(f"{where}: one side of {contract.name} is empty")
    return quote


def streamed_candles(message: wire.Row, contracts: Contracts) -> list[Candle]:
    """Return the candles of a candlesticks event; closed only where the event says so (`w`)."""
    where = "candlesticks"
    found: list[Candle] = []
    for value in wire.sequence(message.get("result"), where):
        row = wire.mapping(value, where)
        interval, _, name = wire.text(row, "n", where).partition("_")
        contract = contract_of(contracts, {"n": name}, "n", where)
        found.append(_candle(row, contract, interval_ms(interval), is_closed=row.get("w") is True))
    return found


def rest_candles(message: Any, contract: Contract, length_ms: int) -> list[Candle]:
    """Return candles oldest first. A reply has no flag for "closed": the last one is given as still running."""
    rows = [wire.mapping(row, "candlesticks") for row in wire.sequence(message, "candlesticks")]
    rows.sort(key=lambda row: wire.integer(row, "t", "candlesticks"))
    last = len(rows) - 1
    return [_candle(row, contract, length_ms, is_closed=index < last) for index, row in enumerate(rows)]


def trades(message: wire.Row, contracts: Contracts) -> list[PublicTrade]:
    """Return the trades of a trades event, oldest first; a size below 0 is a seller's."""
    where = "trades"
    rows = [wire.mapping(row, where) for row in wire.sequence(message.get("result"), where)]
    rows.sort(key=lambda row: wire.integer(row, "id", where))
    return [_trade(row, contract_of(contracts, row, "contract", where), where) for row in rows]


def _trade(row: wire.Row, contract: Contract, where: str) -> PublicTrade:
    steps = steps_of(contract, row, "size", where)
    return PublicTrade(
        symbol=contract.instrument.symbol,
        trade_id=str(wire.integer(row, "id", where)),
        price=wire.ticks(contract.instrument, row, "price", where),
        quantity=abs(steps),
        aggressor=Side.SELL if steps < 0 else Side.BUY,
        venue_ms=wire.integer(row, "create_time_ms", where),
    )


def marks(message: wire.Row) -> list[tuple[str, Decimal, int]]:
    """Return (our symbol, mark price, venue time in ms) of each contract of a tickers event."""
    where = "tickers"
    venue_ms = wire.integer(message, "time_ms", where)
    rows = [wire.mapping(row, where) for row in wire.sequence(message.get("result"), where)]
    return [
        (symbol_of(wire.text(row, "contract", where)), wire.decimal(row, "mark_price", where), venue_ms) for row in rows
    ]


def rest_mark(rows: Any, symbol: str, venue_ms: int) -> tuple[str, Decimal, int]:
    """Return (our symbol, mark price, venue time in ms) of a reading, which has no time of its own."""
    for told in marks({"result": rows, "time_ms": venue_ms}):
        if told[0] == symbol:
            return told
    raise BadReply(f"tickers: no row for {symbol}")


def moment_ms(row: wire.Row, key: str, where: str) -> int:
    """Return a time in seconds, with or without a fraction, in ms."""
    return int(wire.decimal(row, key, where) * 1000)


def _best(row: wire.Row, side: str) -> wire.Row:
    levels = wire.sequence(row.get(side), f"order_book.{side}")
    return wire.mapping(levels[0], f"order_book.{side}") if levels else {"p": "0", "s": 0}


def _quote(
    contract: Contract, prices: tuple[int, int], sizes: tuple[int, int], venue_ms: int, received_ns: int
) -> Quote | None:
    (bid, ask), (bid_quantity, ask_quantity) = prices, sizes
    if bid <= 0 or ask <= 0:
        return None
    if bid >= ask:
        raise BadReply(f"quote: {contract.name} is crossed, bid {bid} ask {ask} ticks")
    return Quote(
        symbol=contract.instrument.symbol,
        bid=bid,
        ask=ask,
        bid_quantity=bid_quantity,
        ask_quantity=ask_quantity,
        venue_ms=venue_ms,
        received_ns=received_ns,
    )


def _candle(row: wire.Row, contract: Contract, length_ms: int, *, is_closed: bool) -> Candle:
    where = "candlesticks"
    open_ms = wire.integer(row, "t", where) * 1000
    instrument = contract.instrument
    return Candle(
        symbol=instrument.symbol,
        open_ms=open_ms,
        close_ms=open_ms + length_ms - 1,
        open=wire.decimal(row, "o", where),
        high=wire.decimal(row, "h", where),
        low=wire.decimal(row, "l", where),
        close=wire.decimal(row, "c", where),
        volume=wire.decimal(row, "v", where) / contract.unit * instrument.step,
        is_closed=is_closed,
    )


def funding(message: Any, symbol: str) -> FundingDue:
    """Return the next funding of a contract, whose time is told in seconds."""
    row = wire.mapping(message, "contract")
    at_ms = wire.count(row, "funding_next_apply", "contract") * 1000
    return FundingDue(symbol=symbol, rate=wire.decimal(row, "funding_rate", "contract"), at_ms=at_ms)
