"""What the venue tells: to an account's private stream, and to everybody."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import TypeAlias

from exchanges.sim.algo_orders import AlgoView
from exchanges.sim.orders import Execution, Fill, OrderView
from exchanges.sim.views import PositionView


class AccountReason(Enum):
    """Why balances or positions changed (`m` in ACCOUNT_UPDATE)."""

    ORDER = "ORDER"
    FUNDING_FEE = "FUNDING_FEE"
    DEPOSIT = "DEPOSIT"
    WITHDRAW = "WITHDRAW"
    INSURANCE_CLEAR = "INSURANCE_CLEAR"
    ADJUSTMENT = "ADJUSTMENT"
    MARGIN_TYPE_CHANGE = "MARGIN_TYPE_CHANGE"
    MARGIN_TRANSFER = "MARGIN_TRANSFER"


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceChange:
    """One asset after a change. `change` leaves out realised profit and commission, as the venue's `bc` does."""

    asset: str
    wallet: Decimal
    cross_wallet: Decimal
    change: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent:
    """ORDER_TRADE_UPDATE; with `fill` also TRADE_LITE. `execution` TRADE and CALCULATED carry a fill."""

    account: str
    time_ms: int
    execution: Execution
    order: OrderView
    fill: Fill | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEvent:
    """ACCOUNT_UPDATE: only what changed. It follows the OrderEvent that caused it; the server may swap them."""

    account: str
    time_ms: int
    reason: AccountReason
    balances: tuple[BalanceChange, ...]
    positions: tuple[PositionView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverageEvent:
    """ACCOUNT_CONFIG_UPDATE for one symbol."""

    account: str
    time_ms: int
    symbol: str
    leverage: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginCallEvent:
    """MARGIN_CALL: the maintenance ratio passed the warning line. Sent once until the ratio is under it again."""

    account: str
    time_ms: int
    cross_wallet: Decimal
    positions: tuple[PositionView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgoEvent:
    """ALGO_UPDATE: a conditional order is NEW, CANCELED, TRIGGERING, TRIGGERED, FINISHED, REJECTED or EXPIRED."""

    account: str
    time_ms: int
    algo: AlgoView


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgoRejectEvent:
    """CONDITIONAL_ORDER_TRIGGER_REJECT: a triggered order was refused; `reason` has the code's words."""

    account: str
    time_ms: int
    symbol: str
    algo_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedBook:
    """Best bid and ask as the venue shows them: the others' and all orders of our accounts. 0 quantity: empty side."""

    symbol: str
    time_ms: int
    update_id: int
    bid: int
    bid_quantity: int
    ask: int
    ask_quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BookEvent:
    """The published best bid or ask changed. Only produced with `EngineConfig.publish`."""

    time_ms: int
    book: PublishedBook

    @property
    def symbol(self) -> str:
        """Return the symbol of the book."""
        return self.book.symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintEvent:
    """A public trade: one of the tape, or one in which an order of ours took. Only with `EngineConfig.publish`."""

    symbol: str
    time_ms: int
    trade_id: int
    price: int
    quantity: int
    buyer_is_maker: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentEvent:
    """A symbol's status or filters changed: read `engine.instrument(symbol)` again."""

    symbol: str
    time_ms: int


VenueEvent: TypeAlias = (
    OrderEvent
    | AccountEvent
    | LeverageEvent
    | MarginCallEvent
    | AlgoEvent
    | AlgoRejectEvent
    | BookEvent
    | PrintEvent
    | InstrumentEvent
)


def private_account(event: VenueEvent) -> str | None:
    """Return whose private stream an event belongs to; None where it is public."""
    if isinstance(event, BookEvent | PrintEvent | InstrumentEvent):
        return None
    return event.account


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What a placing, amending or cancelling call gives: the order after it, and everything it caused, in order."""

    order: OrderView
    events: tuple[VenueEvent, ...]
    accepted: OrderView
    """The order as it was acknowledged: before any fill (what an ACK says)."""
