"""Public market data: time, contracts, tickers, candles."""

from __future__ import annotations

from typing import Any

from exchanges.sim.bitget import render_market as render
from exchanges.sim.bitget.call import Call, Endpoint
from exchanges.sim.bitget.errors import parameter
from exchanges.sim.bitget.venue import BitgetVenue

INTERVALS = {
    "1m": "1m",
    "3m": "3m",
    "5m": "5m",
    "15m": "15m",
    "30m": "30m",
    "1H": "1h",
    "2H": "2h",
    "4H": "4h",
    "6Hutc": "6h",
    "12Hutc": "12h",
    "1Dutc": "1d",
}
CANDLES_MAX = 1000
OTHER_PRODUCTS = ("COIN-FUTURES", "USDC-FUTURES", "SUSDT-FUTURES", "SCOIN-FUTURES", "SUSDC-FUTURES")


def server_time(venue: BitgetVenue, call: Call) -> Any:
    return {"serverTime": str(venue.server_ms())}


def contracts(venue: BitgetVenue, call: Call) -> Any:
    """Return the contracts of a product: of the others that the venue has, none is simulated."""
    if call.text("productType").upper() in OTHER_PRODUCTS:
        return []
    call.check_product()
    if call.has("symbol"):
        return [render.contract(venue.instrument(call.symbol()))]
    return [render.contract(held) for held in venue.instruments().values()]


def tiers(venue: BitgetVenue, call: Call) -> Any:
    call.check_product()
    return render.tiers(venue.instrument(call.symbol()))


def ticker(venue: BitgetVenue, call: Call) -> Any:
    call.check_product()
    return [venue.market.ticker(venue.instrument(call.symbol()).symbol)]


def tickers(venue: BitgetVenue, call: Call) -> Any:
    call.check_product()
    return [venue.market.ticker(symbol) for symbol in venue.instruments()]


def depth(venue: BitgetVenue, call: Call) -> Any:
    call.check_product()
    held = venue.instrument(call.symbol())
    bids, asks = venue.engine.read.depth(held.symbol, 50)
    return render.depth(held, bids, asks, sent_ms=venue.server_ms())


def candles(venue: BitgetVenue, call: Call) -> Any:
    call.check_product()
    held, word = venue.instrument(call.symbol()), call.text("granularity")
    limit = call.whole("limit", 100)
    if word not in INTERVALS or not 1 <= limit <= CANDLES_MAX:
        raise parameter("granularity" if word not in INTERVALS else "limit")
    if venue.candles_are_missing(held.symbol):
        return []
    rows = venue.engine.read.klines(
        held.symbol,
        INTERVALS[word],
        venue.now_ms(),
        start_ms=call.whole("startTime"),
        end_ms=call.whole("endTime"),
        limit=limit,
    )
    return [render.candle(held, row) for row in rows]


def funding_rate(venue: BitgetVenue, call: Call) -> Any:
    call.check_product()
    symbol = venue.instrument(call.symbol()).symbol
    index = venue.engine.read.premium_index(symbol)
    told = {"symbol": symbol, "fundingRate": str(index.funding_rate), "fundingRateInterval": "8"}
    return [{**told, "nextUpdate": str(index.next_funding_ms), "minFundingRate": "-0.02", "maxFundingRate": "0.02"}]


def trades(venue: BitgetVenue, call: Call) -> Any:
    call.check_product()
    held = venue.instrument(call.symbol())
    rows = venue.engine.read.recent_trades(held.symbol, call.whole("limit", 100))
    return [{**render.public_trade(held, row), "symbol": held.symbol} for row in reversed(rows)]


def _public(action: str, path: str, handler: Any) -> Endpoint:
    return Endpoint(action=action, method="GET", path=path, handler=handler, is_signed=False)


ENDPOINTS = (
    _public("time", "/api/v2/public/time", server_time),
    _public("instruments", "/api/v2/mix/market/contracts", contracts),
    _public("brackets", "/api/v2/mix/market/query-position-lever", tiers),
    _public("ticker", "/api/v2/mix/market/ticker", ticker),
    _public("tickers", "/api/v2/mix/market/tickers", tickers),
    _public("depth", "/api/v2/mix/market/merge-depth", depth),
    _public("klines", "/api/v2/mix/market/candles", candles),
    _public("funding_rate", "/api/v2/mix/market/current-fund-rate", funding_rate),
    _public("trades", "/api/v2/mix/market/fills", trades),
)
