"""From the engine's words to the port's: what an adapter does with a venue's JSON, without the JSON."""

from __future__ import annotations

from exchanges.desk.events import Refused
from exchanges.errors import Refusal, VenueRefused
from exchanges.port import Account, Income, Position
from exchanges.sim import orders as venue
from exchanges.sim.algo_orders import AlgoStatus, AlgoView, NewAlgoOrder
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.refusal import Reason
from exchanges.sim.refusal import Refused as EngineRefused
from exchanges.sim.venue_events import OrderEvent, PublishedBook
from exchanges.sim.views import AccountView, MarginType, PositionView
from exchanges.sim.views import Income as VenueIncome
from grid.order import Fill, OrderReport, OrderRequest, OrderStatus, OrderUpdate, Quote, TimeInForce
from grid.stop import StopReport, StopRequest, StopStatus, WorkingType

_STATUSES = {
    venue.OrderStatus.NEW: OrderStatus.NEW,
    venue.OrderStatus.PARTIALLY_FILLED: OrderStatus.PARTIALLY_FILLED,
    venue.OrderStatus.FILLED: OrderStatus.FILLED,
    venue.OrderStatus.CANCELED: OrderStatus.CANCELED,
    venue.OrderStatus.EXPIRED: OrderStatus.EXPIRED,
    venue.OrderStatus.EXPIRED_IN_MATCH: OrderStatus.EXPIRED,
}
_LIFETIMES = {
    TimeInForce.POST_ONLY: venue.TimeInForce.GTX,
    TimeInForce.GTC: venue.TimeInForce.GTC,
    TimeInForce.IOC: venue.TimeInForce.IOC,
}
_STOPS = {
    AlgoStatus.NEW: StopStatus.WAITING,
    AlgoStatus.TRIGGERING: StopStatus.TRIGGERED,
    AlgoStatus.TRIGGERED: StopStatus.TRIGGERED,
    AlgoStatus.FINISHED: StopStatus.TRIGGERED,
    AlgoStatus.REJECTED: StopStatus.FAILED,
    AlgoStatus.CANCELED: StopStatus.ENDED,
    AlgoStatus.EXPIRED: StopStatus.ENDED,
}
_WORKING = {
    WorkingType.MARK: venue.WorkingType.MARK_PRICE,
    WorkingType.LAST: venue.WorkingType.CONTRACT_PRICE,
}
_REFUSALS = {
    Reason.WOULD_TRIGGER: Refusal.WOULD_TRIGGER,
    Reason.POST_ONLY: Refusal.POST_ONLY_WOULD_TAKE,
    Reason.REDUCE_ONLY: Refusal.REDUCE_ONLY_CONFLICT,
    Reason.REDUCE_ONLY_MARGIN: Refusal.REDUCE_ONLY_CONFLICT,
    Reason.MARGIN: Refusal.MARGIN,
    Reason.LEVERAGE_POSITION_MAX: Refusal.MARGIN,
    Reason.CLIENT_ID_DUPLICATE: Refusal.DUPLICATE_ID,
    Reason.ORDER_UNKNOWN: Refusal.UNKNOWN_ORDER,
    Reason.ORDER_ABSENT: Refusal.UNKNOWN_ORDER,
    Reason.OPEN_ORDERS_MAX: Refusal.TOO_MANY_ORDERS,
    Reason.SYMBOL_CLOSED: Refusal.SYMBOL_CLOSED,
    Reason.SYMBOL_NOT_OPENING: Refusal.SYMBOL_CLOSED,
    Reason.QUANTITATIVE_RULE: Refusal.TRADING_RESTRICTED,
    Reason.PRICE_OVER_CAP: Refusal.FILTER,
    Reason.PRICE_UNDER_FLOOR: Refusal.FILTER,
    Reason.NOTIONAL_UNDER_MIN: Refusal.FILTER,
}
UNKNOWN_ORDER = Refused(refusal=Refusal.UNKNOWN_ORDER, code="-2013", message="Order does not exist.")
TOO_OLD = Refused(refusal=Refusal.CLOCK, code="-1021", message="Timestamp is outside of the recvWindow.")


def refused_of(error: EngineRefused) -> Refused:
    """Return the refusal in our words."""
    refusal = _REFUSALS.get(error.reason, Refusal.OTHER)
    return Refused(refusal=refusal, code=str(error.code), message=error.message)


def error_of(error: EngineRefused) -> VenueRefused:
    """Return the refusal as an adapter raises it."""
    return VenueRefused(str(error.code), error.message, _REFUSALS.get(error.reason, Refusal.OTHER))


def order_of(request: OrderRequest, instrument: SimInstrument) -> venue.NewOrder:
    """Return the request as it goes over the wire; closing means reduce-only (one-way mode)."""
    return venue.NewOrder(
        symbol=request.symbol,
        side=request.side,
        quantity=instrument.quantity(request.quantity),
        price=instrument.price(request.price),
        time_in_force=_LIFETIMES[request.time_in_force],
        reduce_only=request.closing,
        client_id=request.client_id,
    )


def new_stop(request: StopRequest, instrument: SimInstrument) -> NewAlgoOrder:
    """Return the stop as it goes over the wire."""
    return NewAlgoOrder(
        symbol=request.symbol,
        side=request.side,
        type=venue.OrderType.STOP_MARKET,
        trigger_price=instrument.price(request.trigger),
        close_position=True,
        client_id=request.client_id,
        working_type=_WORKING[request.working_type],
    )


def stop_of(view: AlgoView, instrument: SimInstrument) -> StopReport:
    """Return the conditional order."""
    return StopReport(
        symbol=view.symbol,
        client_id=view.client_id,
        algo_id=str(view.algo_id),
        side=view.side,
        status=_STOPS[view.status],
        trigger=instrument.ticks(view.trigger_price),
        closes_position=view.close_position,
        order_id=str(view.order_id) if view.order_id else "",
        reason=view.reject_reason,
    )


def report_of(view: venue.OrderView) -> OrderReport:
    """Return the order."""
    reason = "" if view.expiry_reason is venue.ExpiryReason.NONE else view.expiry_reason.value
    return OrderReport(
        symbol=view.symbol,
        order_id=str(view.order_id),
        client_id=view.client_id,
        side=view.side,
        status=_STATUSES[view.status],
        price=view.price,
        quantity=view.quantity,
        filled=view.filled,
        closing=view.reduce_only,
        venue_ms=view.updated_ms,
        expiry_reason=reason,
    )


def fill_of(fill: venue.Fill, client_id: str = "") -> Fill:
    """Return the fill; a trade history tells no client id."""
    return Fill(
        symbol=fill.symbol,
        order_id=str(fill.order_id),
        trade_id=str(fill.trade_id),
        client_id=client_id,
        side=fill.side,
        price=fill.price,
        quantity=fill.quantity,
        fee=fill.commission,
        fee_asset=fill.commission_asset,
        is_maker=fill.is_maker,
        venue_ms=fill.time_ms,
    )


def update_of(event: OrderEvent) -> OrderUpdate:
    """Return the event as the private stream tells it."""
    fill = fill_of(event.fill, event.order.client_id) if event.fill is not None else None
    return OrderUpdate(report=report_of(event.order), fill=fill)


def position_of(view: PositionView) -> Position:
    """Return the position."""
    return Position(
        symbol=view.symbol,
        quantity=view.quantity,
        entry_price=view.entry_price,
        mark_price=view.mark_price,
        unrealised=view.unrealised,
        liquidation=view.liquidation_price or None,
        leverage=view.leverage,
        is_isolated=view.margin_type is MarginType.ISOLATED,
        venue_ms=view.updated_ms,
    )


def account_of(view: AccountView) -> Account:
    """Return the account; its first asset is the quote asset."""
    held = view.assets[0]
    return Account(
        wallet=held.wallet,
        available=held.available,
        unrealised=held.unrealised,
        is_one_way=True,
        is_multi_asset=False,
        can_trade=True,
    )


def income_of(row: VenueIncome) -> Income:
    """Return the row of the ledger."""
    return Income(
        kind=row.kind,
        transaction_id=str(row.tran_id),
        symbol=row.symbol,
        asset=row.asset,
        amount=row.amount,
        venue_ms=row.time_ms,
    )


def quote_of(book: PublishedBook, received_ms: int) -> Quote:
    """Return the published best prices."""
    return Quote(
        symbol=book.symbol,
        bid=book.bid,
        ask=book.ask,
        bid_quantity=book.bid_quantity,
        ask_quantity=book.ask_quantity,
        venue_ms=book.time_ms,
        received_ns=received_ms * 1_000_000,
    )
