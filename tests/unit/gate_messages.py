"""Sample messages of Gate's futures, in the forms that its documents show, for contracts of two sizes."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]


def contract(name: str = "BTC_USDT", **changes: Any) -> Row:
    row: Row = {
        "name": name,
        "type": "direct",
        "quanto_multiplier": "0.0001",
        "order_price_round": "0.1",
        "mark_price_round": "0.01",
        "order_size_min": 1,
        "order_size_max": 1000000,
        "enable_decimal": False,
        "order_price_deviate": "0.5",
        "orders_limit": 100,
        "in_delisting": False,
        "status": "trading",
    }
    return {**row, **changes}


CONTRACTS = [
    contract(),
    contract("ETH_USDT", quanto_multiplier="0.01", order_size_min="0.1", enable_decimal=True),
    contract("BTC_USD", quanto_multiplier="0"),
]


def order(**changes: Any) -> Row:
    """An order of the REST interface: sizes as text."""
    row: Row = {
        "id": 74046514,
        "user": 6790020,
        "create_time": 1681195484.462,
        "status": "open",
        "contract": "BTC_USDT",
        "size": "-10",
        "left": "-10",
        "price": "31503.3",
        "tif": "poc",
        "fill_price": "0",
        "text": "t-my1",
        "is_reduce_only": True,
        "is_close": False,
        "is_liq": False,
    }
    return {**row, **changes}


def order_event(**changes: Any) -> Row:
    """An order of the order channel: bare numbers, and no fee."""
    row: Row = {
        "contract": "BTC_USDT",
        "create_time": 1628736847,
        "create_time_ms": 1628736847325,
        "fill_price": 40000.4,
        "finish_as": "filled",
        "finish_time": 1628736848,
        "finish_time_ms": 1628736848321,
        "id": 4872460,
        "is_close": False,
        "is_liq": False,
        "is_reduce_only": False,
        "left": 0,
        "price": 40000.4,
        "size": 3,
        "status": "finished",
        "text": "t-my2",
        "tif": "gtc",
        "user": "110",
    }
    return {**row, **changes}


def trade(**changes: Any) -> Row:
    row: Row = {
        "id": "3335259",
        "create_time": 1628736848,
        "create_time_ms": 1628736848321,
        "contract": "BTC_USDT",
        "order_id": "4872460",
        "size": 1,
        "price": "40000.4",
        "role": "maker",
        "text": "t-my2",
        "fee": 0.0008,
        "point_fee": 0,
    }
    return {**row, **changes}


def position_event(**changes: Any) -> Row:
    row: Row = {
        "contract": "BTC_USDT",
        "cross_leverage_limit": 5,
        "entry_price": 40000.36666661111,
        "history_pnl": -0.000108569505,
        "leverage": 0,
        "leverage_max": 100,
        "liq_price": 0.1,
        "mode": "single",
        "realised_pnl": -1.25e-8,
        "size": 3,
        "time": 1628736848,
        "time_ms": 1628736848321,
        "user": "110",
        "update_id": 170919,
    }
    return {**row, **changes}
