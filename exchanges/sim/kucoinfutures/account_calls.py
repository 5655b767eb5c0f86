"""The account: balances, positions, ledger, fees, settings, and the tokens of its sockets."""

from __future__ import annotations

from decimal import Decimal
from itertools import accumulate
from typing import Any

from exchanges.sim.kucoinfutures import render_account as render
from exchanges.sim.kucoinfutures.contracts import contract, of_symbol
from exchanges.sim.kucoinfutures.order_queries import ROWS_MAX, span
from exchanges.sim.kucoinfutures.trade_calls import MARGIN_MODES
from exchanges.sim.kucoinfutures.venue import PATH, KucoinVenue
from exchanges.sim.server import lagging
from exchanges.sim.server.request import Endpoint, Request
from exchanges.sim.server.text import plain
from exchanges.sim.views import Income, MarginType

POSITION_MODES = {"0": False, "1": True}


def overview(venue: KucoinVenue, request: Request) -> Any:
    return render.overview(venue.engine.read.account(request.account).assets[0])


def positions(venue: KucoinVenue, request: Request) -> Any:
    """Return the positions that hold something: a flat one is in no list."""
    found = lagging.positions(venue, request.account, None, request.subject)
    now_ms = venue.server_ms()
    return [render.position(held, of_symbol(venue, held.symbol), now_ms=now_ms) for held in found]


def position(venue: KucoinVenue, request: Request) -> Any:
    held = contract(venue, request.text("symbol"))
    now_ms = venue.server_ms()
    return render.position(venue.engine.read.position(request.account, held.symbol), held, now_ms=now_ms)


def transactions(venue: KucoinVenue, request: Request) -> Any:
    """Return the account's ledger, newest first."""
    start_ms, end_ms = span(venue, request)
    rows = venue.engine.read.income(request.account, limit=ROWS_MAX)
    balances = accumulate((row.amount for row in rows), initial=Decimal(0))
    next(balances)
    told = [
        render.ledger(row, _name(venue, row), balance)
        for row, balance in zip(rows, balances, strict=True)
        if start_ms <= row.time_ms <= end_ms
    ]
    return {"hasMore": False, "dataList": told[::-1]}


def funding(venue: KucoinVenue, request: Request) -> Any:
    symbol = contract(venue, request.text("symbol")).symbol
    start_ms, end_ms = span(venue, request)
    read = venue.engine.read
    settled = {row.time_ms: row for row in read.funding_history(symbol, limit=ROWS_MAX)}
    rows = read.income(
        request.account, kind="FUNDING_FEE", symbol=symbol, start_ms=start_ms, end_ms=end_ms, limit=ROWS_MAX
    )
    told = []
    for row in reversed(rows):
        then = settled.get(row.time_ms)
        rate, mark = (then.rate, then.mark_price) if then else (Decimal(0), Decimal(0))
        told.append(render.funding(row, _name(venue, row), rate=rate, mark=mark))
    return {"hasMore": False, "dataList": told}


def trade_fees(venue: KucoinVenue, request: Request) -> Any:
    held = contract(venue, request.text("symbol"))
    spec = next(one.spec for one in venue.options.accounts if one.spec.account == request.account)
    maker = spec.maker_fee if spec.maker_fee is not None else held.instrument.maker_fee
    taker = spec.taker_fee if spec.taker_fee is not None else held.instrument.taker_fee
    return {"symbol": held.name, "takerFeeRate": plain(taker), "makerFeeRate": plain(maker)}


def leverage(venue: KucoinVenue, request: Request) -> Any:
    held = contract(venue, request.text("symbol"))
    return {"symbol": held.name, "leverage": str(venue.engine.read.position(request.account, held.symbol).leverage)}


def set_leverage(venue: KucoinVenue, request: Request) -> Any:
    held = contract(venue, request.text("symbol"))
    _, events = venue.engine.set_leverage(request.account, held.symbol, request.whole("leverage"), venue.now_ms())
    venue.tell(events)
    return {"symbol": held.name, "leverage": str(request.whole("leverage"))}


def margin_mode(venue: KucoinVenue, request: Request) -> Any:
    held = contract(venue, request.text("symbol"))
    is_isolated = venue.engine.read.position(request.account, held.symbol).margin_type is MarginType.ISOLATED
    return {"symbol": held.name, "marginMode": "ISOLATED" if is_isolated else "CROSS"}


def set_margin_mode(venue: KucoinVenue, request: Request) -> Any:
    held, wanted = contract(venue, request.text("symbol")), request.word("marginMode", MARGIN_MODES)
    if venue.engine.read.position(request.account, held.symbol).margin_type is not wanted:
        venue.tell(venue.engine.set_margin_type(request.account, held.symbol, wanted, venue.now_ms()))
    return margin_mode(venue, request)


def position_mode(venue: KucoinVenue, request: Request) -> Any:
    return {"positionMode": int(venue.engine.read.account(request.account).hedge_mode)}


def set_position_mode(venue: KucoinVenue, request: Request) -> Any:
    wanted = request.word("positionMode", POSITION_MODES)
    if venue.engine.read.account(request.account).hedge_mode is not wanted:
        venue.tell(venue.engine.set_hedge_mode(request.account, wanted, venue.now_ms()))
    return position_mode(venue, request)


def account_mode(venue: KucoinVenue, request: Request) -> Any:
    return {"selfAccountMode": "CLASSIC"}


def is_migrated(venue: KucoinVenue, request: Request) -> Any:
    """Say whether spot trading of the account is of the newer kind: that is no matter of contracts."""
    return True


def no_margin_symbols(venue: KucoinVenue, request: Request) -> Any:
    return {"timestamp": venue.server_ms(), "items": []}


def no_isolated_symbols(venue: KucoinVenue, request: Request) -> Any:
    return []


def bullet(venue: KucoinVenue, request: Request) -> Any:
    """Return where sockets are opened, and a token: the account's, or anybody's where none asks."""
    secure = "s" if venue.options.tls else ""
    return {
        "token": venue.tokens.make(request.account, venue.now_ms()),
        "instanceServers": [
            {
                "endpoint": f"ws{secure}://{request.host}{PATH}",
                "encrypt": bool(secure),
                "protocol": "websocket",
                "pingInterval": 18_000,
                "pingTimeout": 10_000,
            }
        ],
    }


def _name(venue: KucoinVenue, row: Income) -> str:
    return of_symbol(venue, row.symbol).name if row.symbol else ""


def _call(
    action: str, path: str, handler: Any, weight: int = 2, *, method: str = "GET", is_signed: bool = True
) -> Endpoint[KucoinVenue]:
    return Endpoint(action=action, method=method, path=path, handler=handler, weight=weight, is_signed=is_signed)


ENDPOINTS: tuple[Endpoint[KucoinVenue], ...] = (
    _call("account", "/api/v1/account-overview", overview, 5),
    _call("positions", "/api/v1/positions", positions),
    _call("position", "/api/v1/position", position),
    _call("income", "/api/v1/transaction-history", transactions),
    _call("funding", "/api/v1/funding-history", funding, 5),
    _call("commission_rate", "/api/v1/trade-fees", trade_fees, 3),
    _call("leverage", "/api/v2/getCrossUserLeverage", leverage),
    _call("leverage.set", "/api/v2/changeCrossUserLeverage", set_leverage, method="POST"),
    _call("margin_type", "/api/v2/position/getMarginMode", margin_mode),
    _call("margin_type.set", "/api/v2/position/changeMarginMode", set_margin_mode, method="POST"),
    _call("position_mode", "/api/v2/position/getPositionMode", position_mode),
    _call("position_mode.set", "/api/v2/position/switchPositionMode", set_position_mode, method="POST"),
    _call("account_mode", "/api/ua/v1/account/mode", account_mode),
    _call("spot.migrated", "/api/v1/hf/accounts/opened", is_migrated),
    _call("spot.margin", "/api/v3/margin/symbols", no_margin_symbols),
    _call("spot.isolated", "/api/v1/isolated/symbols", no_isolated_symbols),
    _call("login", "/api/v1/bullet-private", bullet, 10, method="POST"),
    _call("bullet", "/api/v1/bullet-public", bullet, 10, method="POST", is_signed=False),
)
