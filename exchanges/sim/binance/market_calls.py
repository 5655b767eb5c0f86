"""Public market data: time, symbols, books, trades, candles, funding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exchanges.sim.binance import render_market as render
from exchanges.sim.binance.call import Call
from exchanges.sim.binance.endpoint import Endpoint, Security
from exchanges.sim.binance.errors import ApiError
from exchanges.sim.binance.stream_names import INTERVALS_MS
from exchanges.sim.binance.venue import Venue
from exchanges.sim.server.text import money, plain
from exchanges.sim.venue_events import PrintEvent
from exchanges.sim.views import FundingRow

DEPTHS = (5, 10, 20, 50, 100, 500, 1000)
KLINES_MAX = 1500


def ping(venue: Venue, call: Call) -> Any:
    return {}


def server_time(venue: Venue, call: Call) -> Any:
    return {"serverTime": venue.server_ms()}


def exchange_info(venue: Venue, call: Call) -> Any:
    instruments = venue.engine.read.instruments()
    assets = dict.fromkeys(held.quote for held in instruments)
    return {
        "timezone": "UTC",
        "serverTime": venue.server_ms(),
        "futuresType": "U_MARGINED",
        "rateLimits": [window.rendered() for window in venue.limits.windows],
        "exchangeFilters": [],
        "assets": [{"asset": asset, "marginAvailable": True, "autoAssetExchange": "-100"} for asset in assets],
        "symbols": [dict(held.raw) for held in instruments],
    }


def depth(venue: Venue, call: Call) -> Any:
    instrument = venue.instrument(call.symbol())
    limit = call.optional_whole("limit") or 500
    if limit not in DEPTHS:
        raise ApiError(400, -4021, f"Limit {limit} is not valid depth limit.")
    bids, asks = venue.engine.read.depth(instrument.symbol, limit)
    book = venue.engine.read.book(instrument.symbol)
    return render.depth(instrument, bids, asks, book, sent_ms=venue.server_ms())


def _prints(venue: Venue, call: Call) -> list[PrintEvent]:
    rows = venue.engine.read.recent_trades(call.symbol(), 1000)
    start_ms, end_ms = call.optional_whole("startTime"), call.optional_whole("endTime")
    from_id = call.optional_whole("fromId")
    limit = call.limit(500, 1000)
    kept = [
        row
        for row in rows
        if (start_ms is None or row.time_ms >= start_ms)
        and (end_ms is None or row.time_ms <= end_ms)
        and (from_id is None or row.trade_id >= from_id)
    ]
    return kept[:limit] if from_id is not None or start_ms is not None else kept[-limit:]


def trades(venue: Venue, call: Call) -> Any:
    instrument = venue.instrument(call.symbol())
    return [render.trade_row(instrument, row) for row in _prints(venue, call)]


def aggregate_trades(venue: Venue, call: Call) -> Any:
    instrument = venue.instrument(call.symbol())
    return [render.aggregate_trade_row(instrument, row) for row in _prints(venue, call)]


def klines(venue: Venue, call: Call) -> Any:
    instrument = venue.instrument(call.symbol())
    interval = call.text("interval")
    if interval not in INTERVALS_MS:
        raise ApiError(400, -1120, "Invalid interval.")
    if venue.candles_are_missing(instrument.symbol):
        return []
    rows = venue.engine.read.klines(
        instrument.symbol,
        interval,
        venue.now_ms(),
        start_ms=call.optional_whole("startTime") or 0,
        end_ms=call.optional_whole("endTime") or 0,
        limit=call.limit(500, KLINES_MAX),
    )
    return [render.kline_row(instrument, row) for row in rows]


def _for_symbol_or_all(venue: Venue, call: Call, row: Callable[[str], Any]) -> Any:
    if call.has("symbol"):
        return row(venue.instrument(call.symbol()).symbol)
    return [row(held.symbol) for held in venue.engine.read.instruments()]


def premium_index(venue: Venue, call: Call) -> Any:
    return _for_symbol_or_all(venue, call, lambda symbol: render.premium_index(venue.engine.read.premium_index(symbol)))


def funding_rate(venue: Venue, call: Call) -> Any:
    symbols = [venue.instrument(call.symbol()).symbol] if call.has("symbol") else list(venue.instruments())
    rows: list[FundingRow] = []
    for symbol in symbols:
        rows += venue.engine.read.funding_history(
            symbol,
            start_ms=call.optional_whole("startTime") or 0,
            end_ms=call.optional_whole("endTime") or 0,
            limit=call.limit(100, 1000),
        )
    return [
        {
            "symbol": row.symbol,
            "fundingRate": money(row.rate),
            "fundingTime": row.time_ms,
            "markPrice": money(row.mark_price),
            "rateType": "Regular",
        }
        for row in sorted(rows, key=lambda row: row.time_ms)
    ]


def funding_terms(venue: Venue, call: Call) -> Any:
    return [
        {
            "symbol": held.symbol,
            "adjustedFundingRateCap": "0.02000000",
            "adjustedFundingRateFloor": "-0.02000000",
            "fundingIntervalHours": 8,
            "disclaimer": False,
        }
        for held in venue.engine.read.instruments()
    ]


def price_ticker(venue: Venue, call: Call) -> Any:
    def row(symbol: str) -> dict[str, Any]:
        last = venue.instrument(symbol).price(venue.engine.read.last_price(symbol))
        return {"symbol": symbol, "price": plain(last), "time": venue.server_ms()}

    return _for_symbol_or_all(venue, call, row)


def book_ticker(venue: Venue, call: Call) -> Any:
    return _for_symbol_or_all(
        venue, call, lambda symbol: render.book_ticker(venue.instrument(symbol), venue.engine.read.book(symbol))
    )


def day_ticker(venue: Venue, call: Call) -> Any:
    return _for_symbol_or_all(venue, call, lambda symbol: venue.market.day_ticker(symbol, venue.now_ms()))


def open_interest(venue: Venue, call: Call) -> Any:
    """Return what the simulated accounts hold: there is nobody else whose position the venue knows."""
    instrument = venue.instrument(call.symbol())
    held = sum(
        abs(venue.engine.read.position(account, instrument.symbol).quantity) for account in venue.engine.read.accounts()
    )
    return {"symbol": instrument.symbol, "openInterest": plain(instrument.quantity(held)), "time": venue.server_ms()}


BY_KLINES = ((99, 1), (499, 2), (1000, 5), (KLINES_MAX, 10))
BY_DEPTH = ((50, 2), (100, 5), (500, 10), (1000, 20))


def _public(action: str, path: str, handler: Callable[[Venue, Call], Any], *, weight: int = 1) -> Endpoint:
    return Endpoint(action=action, method="GET", path=path, handler=handler, security=Security.NONE, weight=weight)


def _by_symbol(
    action: str, path: str, handler: Callable[[Venue, Call], Any], *, weight: int, without_symbol: int
) -> Endpoint:
    return Endpoint(
        action=action,
        method="GET",
        path=path,
        handler=handler,
        security=Security.NONE,
        weight=weight,
        weight_without_symbol=without_symbol,
    )


ENDPOINTS = (
    _public("ping", "/fapi/v1/ping", ping),
    _public("time", "/fapi/v1/time", server_time),
    _public("exchange_info", "/fapi/v1/exchangeInfo", exchange_info),
    Endpoint(
        action="depth", method="GET", path="/fapi/v1/depth", handler=depth, security=Security.NONE,
        weight_by_limit=BY_DEPTH,
    ),
    _public("trades", "/fapi/v1/trades", trades, weight=5),
    _public("trades.aggregate", "/fapi/v1/aggTrades", aggregate_trades, weight=20),
    Endpoint(
        action="klines", method="GET", path="/fapi/v1/klines", handler=klines, security=Security.NONE,
        weight_by_limit=BY_KLINES,
    ),
    _by_symbol("premium_index", "/fapi/v1/premiumIndex", premium_index, weight=1, without_symbol=10),
    _public("funding_rate", "/fapi/v1/fundingRate", funding_rate),
    _public("funding_info", "/fapi/v1/fundingInfo", funding_terms, weight=0),
    _by_symbol("ticker.price", "/fapi/v1/ticker/price", price_ticker, weight=1, without_symbol=2),
    _by_symbol("ticker.price.v2", "/fapi/v2/ticker/price", price_ticker, weight=1, without_symbol=2),
    _by_symbol("ticker.book", "/fapi/v1/ticker/bookTicker", book_ticker, weight=2, without_symbol=5),
    _by_symbol("ticker.day", "/fapi/v1/ticker/24hr", day_ticker, weight=1, without_symbol=40),
    _public("open_interest", "/fapi/v1/openInterest", open_interest),
)  # fmt: skip
