"""Conditional orders: accepted without margin, watched, and turned into orders when their price comes."""

from __future__ import annotations

from decimal import Decimal

from exchanges.sim.account import Account
from exchanges.sim.admission import CLIENT_ID, is_open_for_trading, read_price, read_quantity
from exchanges.sim.algo_orders import AlgoStatus, NewAlgoOrder
from exchanges.sim.algo_state import AlgoOrder
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.money import units_of
from exchanges.sim.order_entry import OrderEntry
from exchanges.sim.order_state import Order
from exchanges.sim.orders import NewOrder, OrderType, TimeInForce, WorkingType
from exchanges.sim.refusal import Reason, Refused
from exchanges.sim.state import VenueState
from exchanges.sim.symbol_market import SymbolMarket
from exchanges.sim.venue_events import AlgoEvent, AlgoRejectEvent
from grid.order import Side

LIMITED = (OrderType.STOP, OrderType.TAKE_PROFIT)
AT_MARKET = (OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET, OrderType.TRAILING_STOP_MARKET)
STOPS = (OrderType.STOP, OrderType.STOP_MARKET)
ALGOS_MAX = 1000
"""Conditional orders remembered for each account, at most: each fill looks through them."""


class AlgoDesk:
    """Keeps conditional orders apart from the book; they need no margin before they trigger."""

    def __init__(self, state: VenueState, entry: OrderEntry) -> None:
        self._state = state
        self._entry = entry
        self._waiting: dict[str, list[AlgoOrder]] = {}

    def submit(self, account: Account, asked: NewAlgoOrder) -> AlgoOrder:
        """Take a conditional order, or raise `Refused`."""
        market = self._state.market(asked.symbol)
        self._check(account, market, asked)
        trigger, quantity = self._read(market.instrument, asked)
        algo = AlgoOrder(
            account=account.name,
            algo_id=self._state.next_algo_id(),
            client_id=asked.client_id or self._state.venue_client_id(),
            asked=asked,
            quantity=quantity,
            rises=_rises(asked),
            trigger=units_of(trigger),
            created_ms=self._state.now_ms,
            updated_ms=self._state.now_ms,
        )
        price = _working_price(market, asked.working_type)
        if asked.type is not OrderType.TRAILING_STOP_MARKET and price and algo.is_met(price):
            raise Refused(Reason.WOULD_TRIGGER)
        account.algos[algo.algo_id] = algo
        self._forget_oldest(account)
        self._waiting.setdefault(asked.symbol, []).append(algo)
        self._tell(algo)
        return algo

    def _check(self, account: Account, market: SymbolMarket, asked: NewAlgoOrder) -> None:
        if asked.type not in (*LIMITED, *AT_MARKET):
            raise Refused(Reason.PARAMETER_INVALID, "type")
        if account.hedge_mode or asked.position_side != "BOTH":
            raise Refused(Reason.POSITION_SIDE_MISMATCH)
        is_open_for_trading(market.instrument)
        if asked.client_id and not CLIENT_ID.match(asked.client_id):
            raise Refused(Reason.CLIENT_ID_INVALID)
        waiting = [a for a in account.algos.values() if a.status.is_open and a.symbol == asked.symbol]
        if asked.client_id and any(algo.client_id == asked.client_id for algo in waiting):
            raise Refused(Reason.CLIENT_ID_DUPLICATE)
        if len(waiting) >= market.instrument.algo_orders_max:
            raise Refused(Reason.ALGO_ORDERS_MAX)
        if asked.close_position:
            if asked.quantity is not None or asked.type not in AT_MARKET:
                raise Refused(Reason.CLOSE_POSITION_QUANTITY)
            twin = [a for a in waiting if a.asked.close_position and a.asked.side is asked.side]
            if any((a.asked.type in STOPS) == (asked.type in STOPS) for a in twin):
                raise Refused(Reason.CLOSE_POSITION_EXISTS)

    def _read(self, instrument: SimInstrument, asked: NewAlgoOrder) -> tuple[Decimal, int]:
        quantity = 0
        if not asked.close_position:
            if asked.quantity is None:
                raise Refused(Reason.PARAMETER_MISSING, "quantity")
            quantity = read_quantity(instrument, asked.quantity, asked.type in AT_MARKET)
        if asked.type in LIMITED:
            if asked.price is None:
                raise Refused(Reason.PARAMETER_MISSING, "price")
            read_price(instrument, asked.price)
        if asked.type is OrderType.TRAILING_STOP_MARKET:
            if asked.callback_rate is None or not Decimal("0.1") <= asked.callback_rate <= 10:
                raise Refused(Reason.PARAMETER_INVALID, "callbackRate")
            return asked.activation_price or Decimal(0), quantity
        if asked.trigger_price is None:
            raise Refused(Reason.PARAMETER_MISSING, "triggerPrice")
        read_price(instrument, asked.trigger_price)
        return asked.trigger_price, quantity

    def revive(self, algo: AlgoOrder) -> None:
        """Watch again for a conditional order of an earlier life, where it still waits."""
        if algo.status.is_open:
            self._waiting.setdefault(algo.symbol, []).append(algo)

    def cancel(self, account: Account, algo_id: int, client_id: str) -> AlgoOrder:
        """Cancel one waiting conditional order, or raise `Refused` -2011."""
        algo = find(account, algo_id, client_id)
        if algo is None or not algo.status.is_open:
            raise Refused(Reason.ORDER_UNKNOWN)
        self._end(algo, AlgoStatus.CANCELED)
        return algo

    def cancel_all(self, account: Account, symbol: str) -> None:
        """Cancel every waiting conditional order of an account on a symbol."""
        self._state.market(symbol)
        for algo in list(self._waiting.get(symbol, ())):
            if algo.account == account.name and algo.status.is_open:
                self._end(algo, AlgoStatus.CANCELED)

    def expire_all(self, symbol: str) -> None:
        """End every waiting conditional order on a symbol."""
        for algo in list(self._waiting.get(symbol, ())):
            if algo.status.is_open:
                self._end(algo, AlgoStatus.EXPIRED)

    def on_price(self, market: SymbolMarket, working_type: WorkingType) -> None:
        """Trigger what the last or the mark price has reached."""
        waiting = self._waiting.get(market.instrument.symbol)
        if not waiting:
            return
        price = _working_price(market, working_type)
        for algo in list(waiting):
            if not algo.status.is_open:
                waiting.remove(algo)
            elif price and algo.asked.working_type is working_type and algo.is_met(price):
                waiting.remove(algo)
                self._trigger(algo, market)

    def _trigger(self, algo: AlgoOrder, market: SymbolMarket) -> None:
        now_ms = self._state.now_ms
        algo.status, algo.triggered_ms, algo.updated_ms = AlgoStatus.TRIGGERING, now_ms, now_ms
        self._tell(algo)
        account, asked = self._state.accounts[algo.account], algo.asked
        steps = algo.quantity or account.holding(algo.symbol).reducible(asked.side)
        try:
            if not steps:
                raise Refused(Reason.REDUCE_ONLY)
            order = NewOrder(
                symbol=algo.symbol,
                side=asked.side,
                type=OrderType.LIMIT if asked.type in LIMITED else OrderType.MARKET,
                quantity=market.instrument.quantity(steps),
                price=asked.price if asked.type in LIMITED else None,
                time_in_force=asked.time_in_force if asked.type in LIMITED else TimeInForce.GTC,
                reduce_only=algo.reduces,
                client_id=algo.client_id,
                self_trade_rule=asked.self_trade_rule,
            )
            self._entry.place(
                account,
                order,
                algo_id=algo.algo_id,
                original_type=asked.type,
                stop_price=asked.trigger_price or Decimal(0),
                close_position=asked.close_position,
                on_accepted=lambda placed: self._triggered(algo, placed),
            )
        except Refused as refused:
            algo.status, algo.reject_reason = AlgoStatus.REJECTED, refused.message
            self._tell(algo)
            self._state.emit(
                AlgoRejectEvent(
                    account=algo.account,
                    time_ms=now_ms,
                    symbol=algo.symbol,
                    algo_id=algo.algo_id,
                    reason=refused.message,
                )
            )

    def _triggered(self, algo: AlgoOrder, order: Order) -> None:
        algo.status, algo.order_id = AlgoStatus.TRIGGERED, order.order_id
        self._tell(algo)

    def _forget_oldest(self, account: Account) -> None:
        while len(account.algos) > min(ALGOS_MAX, self._state.config.history_max):
            oldest = next((key for key, algo in account.algos.items() if algo.status.is_over), None)
            if oldest is None:
                return
            del account.algos[oldest]

    def _end(self, algo: AlgoOrder, status: AlgoStatus) -> None:
        algo.status, algo.updated_ms = status, self._state.now_ms
        self._waiting[algo.symbol].remove(algo)
        self._tell(algo)

    def _tell(self, algo: AlgoOrder) -> None:
        self._state.emit(AlgoEvent(account=algo.account, time_ms=self._state.now_ms, algo=algo.view()))


def find(account: Account, algo_id: int, client_id: str) -> AlgoOrder | None:
    """Return a conditional order by the venue's id, or else the newest by its client id."""
    if algo_id:
        return account.algos.get(algo_id)
    named = [algo for algo in account.algos.values() if client_id and algo.client_id == client_id]
    return named[-1] if named else None


def _rises(asked: NewAlgoOrder) -> bool:
    return (asked.type in STOPS) == (asked.side is Side.BUY)


def _working_price(market: SymbolMarket, working_type: WorkingType) -> int:
    if working_type is WorkingType.MARK_PRICE:
        return market.mark
    return units_of(market.instrument.tick) * market.last
