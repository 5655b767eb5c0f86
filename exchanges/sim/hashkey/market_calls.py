"""Public market data: time, contracts, prices, candles, funding."""

from __future__ import annotations

from typing import Any

from exchanges.sim.hashkey import render_market as render
from exchanges.sim.hashkey.contracts import Contract, contract, of_symbol
from exchanges.sim.hashkey.streams import INTERVALS
from exchanges.sim.hashkey.venue import HashkeyVenue
from exchanges.sim.server.request import Endpoint, Malformed, Request
from exchanges.sim.server.text import plain

ROWS_DEFAULT, ROWS_MAX = 100, 1000


def server_time(venue: HashkeyVenue, request: Request) -> Any:
    return {"serverTime": venue.server_ms()}


def ping(venue: HashkeyVenue, request: Request) -> Any:
    return {}


def exchange_info(venue: HashkeyVenue, request: Request) -> Any:
    return {
        "timezone": "UTC",
        "serverTime": str(venue.server_ms()),
        "brokerFilters": [],
        "symbols": [],
        "options": [],
        "contracts": [render.contract(of_symbol(venue, symbol)) for symbol in venue.instruments()],
        "coins": [],
    }


def depth(venue: HashkeyVenue, request: Request) -> Any:
    held = contract(venue, request.text("symbol"))
    bids, asks = venue.engine.read.depth(held.symbol, _limit(request, 200))
    return render.depth(held, bids, asks, sent_ms=venue.server_ms())


def trades(venue: HashkeyVenue, request: Request) -> Any:
    held = contract(venue, request.text("symbol"))
    return [render.trade(held, event) for event in venue.engine.read.recent_trades(held.symbol, _limit(request, 1000))]


def candles(venue: HashkeyVenue, request: Request) -> Any:
    """Return candles from their start, or the latest where none is named."""
    held, interval = contract(venue, request.text("symbol")), request.text("interval")
    if interval not in INTERVALS:
        raise Malformed("interval")
    rows = venue.engine.read.klines(
        held.symbol,
        interval,
        venue.now_ms(),
        start_ms=request.whole("startTime"),
        end_ms=request.whole("endTime"),
        limit=_limit(request, ROWS_MAX),
    )
    return [render.candle(held, row) for row in rows]


def tickers(venue: HashkeyVenue, request: Request) -> Any:
    return [_ticker(venue, held) for held in _named(venue, request)]


def touches(venue: HashkeyVenue, request: Request) -> Any:
    books = [(held, venue.engine.read.book(held.symbol)) for held in _named(venue, request)]
    return [
        {
            "s": held.name,
            "b": held.price(book.bid),
            "bq": str(book.bid_quantity),
            "a": held.price(book.ask),
            "aq": str(book.ask_quantity),
            "t": venue.server_ms(),
        }
        for held, book in books
    ]


def mark_price(venue: HashkeyVenue, request: Request) -> Any:
    held = contract(venue, request.text("symbol"))
    index = venue.engine.read.premium_index(held.symbol)
    return {
        "exchangeId": render.EXCHANGE,
        "symbolId": held.name,
        "price": plain(index.mark_price),
        "time": str(index.time_ms),
    }


def funding_rate(venue: HashkeyVenue, request: Request) -> Any:
    told = []
    for held in _named(venue, request):
        index = venue.engine.read.premium_index(held.symbol)
        settles = str(index.next_funding_ms)
        told.append({"symbol": held.name, "rate": plain(index.funding_rate), "nextSettleTime": settles})
    return told


def past_funding(venue: HashkeyVenue, request: Request) -> Any:
    held = contract(venue, request.text("symbol"))
    rows = venue.engine.read.funding_history(held.symbol, limit=_limit(request, ROWS_MAX))
    return [
        {"id": str(row.time_ms), "symbol": held.name, "settleTime": str(row.time_ms), "settleRate": plain(row.rate)}
        for row in reversed(rows)
    ]


def _ticker(venue: HashkeyVenue, held: Contract) -> Any:
    read = venue.engine.read
    day, last, book = venue.market.day(held), read.last_price(held.symbol), read.book(held.symbol)
    return render.ticker(held, day, last, book, sent_ms=venue.server_ms())


def _named(venue: HashkeyVenue, request: Request) -> list[Contract]:
    if request.has("symbol"):
        return [contract(venue, request.text("symbol"))]
    return [of_symbol(venue, symbol) for symbol in venue.instruments()]


def _limit(request: Request, most: int) -> int:
    return min(request.whole("limit", ROWS_DEFAULT), most)


def _public(action: str, path: str, handler: Any, weight: int = 1) -> Endpoint[HashkeyVenue]:
    return Endpoint(action=action, method="GET", path=path, handler=handler, is_signed=False, weight=weight)


ENDPOINTS: tuple[Endpoint[HashkeyVenue], ...] = (
    _public("time", "/api/v1/time", server_time),
    _public("ping", "/api/v1/ping", ping),
    _public("instruments", "/api/v1/exchangeInfo", exchange_info, 5),
    _public("depth", "/quote/v1/depth", depth),
    _public("trades", "/quote/v1/trades", trades),
    _public("klines", "/quote/v1/klines", candles),
    _public("tickers", "/quote/v1/ticker/24hr", tickers),
    _public("touches", "/quote/v1/ticker/bookTicker", touches),
    _public("mark_price", "/quote/v1/markPrice", mark_price),
    _public("funding_rate", "/api/v1/futures/fundingRate", funding_rate),
    _public("funding_history", "/api/v1/futures/historyFundingRate", past_funding),
)
