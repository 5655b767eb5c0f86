"""Planned faults at the seam between actors, streams and calls: each strikes once, at its first opportunity."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence

from actors.actor_names import RISK
from actors.mail.messages import HoldWord, Intents, Message, Tellings
from actors.virtual.mishaps import NO_FATE, ONCE, CallFate, CallKind, Copy, CrashPoint, StallPoint
from exchanges.desk.events import NotSent, Refused
from exchanges.errors import Refusal
from grid.order import OrderUpdate
from grid.stop import StopReport
from grid.window import WindowChange
from tests.simulation.faults import Fault, Kind

NEVER_MS = 1 << 60

MESSAGES = (
    Kind.MESSAGE_DELAY,
    Kind.MESSAGE_DROP,
    Kind.MESSAGE_DOUBLE,
    Kind.MESSAGE_REORDER,
    Kind.DROP_THEN_STILL,
)
UPDATES = (Kind.STREAM_DELAY, Kind.STREAM_DOUBLE, Kind.STREAM_REORDER)
PLACEMENTS = (
    Kind.REPLY_LOST,
    Kind.REQUEST_LOST,
    Kind.ACCEPTED_LATE,
    Kind.LATECOMER,
    Kind.LATE_VISIBILITY,
    Kind.REPLY_LATE,
    Kind.REFUSED_MARGIN,
    Kind.REFUSED_POST_ONLY,
    Kind.REFUSED_REDUCE_ONLY,
    Kind.TOO_MANY_REQUESTS,
)
READINGS = (Kind.EMPTY_POSITIONS, Kind.EMPTY_ORDERS, Kind.LAGGING_READING, Kind.FAILED_READING)
CRASHES = {
    Kind.CRASH_BEFORE_COMMIT: CrashPoint.BEFORE_COMMIT,
    Kind.CRASH_AFTER_COMMIT: CrashPoint.AFTER_COMMIT,
    Kind.CRASH_AFTER_COMMAND: CrashPoint.AFTER_FIRST_COMMAND,
}
STALLS = {
    Kind.STALL_AT_COMMIT: StallPoint.AFTER_COMMIT,
    Kind.STALL_AT_WIRE: StallPoint.AT_WIRE,
    Kind.STALL_ASKING: StallPoint.ASKING,
}
STALL_MS = (200, 22_000)
MARGIN = Refused(refusal=Refusal.MARGIN, code="-2019", message="Margin is insufficient.")
POST_ONLY = Refused(refusal=Refusal.POST_ONLY_WOULD_TAKE, code="-5022", message="Post Only order will be rejected.")
REDUCE_ONLY = Refused(refusal=Refusal.REDUCE_ONLY_CONFLICT, code="-2022", message="ReduceOnly Order is rejected.")
TOO_MANY = NotSent(reason="HTTP 429", retry_after_ms=1_000)


class _Armed:
    """The faults of some kinds, the earliest first."""

    def __init__(self, faults: Sequence[Fault], kinds: Sequence[Kind]) -> None:
        self._faults = deque(fault for fault in faults if fault.kind in kinds)
        self.next_ms = self._faults[0].at_ms if self._faults else NEVER_MS

    def take(self, now_ms: int, fits: Callable[[Kind], bool] = lambda kind: True) -> Fault | None:
        """Return the first fault that is due and fits, and forget it."""
        for fault in self._faults:
            if fault.at_ms > now_ms:
                return None
            if fits(fault.kind):
                self._faults.remove(fault)
                self.next_ms = self._faults[0].at_ms if self._faults else NEVER_MS
                return fault
        return None


class Weather:
    """The mishaps of one schedule. `struck` counts what really happened."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.struck: Counter[str] = Counter()
        self.now: Callable[[], int] = lambda: 0
        self.on_strike: Callable[[Fault, object], None] | None = None
        self.on_outage: Callable[[Fault], None] | None = None
        """Silences the private stream for a while: what loses a reply often loses the stream with it."""
        self.before_cancel: Callable[[Fault], None] | None = None
        """Lets the market take part of the order whose cancel has just been sent."""
        self.on_still: Callable[[], None] | None = None
        """Ends every move of the prices."""
        self.silent_until_ms = 0
        """Up to when no go of the supervisor arrives."""
        self.owner: Callable[[], str] = lambda: ""
        """Tells which host has the account."""
        self.is_over = False
        self.absent_after_ms = 3_000
        self._messages = _Armed(faults, MESSAGES)
        self._updates = _Armed(faults, UPDATES)
        self._placements = _Armed(faults, PLACEMENTS)
        self._cancels = _Armed(faults, (Kind.CANCEL_LOST, Kind.FILL_BEFORE_CANCEL))
        self._readings = _Armed(faults, READINGS)
        self._crashes = _Armed(faults, tuple(CRASHES))
        self._stalls = _Armed(faults, tuple(STALLS))
        self._claims = _Armed(faults, (Kind.STORE_LATE, Kind.STORE_LOST))

    def strike(self, fault: Fault, about: object) -> None:
        """Count a fault that happens now."""
        self.struck[fault.kind.value] += 1
        if self.on_strike is not None:
            self.on_strike(fault, about)

    def message(self, sender: str, receiver: str, message: Message) -> Sequence[Copy]:
        """Return the copies of a message between actors."""
        if sender == RISK and self.now() < self.silent_until_ms:
            # A hold is kept by its sender until it arrives; a go that came so late would be none.
            return (Copy(self.silent_until_ms - self.now()),) if isinstance(message, HoldWord) else ()
        if self.is_over or self._messages.next_ms > self.now():
            return ONCE
        fault = self._messages.take(self.now(), lambda kind: _hits(kind, message))
        if fault is None and self.now() - self._messages.next_ms > 1_000:
            fault = self._messages.take(self.now(), lambda kind: kind is not Kind.DROP_THEN_STILL)
        if fault is None:
            return ONCE
        if fault.kind is Kind.DROP_THEN_STILL and self.on_still is not None:
            self.on_still()
        self.strike(fault, f"{sender} -> {receiver}: {type(message).__name__}")
        match fault.kind:
            case Kind.MESSAGE_DROP | Kind.DROP_THEN_STILL:
                return ()
            case Kind.MESSAGE_DOUBLE:
                return (Copy(), Copy(fault.scaled(1, 2_000), False))
            case Kind.MESSAGE_REORDER:
                return (Copy(fault.scaled(2, 60), False),)
            case _:
                return (Copy(fault.scaled(50, 4_000)),)

    def update(self, update: OrderUpdate | StopReport) -> Sequence[Copy]:
        """Return the copies of an event of the private stream."""
        if self.is_over or self._updates.next_ms > self.now():
            return ONCE
        fault = self._updates.take(self.now())
        if fault is None:
            return ONCE
        self.strike(fault, update.client_id if isinstance(update, StopReport) else update.report.client_id)
        if fault.kind is Kind.STREAM_DOUBLE:
            return (Copy(), Copy(fault.scaled(0, 2_000), False), Copy(fault.scaled(1, 700), False))
        if fault.kind is Kind.STREAM_REORDER:
            return (Copy(fault.scaled(1, 1_500), False),)
        return (Copy(fault.scaled(50, 4_000)),)

    def call(self, kind: CallKind, symbol: str, closing: bool) -> CallFate:
        """Return the fate of a call."""
        if self.is_over:
            return NO_FATE
        if kind is CallKind.LEASE:
            return self._claiming(symbol)
        if kind is CallKind.PLACE:
            return self._placing(closing)
        if kind is CallKind.CANCEL:
            return self._cancelling()
        return self._reading(kind)

    def crash(self, commands: int) -> CrashPoint | None:
        """Return where the gateway dies in this event."""
        if self.is_over or self._crashes.next_ms > self.now():
            return None
        fault = self._crashes.take(self.now(), lambda kind: kind is not Kind.CRASH_AFTER_COMMAND or commands > 0)
        if fault is None:
            return None
        self.strike(fault, f"{commands} commands")
        return CRASHES[fault.kind]

    def stall(self, point: StallPoint) -> int:
        """Return for how long the owner of the account stops here."""
        if self.is_over or self._stalls.next_ms > self.now():
            return 0
        fault = self._stalls.take(self.now(), lambda kind: STALLS[kind] is point)
        if fault is None:
            return 0
        self.strike(fault, point.value)
        return stall_ms(fault)

    def _placing(self, closing: bool) -> CallFate:
        if self._placements.next_ms > self.now():
            return NO_FATE
        fault = self._placements.take(self.now(), lambda kind: closing or kind is not Kind.REFUSED_REDUCE_ONLY)
        if fault is None:
            return NO_FATE
        self.strike(fault, "exit" if closing else "entry")
        if fault.kind in (Kind.REPLY_LOST, Kind.LATE_VISIBILITY, Kind.ACCEPTED_LATE) and self.on_outage is not None:
            self.on_outage(fault)
        return self._fate_of(fault, closing)

    def _fate_of(self, fault: Fault, closing: bool) -> CallFate:
        match fault.kind:
            case Kind.REPLY_LOST:
                return CallFate(is_reply_lost=True)
            case Kind.REQUEST_LOST:
                return CallFate(is_request_lost=True)
            case Kind.ACCEPTED_LATE:
                late_ms = fault.scaled(100, self.absent_after_ms - 200)
                return CallFate(matching_delay_ms=late_ms, is_reply_lost=fault.size % 2 == 0)
            case Kind.LATECOMER:
                late_ms = self.absent_after_ms + fault.scaled(200, 4_000)
                return CallFate(matching_delay_ms=late_ms, is_reply_lost=True)
            case Kind.LATE_VISIBILITY:
                return CallFate(hidden_ms=fault.scaled(200, self.absent_after_ms - 200), is_reply_lost=True)
            case Kind.REPLY_LATE:
                return CallFate(reply_delay_ms=fault.scaled(50, 2_300))
            case Kind.REFUSED_MARGIN:
                return CallFate(answer=POST_ONLY if closing else MARGIN)
            case Kind.REFUSED_REDUCE_ONLY:
                return CallFate(answer=REDUCE_ONLY)
            case Kind.TOO_MANY_REQUESTS:
                return CallFate(answer=TOO_MANY)
            case _:
                return CallFate(answer=POST_ONLY)

    def _cancelling(self) -> CallFate:
        if self._cancels.next_ms > self.now():
            return NO_FATE
        fault = self._cancels.take(self.now())
        if fault is None:
            return NO_FATE
        self.strike(fault, "cancel")
        if fault.kind is Kind.FILL_BEFORE_CANCEL:
            if self.before_cancel is not None:
                self.before_cancel(fault)
            return NO_FATE
        return CallFate(is_request_lost=True) if fault.size % 2 else CallFate(is_reply_lost=True)

    def _claiming(self, host: str) -> CallFate:
        if self._claims.next_ms > self.now() or host != self.owner():
            return NO_FATE
        fault = self._claims.take(self.now())
        if fault is None:
            return NO_FATE
        self.strike(fault, host)
        if fault.kind is Kind.STORE_LOST:
            return CallFate(is_request_lost=True) if fault.size % 2 else CallFate(is_reply_lost=True)
        late_ms = fault.scaled(100, 2_400)
        return CallFate(request_delay_ms=late_ms) if fault.size % 4 == 0 else CallFate(reply_delay_ms=late_ms)

    def _reading(self, kind: CallKind) -> CallFate:
        if self._readings.next_ms > self.now():
            return NO_FATE
        fault = self._readings.take(self.now(), lambda fault_kind: _suits(fault_kind, kind))
        if fault is None:
            return NO_FATE
        self.strike(fault, kind.value)
        if fault.kind is Kind.LAGGING_READING:
            return CallFate(lag_ms=fault.scaled(100, 2_500))
        if fault.kind is Kind.FAILED_READING:
            return CallFate(is_reply_lost=True)
        return CallFate(is_empty=True)


def stall_ms(fault: Fault) -> int:
    """Return how long a process is stopped: a moment, or for longer than its lease and a take-over."""
    return fault.scaled(*STALL_MS)


def _hits(fault: Kind, message: Message) -> bool:
    """Whether the loss of this message could be felt."""
    match fault:
        case Kind.MESSAGE_DROP:
            return isinstance(message, Tellings)
        case Kind.DROP_THEN_STILL:
            return isinstance(message, Tellings | Intents | WindowChange)
        case _:
            return True


def _suits(fault: Kind, call: CallKind) -> bool:
    match fault:
        case Kind.EMPTY_POSITIONS:
            return call is CallKind.POSITIONS
        case Kind.EMPTY_ORDERS:
            return call is CallKind.OPEN_ORDERS
        case Kind.LAGGING_READING:
            return call is CallKind.POSITIONS
        case _:
            return True
