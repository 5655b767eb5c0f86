"""The account: balances, positions, ledger, fees, settings, and the keys of its stream."""

from __future__ import annotations

from decimal import Decimal
from itertools import accumulate
from typing import Any

from exchanges.sim.hashkey import render_account as render
from exchanges.sim.hashkey.contracts import contract, of_symbol
from exchanges.sim.hashkey.errors import BAD_REQUEST, SUCCESS
from exchanges.sim.hashkey.order_queries import EVERY, FILLS_MAX, limit, span
from exchanges.sim.hashkey.venue import HashkeyVenue
from exchanges.sim.server import lagging
from exchanges.sim.server.request import ApiError, Endpoint, Request
from exchanges.sim.server.text import plain
from exchanges.sim.views import MarginType

MARGIN_TYPES = {"ISOLATED": MarginType.ISOLATED, "CROSS": MarginType.CROSSED}


def balance(venue: HashkeyVenue, request: Request) -> Any:
    return [render.balance(venue.engine.read.account(request.account).assets[0])]


def spot(venue: HashkeyVenue, request: Request) -> Any:
    """Return what lies in the other account: nothing."""
    return {"balances": [], "userId": "1"}


def positions(venue: HashkeyVenue, request: Request) -> Any:
    """Return the sides that hold something: a flat one is in no list."""
    symbol = contract(venue, request.text("symbol")).symbol if request.has("symbol") else None
    read = venue.engine.read
    told = []
    for held in lagging.positions(venue, request.account, symbol, request.subject):
        closing = sum(one.left for one in read.open_orders(request.account, held.symbol) if one.reduce_only)
        last = read.last_price(held.symbol)
        told.append(render.position(held, of_symbol(venue, held.symbol), last, closing=closing))
    return told


def flow(venue: HashkeyVenue, request: Request) -> Any:
    """Return the account's ledger, newest first."""
    start_ms, end_ms = span(venue, request)
    wanted = request.whole("flowType")
    rows = venue.engine.read.income(request.account, limit=EVERY)
    totals = accumulate((row.amount for row in rows), initial=Decimal(0))
    next(totals)
    told = [
        render.ledger(row, total) for row, total in zip(rows, totals, strict=True) if start_ms <= row.time_ms <= end_ms
    ]
    kept = [row for row in reversed(told) if wanted in (0, row["flowTypeValue"])]
    return kept[: limit(request, FILLS_MAX)]


def commission_rate(venue: HashkeyVenue, request: Request) -> Any:
    held = contract(venue, request.text("symbol"))
    spec = next(one.spec for one in venue.options.accounts if one.spec.account == request.account)
    maker = plain(spec.maker_fee if spec.maker_fee is not None else held.instrument.maker_fee)
    taker = plain(spec.taker_fee if spec.taker_fee is not None else held.instrument.taker_fee)
    return {"openMakerFee": maker, "openTakerFee": taker, "closeMakerFee": maker, "closeTakerFee": taker}


def leverage(venue: HashkeyVenue, request: Request) -> Any:
    held = contract(venue, request.text("symbol"))
    view = venue.engine.read.position(request.account, held.symbol)
    return [{"symbolId": held.name, "leverage": str(view.leverage), "marginType": render.margin_type(view)}]


def set_leverage(venue: HashkeyVenue, request: Request) -> Any:
    held, wanted = contract(venue, request.text("symbol")), request.whole("leverage")
    _, events = venue.engine.set_leverage(request.account, held.symbol, wanted, venue.now_ms())
    venue.tell(events)
    return {"code": SUCCESS, "symbolId": held.name, "leverage": str(wanted)}


def set_margin_type(venue: HashkeyVenue, request: Request) -> Any:
    held, wanted = contract(venue, request.text("symbol")), request.word("marginType", MARGIN_TYPES)
    if venue.engine.read.position(request.account, held.symbol).margin_type is not wanted:
        venue.tell(venue.engine.set_margin_type(request.account, held.symbol, wanted, venue.now_ms()))
    return {"code": SUCCESS, "symbolId": held.name, "marginType": request.text("marginType")}


def open_stream(venue: HashkeyVenue, request: Request) -> Any:
    return {"listenKey": venue.keys.make(request.account, venue.now_ms())}


def keep_stream(venue: HashkeyVenue, request: Request) -> Any:
    if not venue.keys.renew(request.text("listenKey"), request.account, venue.now_ms()):
        raise ApiError("-1125", "This listenKey does not exist.", status=BAD_REQUEST)
    return {}


def close_stream(venue: HashkeyVenue, request: Request) -> Any:
    venue.keys.forget(request.text("listenKey"))
    return {}


def _call(action: str, path: str, handler: Any, weight: int = 1, *, method: str = "GET") -> Endpoint[HashkeyVenue]:
    return Endpoint(action=action, method=method, path=path, handler=handler, weight=weight)


ENDPOINTS: tuple[Endpoint[HashkeyVenue], ...] = (
    _call("account", "/api/v1/futures/balance", balance),
    _call("spot.account", "/api/v1/account", spot),
    _call("positions", "/api/v1/futures/positions", positions),
    _call("income", "/api/v1/account/balanceFlow", flow, 5),
    _call("commission_rate", "/api/v1/futures/commissionRate", commission_rate),
    _call("leverage", "/api/v1/futures/leverage", leverage),
    _call("leverage.set", "/api/v1/futures/leverage", set_leverage, method="POST"),
    _call("margin_type.set", "/api/v1/futures/marginType", set_margin_type, method="POST"),
    _call("login", "/api/v1/userDataStream", open_stream, method="POST"),
    _call("listen_key.renew", "/api/v1/userDataStream", keep_stream, method="PUT"),
    _call("listen_key.close", "/api/v1/userDataStream", close_stream, method="DELETE"),
)
