"""Account, balances, positions, ledger and settings."""

from __future__ import annotations

from exchanges.sim.okx import render
from exchanges.sim.okx.call import Call, Endpoint, Handler, Row
from exchanges.sim.okx.errors import ApiError
from exchanges.sim.okx.trade_calls import EVERY, page_of
from exchanges.sim.okx.venue import OkxVenue
from exchanges.sim.server.faults import FaultKind
from exchanges.sim.server.text import plain
from exchanges.sim.views import AccountView


def _account(venue: OkxVenue, call: Call) -> AccountView:
    view = venue.engine.read.account(call.account)
    stale = venue.read_strike(FaultKind.STALE_READ, call)
    return venue.past.account_at(view, venue.now_ms() - stale.delay_ms) if stale else view


def balance(venue: OkxVenue, call: Call) -> list[Row]:
    view = _account(venue, call)
    wanted = call.optional("ccy").split(",") if call.optional("ccy") else []
    details = [
        {
            "ccy": asset.asset,
            "eq": plain(asset.margin_balance),
            "cashBal": plain(asset.wallet),
            "availBal": plain(asset.available),
            "availEq": plain(asset.available),
            "upl": plain(asset.unrealised),
            "frozenBal": plain(asset.initial_margin),
            "uTime": str(view.time_ms),
        }
        for asset in view.assets
        if not wanted or asset.asset in wanted
    ]
    total = plain(view.assets[0].margin_balance)
    return [{"uTime": str(view.time_ms), "totalEq": total, "adjEq": "", "details": details}]


def configuration(venue: OkxVenue, call: Call) -> list[Row]:
    view = venue.engine.read.account(call.account)
    return [
        {
            "uid": "10000000000000001",
            "mainUid": "10000000000000001",
            "acctLv": "2",
            "posMode": "long_short_mode" if view.hedge_mode else "net_mode",
            "autoLoan": False,
            "greeksType": "PA",
            "level": "Lv1",
            "levelTmp": "",
            "ctIsoMode": "automatic",
            "mgnIsoMode": "automatic",
            "perm": "read_only,trade",
            "ip": "",
            "label": "simulated",
            "roleType": "0",
            "acctStpMode": "cancel_maker",
        }
    ]


def positions(venue: OkxVenue, call: Call) -> list[Row]:
    if venue.read_strike(FaultKind.EMPTY_POSITIONS, call):
        return []
    held = venue.engine.read.positions(call.account)
    stale = venue.read_strike(FaultKind.STALE_READ, call)
    if stale:
        held = venue.past.positions_at(venue.engine.read.account(call.account), venue.now_ms() - stale.delay_ms, held)
    wanted = call.optional("instId").split(",") if call.optional("instId") else []
    rows = [render.position(venue.swaps.of_symbol(one.symbol), one) for one in held if one.quantity]
    return [row for row in rows if not wanted or row["instId"] in wanted]


def leverage(venue: OkxVenue, call: Call) -> list[Row]:
    mode = call.text("mgnMode")
    rows = []
    for name in call.text("instId").split(","):
        swap = venue.swaps.named({"instId": name})
        held = venue.engine.read.position(call.account, swap.symbol)
        rows.append({"instId": name, "mgnMode": mode, "posSide": "net", "lever": str(held.leverage)})
    return rows


def set_leverage(venue: OkxVenue, call: Call) -> list[Row]:
    swap, mode = venue.swaps.named(call.params), call.text("mgnMode")
    position, events = venue.engine.set_leverage(call.account, swap.symbol, call.whole("lever"), venue.now_ms())
    venue.tell(events)
    return [{"instId": swap.inst_id, "mgnMode": mode, "posSide": "net", "lever": str(position.leverage)}]


def set_position_mode(venue: OkxVenue, call: Call) -> list[Row]:
    mode = call.text("posMode")
    if mode not in ("net_mode", "long_short_mode"):
        raise ApiError(400, "51000", "Parameter posMode error")
    is_hedged = mode == "long_short_mode"
    if venue.engine.read.account(call.account).hedge_mode is not is_hedged:
        venue.tell(venue.engine.set_hedge_mode(call.account, is_hedged, venue.now_ms()))
    return [{"posMode": mode}]


def fees(venue: OkxVenue, call: Call) -> list[Row]:
    family = call.optional("instFamily") or call.optional("uly")
    found = venue.swaps.of_family(family) if family else venue.swaps.all()
    if not found:
        raise ApiError(200, "51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist.")
    spec = next(held.spec for held in venue.options.accounts if held.spec.account == call.account)
    maker = spec.maker_fee if spec.maker_fee is not None else found[0].instrument.maker_fee
    taker = spec.taker_fee if spec.taker_fee is not None else found[0].instrument.taker_fee
    return [
        {
            "instType": "SWAP",
            "level": "Lv1",
            "maker": plain(-maker),
            "taker": plain(-taker),
            "makerU": plain(-maker),
            "takerU": plain(-taker),
            "makerUSDC": plain(-maker),
            "takerUSDC": plain(-taker),
            "ts": str(venue.server_ms()),
        }
    ]


def bills(venue: OkxVenue, call: Call) -> list[Row]:
    rows = venue.engine.read.income(call.account, start_ms=call.whole("begin"), end_ms=call.whole("end"), limit=EVERY)
    inst_ids = {swap.symbol: swap.inst_id for swap in venue.swaps.all()}
    return page_of(render.bills(rows, inst_ids), "billId", call)


def _read(action: str, path: str, handler: Handler, limit: int) -> Endpoint:
    return Endpoint(action=action, method="GET", path=f"/api/v5/account/{path}", handler=handler, limit=limit)


def _set(action: str, path: str, handler: Handler, limit: int) -> Endpoint:
    return Endpoint(action=action, method="POST", path=f"/api/v5/account/{path}", handler=handler, limit=limit)


ENDPOINTS = (
    _read("account", "balance", balance, 10),
    _read("account.config", "config", configuration, 5),
    _read("positions", "positions", positions, 10),
    _read("leverage", "leverage-info", leverage, 20),
    _read("commission_rate", "trade-fee", fees, 5),
    _read("income", "bills", bills, 10),
    _read("income", "bills-archive", bills, 10),
    _set("leverage.set", "set-leverage", set_leverage, 40),
    _set("position_mode.set", "set-position-mode", set_position_mode, 5),
)
