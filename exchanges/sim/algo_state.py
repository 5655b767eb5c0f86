"""A conditional order inside the venue."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from exchanges.sim.algo_orders import AlgoStatus, AlgoView, NewAlgoOrder
from exchanges.sim.orders import OrderType
from grid.order import Side


@dataclass(slots=True, kw_only=True, eq=False)
class AlgoOrder:
    """One conditional order. `rises` says whether it triggers when the price comes up to `trigger`, or down to it.

    `trigger` is in 1e-8 of quote currency. A trailing one has no trigger until it is activated; `extreme` is the best
    price since.
    """

    account: str
    algo_id: int
    client_id: str
    asked: NewAlgoOrder
    quantity: int
    rises: bool
    trigger: int
    created_ms: int
    updated_ms: int
    status: AlgoStatus = AlgoStatus.NEW
    triggered_ms: int = 0
    order_id: int = 0
    average_price: Decimal = Decimal(0)
    filled: int = 0
    extreme: int = 0
    reject_reason: str = ""

    @property
    def symbol(self) -> str:
        """Return the symbol's name."""
        return self.asked.symbol

    @property
    def reduces(self) -> bool:
        """Whether it may only make the position smaller."""
        return self.asked.reduce_only or self.asked.close_position

    def is_met(self, price: int) -> bool:
        """Return whether a price (1e-8) triggers it; a trailing one follows the price first."""
        if self.asked.type is OrderType.TRAILING_STOP_MARKET:
            return self._trail(price)
        return price >= self.trigger if self.rises else price <= self.trigger

    def _trail(self, price: int) -> bool:
        selling = self.asked.side is Side.SELL
        if not self.extreme:
            start = self.trigger
            if start and (price < start if selling else price > start):
                return False
            self.extreme = price
            return False
        self.extreme = max(self.extreme, price) if selling else min(self.extreme, price)
        back = int(self.extreme * (self.asked.callback_rate or Decimal(0)) / 100)
        return price <= self.extreme - back if selling else price >= self.extreme + back

    def view(self) -> AlgoView:
        """Return the conditional order as it is now."""
        asked = self.asked
        return AlgoView(
            account=self.account,
            symbol=asked.symbol,
            algo_id=self.algo_id,
            client_id=self.client_id,
            side=asked.side,
            type=asked.type,
            time_in_force=asked.time_in_force,
            status=self.status,
            quantity=self.quantity,
            trigger_price=asked.trigger_price or Decimal(0),
            price=asked.price or Decimal(0),
            reduce_only=self.reduces,
            close_position=asked.close_position,
            working_type=asked.working_type,
            price_protect=asked.price_protect,
            self_trade_rule=asked.self_trade_rule,
            activation_price=asked.activation_price,
            callback_rate=asked.callback_rate,
            created_ms=self.created_ms,
            updated_ms=self.updated_ms,
            triggered_ms=self.triggered_ms,
            order_id=self.order_id,
            average_price=self.average_price,
            filled=self.filled,
            reject_reason=self.reject_reason,
        )
