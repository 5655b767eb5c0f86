"""How trading ends: keep, leave the exits, or flatten (rule 23 of the trading rules). The fence is taken first."""

from __future__ import annotations

from exchanges.desk.cancelling import Cancelling
from exchanges.desk.commands import ReadOpenOrders, ReadOpenStops
from exchanges.desk.core import Chore, Core
from exchanges.desk.events import ClosingMode, Instant, OpenOrdersRead, StopsRead
from exchanges.desk.flattening import Flattening
from exchanges.desk.readings import is_own
from exchanges.desk.standing import StandingHolds
from grid.holds import HoldCause
from grid.order import Purpose
from grid.symbol_book import OrderEntry

STOPPING = "stopping"
AGAIN_MS = 300
OVERDUE_MS = 30_000
"""A stop that takes longer needs a person: it is said again after each of these."""


class Closing:
    """Drives the desk to its end, step by step, each verified."""

    def __init__(self, core: Core, cancelling: Cancelling, flattening: Flattening, standing: StandingHolds) -> None:
        self._core = core
        self._cancelling = cancelling
        self._flattening = flattening
        self._standing = standing
        self._reading_after_ms: int | None = None
        self._overdue_ms = 0
        self._gone: dict[str, bool] = {}
        """By list, orders and stops: whether the final reading showed nothing that had to go."""

    def ask(self, mode: ClosingMode, now: Instant) -> None:
        """Begin to close; a second word changes the mode, never back to trading."""
        self._core.closing, self._core.is_closed = mode, False
        self._overdue_ms = now.mono_ms + OVERDUE_MS
        self._core.stops_end = mode is ClosingMode.KEEP
        self._standing.put(HoldCause.OPERATOR, "", f"{STOPPING}: {mode.value}", now)
        self._standing.withdraw_entries("", now)
        self._core.do_at(Chore.CLOSE, "", now.mono_ms)

    def step(self, now: Instant) -> None:
        """One step is due."""
        core = self._core
        if core.closing is None or core.is_closed:
            return
        core.do_at(Chore.CLOSE, "", now.mono_ms + AGAIN_MS)
        self._say_overdue(now)
        doomed = [order for order in core.book.live_orders() if self._must_go(order)]
        for order in doomed:
            self._cancelling.cancel(order.client_id, now)
        is_flat = core.closing is not ClosingMode.FLATTEN or (not doomed and self._is_flat(now))
        if core.closing is ClosingMode.FLATTEN:
            core.stops_end = is_flat  # the lots stay covered until they are sold
        if doomed or not is_flat or self._has_stops():
            self._reading_after_ms = None
        elif self._reading_after_ms is None:
            self._reading_after_ms = max(self._quiet_from_ms(), now.mono_ms)
            self._gone.clear()
        elif now.mono_ms >= self._reading_after_ms:
            # Two lists: conditional orders are not among the open ones (rule 14).
            core.command(ReadOpenOrders())
            core.command(ReadOpenStops())
            core.do_at(Chore.CLOSE, "", now.mono_ms + 10 * AGAIN_MS)

    def on_open_orders(self, read: OpenOrdersRead, now: Instant) -> None:
        """Judge the final reading: closed only once it shows nothing that had to go."""
        core = self._core
        if read.reports is None or self._reading_after_ms is None or read.begun_ms < self._reading_after_ms:
            return
        own = [r for r in read.reports if is_own(r.client_id, r.symbol, core.settings.journal)]
        left = [r for r in own if core.closing is not ClosingMode.LEAVE_EXITS or not r.closing]
        self._conclude("orders", is_gone=not left, now=now)

    def on_open_stops(self, read: StopsRead, now: Instant) -> None:
        """Judge the other list likewise."""
        if read.reports is None or self._reading_after_ms is None or read.begun_ms < self._reading_after_ms:
            return
        own = [r for r in read.reports if is_own(r.client_id, r.symbol, self._core.settings.journal)]
        self._conclude("stops", is_gone=self._core.closing is ClosingMode.LEAVE_EXITS or not own, now=now)

    def _conclude(self, which: str, *, is_gone: bool, now: Instant) -> None:
        core = self._core
        self._gone[which] = is_gone
        is_bare = not any(self._must_go(order) for order in core.book.live_orders()) and not self._has_stops()
        if core.is_closed or not is_gone or not is_bare:
            self._reading_after_ms = None
            if not core.is_closed:
                # Something went out, or showed up, since the readings were asked for.
                core.do_at(Chore.CLOSE, "", now.mono_ms)
            return
        if len(self._gone) < 2:
            return
        self._reading_after_ms = None
        core.is_closed = True
        core.drop(Chore.CLOSE, "")
        core.notice("closed", f"closed ({core.closing.value if core.closing else ''}): verified at the venue")
        if core.closing is ClosingMode.FLATTEN:
            for book in core.book.symbols.values():
                if book.lot_steps():
                    text = f"{book.symbol}: {sum(1 for _ in book.lots())} lots of {book.lot_steps()} steps are not sold"
                    core.notice("lots_left", text, "critical")

    def _say_overdue(self, now: Instant) -> None:
        core = self._core
        if now.mono_ms < self._overdue_ms or core.closing is None:
            return
        self._overdue_ms = now.mono_ms + OVERDUE_MS
        left = sum(1 for order in core.book.live_orders() if self._must_go(order))
        reason = (
            f"{left} own orders are not known to be gone" if left else "the venue has not confirmed that none is left"
        )
        core.notice("not_closed", f"the stop ({core.closing.value}) is not through: {reason}", "critical")

    def _has_stops(self) -> bool:
        return self._core.stops_end and any(book.stop is not None for book in self._core.book.symbols.values())

    def _must_go(self, order: OrderEntry) -> bool:
        if order.purpose in (Purpose.FLATTEN, Purpose.STOP):
            return False
        if not order.purpose.closing:
            return True
        if self._core.closing is ClosingMode.FLATTEN:
            return "" in self._standing.gone_since_ms
        return self._core.closing is ClosingMode.KEEP

    def _quiet_from_ms(self) -> int:
        return self._core.last_sent_ms + self._core.settings.recv_window_ms + self._core.settings.clock_bound_ms

    def _is_flat(self, now: Instant) -> bool:
        if "" not in self._standing.gone_since_ms:
            return False
        # Every symbol is worked on, also after one that is not flat yet.
        flat = [self._flattening.step(book, now) for book in self._core.book.symbols.values() if book.generations]
        return all(flat)
