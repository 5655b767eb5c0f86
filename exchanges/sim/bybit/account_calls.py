"""Account, positions, ledger and settings."""

from __future__ import annotations

from exchanges.sim.bybit import render_account as render
from exchanges.sim.bybit.call import Answer, Call, Endpoint, page
from exchanges.sim.bybit.errors import ApiError, parameter
from exchanges.sim.bybit.order_queries import told_fills
from exchanges.sim.bybit.venue import BybitVenue
from exchanges.sim.refusal import Reason, Refused
from exchanges.sim.server.faults import FaultKind
from exchanges.sim.server.text import plain
from exchanges.sim.views import AccountView, MarginType, PositionView

ALL = 1_000_000
WEEK_MS = 7 * 86_400_000
UNIFIED = 5
HEDGE = 3


def _account(venue: BybitVenue, call: Call) -> AccountView:
    view = venue.engine.read.account(call.account)
    stale = venue.read_strike(FaultKind.STALE_READ, call)
    return venue.past.account_at(view, venue.now_ms() - stale.delay_ms) if stale else view


def wallet_balance(venue: BybitVenue, call: Call) -> Answer:
    if call.text("accountType") != "UNIFIED":
        raise parameter("accountType")
    return Answer(result={"list": [render.wallet(_account(venue, call))]})


def account_info(venue: BybitVenue, call: Call) -> Answer:
    positions = venue.engine.read.positions(call.account)
    is_isolated = any(held.margin_type is MarginType.ISOLATED for held in positions)
    return Answer(
        result={
            "marginMode": "ISOLATED_MARGIN" if is_isolated else "REGULAR_MARGIN",
            "updatedTime": str(venue.server_ms()),
            "unifiedMarginStatus": UNIFIED,
            "dcpStatus": "OFF",
            "timeWindow": 10,
            "smpGroup": 0,
            "isMasterTrader": False,
            "spotHedgingStatus": "OFF",
        }
    )


def key_info(venue: BybitVenue, call: Call) -> Answer:
    return Answer(
        result={
            "id": "1",
            "note": "",
            "readOnly": 0,
            "permissions": {"ContractTrade": ["Order", "Position"], "Spot": [], "Wallet": [], "Options": []},
            "ips": ["*"],
            "type": 1,
            "unified": 0,
            "uta": 1,
            "userID": 1,
            "isMaster": True,
        }
    )


def positions(venue: BybitVenue, call: Call) -> Answer:
    """Answer for a symbol, held or not, or for an asset: then with what is held alone."""
    call.check_category()
    if not (call.has("symbol") or call.has("settleCoin")):
        raise parameter("symbol")
    symbol = venue.instrument(call.symbol()).symbol if call.has("symbol") else None
    if venue.read_strike(FaultKind.EMPTY_POSITIONS, call):
        return Answer(result=page([], call, default=20, most=200))
    held = venue.engine.read.positions(call.account, symbol)
    stale = venue.read_strike(FaultKind.STALE_READ, call)
    if stale:
        view = venue.engine.read.account(call.account)
        held = venue.past.positions_at(view, venue.now_ms() - stale.delay_ms, held)
    indexes = (1, 2) if venue.engine.read.account(call.account).hedge_mode else (0,)
    rows = [
        render.position(venue.instrument(one.symbol), one, index=index)
        for one in held
        if symbol or one.quantity
        for index in indexes
    ]
    return Answer(result=page(rows, call, default=20, most=200))


def transaction_log(venue: BybitVenue, call: Call) -> Answer:
    account, quote = call.account, call.optional("currency", "USDT")
    start_ms, end_ms = call.whole("startTime"), call.whole("endTime")
    if start_ms and end_ms and not 0 <= end_ms - start_ms <= WEEK_MS:
        raise parameter("endTime")
    fills = {
        (symbol, fill.trade_id): (fill, order)
        for symbol in venue.instruments()
        for fill, order, _ in told_fills(venue, account, symbol)
    }
    rows = render.ledger(venue.instruments(), venue.engine.read.income(account, limit=ALL), fills, quote)
    until_ms = end_ms or start_ms + WEEK_MS if start_ms else venue.server_ms()
    found = [row for row in rows if (start_ms or until_ms - WEEK_MS) <= int(row["transactionTime"]) <= until_ms]
    return Answer(result=page(found[::-1], call, default=20, most=50))


def fee_rate(venue: BybitVenue, call: Call) -> Answer:
    call.check_category()
    spec = next(held.spec for held in venue.options.accounts if held.spec.account == call.account)
    wanted = [call.symbol()] if call.has("symbol") else list(venue.instruments())
    rows = []
    for instrument in (venue.instrument(symbol) for symbol in wanted):
        maker = spec.maker_fee if spec.maker_fee is not None else instrument.maker_fee
        taker = spec.taker_fee if spec.taker_fee is not None else instrument.taker_fee
        rows.append({"symbol": instrument.symbol, "makerFeeRate": plain(maker), "takerFeeRate": plain(taker)})
    return Answer(result={"list": rows})


def set_leverage(venue: BybitVenue, call: Call) -> Answer:
    call.check_category()
    symbol, wanted = call.symbol(), call.amount("buyLeverage")
    if wanted != call.amount("sellLeverage") or wanted != int(wanted):
        raise ApiError(110013, "buy leverage not equal sell leverage")
    if _position(venue, call, symbol).leverage == wanted:
        raise ApiError(110043, "leverage not modified")
    _, events = venue.engine.set_leverage(call.account, symbol, int(wanted), venue.now_ms())
    venue.tell(events)
    return Answer(result={})


def switch_mode(venue: BybitVenue, call: Call) -> Answer:
    call.check_category()
    venue.tell(venue.engine.set_hedge_mode(call.account, call.whole("mode") == HEDGE, venue.now_ms()))
    return Answer(result={})


def set_margin_mode(venue: BybitVenue, call: Call) -> Answer:
    """Set the margin mode of the whole account; a symbol that cannot follow refuses it."""
    wanted = {"ISOLATED_MARGIN": MarginType.ISOLATED, "REGULAR_MARGIN": MarginType.CROSSED}
    chosen = wanted.get(call.text("setMarginMode"))
    if chosen is None:
        raise parameter("setMarginMode")
    for symbol in venue.instruments():
        try:
            venue.tell(venue.engine.set_margin_type(call.account, symbol, chosen, venue.now_ms()))
        except Refused as refusal:
            if refusal.reason is not Reason.MARGIN_TYPE_SAME:
                raise ApiError(110073, "Set margin mode failed") from None
    return Answer(result={"reasons": []})


def disconnect_protection(venue: BybitVenue, call: Call) -> Answer:
    """Take the window of the protection against a lost private stream; the account has it switched off."""
    if not 3 <= call.whole("timeWindow") <= 300:
        raise parameter("timeWindow")
    return Answer(result={})


def _position(venue: BybitVenue, call: Call, symbol: str) -> PositionView:
    return venue.engine.read.position(call.account, symbol)


ENDPOINTS = (
    Endpoint(action="account", method="GET", path="/v5/account/wallet-balance", handler=wallet_balance),
    Endpoint(action="account.config", method="GET", path="/v5/account/info", handler=account_info),
    Endpoint(action="account.key", method="GET", path="/v5/user/query-api", handler=key_info),
    Endpoint(action="positions", method="GET", path="/v5/position/list", handler=positions),
    Endpoint(action="income", method="GET", path="/v5/account/transaction-log", handler=transaction_log),
    Endpoint(action="commission_rate", method="GET", path="/v5/account/fee-rate", handler=fee_rate),
    Endpoint(action="leverage.set", method="POST", path="/v5/position/set-leverage", handler=set_leverage),
    Endpoint(action="position_mode.set", method="POST", path="/v5/position/switch-mode", handler=switch_mode),
    Endpoint(action="margin_type.set", method="POST", path="/v5/account/set-margin-mode", handler=set_margin_mode),
    Endpoint(
        action="orders.countdown",
        method="POST",
        path="/v5/order/disconnected-cancel-all",
        handler=disconnect_protection,
    ),
)
