"""Conditional orders: kept apart from the open orders since 2025-12, and turned into orders when they trigger."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from exchanges.sim.orders import OrderType, SelfTradeRule, TimeInForce, WorkingType
from grid.order import Side


class AlgoStatus(Enum):
    """The venue's word for a conditional order's state."""

    NEW = "NEW"
    TRIGGERING = "TRIGGERING"
    TRIGGERED = "TRIGGERED"
    FINISHED = "FINISHED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"

    @property
    def is_open(self) -> bool:
        """Whether it still waits for its trigger."""
        return self is AlgoStatus.NEW

    @property
    def is_over(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self in (AlgoStatus.FINISHED, AlgoStatus.CANCELED, AlgoStatus.EXPIRED, AlgoStatus.REJECTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAlgoOrder:
    """A conditional order as a client sends it. `price` only for STOP and TAKE_PROFIT.

    With `close_position` the quantity is None: it sells or buys whatever the position is when it triggers.
    `activation_price` and `callback_rate` (percent) belong to TRAILING_STOP_MARKET.
    """

    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal | None = None
    trigger_price: Decimal | None = None
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    close_position: bool = False
    client_id: str = ""
    position_side: str = "BOTH"
    working_type: WorkingType = WorkingType.CONTRACT_PRICE
    price_protect: bool = False
    self_trade_rule: SelfTradeRule = SelfTradeRule.EXPIRE_MAKER
    activation_price: Decimal | None = None
    callback_rate: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgoView:
    """A conditional order at one moment. `quantity` in steps (0 with close_position), prices in quote currency.

    `order_id` is the order it became, 0 before; `average_price` and `filled` are that order's.
    """

    account: str
    symbol: str
    algo_id: int
    client_id: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    status: AlgoStatus
    quantity: int
    trigger_price: Decimal
    price: Decimal
    reduce_only: bool
    close_position: bool
    working_type: WorkingType
    price_protect: bool
    self_trade_rule: SelfTradeRule
    activation_price: Decimal | None
    callback_rate: Decimal | None
    created_ms: int
    updated_ms: int
    triggered_ms: int
    order_id: int
    average_price: Decimal
    filled: int
    reject_reason: str = ""
