"""Conditional orders: since 2025-12 a service of their own, apart from the open orders."""

from __future__ import annotations

from typing import Any

from exchanges.sim.binance import render_orders as render
from exchanges.sim.binance.call import Call
from exchanges.sim.binance.endpoint import Effect, Endpoint
from exchanges.sim.binance.errors import missing_parameter
from exchanges.sim.binance.order_reading import new_algo_order
from exchanges.sim.binance.venue import Venue

DONE_ALL = {"code": 200, "msg": "The operation of cancel all open order is done."}


def _names(call: Call, client_name: str) -> tuple[int, str]:
    algo_id, client_id = call.optional_whole("algoId") or 0, call.optional(client_name)
    if not algo_id and not client_id:
        raise missing_parameter("algoId")
    return algo_id, client_id


def place(venue: Venue, call: Call) -> Any:
    algo, events = venue.engine.submit_algo(call.account, new_algo_order(call), venue.now_ms())
    venue.tell(events)
    return render.algo_acknowledgement(venue.instrument(algo.symbol), algo)


def cancel(venue: Venue, call: Call) -> Any:
    algo_id, client_id = _names(call, "clientAlgoId")
    algo, events = venue.engine.cancel_algo(call.account, venue.now_ms(), algo_id=algo_id, client_id=client_id)
    venue.tell(events)
    return {"algoId": algo.algo_id, "clientAlgoId": algo.client_id, "code": "200", "msg": "success"}


def cancel_all(venue: Venue, call: Call) -> Any:
    symbol = venue.instrument(call.symbol()).symbol
    venue.tell(venue.engine.cancel_all_algos(call.account, symbol, venue.now_ms()))
    return DONE_ALL


def query(venue: Venue, call: Call) -> Any:
    algo_id, client_id = _names(call, "clientAlgoId")
    algo = venue.engine.read.algo(call.account, algo_id=algo_id, client_id=client_id)
    return render.algo_row(venue.instrument(algo.symbol), algo)


def open_list(venue: Venue, call: Call) -> Any:
    symbol = venue.instrument(call.symbol()).symbol if call.has("symbol") else None
    algos = venue.engine.read.open_algos(call.account, symbol)
    return [render.algo_list_row(venue.instrument(algo.symbol), algo) for algo in algos]


def every(venue: Venue, call: Call) -> Any:
    symbol = venue.instrument(call.symbol()).symbol
    algos = venue.engine.read.all_algos(call.account, symbol, limit=call.limit(500, 1000))
    return [render.algo_list_row(venue.instrument(algo.symbol), algo) for algo in algos]


ENDPOINTS = (
    Endpoint(
        action="algo.place", method="POST", path="/fapi/v1/algoOrder", handler=place, effect=Effect.TRADE, weight=0,
        orders_10s=1, orders_1m=1,
    ),
    Endpoint(action="algo.cancel", method="DELETE", path="/fapi/v1/algoOrder", handler=cancel, effect=Effect.TRADE),
    Endpoint(
        action="algos.cancel_all", method="DELETE", path="/fapi/v1/algoOpenOrders", handler=cancel_all,
        effect=Effect.TRADE,
    ),
    Endpoint(action="algo.status", method="GET", path="/fapi/v1/algoOrder", handler=query),
    Endpoint(
        action="algos.open", method="GET", path="/fapi/v1/openAlgoOrders", handler=open_list,
        weight_without_symbol=40,
    ),
    Endpoint(action="algos.all", method="GET", path="/fapi/v1/allAlgoOrders", handler=every, weight=5),
)  # fmt: skip
