"""Messages of Binance USD-M as its documents and recordings show them, for tests of several files."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from grid.instrument import Instrument


def instrument(symbol: str = "ETHUSDT", tick: str = "0.01", step: str = "0.001", **changes: Any) -> Instrument:
    """An instrument that every price and quantity of the samples fits."""
    rules: dict[str, Any] = {
        "symbol": symbol,
        "base": symbol.removesuffix("USDT"),
        "quote": "USDT",
        "tick": Decimal(tick),
        "step": Decimal(step),
        "price_min": 1,
        "price_max": 10**9,
        "quantity_min": 1,
        "quantity_max": 10**9,
        "notional_min": Decimal(5),
    }
    return Instrument(**{**rules, **changes})


def order_event(**changes: Any) -> dict[str, Any]:
    """An ORDER_TRADE_UPDATE of a fill of 0.004 of a buy of 0.010 ETHUSDT at 2996."""
    order: dict[str, Any] = {
        "s": "ETHUSDT",
        "c": "g0cid1",
        "S": "BUY",
        "o": "LIMIT",
        "f": "GTX",
        "q": "0.010",
        "p": "2996.00",
        "ap": "2996.00",
        "sp": "0",
        "x": "TRADE",
        "X": "PARTIALLY_FILLED",
        "i": 8389765739703625592,
        "l": "0.004",
        "z": "0.004",
        "L": "2996.00",
        "n": "0.00239680",
        "N": "USDT",
        "T": 1700000000123,
        "t": 4467432841,
        "b": "0",
        "a": "0",
        "m": True,
        "R": False,
        "ps": "BOTH",
        "rp": "0",
        "V": "EXPIRE_MAKER",
        "pm": "NONE",
        "gtd": 0,
        "er": "0",
    }
    return {"e": "ORDER_TRADE_UPDATE", "T": 1700000000123, "E": 1700000000124, "o": {**order, **changes}}


def order_reply(**changes: Any) -> dict[str, Any]:
    """A reply to placing a buy of 0.010 ETHUSDT at 2996."""
    reply: dict[str, Any] = {
        "orderId": 8389765739703625592,
        "symbol": "ETHUSDT",
        "status": "NEW",
        "clientOrderId": "g0cid1",
        "price": "2996.00",
        "origQty": "0.010",
        "executedQty": "0.000",
        "cumQty": "0.000",
        "timeInForce": "GTX",
        "type": "LIMIT",
        "reduceOnly": False,
        "closePosition": False,
        "side": "BUY",
        "positionSide": "BOTH",
        "updateTime": 1700000000123,
    }
    return {**reply, **changes}


def symbol_entry(symbol: str = "ETHUSDT", **changes: Any) -> dict[str, Any]:
    """A symbol of the exchange information."""
    entry: dict[str, Any] = {
        "symbol": symbol,
        "contractType": "PERPETUAL",
        "status": "TRADING",
        "baseAsset": symbol.removesuffix("USDT"),
        "quoteAsset": "USDT",
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "39.86", "maxPrice": "306177", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "10000", "stepSize": "0.001"},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MIN_NOTIONAL", "notional": "20"},
            {"filterType": "PERCENT_PRICE", "multiplierUp": "1.0500", "multiplierDown": "0.9500"},
        ],
    }
    return {**entry, **changes}


def exchange_info(*symbols: str) -> dict[str, Any]:
    """The exchange information of some symbols."""
    return {
        "rateLimits": [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400},
            {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300},
        ],
        "symbols": [symbol_entry(symbol) for symbol in symbols or ("ETHUSDT", "BTCUSDT")],
    }
