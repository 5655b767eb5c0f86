"""How trading ends: keep, leave the exits, or flatten (rule 23 of the trading rules). The fence is taken first."""

from __future__ import annotations

from exchanges.desk.cancelling import Cancelling
from exchanges.desk.commands import ReadOpenOrders
from exchanges.desk.core import Chore, Core
from exchanges.desk.events import ClosingMode, Instant, OpenOrdersRead
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

    def ask(self, mode: ClosingMode, now: Instant) -> None:
        """Begin to close; a second word changes the mode, never back to trading."""
        self._core.closing, self._core.is_closed = mode, False
        self._overdue_ms = now.mono_ms + OVERDUE_MS
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
        if doomed or (core.closing is ClosingMode.FLATTEN and not self._is_flat(now)):
            self._reading_after_ms = None
        elif self._reading_after_ms is None:
            self._reading_after_ms = max(self._quiet_from_ms(), now.mono_ms)
        elif now.mono_ms >= self._reading_after_ms:
            core.command(ReadOpenOrders())
            core.do_at(Chore.CLOSE, "", now.mono_ms + 10 * AGAIN_MS)

    def on_open_orders(self, read: OpenOrdersRead, now: Instant) -> None:
        """Judge the final reading: closed only once it shows nothing that had to go."""
        core = self._core
        if read.reports is None or self._reading_after_ms is None or read.begun_ms < self._reading_after_ms:
            return
        own = [r for r in read.reports if is_own(r.client_id, r.symbol, core.settings.journal)]
        left = [r for r in own if core.closing is not ClosingMode.LEAVE_EXITS or not r.closing]
        self._reading_after_ms = None
        if core.is_closed:
            return
        if left or any(self._must_go(order) for order in core.book.live_orders()):
            core.do_at(
                Chore.CLOSE, "", now.mono_ms
            )  # something went out, or showed up, since the reading was asked for
            return
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

    def _must_go(self, order: OrderEntry) -> bool:
        if order.purpose is Purpose.FLATTEN:
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
