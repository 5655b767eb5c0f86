"""Public market data by REST."""

from __future__ import annotations

from exchanges.sim.okx import render_market as render
from exchanges.sim.okx.call import Call, Endpoint, Handler, Row
from exchanges.sim.okx.errors import ApiError
from exchanges.sim.okx.venue import OkxVenue

CANDLES_MAX = 300
DEPTH_MAX = 400


def time(venue: OkxVenue, call: Call) -> list[Row]:
    return [{"ts": str(venue.server_ms())}]


def instruments(venue: OkxVenue, call: Call) -> list[Row]:
    if call.text("instType") != "SWAP":
        return []
    wanted = call.optional("instId")
    return [render.instrument(swap) for swap in venue.swaps.all() if wanted in ("", swap.inst_id)]


def books(venue: OkxVenue, call: Call) -> list[Row]:
    swap = venue.swaps.named(call.params)
    bids, asks = venue.engine.read.depth(swap.symbol, max(1, min(call.whole("sz", 1), DEPTH_MAX)))
    return [render.book(swap, bids, asks, venue.engine.read.book(swap.symbol))]


def ticker(venue: OkxVenue, call: Call) -> list[Row]:
    return [render.ticker(venue, venue.swaps.named(call.params))]


def tickers(venue: OkxVenue, call: Call) -> list[Row]:
    return [render.ticker(venue, swap) for swap in venue.swaps.all()] if call.text("instType") == "SWAP" else []


def candles(venue: OkxVenue, call: Call) -> list[list[str]]:
    swap, bar = venue.swaps.named(call.params), call.optional("bar", "1m")
    interval = render.INTERVALS.get(bar)
    if interval is None:
        raise ApiError(400, "51000", "Parameter bar error")
    if venue.candles_are_missing(swap.symbol):
        return []
    after, before = call.whole("after"), call.whole("before")
    rows = venue.engine.read.klines(swap.symbol, interval, venue.now_ms(), limit=10_000)
    found = [row for row in rows if (not after or row.open_ms < after) and (not before or row.open_ms > before)]
    return [render.candle(swap, row) for row in reversed(found)][: call.limit(CANDLES_MAX)]


def mark_price(venue: OkxVenue, call: Call) -> list[Row]:
    wanted = call.optional("instId")
    return [render.mark(venue, swap) for swap in venue.swaps.all() if wanted in ("", swap.inst_id)]


def tiers(venue: OkxVenue, call: Call) -> list[Row]:
    families = (call.optional("instFamily") or call.optional("uly")).split(",")
    found = [swap for family in families for swap in venue.swaps.of_family(family)]
    if not found:
        raise ApiError(200, "51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist.")
    return [row for swap in found for row in render.tiers(venue, swap)]


def funding(venue: OkxVenue, call: Call) -> list[Row]:
    return [render.funding(venue, venue.swaps.named(call.params))]


def _public(action: str, path: str, handler: Handler, limit: int) -> Endpoint:
    return Endpoint(action=action, method="GET", path=f"/api/v5/{path}", handler=handler, limit=limit, is_private=False)


ENDPOINTS = (
    _public("time", "public/time", time, 10),
    _public("instruments", "public/instruments", instruments, 20),
    _public("depth", "market/books", books, 40),
    _public("ticker", "market/ticker", ticker, 20),
    _public("ticker", "market/tickers", tickers, 20),
    _public("candles", "market/candles", candles, 40),
    _public("candles", "market/history-candles", candles, 20),
    _public("mark_price", "public/mark-price", mark_price, 10),
    _public("brackets", "public/position-tiers", tiers, 10),
    _public("funding", "public/funding-rate", funding, 20),
)
