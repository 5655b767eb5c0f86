"""The supervisor's "go" as a lease: entries need one that is fresh, and silence is a no."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class LeaseState(Enum):
    """What the holder of a lease may do."""

    VALID = "valid"
    EXPIRED = "expired"
    """No new entry; resting ones stay."""
    LOST = "lost"
    """Hold `lease`: resting entries are cancelled too. The next go lifts it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """One grant, or renewal, of the lease. Numbers rise within one life of the supervisor."""

    number: int
    incarnation: int
    """Rises with each start of the supervisor, so that a late message of a dead one renews nothing."""


class Lease:
    """The receiving side, at the gateway. Times are milliseconds of the receiver's monotonic clock.

    The age counts from arrival, never from a time in the message: two processes need not share a clock. Before the
    first grant the lease is lost.
    """

    def __init__(self, *, expiry_ms: int = 3_000, hold_ms: int = 10_000) -> None:
        if not 0 < expiry_ms <= hold_ms:
            raise ValueError(f"a lease expires ({expiry_ms} ms) before it holds ({hold_ms} ms)")
        self._expiry_ms = expiry_ms
        self._hold_ms = hold_ms
        self._granted_ms: int | None = None
        self._newest = (-1, -1)

    def renew(self, go: Go, *, now_ms: int) -> bool:
        """Take a grant; returns whether it counted. A doubled or late one does not."""
        order = (go.incarnation, go.number)
        if order <= self._newest:
            return False
        self._newest = order
        self._granted_ms = now_ms
        return True

    def state(self, now_ms: int) -> LeaseState:
        """Judge the lease now."""
        if self._granted_ms is None:
            return LeaseState.LOST
        age_ms = now_ms - self._granted_ms
        if age_ms < self._expiry_ms:
            return LeaseState.VALID
        return LeaseState.EXPIRED if age_ms < self._hold_ms else LeaseState.LOST
