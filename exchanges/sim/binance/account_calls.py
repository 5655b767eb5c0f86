"""Account, balances, positions, ledger and settings."""

from __future__ import annotations

from typing import Any

from exchanges.sim.binance import render_account as render
from exchanges.sim.binance.call import Call
from exchanges.sim.binance.errors import ApiError, malformed_parameter, unknown_symbol
from exchanges.sim.binance.venue import Venue
from exchanges.sim.server.faults import FaultKind
from exchanges.sim.server.text import plain
from exchanges.sim.server.windows import Kind
from exchanges.sim.views import AccountView, MarginType, PositionView

OK = {"code": 200, "msg": "success"}


def _account(venue: Venue, call: Call) -> AccountView:
    view = venue.engine.read.account(call.account)
    stale = venue.read_strike(FaultKind.STALE_READ, call)
    return venue.past.account_at(view, venue.now_ms() - stale.delay_ms) if stale else view


def _positions(venue: Venue, call: Call) -> list[PositionView]:
    symbol = venue.instrument(call.symbol()).symbol if call.has("symbol") else None
    if venue.read_strike(FaultKind.EMPTY_POSITIONS, call):
        return []
    positions = venue.engine.read.positions(call.account, symbol)
    stale = venue.read_strike(FaultKind.STALE_READ, call)
    if stale is None:
        return positions
    account = venue.engine.read.account(call.account)
    return venue.past.positions_at(account, venue.now_ms() - stale.delay_ms, positions)


def account_v2(venue: Venue, call: Call) -> Any:
    return render.account_v2(_account(venue, call), venue.instruments())


def account_v3(venue: Venue, call: Call) -> Any:
    return render.account_v3(_account(venue, call), venue.instruments())


def balance(venue: Venue, call: Call) -> Any:
    return render.balances(_account(venue, call))


def positions_v2(venue: Venue, call: Call) -> Any:
    return [render.position_v2(held, venue.instrument(held.symbol)) for held in _positions(venue, call)]


def positions_v3(venue: Venue, call: Call) -> Any:
    return [
        render.position_v3(held, venue.instrument(held.symbol))
        for held in _positions(venue, call)
        if render.is_held(held)
    ]


def account_config(venue: Venue, call: Call) -> Any:
    view = venue.engine.read.account(call.account)
    return {**render.account_flags(view), "dualSidePosition": view.hedge_mode}


def symbol_config(venue: Venue, call: Call) -> Any:
    symbol = venue.instrument(call.symbol()).symbol if call.has("symbol") else None
    return [
        {
            "symbol": held.symbol,
            "marginType": held.margin_type.value,
            "isAutoAddMargin": False,
            "leverage": held.leverage,
            "maxNotionalValue": plain(held.notional_max),
        }
        for held in venue.engine.read.positions(call.account, symbol)
    ]


def income(venue: Venue, call: Call) -> Any:
    rows = venue.engine.read.income(
        call.account,
        kind=call.optional("incomeType"),
        symbol=call.optional("symbol").upper(),
        start_ms=call.optional_whole("startTime") or 0,
        end_ms=call.optional_whole("endTime") or 0,
        limit=call.limit(100, 1000),
        page=max(1, call.optional_whole("page") or 1),
    )
    return [render.income_row(row) for row in rows]


def set_leverage(venue: Venue, call: Call) -> Any:
    position, events = venue.engine.set_leverage(call.account, call.symbol(), call.whole("leverage"), venue.now_ms())
    venue.tell(events)
    return {
        "leverage": position.leverage,
        "maxNotionalValue": plain(position.notional_max),
        "symbol": position.symbol,
    }


def set_margin_type(venue: Venue, call: Call) -> Any:
    try:
        margin_type = MarginType(call.text("marginType"))
    except ValueError:
        raise malformed_parameter("marginType") from None
    venue.tell(venue.engine.set_margin_type(call.account, call.symbol(), margin_type, venue.now_ms()))
    return OK


def position_mode(venue: Venue, call: Call) -> Any:
    return {"dualSidePosition": venue.engine.read.account(call.account).hedge_mode}


def set_position_mode(venue: Venue, call: Call) -> Any:
    call.text("dualSidePosition")
    venue.tell(venue.engine.set_hedge_mode(call.account, call.claim("dualSidePosition"), venue.now_ms()))
    return OK


def asset_mode(venue: Venue, call: Call) -> Any:
    return {"multiAssetsMargin": False}


def set_asset_mode(venue: Venue, call: Call) -> Any:
    """Multi-assets mode is not simulated: switching it off is "no change", switching it on is refused."""
    call.text("multiAssetsMargin")
    if not call.claim("multiAssetsMargin"):
        raise ApiError(400, -4171, "No need to change multi-assets margin mode.")
    raise ApiError(
        400, -4168, "Unable to adjust to Multi-Assets mode with symbols of USDⓈ-M Futures under isolated mode."
    )


def brackets(venue: Venue, call: Call) -> Any:
    rows = [
        {
            "symbol": held.symbol,
            "notionalCoef": 1.0,
            "brackets": [render.bracket_row(bracket) for bracket in held.brackets],
        }
        for held in venue.engine.read.instruments()
    ]
    if not call.has("symbol"):
        return rows
    wanted = [row for row in rows if row["symbol"] == call.symbol()]
    if not wanted:
        raise unknown_symbol()
    return wanted


def commission_rate(venue: Venue, call: Call) -> Any:
    instrument = venue.instrument(call.symbol())
    spec = next(held.spec for held in venue.options.accounts if held.spec.account == call.account)
    return {
        "symbol": instrument.symbol,
        "makerCommissionRate": plain(spec.maker_fee if spec.maker_fee is not None else instrument.maker_fee),
        "takerCommissionRate": plain(spec.taker_fee if spec.taker_fee is not None else instrument.taker_fee),
        "rpiCommissionRate": "0.00005",
    }


def order_limits(venue: Venue, call: Call) -> Any:
    return [window.rendered() for window in venue.limits.windows if window.kind is Kind.ORDERS]


def trading_status(venue: Venue, call: Call) -> Any:
    return {"indicators": venue.indicators, "updateTime": venue.server_ms()}


def fee_burn(venue: Venue, call: Call) -> Any:
    view = venue.engine.read.account(call.account)
    return {"feeBurn": view.fee_asset != view.assets[0].asset}


def start_listen_key(venue: Venue, call: Call) -> Any:
    return {"listenKey": venue.listen_keys.start(call.account, venue.now_ms())}


def renew_listen_key(venue: Venue, call: Call) -> Any:
    return {"listenKey": venue.listen_keys.renew(call.account, venue.now_ms())}


def close_listen_key(venue: Venue, call: Call) -> Any:
    key = venue.listen_keys.close(call.account)
    if key is not None:
        venue.hub.forget_key(key)
    return {}
