"""The exchange-side stop of a symbol: one conditional order that closes the position, kept apart from open orders.

Its life is a table. At most one may live for a symbol: the venue takes no second one that closes the same position.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from grid.errors import UnexpectedSignal
from grid.order import Side


class WorkingType(Enum):
    """Which price triggers it."""

    MARK = "mark"
    LAST = "last"


class StopStatus(Enum):
    """The venue's word for a conditional order: it waits, its price came, or it ended without having sold."""

    WAITING = "waiting"
    TRIGGERED = "triggered"
    FAILED = "failed"
    """Its price came and the venue could not make an order of it."""
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequest:
    """One stop as it shall go out; `trigger` in ticks. It closes whatever the position is when it triggers."""

    symbol: str
    client_id: str
    side: Side
    trigger: int
    working_type: WorkingType
    recv_window_ms: int = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class StopReport:
    """What a venue says about one conditional order. `order_id` is the order that it became, empty before."""

    symbol: str
    client_id: str
    algo_id: str
    side: Side
    status: StopStatus
    trigger: int
    closes_position: bool
    order_id: str = ""
    reason: str = ""


class StopPhase(Enum):
    """Where our stop stands. `GONE`: it cannot sell any more, and nothing is known to rest."""

    PENDING = "pending"
    UNKNOWN = "unknown"
    LIVE = "live"
    CANCELLING = "cancelling"
    TRIGGERED = "triggered"
    GONE = "gone"


class StopSignal(Enum):
    """What happened to it."""

    ACKED = "acked"
    LOST = "lost"
    CANCEL = "cancel"
    TRIGGERED = "triggered"
    GONE = "gone"


_P, _S = StopPhase, StopSignal
TRANSITIONS: dict[tuple[StopPhase, StopSignal], StopPhase] = {
    (_P.PENDING, _S.ACKED): _P.LIVE,
    (_P.PENDING, _S.LOST): _P.UNKNOWN,
    (_P.PENDING, _S.TRIGGERED): _P.TRIGGERED,  # the stream may overtake the reply
    (_P.PENDING, _S.GONE): _P.GONE,
    (_P.UNKNOWN, _S.ACKED): _P.LIVE,
    (_P.UNKNOWN, _S.TRIGGERED): _P.TRIGGERED,
    (_P.UNKNOWN, _S.GONE): _P.GONE,
    (_P.LIVE, _S.CANCEL): _P.CANCELLING,
    (_P.LIVE, _S.TRIGGERED): _P.TRIGGERED,
    (_P.LIVE, _S.GONE): _P.GONE,  # another hand, or the venue, took it away
    (_P.CANCELLING, _S.TRIGGERED): _P.TRIGGERED,  # it won the race
    (_P.CANCELLING, _S.GONE): _P.GONE,
    (_P.TRIGGERED, _S.TRIGGERED): _P.TRIGGERED,  # now its order is known
    (_P.TRIGGERED, _S.GONE): _P.GONE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StopEntry:
    """The stop of a symbol as the book keeps it, from intent to end. `trigger` in ticks."""

    client_id: str
    side: Side
    trigger: int
    at_ms: int
    phase: StopPhase = StopPhase.PENDING
    algo_id: str = ""
    order_id: str = ""

    def after(self, signal: StopSignal, *, algo_id: str = "", order_id: str = "") -> StopEntry:
        """Return it after a signal; raises `UnexpectedSignal` for a pair that is not in the table."""
        phase = TRANSITIONS.get((self.phase, signal))
        if phase is None:
            raise UnexpectedSignal(f"stop {self.client_id}: {signal.value} while {self.phase.value}")
        return replace(self, phase=phase, algo_id=algo_id or self.algo_id, order_id=order_id or self.order_id)
