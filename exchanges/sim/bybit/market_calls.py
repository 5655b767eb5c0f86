"""Market data, for which nobody signs."""

from __future__ import annotations

from exchanges.sim.bybit import render_market as render
from exchanges.sim.bybit.call import CATEGORY, Answer, Call, Endpoint, page
from exchanges.sim.bybit.errors import parameter
from exchanges.sim.bybit.render_account import tiers
from exchanges.sim.bybit.topics import INTERVALS
from exchanges.sim.bybit.venue import BybitVenue
from exchanges.sim.server.text import plain

KLINES_MAX = 1000


def server_time(venue: BybitVenue, call: Call) -> Answer:
    now_ms = venue.server_ms()
    return Answer(result={"timeSecond": str(now_ms // 1000), "timeNano": str(now_ms * 1_000_000)})


def instruments(venue: BybitVenue, call: Call) -> Answer:
    """Answer with contracts that trade, unless one is asked for by its name."""
    call.check_category()
    if call.has("symbol"):
        rows = [render.instrument_row(venue.instrument(call.symbol()))]
    else:
        wanted = call.optional("status", "Trading")
        rows = [render.instrument_row(held) for held in venue.instruments().values()]
        rows = [row for row in rows if row["status"] == wanted]
    return Answer(result=page(rows, call, default=500, most=1000))


def orderbook(venue: BybitVenue, call: Call) -> Answer:
    call.check_category()
    held = venue.instrument(call.symbol())
    bids, asks = venue.engine.read.depth(held.symbol, min(call.whole("limit", 25), 500))
    book = venue.engine.read.book(held.symbol)
    return Answer(
        result={
            "s": held.symbol,
            "b": render.levels(held, bids),
            "a": render.levels(held, asks),
            "ts": venue.server_ms(),
            "u": book.update_id,
            "seq": book.update_id,
            "cts": book.time_ms,
        }
    )


def klines(venue: BybitVenue, call: Call) -> Answer:
    call.check_category()
    held, word = venue.instrument(call.symbol()), call.text("interval")
    if word not in INTERVALS:
        raise parameter("interval")
    rows = (
        []
        if venue.candles_are_missing(held.symbol)
        else venue.engine.read.klines(
            held.symbol,
            INTERVALS[word],
            venue.now_ms(),
            start_ms=call.whole("start"),
            end_ms=call.whole("end"),
            limit=min(call.whole("limit", 200), KLINES_MAX),
        )
    )
    listed = [render.kline_row(held, row) for row in reversed(rows)]
    return Answer(result={"symbol": held.symbol, "category": CATEGORY, "list": listed})


def tickers(venue: BybitVenue, call: Call) -> Answer:
    call.check_category()
    wanted = [venue.instrument(call.symbol()).symbol] if call.has("symbol") else list(venue.instruments())
    return Answer(result={"category": CATEGORY, "list": [venue.market.ticker(symbol) for symbol in wanted]})


def risk_limit(venue: BybitVenue, call: Call) -> Answer:
    call.check_category()
    wanted = [venue.instrument(call.symbol())] if call.has("symbol") else list(venue.instruments().values())
    return Answer(result={"category": CATEGORY, "list": [row for held in wanted for row in tiers(held)]})


def recent_trades(venue: BybitVenue, call: Call) -> Answer:
    call.check_category()
    held = venue.instrument(call.symbol())
    rows = venue.engine.read.recent_trades(held.symbol, min(call.whole("limit", 500), 1000))
    return Answer(
        result={
            "category": CATEGORY,
            "list": [
                {
                    "execId": str(row.trade_id),
                    "symbol": row.symbol,
                    "price": plain(held.price(row.price)),
                    "size": plain(held.quantity(row.quantity)),
                    "side": "Sell" if row.buyer_is_maker else "Buy",
                    "time": str(row.time_ms),
                    "isBlockTrade": False,
                }
                for row in reversed(rows)
            ],
        }
    )


def funding_history(venue: BybitVenue, call: Call) -> Answer:
    call.check_category()
    rows = venue.engine.read.funding_history(
        venue.instrument(call.symbol()).symbol,
        start_ms=call.whole("startTime"),
        end_ms=call.whole("endTime"),
        limit=min(call.whole("limit", 200), 200),
    )
    listed = [
        {"symbol": row.symbol, "fundingRate": plain(row.rate), "fundingRateTimestamp": str(row.time_ms)}
        for row in reversed(rows)
    ]
    return Answer(result={"category": CATEGORY, "list": listed})


ENDPOINTS = (
    Endpoint(action="time", method="GET", path="/v5/market/time", handler=server_time, is_signed=False),
    Endpoint(
        action="instruments", method="GET", path="/v5/market/instruments-info", handler=instruments, is_signed=False
    ),
    Endpoint(action="depth", method="GET", path="/v5/market/orderbook", handler=orderbook, is_signed=False),
    Endpoint(action="klines", method="GET", path="/v5/market/kline", handler=klines, is_signed=False),
    Endpoint(action="ticker.day", method="GET", path="/v5/market/tickers", handler=tickers, is_signed=False),
    Endpoint(action="brackets", method="GET", path="/v5/market/risk-limit", handler=risk_limit, is_signed=False),
    Endpoint(action="trades", method="GET", path="/v5/market/recent-trade", handler=recent_trades, is_signed=False),
    Endpoint(
        action="funding_rate", method="GET", path="/v5/market/funding/history", handler=funding_history, is_signed=False
    ),
)
