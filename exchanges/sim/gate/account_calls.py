"""Account, positions, ledger, fees and settings."""

from __future__ import annotations

from typing import Any

from exchanges.sim.algo_orders import AlgoView
from exchanges.sim.gate import render
from exchanges.sim.gate.call import Call, Endpoint
from exchanges.sim.gate.contracts import contract_name, symbol_of
from exchanges.sim.gate.errors import wrong_parameter
from exchanges.sim.gate.trade_calls import PREFIX
from exchanges.sim.gate.venue import GateVenue
from exchanges.sim.refusal import Reason, Refused
from exchanges.sim.server.faults import FaultKind
from exchanges.sim.server.text import plain
from exchanges.sim.views import AccountView, Income, MarginType, PositionView
from grid.order import Side

BOOK_PAGE_MAX = 1000
KINDS = {
    "TRANSFER": "dnw",
    "REALIZED_PNL": "pnl",
    "COMMISSION": "fee",
    "FUNDING_FEE": "fund",
    "INSURANCE_CLEAR": "bonus_offset",
}
LIQUIDATION_FEE = "fee"
EVERY = 1 << 30
FALLS, RISES = 2, 1


def account(venue: GateVenue, call: Call) -> Any:
    view = _account(venue, call)
    main = view.assets[0]
    return {
        "user": venue.user(call.account),
        "currency": main.asset,
        "total": plain(main.wallet),
        "unrealised_pnl": plain(main.unrealised),
        "position_margin": plain(main.position_initial_margin),
        "order_margin": plain(main.order_initial_margin),
        "available": plain(main.available),
        "point": "0",
        "bonus": "0",
        "in_dual_mode": view.hedge_mode,
        "position_mode": "dual" if view.hedge_mode else "single",
        "enable_credit": False,
        "margin_mode": 0,
        "maintenance_margin": plain(main.maintenance_margin),
        "position_initial_margin": plain(main.position_initial_margin),
    }


def detail(venue: GateVenue, call: Call) -> Any:
    return {
        "user_id": venue.user(call.account),
        "ip_whitelist": [],
        "currency_pairs": [],
        "key": {"mode": 1},
        "tier": 0,
    }


def positions(venue: GateVenue, call: Call) -> Any:
    """Return what is or was held: a contract that was never touched is not in the list."""
    if venue.read_strike(FaultKind.EMPTY_POSITIONS, call):
        return []
    touched = {fill.symbol for fill in venue.engine.read.user_trades(call.account, limit=EVERY)}
    held = [view for view in _positions(venue, call) if view.quantity or view.symbol in touched]
    return [_position(venue, call, view) for view in held]


def position(venue: GateVenue, call: Call) -> Any:
    symbol = venue.instrument(symbol_of(call.text("contract"))).symbol
    return next(_position(venue, call, view) for view in _positions(venue, call) if view.symbol == symbol)


def set_leverage(venue: GateVenue, call: Call) -> Any:
    """Set leverage and margin type at once: a leverage of 0 is cross margin under the limit that is told beside it."""
    symbol, leverage = venue.instrument(symbol_of(call.text("contract"))).symbol, call.whole("leverage")
    wanted = MarginType.ISOLATED if leverage else MarginType.CROSSED
    if not leverage:
        leverage = call.whole("cross_leverage_limit", 0)
    if leverage < 1:
        raise wrong_parameter("leverage")
    engine, now_ms = venue.engine, venue.now_ms()
    try:
        venue.tell(engine.set_margin_type(call.account, symbol, wanted, now_ms))
    except Refused as refusal:
        if refusal.reason is not Reason.MARGIN_TYPE_SAME:
            raise
    view, events = engine.set_leverage(call.account, symbol, leverage, now_ms)
    venue.tell(events)
    return _position(venue, call, view)


def fee(venue: GateVenue, call: Call) -> Any:
    name = call.optional("contract")
    symbols = [venue.instrument(symbol_of(name)).symbol] if name else list(venue.instruments())
    spec = next(held.spec for held in venue.options.accounts if held.spec.account == call.account)
    rates: dict[str, Any] = {}
    for symbol in symbols:
        own = venue.instrument(symbol)
        rates[contract_name(symbol)] = {
            "maker_fee": plain(spec.maker_fee if spec.maker_fee is not None else own.maker_fee),
            "taker_fee": plain(spec.taker_fee if spec.taker_fee is not None else own.taker_fee),
        }
    return rates


def account_book(venue: GateVenue, call: Call) -> Any:
    """Return the ledger, newest first."""
    start_ms = call.whole("from", 0) * 1000
    rows = venue.engine.read.income(call.account, start_ms=start_ms, limit=EVERY)
    balance = venue.engine.read.account(call.account).assets[0].wallet
    told: list[Any] = []
    for row in sorted(rows, key=lambda row: (row.time_ms, row.tran_id), reverse=True):
        told.append(_booked(row, plain(balance)))
        balance -= row.amount
    kind = call.optional("type")
    return call.page([row for row in told if not kind or row["type"] == kind], BOOK_PAGE_MAX)


def price_orders(venue: GateVenue, call: Call) -> Any:
    if call.text("status") != "open":
        return []
    found = venue.engine.read.open_algos(call.account)
    return [_price_order(venue, call, view) for view in call.page(found, 100)]


def _account(venue: GateVenue, call: Call) -> AccountView:
    view = venue.engine.read.account(call.account)
    stale = venue.read_strike(FaultKind.STALE_READ, call)
    return venue.past.account_at(view, venue.now_ms() - stale.delay_ms) if stale else view


def _positions(venue: GateVenue, call: Call) -> list[PositionView]:
    found = venue.engine.read.positions(call.account)
    stale = venue.read_strike(FaultKind.STALE_READ, call)
    if stale is None:
        return found
    now = venue.engine.read.account(call.account)
    return venue.past.positions_at(now, venue.now_ms() - stale.delay_ms, found)


def _position(venue: GateVenue, call: Call, view: PositionView) -> Any:
    contract = venue.contract(view.symbol)
    return render.position(contract, view, venue.user(call.account), as_text=call.sizes_as_text)


def _booked(row: Income, balance: str) -> Any:
    return {
        "id": f"{row.kind.lower()}{row.tran_id}",
        "time": render.seconds(row.time_ms),
        "change": plain(row.amount),
        "balance": balance,
        "type": KINDS.get(row.kind, LIQUIDATION_FEE),
        "text": row.note,
        "contract": contract_name(row.symbol) if row.symbol else "",
        "trade_id": str(row.trade_id) if row.trade_id else "",
    }


def _price_order(venue: GateVenue, call: Call, view: AlgoView) -> Any:
    contract = venue.contract(view.symbol)
    steps = 0 if view.close_position else view.quantity * (1 if view.side is Side.BUY else -1)
    return {
        "id": view.algo_id,
        "user": venue.user(call.account),
        "status": "open",
        "reason": "",
        "create_time": 0,
        "trigger": {
            "strategy_type": 0,
            "price_type": 1,
            "price": plain(view.trigger_price),
            "rule": FALLS if view.side is Side.SELL else RISES,
            "expiration": 0,
        },
        "initial": {
            "contract": contract.name,
            "size": render.size(contract, steps, as_text=call.sizes_as_text),
            "price": plain(view.price),
            "tif": "ioc",
            "text": "api",
            "is_close": view.close_position,
            "is_reduce_only": view.reduce_only,
        },
    }


ENDPOINTS = (
    Endpoint(action="account", method="GET", path=f"{PREFIX}/accounts", handler=account),
    Endpoint(action="account.detail", method="GET", path="/api/v4/account/detail", handler=detail),
    Endpoint(action="positions", method="GET", path=f"{PREFIX}/positions", handler=positions),
    Endpoint(action="positions", method="GET", path=PREFIX + "/positions/{contract}", handler=position),
    Endpoint(action="leverage", method="POST", path=PREFIX + "/positions/{contract}/leverage", handler=set_leverage),
    Endpoint(action="fees", method="GET", path=f"{PREFIX}/fee", handler=fee),
    Endpoint(action="income", method="GET", path=f"{PREFIX}/account_book", handler=account_book),
    Endpoint(action="stops.open", method="GET", path=f"{PREFIX}/price_orders", handler=price_orders),
)
