"""Cancels: asked for once, repeated until the order is known to be over (rules 11, 13, 16)."""

from __future__ import annotations

from exchanges.desk.commands import LookUp, SendCancel
from exchanges.desk.core import Chore, Core
from exchanges.desk.events import Accepted, Instant, NotSent, Outcome, Refused
from exchanges.errors import Refusal
from grid.records import OrderMarked
from grid.slot import Phase, Signal
from grid.symbol_book import OrderEntry

CANCEL_AGAIN_MS = 500
CANCEL_AGAIN_LAST_MS = 5_000


class Cancelling:
    """Withdraws orders. A cancel is never believed to have worked: only the order's end is."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def cancel(self, client_id: str, now: Instant) -> None:
        """Withdraw an order of ours, in whatever state it is; calling it again does no harm."""
        order = self._core.book.orders.get(client_id)
        if order is None or order.is_over:
            return
        if order.key is None or not order.is_attached:
            if not order.order_id:
                self._core.cancel_wanted.add(client_id)  # it may wait in its lane still
            if (Chore.CANCEL, client_id) not in self._core.chores:
                self._send(order, now, 0)
            return
        phase = self._core.slot(order.key).phase
        if phase is Phase.LOCKED:
            self._core.record(OrderMarked(client_id=client_id, symbol=order.symbol, signal=Signal.CANCEL))
            self._send(order, now, 0)
        elif phase in (Phase.PENDING, Phase.UNKNOWN):
            # Nobody knows yet whether it exists: withdrawn at the wire if unsent, cancelled once it shows.
            self._core.cancel_wanted.add(client_id)

    def on_live(self, order: OrderEntry, now: Instant) -> None:
        """Cancel an order that has just proved to live, if that was wanted."""
        if order.client_id in self._core.cancel_wanted and not order.is_over:
            self._core.cancel_wanted.discard(order.client_id)
            self.cancel(order.client_id, now)

    def resend(self, client_id: str, attempt: int, now: Instant) -> None:
        """The order has not ended in time: ask again."""
        order = self._core.book.orders.get(client_id)
        if order is not None and not order.is_over:
            self._send(order, now, attempt)

    def on_answer(self, client_id: str, outcome: Outcome, now: Instant) -> None:
        """Take the venue's answer where it carries no report: look the order up, or ask again."""
        order = self._core.book.orders.get(client_id)
        if order is None or order.is_over or isinstance(outcome, Accepted):
            return
        if isinstance(outcome, Refused) and outcome.refusal is Refusal.UNKNOWN_ORDER:
            self._core.command(LookUp(symbol=order.symbol, client_id=client_id))
        elif isinstance(outcome, NotSent):
            self._core.do_at(Chore.CANCEL, client_id, now.mono_ms + max(outcome.retry_after_ms, CANCEL_AGAIN_MS), 1)

    def _send(self, order: OrderEntry, now: Instant, attempt: int) -> None:
        self._core.command(SendCancel(symbol=order.symbol, client_id=order.client_id))
        wait_ms = min(CANCEL_AGAIN_MS << min(attempt, 10), CANCEL_AGAIN_LAST_MS)
        wait_ms = max(wait_ms, self._core.settings.recv_window_ms) if attempt else max(wait_ms, 1_000)
        self._core.do_at(Chore.CANCEL, order.client_id, now.mono_ms + wait_ms, attempt + 1)
