"""The last step before the venue: the time stamp, the fence after it, and the write."""

from __future__ import annotations

from collections.abc import Callable

from actors.virtual.mishaps import Mishaps, StallPoint
from actors.virtual.owner import VirtualOwner
from actors.virtual.process import Process
from actors.virtual.stamp import Stamp
from exchanges.desk.events import NotSent

FENCED = NotSent(reason="the lease on the account is not held now: nothing is sent", retry_after_ms=500, is_ours=True)


class Wire:
    """What one life of a gateway writes through. Without an owner there is one writer, whom nothing fences."""

    def __init__(self, process: Process, mishaps: Mishaps, owner: VirtualOwner | None) -> None:
        self._process = process
        self._mishaps = mishaps
        self._owner = owner
        self.owner_epoch = 0

    def write(self, write: Callable[[Stamp], None], refused: Callable[[NotSent], None]) -> None:
        """Write, or say that nothing was sent."""
        owner = self._owner
        if owner is None:
            write(Stamp(at_ms=self._process.now_ms))
            return
        stamp = Stamp(
            at_ms=self._process.now_ms,
            host=owner.host.name,
            owner_epoch=self.owner_epoch,
            error_ms=owner.host.venue_error_ms,
        )
        if not owner.may_send():
            self._process.after(0, "fenced", owner.host.name, lambda: refused(FENCED))
            return
        stalled_ms = self._mishaps.stall(StallPoint.AT_WIRE)
        if stalled_ms:
            self._process.stop_before(stalled_ms, lambda: write(stamp))
        else:
            write(stamp)
