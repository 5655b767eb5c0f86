"""One slot per level: its life as a table, every race a row (rules 7, 13, 17, 18).

The plain names come first: a slot is FREE, PENDING or LOCKED; its position EMPTY or FILLED; its order NOT_PLACED,
PLACED, FILLED or CANCELED. Reality adds cancelling, an unknown outcome, fills missing after the end, and blocked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from grid.errors import UnexpectedSignal
from grid.lot import Lot
from grid.order import Purpose, Side


class Phase(Enum):
    """What is known of the slot's one order. Each names its next step; deadlines are the order desk's."""

    FREE = "free"
    """No order. Next: whatever rule 8 wants."""
    PENDING = "pending"
    """The intent is in the journal and may be on its way. Next: the venue's answer."""
    LOCKED = "locked"
    """Live at the venue. Next: a fill, or a cancel."""
    CANCELLING = "cancelling"
    """A cancel is asked for. Next: the terminal event, which may carry a fill."""
    UNKNOWN = "unknown"
    """The venue may or may not have it. Next: a query by client id; absent is final only after the bound."""
    SETTLING = "settling"
    """Over, but with more executed than we hold fills for. Next: the trades of the order."""
    BLOCKED = "blocked"
    """The venue ended or refused the exit by itself. Next: position, orders and trades are read."""


class Signal(Enum):
    """What can happen to a slot's order."""

    PLACE = "place"
    ACKED = "acked"
    REFUSED = "refused"
    NOT_SENT = "not_sent"
    LOST = "lost"
    FILL = "fill"
    DONE = "done"
    DONE_SHORT = "done_short"
    CANCEL = "cancel"
    CANCEL_FAILED = "cancel_failed"
    SETTLED = "settled"
    ABSENT = "absent"
    CONFLICT = "conflict"
    CLEARED = "cleared"


_P, _S = Phase, Signal

TRANSITIONS: dict[tuple[Phase, Signal], Phase] = {
    (_P.FREE, _S.PLACE): _P.PENDING,
    (_P.FREE, _S.FILL): _P.FREE,  # a fill after a confirmed end: venues do this
    (_P.FREE, _S.CLEARED): _P.FREE,  # the reading found nothing to mend
    (_P.FREE, _S.CONFLICT): _P.BLOCKED,  # an exit that the reconciler found gone
    (_P.PENDING, _S.ACKED): _P.LOCKED,
    (_P.PENDING, _S.REFUSED): _P.FREE,
    (_P.PENDING, _S.NOT_SENT): _P.FREE,  # the fence or the throttle kept it back, or the connection was refused
    (_P.PENDING, _S.LOST): _P.UNKNOWN,
    (_P.PENDING, _S.FILL): _P.LOCKED,  # filled in part before the reply: the fill proves that it lives
    (_P.PENDING, _S.DONE): _P.FREE,  # terminal before ack
    (_P.PENDING, _S.DONE_SHORT): _P.SETTLING,
    (_P.PENDING, _S.CONFLICT): _P.BLOCKED,  # reduce-only refused
    (_P.PENDING, _S.ABSENT): _P.FREE,  # found out after a restart
    (_P.LOCKED, _S.ACKED): _P.LOCKED,  # the reply after the stream
    (_P.LOCKED, _S.LOST): _P.LOCKED,  # the reply was lost, the stream was quicker
    (_P.LOCKED, _S.FILL): _P.LOCKED,
    (_P.LOCKED, _S.DONE): _P.FREE,
    (_P.LOCKED, _S.DONE_SHORT): _P.SETTLING,
    (_P.LOCKED, _S.CANCEL): _P.CANCELLING,
    (_P.LOCKED, _S.CANCEL_FAILED): _P.LOCKED,  # the second of two cancels in flight failed as well
    (_P.LOCKED, _S.CONFLICT): _P.BLOCKED,  # the venue cancelled or expired an exit by itself
    (_P.LOCKED, _S.ABSENT): _P.FREE,  # reconciled: the venue has no trace of it beyond its retention
    (_P.CANCELLING, _S.ACKED): _P.CANCELLING,
    (_P.CANCELLING, _S.LOST): _P.CANCELLING,
    (_P.CANCELLING, _S.FILL): _P.CANCELLING,  # filled between request and answer
    (_P.CANCELLING, _S.CANCEL): _P.CANCELLING,  # asked again after a lost answer
    (_P.CANCELLING, _S.CANCEL_FAILED): _P.LOCKED,  # it still lives; ask again
    (_P.CANCELLING, _S.DONE): _P.FREE,  # cancelled, or the fill won the race
    (_P.CANCELLING, _S.DONE_SHORT): _P.SETTLING,
    (_P.CANCELLING, _S.ABSENT): _P.FREE,
    (_P.CANCELLING, _S.CONFLICT): _P.BLOCKED,  # the venue ended the exit while we were asking it to
    (_P.UNKNOWN, _S.ACKED): _P.LOCKED,
    (_P.UNKNOWN, _S.LOST): _P.UNKNOWN,
    (_P.UNKNOWN, _S.FILL): _P.LOCKED,
    (_P.UNKNOWN, _S.DONE): _P.FREE,
    (_P.UNKNOWN, _S.DONE_SHORT): _P.SETTLING,
    (_P.UNKNOWN, _S.ABSENT): _P.FREE,
    (_P.UNKNOWN, _S.REFUSED): _P.FREE,
    (_P.UNKNOWN, _S.CONFLICT): _P.BLOCKED,
    (_P.SETTLING, _S.ACKED): _P.SETTLING,  # the reply to an order that is over already
    (_P.SETTLING, _S.LOST): _P.SETTLING,
    (_P.SETTLING, _S.CANCEL_FAILED): _P.SETTLING,  # there was nothing left to cancel
    (_P.SETTLING, _S.DONE_SHORT): _P.SETTLING,  # its end, told twice
    (_P.SETTLING, _S.FILL): _P.SETTLING,
    (_P.SETTLING, _S.SETTLED): _P.FREE,
    (_P.BLOCKED, _S.FILL): _P.BLOCKED,
    (_P.BLOCKED, _S.CLEARED): _P.FREE,
    (_P.BLOCKED, _S.CONFLICT): _P.BLOCKED,
}

ENDS_ORDER = frozenset({_S.REFUSED, _S.NOT_SENT, _S.DONE, _S.SETTLED, _S.ABSENT, _S.CONFLICT})
"""Signals after which the slot has no order any more."""


class PositionState(Enum):
    """Whether the slot holds a lot."""

    EMPTY = "EMPTY"
    FILLED = "FILLED"


class OrderState(Enum):
    """One word for the slot's order, for people."""

    NOT_PLACED = "NOT_PLACED"
    PLACED = "PLACED"
    PARTLY_FILLED = "PARTLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SlotKey:
    """Which slot: a level is (generation, index)."""

    symbol: str
    generation: int
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotOrder:
    """The slot's one order. Price in plain ticks, quantities in steps; `target` is the exit an entry is armed with."""

    client_id: str
    purpose: Purpose
    side: Side
    price: int
    quantity: int
    target: int
    placed_ms: int
    order_id: str = ""
    filled: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotState:
    """Everything that is known of a slot. `version` rises with every change; an intent names the one that it saw."""

    key: SlotKey
    phase: Phase = Phase.FREE
    order: SlotOrder | None = None
    lot: Lot | None = None
    version: int = 0
    last_order: OrderState = OrderState.NOT_PLACED

    @property
    def position_state(self) -> PositionState:
        """Return EMPTY or FILLED."""
        return PositionState.EMPTY if self.lot is None else PositionState.FILLED

    @property
    def order_state(self) -> OrderState:
        """Return the word for the order."""
        if self.order is None:
            return self.last_order
        return OrderState.PARTLY_FILLED if self.order.filled else OrderState.PLACED

    @property
    def has_live_entry(self) -> bool:
        """Whether an entry is live or possibly live."""
        return self.order is not None and not self.order.purpose.closing

    @property
    def has_live_exit(self) -> bool:
        """Whether an exit is live or possibly live."""
        return self.order is not None and self.order.purpose.closing

    def after(self, signal: Signal, order: SlotOrder | None = None) -> SlotState:
        """Return the state after the signal; `order` is the new order for PLACE and the changed one otherwise.

        Raises `UnexpectedSignal` where the table has no row: the caller reconciles.
        """
        phase = TRANSITIONS.get((self.phase, signal))
        if phase is None:
            raise UnexpectedSignal(f"slot {self.key}: {signal.value} in phase {self.phase.value}")
        kept = order if order is not None else self.order
        if signal in ENDS_ORDER:
            return replace(self, phase=phase, order=None, version=self.version + 1, last_order=_ended(kept, signal))
        return replace(self, phase=phase, order=kept, version=self.version + 1)

    def with_lot(self, lot: Lot | None) -> SlotState:
        """Return the state with another lot."""
        return replace(self, lot=lot, version=self.version + 1)


def _ended(order: SlotOrder | None, signal: Signal) -> OrderState:
    if order is None or signal in (Signal.REFUSED, Signal.NOT_SENT, Signal.ABSENT):
        return OrderState.NOT_PLACED
    return OrderState.FILLED if order.filled >= order.quantity else OrderState.CANCELED
