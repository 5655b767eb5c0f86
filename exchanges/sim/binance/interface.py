"""The whole interface of the venue in two tables: REST endpoints, and methods of the WebSocket API."""

from __future__ import annotations

from exchanges.sim.binance import account_endpoints, algo_calls, market_calls, order_queries, trade_calls, wallet_calls
from exchanges.sim.binance.endpoint import Endpoint

REST: tuple[Endpoint, ...] = (
    *market_calls.ENDPOINTS,
    *trade_calls.ENDPOINTS,
    *order_queries.ENDPOINTS,
    *algo_calls.ENDPOINTS,
    *account_endpoints.ENDPOINTS,
    *wallet_calls.ENDPOINTS,
)

_BY_ACTION = {held.action: held for held in REST}
_METHODS = {
    "ping": "ping",
    "time": "time",
    "depth": "depth",
    "ticker.book": "ticker.book",
    "ticker.price": "ticker.price",
    "order.place": "order.place",
    "order.modify": "order.modify",
    "order.cancel": "order.cancel",
    "order.status": "order.status",
    "algoOrder.place": "algo.place",
    "algoOrder.cancel": "algo.cancel",
    "account.status": "account.v2",
    "v2/account.status": "account.v3",
    "account.balance": "balance.v2",
    "v2/account.balance": "balance.v3",
    "account.position": "positions.v2",
    "v2/account.position": "positions.v3",
    "userDataStream.start": "listen_key.start",
    "userDataStream.ping": "listen_key.renew",
    "userDataStream.stop": "listen_key.close",
}
WEBSOCKET: dict[str, Endpoint] = {method: _BY_ACTION[action] for method, action in _METHODS.items()}
