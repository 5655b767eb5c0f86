"""An order inside the matcher: what changes while it lives."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from exchanges.sim.instrument import SimInstrument
from exchanges.sim.money import FINEST, decimal_of
from exchanges.sim.orders import (
    ExpiryReason,
    OrderStatus,
    OrderType,
    OrderView,
    SelfTradeRule,
    TimeInForce,
    WorkingType,
)
from grid.order import Side


@dataclass(slots=True, kw_only=True, eq=False)
class Order:
    """One order of one account. `value` is the sum of price times quantity over its fills, in ticks times steps.

    `ahead` is the quantity of others in front of it at its price; a guess until the level was first shown
    (`ahead_seen`). `arrived_ms` is when it (last) joined the queue: it meets nothing that happened before.
    """

    account: str
    instrument: SimInstrument
    order_id: int
    client_id: str
    side: Side
    type: OrderType
    original_type: OrderType
    time_in_force: TimeInForce
    price: int
    quantity: int
    reduce_only: bool
    self_trade_rule: SelfTradeRule
    good_till_ms: int
    created_ms: int
    updated_ms: int
    arrived_ms: int
    close_position: bool = False
    stop_price: Decimal = Decimal(0)
    working_type: WorkingType = WorkingType.CONTRACT_PRICE
    algo_id: int = 0
    status: OrderStatus = OrderStatus.NEW
    expiry_reason: ExpiryReason = ExpiryReason.NONE
    filled: int = 0
    value: int = 0
    ahead: int = 0
    ahead_seen: bool = False
    amendments: int = 0
    is_resting: bool = False

    @property
    def left(self) -> int:
        """Return the steps not filled yet."""
        return self.quantity - self.filled

    @property
    def symbol(self) -> str:
        """Return the symbol's name."""
        return self.instrument.symbol

    def average_price(self) -> Decimal:
        """Return the mean price of the fills in quote currency, 0 without one."""
        if not self.filled:
            return Decimal(0)
        return (self.instrument.tick * self.value / self.filled).quantize(FINEST, ROUND_HALF_EVEN).normalize() + 0

    def view(self, bids_units: int, asks_units: int) -> OrderView:
        """Return the order as it is now, beside the notional of the account's open orders on the symbol."""
        return OrderView(
            account=self.account,
            symbol=self.instrument.symbol,
            order_id=self.order_id,
            client_id=self.client_id,
            side=self.side,
            type=self.type,
            original_type=self.original_type,
            time_in_force=self.time_in_force,
            status=self.status,
            price=self.price,
            quantity=self.quantity,
            filled=self.filled,
            average_price=self.average_price(),
            quote_filled=decimal_of(self.value * self.instrument.unit),
            reduce_only=self.reduce_only,
            close_position=self.close_position,
            stop_price=self.stop_price,
            working_type=self.working_type,
            self_trade_rule=self.self_trade_rule,
            good_till_ms=self.good_till_ms,
            created_ms=self.created_ms,
            updated_ms=self.updated_ms,
            bids_notional=decimal_of(bids_units),
            asks_notional=decimal_of(asks_units),
            expiry_reason=self.expiry_reason,
            algo_id=self.algo_id,
        )
