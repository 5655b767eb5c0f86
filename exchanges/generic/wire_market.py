"""Quotes, candles and marks as ccxt unifies them; its streams hold floats, which stop here by their shortest text."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges import wire
from exchanges.errors import BadReply
from exchanges.generic.contracts import Contract
from exchanges.generic.wire_orders import side
from exchanges.port import FundingDue, PublicTrade
from grid.order import Quote
from risk.candle import Candle

COLUMNS = 6


def ticker_quote(row: wire.Row, contract: Contract, venue_ms: int, received_ns: int) -> Quote | None:
    """Return the best bid and ask of a ticker, or None while one side is empty."""
    return _quote(
        contract,
        (row.get("bid"), row.get("bidVolume")),
        (row.get("ask"), row.get("askVolume")),
        int(row.get("timestamp") or venue_ms),
        received_ns,
    )


def book_quote(book: Any, contract: Contract, venue_ms: int, received_ns: int) -> Quote | None:
    """Return the best bid and ask of an order book, or None while one side is empty."""
    bids, asks = book.get("bids"), book.get("asks")
    if not bids or not asks:
        return None
    best_bid, best_ask = tuple(bids[0][:2]), tuple(asks[0][:2])
    return _quote(contract, best_bid, best_ask, int(book.get("timestamp") or venue_ms), received_ns)


def _quote(
    contract: Contract, best_bid: tuple[Any, ...], best_ask: tuple[Any, ...], venue_ms: int, received_ns: int
) -> Quote | None:
    where = "quote"
    if best_bid[0] in (None, 0) or best_ask[0] in (None, 0):
        return None
    bid, ask = contract.ticks(best_bid[0], f"{where}.bid"), contract.ticks(best_ask[0], f"{where}.ask")
    if bid >= ask:
        raise BadReply(f"{where}: {contract.unified} is crossed, bid {best_bid[0]} ask {best_ask[0]}")
    return Quote(
        symbol=contract.symbol,
        bid=bid,
        ask=ask,
        bid_quantity=contract.amount(best_bid[1] or 0, f"{where}.bid_size"),
        ask_quantity=contract.amount(best_ask[1] or 0, f"{where}.ask_size"),
        venue_ms=venue_ms,
        received_ns=received_ns,
    )


def candle(row: Any, contract: Contract, length_ms: int, *, is_closed: bool) -> Candle:
    """Return one candle. ccxt has no word for whether it is closed, nor for what its volume counts."""
    told = wire.sequence(row, "candle")
    if len(told) < COLUMNS:
        raise BadReply(f"candle: a row of {len(told)} columns")
    open_ms = wire.integer({"open": told[0]}, "open", "candle")
    return Candle(
        symbol=contract.symbol,
        open_ms=open_ms,
        close_ms=open_ms + length_ms - 1,
        open=wire.exact(told[1], "candle.open"),
        high=wire.exact(told[2], "candle.high"),
        low=wire.exact(told[3], "candle.low"),
        close=wire.exact(told[4], "candle.close"),
        volume=wire.exact(told[5] if told[5] is not None else 0, "candle.volume"),
        is_closed=is_closed,
    )


def candles(reply: Any, contract: Contract, length_ms: int, now_ms: int) -> list[Candle]:
    """Return candles oldest first; one whose time is over is closed."""
    read = sorted((wire.sequence(row, "candle") for row in wire.sequence(reply, "candles")), key=lambda row: row[0])
    return [candle(row, contract, length_ms, is_closed=int(row[0]) + length_ms <= now_ms) for row in read]


def mark(row: wire.Row, symbol: str, venue_ms: int) -> tuple[str, Decimal, int] | None:
    """Return (symbol, mark price, venue time in ms), or None where the row tells no mark price."""
    told = row.get("markPrice")
    return (symbol, wire.exact(told, "mark"), int(row.get("timestamp") or venue_ms)) if told is not None else None


def trade(row: wire.Row, contract: Contract) -> PublicTrade:
    """Return one trade of anybody's."""
    where = "trades"
    return PublicTrade(
        symbol=contract.symbol,
        trade_id=str(row.get("id") or ""),
        price=contract.ticks(row.get("price"), f"{where}.price"),
        quantity=contract.amount(row.get("amount"), f"{where}.amount"),
        aggressor=side(row, where),
        venue_ms=wire.integer(row, "timestamp", where),
    )


def funding(told: Any, symbol: str, now_ms: int) -> FundingDue:
    """Return the next funding; exchanges tell its time under either name."""
    row = wire.mapping(told, "funding rate")
    times = [row.get(key) for key in ("fundingTimestamp", "nextFundingTimestamp")]
    ahead = [at for at in times if isinstance(at, int) and at > now_ms]
    if not ahead:
        raise BadReply(f"funding rate: no time ahead is told for {symbol}")
    return FundingDue(symbol=symbol, rate=wire.decimal(row, "fundingRate", "funding rate"), at_ms=min(ahead))
