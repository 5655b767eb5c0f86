"""What can go wrong in a schedule: kinds, and the plan of one seed. Every fault can be left out without the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random


class Kind(Enum):
    """One way in which things go wrong."""

    MESSAGE_DELAY = "message_delay"
    MESSAGE_DROP = "message_drop"
    MESSAGE_DOUBLE = "message_double"
    MESSAGE_REORDER = "message_reorder"
    STREAM_DELAY = "stream_delay"
    STREAM_DOUBLE = "stream_double"
    STREAM_REORDER = "stream_reorder"
    STREAM_GAP = "stream_gap"
    """Mute for a while, then cut with an error and connected anew."""
    STREAM_DEAF = "stream_deaf"
    """Mute until somebody here notices."""
    REPLY_LOST = "reply_lost"
    REQUEST_LOST = "request_lost"
    ACCEPTED_LATE = "accepted_late"
    """Matched late, but within the bound after which it counts as absent."""
    LATECOMER = "latecomer"
    """Matched after that bound."""
    LATE_VISIBILITY = "late_visibility"
    REPLY_LATE = "reply_late"
    """The stream tells the whole life of an order before its placement is answered."""
    CANCEL_LOST = "cancel_lost"
    FILL_BEFORE_CANCEL = "fill_before_cancel"
    """The market takes part of an order while its cancel is on the way."""
    EMPTY_POSITIONS = "empty_positions"
    EMPTY_ORDERS = "empty_orders"
    LAGGING_READING = "lagging_reading"
    FAILED_READING = "failed_reading"
    REFUSED_MARGIN = "refused_margin"
    REFUSED_POST_ONLY = "refused_post_only"
    REFUSED_REDUCE_ONLY = "refused_reduce_only"
    TOO_MANY_REQUESTS = "too_many_requests"
    VENUE_ENDS_EXIT = "venue_ends_exit"
    """The venue cancels a resting exit of ours by itself."""
    FOREIGN_ORDER = "foreign_order"
    FOREIGN_BUY = "foreign_buy"
    FOREIGN_SELL = "foreign_sell"
    PRICE_JUMP = "price_jump"
    FROZEN_PRICE = "frozen_price"
    MARKET_SHOCK = "market_shock"
    OPERATOR_HOLD = "operator_hold"
    KILL_GATEWAY = "kill_gateway"
    CRASH_BEFORE_COMMIT = "crash_before_commit"
    CRASH_AFTER_COMMIT = "crash_after_commit"
    CRASH_AFTER_COMMAND = "crash_after_command"
    KILL_SLOT = "kill_slot"
    KILL_FEED = "kill_feed"
    KILL_RISK = "kill_risk"
    RISK_SILENT = "risk_silent"
    """The supervisor lives, and for a while no word of it arrives."""
    DROP_THEN_STILL = "drop_then_still"
    """A word is lost, and the price never moves again."""
    RECONFIGURE = "reconfigure"
    """Everything is stopped by the process manager and started with another interval, anchor or window."""
    STOP_KEEP = "stop_keep"
    STOP_LEAVE_EXITS = "stop_leave_exits"
    STOP_FLATTEN = "stop_flatten"
    """The operator stops in one of three ways, and starts again once that is done."""
    FUNDING = "funding"
    TRANSFER = "transfer"
    LIQUIDATION = "liquidation"
    DELEVERAGING = "deleveraging"
    MINIMUM_RAISED = "minimum_raised"
    SYMBOL_CLOSED = "symbol_closed"
    UNITS_CHANGED = "units_changed"
    """The venue's rules tell another tick."""
    OWNER_STALLS = "owner_stalls"
    """The owner's gateway is stopped between two events, for a moment or for longer than its lease."""
    STALL_AT_COMMIT = "stall_at_commit"
    """It is stopped when its intents are committed and nothing is written yet."""
    STALL_AT_WIRE = "stall_at_wire"
    """It is stopped between the fence and the write."""
    STALL_ASKING = "stall_asking"
    """It is stopped while the answer to its claim is on the way."""
    HOST_KILLED = "host_killed"
    """Everything on the owner's host ends at once, or the host loses its power."""
    STORE_CUT = "store_cut"
    """The owner does not reach the lease store."""
    STORE_FORGETS = "store_forgets"
    """The store is away, and comes back with nothing or with an old copy."""
    STORE_LATE = "store_late"
    """The store takes a claim at once, or late, and the answer is late."""
    STORE_LOST = "store_lost"
    """A claim, or its answer, is lost."""
    CLOCKS_APART = "clocks_apart"
    """The store's clock steps, or the owner's runs at another pace, within the bound."""


OWNER_KINDS = (
    Kind.OWNER_STALLS,
    Kind.STALL_AT_COMMIT,
    Kind.STALL_AT_WIRE,
    Kind.STALL_ASKING,
    Kind.HOST_KILLED,
    Kind.STORE_CUT,
    Kind.STORE_FORGETS,
    Kind.STORE_LATE,
    Kind.STORE_LOST,
    Kind.CLOCKS_APART,
)
"""What befalls those who share an account: drawn apart, and only where more than one host wants it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: it strikes at the first opportunity from `at_ms` on. `size` is drawn evenly from 0 to 999."""

    kind: Kind
    at_ms: int
    size: int

    def scaled(self, low: int, high: int) -> int:
        """Return the size as a number from `low` to `high`."""
        return low + self.size * (high - low) // 999

    def __str__(self) -> str:
        return f"{self.kind.value}@{self.at_ms}({self.size})"


def draw_faults(rng: Random, *, from_ms: int, to_ms: int, kinds: tuple[Kind, ...]) -> tuple[Fault, ...]:
    """Return the faults of one schedule: few or many, of few kinds or of all."""
    if not kinds:
        return ()
    chosen = kinds if rng.random() < 0.3 else tuple(rng.sample(kinds, k=min(len(kinds), rng.randint(2, 8))))
    return _drawn(rng, rng.randint(3, 24), from_ms, to_ms, chosen)


def draw_owner_faults(rng: Random, *, from_ms: int, to_ms: int, kinds: tuple[Kind, ...]) -> tuple[Fault, ...]:
    """Return what befalls the owners of one schedule: a take-over lasts, so there are few."""
    return _drawn(rng, rng.randint(1, 6), from_ms, to_ms, kinds) if kinds else ()


def _drawn(rng: Random, count: int, from_ms: int, to_ms: int, chosen: Sequence[Kind]) -> tuple[Fault, ...]:
    found = [
        Fault(kind=rng.choice(chosen), at_ms=rng.randint(from_ms, to_ms), size=rng.randrange(1_000))
        for _ in range(count)
    ]
    return tuple(sorted(found, key=lambda fault: (fault.at_ms, fault.kind.value, fault.size)))
