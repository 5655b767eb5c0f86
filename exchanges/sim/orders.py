"""Orders at the venue: what a client asks for, and what a client may see."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from grid.order import Side


class OrderType(Enum):
    """`LIQUIDATION` is the venue's own; the conditional ones live among the algo orders only."""

    LIMIT = "LIMIT"
    MARKET = "MARKET"
    LIQUIDATION = "LIQUIDATION"
    STOP = "STOP"
    STOP_MARKET = "STOP_MARKET"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_MARKET = "TAKE_PROFIT_MARKET"
    TRAILING_STOP_MARKET = "TRAILING_STOP_MARKET"


class TimeInForce(Enum):
    """GTX is post-only: refused at arrival where it would take."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTX = "GTX"
    GTD = "GTD"


class OrderStatus(Enum):
    """The venue's word for an order's state."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"

    @property
    def is_open(self) -> bool:
        """Whether the order can still fill."""
        return self is OrderStatus.NEW or self is OrderStatus.PARTIALLY_FILLED


class Execution(Enum):
    """What just happened to an order (`x` in ORDER_TRADE_UPDATE)."""

    NEW = "NEW"
    TRADE = "TRADE"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    AMENDMENT = "AMENDMENT"
    CALCULATED = "CALCULATED"


class ExpiryReason(Enum):
    """Why the venue itself ended an order (`er` in ORDER_TRADE_UPDATE)."""

    NONE = "0"
    SELF_TRADE = "1"
    IOC_REMAINDER = "2"
    IOC_SELF_TRADE = "3"
    REDUCE_ONLY = "4"
    LIQUIDATION = "5"
    GOOD_TILL = "6"
    DELISTED = "7"
    STOP_TRIGGERED = "8"
    MARKET_REMAINDER = "9"
    POST_ONLY = "post_only"
    """It would have taken, at a venue that accepts and then cancels (`EngineConfig.post_only_cancels`)."""


class SelfTradeRule(Enum):
    """Who gives way where an order would meet another of the same account."""

    NONE = "NONE"
    EXPIRE_TAKER = "EXPIRE_TAKER"
    EXPIRE_MAKER = "EXPIRE_MAKER"
    EXPIRE_BOTH = "EXPIRE_BOTH"


class WorkingType(Enum):
    """Which price triggers a conditional order."""

    CONTRACT_PRICE = "CONTRACT_PRICE"
    MARK_PRICE = "MARK_PRICE"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """An order as a client sends it: decimals as written, so that the filters can refuse them.

    `price` is None for MARKET. An empty `client_id` gets one from the venue. `type` other than LIMIT and MARKET is
    refused with -4120. `position_side` other than BOTH is refused in one-way mode.
    """

    symbol: str
    side: Side
    type: OrderType = OrderType.LIMIT
    quantity: Decimal
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    client_id: str = ""
    position_side: str = "BOTH"
    self_trade_rule: SelfTradeRule = SelfTradeRule.EXPIRE_MAKER
    good_till_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution of an order of an account.

    `price` in ticks, `quantity` in steps. `commission` is positive where the account pays. `realised` is the profit
    this fill closed, before commission.
    """

    account: str
    symbol: str
    order_id: int
    trade_id: int
    side: Side
    price: int
    quantity: int
    is_maker: bool
    commission: Decimal
    commission_asset: str
    realised: Decimal
    time_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """An order at one moment. `price` in ticks (0 for MARKET); `quantity` and `filled` in steps.

    `average_price` and `quote_filled` are decimals in quote currency, 0 without a fill. `original_type` differs from
    `type` where an algo order was triggered. `bids_notional` and `asks_notional` are the account's open orders on the
    symbol (`b` and `a` in ORDER_TRADE_UPDATE).
    """

    account: str
    symbol: str
    order_id: int
    client_id: str
    side: Side
    type: OrderType
    original_type: OrderType
    time_in_force: TimeInForce
    status: OrderStatus
    price: int
    quantity: int
    filled: int
    average_price: Decimal
    quote_filled: Decimal
    reduce_only: bool
    close_position: bool
    stop_price: Decimal
    working_type: WorkingType
    self_trade_rule: SelfTradeRule
    good_till_ms: int
    created_ms: int
    updated_ms: int
    bids_notional: Decimal
    asks_notional: Decimal
    expiry_reason: ExpiryReason = ExpiryReason.NONE
    algo_id: int = 0

    @property
    def left(self) -> int:
        """Return the steps not filled yet."""
        return self.quantity - self.filled
