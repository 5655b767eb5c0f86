"""Reading orders and trades back, with the ways in which a real venue's reads differ from its truth."""

from __future__ import annotations

from typing import Any

from exchanges.sim.gate import render
from exchanges.sim.gate.call import Call, Endpoint
from exchanges.sim.gate.contracts import symbol_of
from exchanges.sim.gate.errors import order_not_found, wrong_parameter
from exchanges.sim.gate.trade_calls import PREFIX, find
from exchanges.sim.gate.venue import GateVenue
from exchanges.sim.orders import Fill, OrderView
from exchanges.sim.server.faults import FaultKind

ORDERS_PAGE_MAX = 100
TRADES_PAGE_MAX = 1000
EVERY = 1 << 30


def query(venue: GateVenue, call: Call) -> Any:
    view = find(venue, call, call.text("order_id"))
    stale = venue.read_strike(FaultKind.STALE_READ, call)
    if stale is not None:
        then = venue.past.order_at(view, venue.now_ms() - stale.delay_ms)
        if then is None:
            raise order_not_found()
        view = then
    if not venue.is_visible(view):
        raise order_not_found()
    return _order(venue, call, view)


def orders(venue: GateVenue, call: Call) -> Any:
    status = call.text("status")
    if status == "open":
        found = _open(venue, call)
    elif status == "finished":
        found = [view for view in _all(venue, call) if not view.status.is_open]
    else:
        raise wrong_parameter("status")
    return [_order(venue, call, view) for view in call.page(found, ORDERS_PAGE_MAX)]


def orders_timerange(venue: GateVenue, call: Call) -> Any:
    """Return ended orders of a time range, newest first."""
    start_ms, end_ms = _range(call)
    found = [view for view in _all(venue, call) if not view.status.is_open and start_ms <= view.created_ms <= end_ms]
    return [_order(venue, call, view) for view in call.page(found, ORDERS_PAGE_MAX)]


def trades(venue: GateVenue, call: Call) -> Any:
    found = [fill for fill in _fills(venue, call) if not call.whole("order", 0) or fill.order_id == call.whole("order")]
    return [_trade(venue, call, fill, "id") for fill in call.page(found, TRADES_PAGE_MAX)]


def trades_timerange(venue: GateVenue, call: Call) -> Any:
    start_ms, end_ms = _range(call)
    found = [fill for fill in _fills(venue, call) if start_ms <= fill.time_ms <= end_ms]
    return [_trade(venue, call, fill, "trade_id") for fill in call.page(found, TRADES_PAGE_MAX)]


def _open(venue: GateVenue, call: Call) -> list[OrderView]:
    name = call.optional("contract")
    symbol = venue.instrument(symbol_of(name)).symbol if name else None
    if venue.read_strike(FaultKind.EMPTY_OPEN_ORDERS, call):
        return []
    stale = venue.read_strike(FaultKind.STALE_READ, call)
    if stale is not None:
        found = venue.past.open_orders_at(call.account, symbol, venue.now_ms() - stale.delay_ms)
    else:
        found = venue.engine.read.open_orders(call.account, symbol)
    visible = [view for view in found if venue.is_visible(view)]
    return sorted(visible, key=lambda view: view.order_id, reverse=True)


def _all(venue: GateVenue, call: Call) -> list[OrderView]:
    name = call.optional("contract")
    symbols = [venue.instrument(symbol_of(name)).symbol] if name else list(venue.instruments())
    read, now_ms = venue.engine.read, venue.now_ms()
    found = [view for symbol in symbols for view in read.all_orders(call.account, symbol, now_ms, limit=EVERY)]
    visible = [view for view in found if venue.is_visible(view)]
    return sorted(visible, key=lambda view: view.order_id, reverse=True)


def _fills(venue: GateVenue, call: Call) -> list[Fill]:
    name = call.optional("contract")
    symbol = venue.instrument(symbol_of(name)).symbol if name else None
    found = venue.engine.read.user_trades(call.account, symbol, limit=EVERY)
    stale = venue.read_strike(FaultKind.STALE_READ, call)
    if stale is not None:
        then_ms = venue.now_ms() - stale.delay_ms
        found = [fill for fill in found if fill.time_ms <= then_ms]
    return sorted(found, key=lambda fill: fill.trade_id, reverse=True)


def _range(call: Call) -> tuple[int, int]:
    start_s, end_s = call.whole("from", 0), call.whole("to", EVERY << 10)
    if start_s > end_s:
        raise wrong_parameter("from")
    return start_s * 1000, end_s * 1000 + 999


def _order(venue: GateVenue, call: Call, view: OrderView) -> Any:
    contract = venue.contract(view.symbol)
    return render.order(contract, view, venue.user(call.account), as_text=call.sizes_as_text)


def _trade(venue: GateVenue, call: Call, fill: Fill, id_key: str) -> Any:
    client_id = venue.private.client_id(call.account, fill)
    return render.trade(venue.contract(fill.symbol), fill, client_id, as_text=call.sizes_as_text, id_key=id_key)


ENDPOINTS = (
    Endpoint(action="order.status", method="GET", path=PREFIX + "/orders/{order_id}", handler=query),
    Endpoint(action="orders.open", method="GET", path=f"{PREFIX}/orders", handler=orders),
    Endpoint(action="orders.all", method="GET", path=f"{PREFIX}/orders_timerange", handler=orders_timerange),
    Endpoint(action="trades.own", method="GET", path=f"{PREFIX}/my_trades", handler=trades),
    Endpoint(action="trades.own", method="GET", path=f"{PREFIX}/my_trades_timerange", handler=trades_timerange),
)
