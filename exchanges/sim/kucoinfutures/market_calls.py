"""Public market data: time, contracts, prices, candles."""

from __future__ import annotations

from typing import Any

from exchanges.sim.kucoinfutures import render_market as render
from exchanges.sim.kucoinfutures.contracts import Contract, contract, of_symbol
from exchanges.sim.kucoinfutures.venue import KucoinVenue
from exchanges.sim.server.request import Endpoint, Malformed, Request

MINUTES = {
    "1": "1m",
    "5": "5m",
    "15": "15m",
    "30": "30m",
    "60": "1h",
    "120": "2h",
    "240": "4h",
    "480": "8h",
    "720": "12h",
    "1440": "1d",
    "10080": "1w",
}
CANDLES_MAX = 500
SNAPSHOT_ROWS = 1000


def server_time(venue: KucoinVenue, request: Request) -> Any:
    return venue.server_ms()


def status(venue: KucoinVenue, request: Request) -> Any:
    return {"status": "open", "msg": ""}


def currencies(venue: KucoinVenue, request: Request) -> Any:
    """Return what may be paid in and out: nothing here."""
    return []


def contracts(venue: KucoinVenue, request: Request) -> Any:
    return [_contract(venue, of_symbol(venue, symbol)) for symbol in venue.instruments()]


def one_contract(venue: KucoinVenue, request: Request) -> Any:
    return _contract(venue, contract(venue, request.text("symbol")))


def _contract(venue: KucoinVenue, held: Contract) -> Any:
    read = venue.engine.read
    index, last = read.premium_index(held.symbol), read.last_price(held.symbol)
    return render.contract(held, index, last, now_ms=venue.server_ms())


def tiers(venue: KucoinVenue, request: Request) -> Any:
    return render.tiers(contract(venue, request.text("symbol")))


def ticker(venue: KucoinVenue, request: Request) -> Any:
    return venue.market.ticker(contract(venue, request.text("symbol")))


def tickers(venue: KucoinVenue, request: Request) -> Any:
    return [venue.market.ticker(of_symbol(venue, symbol)) for symbol in venue.instruments()]


def snapshot(venue: KucoinVenue, request: Request) -> Any:
    return venue.market.depth(contract(venue, request.text("symbol")), SNAPSHOT_ROWS)


def depth_20(venue: KucoinVenue, request: Request) -> Any:
    return venue.market.depth(contract(venue, request.text("symbol")), 20)


def depth_100(venue: KucoinVenue, request: Request) -> Any:
    return venue.market.depth(contract(venue, request.text("symbol")), 100)


def candles(venue: KucoinVenue, request: Request) -> Any:
    """Return candles, oldest first: the last ones, or those between two times."""
    held, word = contract(venue, request.text("symbol")), request.text("granularity")
    if word not in MINUTES:
        raise Malformed("granularity")
    if venue.candles_are_missing(held.symbol):
        return []
    rows = venue.engine.read.klines(
        held.symbol,
        MINUTES[word],
        venue.now_ms(),
        start_ms=request.whole("from"),
        end_ms=request.whole("to"),
        limit=CANDLES_MAX,
    )
    return [render.candle(held, row) for row in rows]


def mark_price(venue: KucoinVenue, request: Request) -> Any:
    held = contract(venue, request.text("symbol"))
    index = venue.engine.read.premium_index(held.symbol)
    return {
        "symbol": held.name,
        "granularity": 1000,
        "timePoint": venue.server_ms(),
        "value": render.bare(index.mark_price),
        "indexPrice": render.bare(index.index_price),
    }


def funding_rate(venue: KucoinVenue, request: Request) -> Any:
    held = contract(venue, request.text("symbol"))
    index = venue.engine.read.premium_index(held.symbol)
    return {
        "symbol": held.name,
        "granularity": 28_800_000,
        "timePoint": index.next_funding_ms - 28_800_000,
        "value": render.bare(index.funding_rate),
        "predictedValue": render.bare(index.funding_rate),
        "fundingTime": index.next_funding_ms,
    }


def trades(venue: KucoinVenue, request: Request) -> Any:
    held = contract(venue, request.text("symbol"))
    return [render.trade(held, event) for event in reversed(venue.engine.read.recent_trades(held.symbol, 100))]


def _public(action: str, path: str, handler: Any, weight: int = 2) -> Endpoint[KucoinVenue]:
    return Endpoint(action=action, method="GET", path=path, handler=handler, is_signed=False, weight=weight)


ENDPOINTS: tuple[Endpoint[KucoinVenue], ...] = (
    _public("time", "/api/v1/timestamp", server_time),
    _public("status", "/api/v1/status", status, 4),
    _public("currencies", "/api/v3/currencies", currencies, 3),
    _public("instruments", "/api/v1/contracts/active", contracts, 3),
    _public("brackets", "/api/v1/contracts/risk-limit/{symbol}", tiers, 5),
    _public("instrument", "/api/v1/contracts/{symbol}", one_contract, 3),
    _public("ticker", "/api/v1/ticker", ticker),
    _public("tickers", "/api/v1/allTickers", tickers, 5),
    _public("depth", "/api/v1/level2/snapshot", snapshot, 3),
    _public("depth", "/api/v1/level2/depth20", depth_20, 5),
    _public("depth", "/api/v1/level2/depth100", depth_100, 10),
    _public("klines", "/api/v1/kline/query", candles, 3),
    _public("mark_price", "/api/v1/mark-price/{symbol}/current", mark_price, 3),
    _public("funding_rate", "/api/v1/funding-rate/{symbol}/current", funding_rate),
    _public("trades", "/api/v1/trade/history", trades, 5),
)
