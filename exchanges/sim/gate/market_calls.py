"""Public market data: time, contracts, books, tickers, trades, candles, tiers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.sim.gate import render
from exchanges.sim.gate.call import Call, Endpoint
from exchanges.sim.gate.contracts import SimContract, contract_of, symbol_of
from exchanges.sim.gate.errors import wrong_parameter
from exchanges.sim.gate.render_market import candle, contract_row, ticker
from exchanges.sim.gate.trade_calls import PREFIX
from exchanges.sim.gate.venue import GateVenue
from exchanges.sim.server.text import plain
from exchanges.sim.views import DepthRow

INTERVALS = {
    **{name: name for name in ("10s", "1m", "5m", "15m", "30m", "1h", "4h", "8h", "1d")},
    "7d": "1w",
}
"""The venue's names, and the engine's."""
CANDLES_MAX = 2000
DEPTH_MAX = 300


def server_time(venue: GateVenue, call: Call) -> Any:
    return {"server_time": venue.server_ms()}


def contracts(venue: GateVenue, call: Call) -> Any:
    return [_contract(venue, contract_of(held)) for held in venue.engine.read.instruments()]


def one_contract(venue: GateVenue, call: Call) -> Any:
    return _contract(venue, venue.contract(symbol_of(call.text("contract"))))


def order_book(venue: GateVenue, call: Call) -> Any:
    contract = venue.contract(symbol_of(call.text("contract")))
    symbol, limit = contract.instrument.symbol, call.whole("limit", 10)
    if not 0 < limit <= DEPTH_MAX:
        raise wrong_parameter("limit")
    bids, asks = venue.engine.read.depth(symbol, limit)
    now = render.seconds(venue.server_ms())

    def levels(rows: list[DepthRow]) -> Any:
        as_text = call.sizes_as_text
        return [
            {
                "p": plain(contract.instrument.price(row.price)),
                "s": render.size(contract, row.quantity, as_text=as_text),
            }
            for row in rows
        ]

    return {"current": now, "update": now, "asks": levels(asks), "bids": levels(bids)}


def tickers(venue: GateVenue, call: Call) -> Any:
    name = call.optional("contract")
    symbols = [symbol_of(name)] if name else list(venue.instruments())
    return [ticker(venue, venue.contract(symbol), with_quotes=True) for symbol in symbols]


def candles(venue: GateVenue, call: Call) -> Any:
    contract = venue.contract(symbol_of(call.text("contract")))
    interval = call.optional("interval", "5m")
    if interval not in INTERVALS:
        raise wrong_parameter("interval")
    if venue.candles_are_missing(contract.instrument.symbol):
        return []
    limit = min(call.whole("limit", 100), CANDLES_MAX)
    rows = venue.engine.read.klines(contract.instrument.symbol, INTERVALS[interval], venue.now_ms(), limit=limit)
    start_s, end_s = call.whole("from", 0), call.whole("to", 1 << 40)
    kept = [row for row in rows if start_s * 1000 <= row.open_ms <= end_s * 1000]
    return [candle(contract, row, as_text=call.sizes_as_text) for row in kept]


def trades(venue: GateVenue, call: Call) -> Any:
    contract = venue.contract(symbol_of(call.text("contract")))
    rows = venue.engine.read.recent_trades(contract.instrument.symbol, min(call.whole("limit", 100), 1000))
    return [
        {
            "id": row.trade_id,
            "create_time": render.seconds(row.time_ms),
            "create_time_ms": render.seconds(row.time_ms),
            "contract": contract.name,
            "size": render.size(
                contract, -row.quantity if row.buyer_is_maker else row.quantity, as_text=call.sizes_as_text
            ),
            "price": plain(contract.instrument.price(row.price)),
        }
        for row in reversed(rows)
    ]


def risk_limit_tiers(venue: GateVenue, call: Call) -> Any:
    contract = venue.contract(symbol_of(call.text("contract")))
    return [
        {
            "tier": bracket.number,
            "risk_limit": plain(bracket.notional_cap),
            "initial_rate": plain(1 / Decimal(bracket.leverage_max)),
            "maintenance_rate": plain(bracket.rate),
            "leverage_max": str(bracket.leverage_max),
            "contract": contract.name,
            "deduction": plain(bracket.cum),
        }
        for bracket in contract.instrument.brackets
    ]


def _contract(venue: GateVenue, contract: SimContract) -> Any:
    return contract_row(venue, contract)


def _public(action: str, path: str, handler: Any) -> Endpoint:
    return Endpoint(action=action, method="GET", path=path, handler=handler, is_public=True)


ENDPOINTS = (
    _public("time", "/api/v4/spot/time", server_time),
    _public("instruments", f"{PREFIX}/contracts", contracts),
    _public("instruments", PREFIX + "/contracts/{contract}", one_contract),
    _public("depth", f"{PREFIX}/order_book", order_book),
    _public("ticker", f"{PREFIX}/tickers", tickers),
    _public("klines", f"{PREFIX}/candlesticks", candles),
    _public("trades", f"{PREFIX}/trades", trades),
    _public("tiers", f"{PREFIX}/risk_limit_tiers", risk_limit_tiers),
)
