"""The account: balances, positions, bills, fees, settings."""

from __future__ import annotations

from typing import Any

from exchanges.sim.bitget import render_account as render
from exchanges.sim.bitget.call import Call, Endpoint, page, span
from exchanges.sim.bitget.errors import ApiError
from exchanges.sim.bitget.venue import BitgetVenue
from exchanges.sim.server.faults import FaultKind
from exchanges.sim.server.text import plain
from exchanges.sim.views import MarginType

ROWS_MAX = 1_000_000
MONTH_MS = 30 * 24 * 3600 * 1000
MARGIN_TYPES = {"crossed": MarginType.CROSSED, "isolated": MarginType.ISOLATED}
MODES = {"one_way_mode": False, "hedge_mode": True}


def account(venue: BitgetVenue, call: Call) -> Any:
    call.check_product()
    call.text("marginCoin")
    symbol = venue.instrument(call.symbol()).symbol
    read = venue.engine.read
    return render.account(read.account(call.account), read.position(call.account, symbol))


def accounts(venue: BitgetVenue, call: Call) -> Any:
    call.check_product()
    return [render.account(venue.engine.read.account(call.account), None)]


def positions(venue: BitgetVenue, call: Call) -> Any:
    """Return the positions that hold something: a flat one is in no list."""
    call.check_product()
    if venue.read_strike(FaultKind.EMPTY_POSITIONS, call):
        return []
    found = venue.engine.read.positions(call.account)
    stale = venue.read_strike(FaultKind.STALE_READ, call)
    if stale:
        view = venue.engine.read.account(call.account)
        found = venue.past.positions_at(view, venue.now_ms() - stale.delay_ms, found)
    return [render.position(held, venue.instrument(held.symbol)) for held in found if held.quantity]


def one_position(venue: BitgetVenue, call: Call) -> Any:
    symbol = venue.instrument(call.symbol()).symbol
    return [row for row in positions(venue, call) if row["symbol"] == symbol]


def bill(venue: BitgetVenue, call: Call) -> Any:
    call.check_product()
    start_ms, end_ms = span(call)
    if start_ms and end_ms and end_ms - start_ms > MONTH_MS:
        raise ApiError("00001", "startTime and endTime interval cannot be greater than 30 days")
    read = venue.engine.read
    sides = {fill.trade_id: fill.side.value.lower() for fill in read.user_trades(call.account, limit=ROWS_MAX)}
    rows = render.bills(read.income(call.account, limit=ROWS_MAX), sides)
    kept = [row for row in rows if int(row["cTime"]) >= start_ms and (not end_ms or int(row["cTime"]) <= end_ms)]
    return page(kept, call, "bills", "billId", default=20)


def trade_rate(venue: BitgetVenue, call: Call) -> Any:
    held = venue.instrument(call.symbol())
    call.text("businessType")
    spec = next(one.spec for one in venue.options.accounts if one.spec.account == call.account)
    return {
        "makerFeeRate": plain(spec.maker_fee if spec.maker_fee is not None else held.maker_fee),
        "takerFeeRate": plain(spec.taker_fee if spec.taker_fee is not None else held.taker_fee),
    }


def set_leverage(venue: BitgetVenue, call: Call) -> Any:
    call.check_product()
    symbol = venue.instrument(call.symbol()).symbol
    held, events = venue.engine.set_leverage(call.account, symbol, call.whole("leverage"), venue.now_ms())
    venue.tell(events)
    told = str(held.leverage)
    return {
        "symbol": symbol,
        "marginCoin": "USDT",
        "longLeverage": told,
        "shortLeverage": told,
        "crossMarginLeverage": told,
        "marginMode": render.margin_word(held),
    }


def set_margin_mode(venue: BitgetVenue, call: Call) -> Any:
    call.check_product()
    symbol, wanted = venue.instrument(call.symbol()).symbol, call.word("marginMode", MARGIN_TYPES)
    if venue.engine.read.position(call.account, symbol).margin_type is not wanted:
        venue.tell(venue.engine.set_margin_type(call.account, symbol, wanted, venue.now_ms()))
    held = venue.engine.read.position(call.account, symbol)
    told = {"symbol": symbol, "marginCoin": "USDT", "marginMode": render.margin_word(held)}
    return {**told, "longLeverage": str(held.leverage), "shortLeverage": str(held.leverage)}


def set_position_mode(venue: BitgetVenue, call: Call) -> Any:
    call.check_product()
    wanted = call.word("posMode", MODES)
    if venue.engine.read.account(call.account).hedge_mode is not wanted:
        venue.tell(venue.engine.set_hedge_mode(call.account, wanted, venue.now_ms()))
    return {"posMode": call.text("posMode")}


def _call(action: str, method: str, path: str, handler: Any) -> Endpoint:
    return Endpoint(action=action, method=method, path=path, handler=handler)


ENDPOINTS = (
    _call("account", "GET", "/api/v2/mix/account/account", account),
    _call("accounts", "GET", "/api/v2/mix/account/accounts", accounts),
    _call("positions", "GET", "/api/v2/mix/position/all-position", positions),
    _call("position", "GET", "/api/v2/mix/position/single-position", one_position),
    _call("income", "GET", "/api/v2/mix/account/bill", bill),
    _call("commission_rate", "GET", "/api/v2/common/trade-rate", trade_rate),
    _call("leverage.set", "POST", "/api/v2/mix/account/set-leverage", set_leverage),
    _call("margin_type.set", "POST", "/api/v2/mix/account/set-margin-mode", set_margin_mode),
    _call("position_mode.set", "POST", "/api/v2/mix/account/set-position-mode", set_position_mode),
)
