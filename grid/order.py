"""Orders, fills and quotes as every package sees them: whole ticks, whole steps, venue-neutral."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum


class Side(Enum):
    """Which way an order trades."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """Return +1 for a buy and -1 for a sell: what a fill does to the position."""
        return 1 if self is Side.BUY else -1

    @property
    def other(self) -> Side:
        """Return the opposite side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class Purpose(Enum):
    """Why an order of ours exists; its value is the letter in the client order id."""

    ENTRY = "E"
    OPEN = "O"
    """An entry over the price that takes: it buys what a new grid begins with."""
    EXIT = "X"
    DUST = "D"
    FLATTEN = "F"
    STOP = "S"
    """The exchange-side stop, and the order at market that it becomes."""

    @property
    def closing(self) -> bool:
        """Whether the order may only make the exposure smaller."""
        return self not in (Purpose.ENTRY, Purpose.OPEN)

    @property
    def is_of_slot(self) -> bool:
        """Whether the order belongs to one level; the others are the symbol's own."""
        return self in (Purpose.ENTRY, Purpose.OPEN, Purpose.EXIT)


class TimeInForce(Enum):
    """How long an order lives, and whether it may take."""

    POST_ONLY = "POST_ONLY"
    GTC = "GTC"
    IOC = "IOC"


class OrderStatus(Enum):
    """The venue's word for an order's state; the last four are terminal."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"

    @property
    def is_terminal(self) -> bool:
        """Whether the order can never fill again by the venue's own rules."""
        return self not in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """One order as it shall go out. `closing` is the wish; the port decides whether that means reduce-only."""

    symbol: str
    client_id: str
    side: Side
    price: int
    quantity: int
    closing: bool
    time_in_force: TimeInForce = TimeInForce.POST_ONLY
    recv_window_ms: int = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReport:
    """What a venue says about one order at one moment. `filled` is cumulative; it may exceed the fills we hold."""

    symbol: str
    order_id: str
    client_id: str
    side: Side
    status: OrderStatus
    price: int
    quantity: int
    filled: int
    closing: bool
    venue_ms: int
    expiry_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One trade of one order of the account.

    `client_id` is empty where the venue does not tell it (trade history). `fee` is positive where we pay.
    """

    symbol: str
    order_id: str
    trade_id: str
    client_id: str
    side: Side
    price: int
    quantity: int
    fee: Decimal
    fee_asset: str
    is_maker: bool
    venue_ms: int

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what identifies the fill within its account."""
        return (self.symbol, self.order_id, self.trade_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderUpdate:
    """One event of the private stream: the order's state, and the fill that caused it where one did."""

    report: OrderReport
    fill: Fill | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Best bid and ask of a symbol, own orders included. Sizes in steps; `received_ns` is our monotonic clock."""

    symbol: str
    bid: int
    ask: int
    bid_quantity: int
    ask_quantity: int
    venue_ms: int
    received_ns: int
