"""Conditional orders, which the venue keeps apart from its orders: one that closes the position is known here."""

from __future__ import annotations

from collections.abc import Callable

from exchanges.sim.algo_orders import AlgoView, NewAlgoOrder
from exchanges.sim.okx import render
from exchanges.sim.okx.call import Call, Endpoint, Row, amount, text
from exchanges.sim.okx.errors import ApiError, refusal
from exchanges.sim.okx.trade_calls import page_of
from exchanges.sim.okx.venue import OkxVenue
from exchanges.sim.orders import OrderType, WorkingType
from exchanges.sim.refusal import Reason, Refused
from grid.order import Side

TRIGGERS = {"last": WorkingType.CONTRACT_PRICE, "mark": WorkingType.MARK_PRICE}
AT_MARKET = "-1"
ABSENT = ApiError(200, "51603", "Order does not exist")


def place(venue: OkxVenue, call: Call) -> list[Row]:
    return [_item(venue, call.params, lambda: _place(venue, call))]


def cancel(venue: OkxVenue, call: Call) -> list[Row]:
    return [_item(venue, row, lambda row=row: _cancel(venue, call, row)) for row in call.rows]  # type: ignore[misc]


def one(venue: OkxVenue, call: Call) -> list[Row]:
    algo_id, client_id = _names(call.params)
    try:
        algo = venue.engine.read.algo(call.account, algo_id=algo_id, client_id=client_id)
    except Refused:
        raise ABSENT from None
    return [render.algo(venue.swaps.of_symbol(algo.symbol), algo)]


def waiting(venue: OkxVenue, call: Call) -> list[Row]:
    if "conditional" not in call.text("ordType").split(","):
        return []
    algos = venue.engine.read.open_algos(call.account)
    return page_of([render.algo(venue.swaps.of_symbol(algo.symbol), algo) for algo in algos], "algoId", call)


def _place(venue: OkxVenue, call: Call) -> AlgoView:
    row = call.params
    swap, side = venue.swaps.named(row), text(row, "side")
    if text(row, "ordType") != "conditional" or side not in ("buy", "sell") or text(row, "slOrdPx") != AT_MARKET:
        raise ApiError(400, "51000", "Parameter ordType error")
    if row.get("posSide") not in (None, "", "net") or venue.engine.read.account(call.account).hedge_mode:
        raise ApiError(200, "51000", "Parameter posSide error")
    closes = row.get("closeFraction") == "1"
    if closes and row.get("reduceOnly") not in (True, "true"):
        raise ApiError(200, "51328", "closeFraction is only available for reduceOnly orders.")
    order = NewAlgoOrder(
        symbol=swap.symbol,
        side=Side(side.upper()),
        type=OrderType.STOP_MARKET,
        quantity=None if closes else swap.base(amount(row, "sz")),
        trigger_price=amount(row, "slTriggerPx"),
        reduce_only=not closes and row.get("reduceOnly") in (True, "true"),
        close_position=closes,
        client_id=str(row.get("algoClOrdId") or ""),
        working_type=TRIGGERS[str(row.get("slTriggerPxType") or "last")],
    )
    algo, events = venue.engine.submit_algo(call.account, order, venue.now_ms())
    venue.tell(events)
    return algo


def _cancel(venue: OkxVenue, call: Call, row: Row) -> AlgoView:
    venue.swaps.named(row)
    algo_id, client_id = _names(row)
    try:
        algo, events = venue.engine.cancel_algo(call.account, venue.now_ms(), algo_id=algo_id, client_id=client_id)
    except Refused as refused:
        raise refusal(refused) if refused.reason is not Reason.ORDER_ABSENT else ABSENT from None
    venue.tell(events)
    return algo


def _item(venue: OkxVenue, row: Row, act: Callable[[], AlgoView]) -> Row:
    told = {"algoId": str(row.get("algoId") or ""), "algoClOrdId": str(row.get("algoClOrdId") or ""), "clOrdId": ""}
    try:
        algo = act()
    except Refused as refused:
        error = refusal(refused)
    except ApiError as failure:
        error = failure
    else:
        return {**told, "algoId": str(algo.algo_id), "algoClOrdId": algo.client_id, "sCode": "0", "sMsg": "", "tag": ""}
    venue.refusals[error.code] += 1
    return {**told, "sCode": error.code, "sMsg": error.message, "tag": ""}


def _names(row: Row) -> tuple[int, str]:
    algo_id, client_id = str(row.get("algoId") or ""), str(row.get("algoClOrdId") or "")
    if not algo_id and not client_id:
        raise ApiError(400, "50014", "Parameter algoId can not be empty.")
    return int(algo_id) if algo_id.isdigit() else 0, client_id


ENDPOINTS = (
    Endpoint(
        action="algo.place",
        method="POST",
        path="/api/v5/trade/order-algo",
        handler=place,
        limit=20,
        has_items=True,
    ),
    Endpoint(
        action="algo.cancel",
        method="POST",
        path="/api/v5/trade/cancel-algos",
        handler=cancel,
        limit=20,
        has_items=True,
    ),
    Endpoint(action="algo.status", method="GET", path="/api/v5/trade/order-algo", handler=one, limit=20),
    Endpoint(action="algos.open", method="GET", path="/api/v5/trade/orders-algo-pending", handler=waiting, limit=20),
)
