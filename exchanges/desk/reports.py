"""What the venue says of orders, by whatever way it comes: replies, stream, look-ups, readings (invariants 1, 3, 4).

Every way ends in `take_report` and `take_fill`, so that doubles, reversals and races are handled once.
"""

from __future__ import annotations

from exchanges.desk.absence import Absence
from exchanges.desk.cancelling import Cancelling
from exchanges.desk.commands import LookUp, ReadTrades, Restream, SyncClock
from exchanges.desk.core import Chore, Core
from exchanges.desk.decrees import Decrees
from exchanges.desk.events import Accepted, Instant, NotSent, OrderRead, Outcome, Refused, Unknown
from exchanges.desk.placing import Placing
from exchanges.desk.standing import StandingHolds
from exchanges.desk.strays import Strays, acked
from exchanges.errors import Refusal
from grid.client_id import decode
from grid.holds import HoldCause
from grid.order import Fill, OrderReport, OrderStatus, OrderUpdate, Purpose
from grid.reasons import Reason
from grid.records import Counted, FillBooked, OrderEnded, OrderMarked
from grid.slot import Phase, Signal
from grid.symbol_book import OrderEntry

LOOK_UP_FIRST_MS = 250
LOOK_UP_LAST_MS = 2_000
SETTLE_FIRST_MS = 50
SETTLE_LAST_MS = 5_000
TRADES_OVERLAP_MS = 60_000

_WORTH_A_HOLD = {
    Refusal.MARGIN: HoldCause.MARGIN,
    Refusal.TRADING_RESTRICTED: HoldCause.VENUE_RULE,
    Refusal.SYMBOL_CLOSED: HoldCause.VENUE_RULE,
    Refusal.POSITION_MODE: HoldCause.VENUE_RULE,
    Refusal.CREDENTIALS: HoldCause.VENUE_RULE,
}


class Reports:
    """Turns the venue's words into records."""

    def __init__(
        self, core: Core, cancelling: Cancelling, placing: Placing, standing: StandingHolds, decrees: Decrees
    ) -> None:
        self._core = core
        self._cancelling = cancelling
        self._placing = placing
        self._standing = standing
        self._decrees = decrees
        self._strays = Strays(core, cancelling)
        self.absence = Absence(core)

    def on_placed(self, client_id: str, outcome: Outcome, now: Instant) -> None:
        """Take the end of a placement call. The stream may have been quicker: what is over stays over."""
        order = self._core.book.orders[client_id]
        match outcome:
            case Accepted(report=report):
                self.take_report(report, now)
            case Unknown():
                self._lost(order, now)
            case NotSent(reason=reason):
                if self._is_waiting(order):
                    self._placing.withdraw_unsent(order, Reason.NOT_SENT, reason)
            case Refused():
                self._refused(order, outcome, now)

    def on_looked_up(self, read: OrderRead, now: Instant) -> None:
        """Take a look-up by client id. 'Not found' is final only from a call begun after the bound (invariant 4)."""
        order = self._core.book.orders.get(read.client_id)
        if isinstance(read.outcome, Accepted):
            self.take_report(read.outcome.report, now)
            return
        if order is None:
            return
        is_absent = isinstance(read.outcome, Refused) and read.outcome.refusal is Refusal.UNKNOWN_ORDER
        if order.is_over:
            if is_absent:
                self._core.disproved_ms[order.client_id] = read.begun_ms
            return
        sent_ms = self._core.sent_ms.get(order.client_id, read.begun_ms - self._core.settings.absent_after_ms)
        if is_absent and read.begun_ms >= sent_ms + self._core.settings.absent_after_ms:
            if order.order_id:
                self.absence.on_unfound(order, read.begun_ms)
                self._look_up_later(order, now, attempt=4)
            else:
                self._absent(order, now)
        else:
            self._look_up_later(order, now, attempt=4)

    def on_update(self, update: OrderUpdate, now: Instant) -> None:
        """Take an event of the private stream."""
        client_id = update.report.client_id
        self._core.last_event_ms[update.report.symbol] = now.mono_ms
        self._core.drop(Chore.ECHO, client_id)
        if update.fill is not None:
            self.take_fill(update.fill, client_id, now)
        order = self._core.book.orders.get(client_id)
        if order is not None and not order.is_over:
            # The echo may be the first word, and overtake the reply: it must not be waited for afterwards.
            self._core.echoed.add(client_id)
        self.take_report(update.report, now)

    def take_fill(self, fill: Fill, client_id: str, now: Instant) -> None:
        """Book a fill once, whoever brings it."""
        core = self._core
        if core.book.has_fill(fill.key) or fill.symbol not in core.symbols:
            return
        owner = client_id or core.book.client_id_of(fill.symbol, fill.order_id)
        if owner not in core.book.orders:
            identity = self._strays.own(owner, fill.symbol)
            if identity is not None:
                self._strays.watch(identity, owner, fill.order_id, fill.price, fill.quantity, now)
            else:
                owner = ""
        core.record(FillBooked(fill=fill, client_id=owner))
        if not owner:
            if fill.client_id:
                # Some venues' readings of trades say whose order it was: nothing else may ever tell of a decree.
                self._decrees.on_fill(fill, now)
            else:
                # It may be the venue's own: a reading of trades does not say whose order it was.
                core.do_at(Chore.NAME, f"{fill.symbol} {fill.order_id}", now.mono_ms)
            self._after_foreign(fill, now)
            return
        self._after_fill(core.book.orders[owner], now)

    def take_report(self, report: OrderReport, now: Instant) -> None:
        """Take the venue's word on one order."""
        if report.symbol not in self._core.symbols:
            return
        order = self._core.book.orders.get(report.client_id)
        if order is None:
            self._strays.on_unknown(report, now)
            return
        if order.is_over:
            self._latecomer(order, report, now)
            return
        if report.status.is_terminal:
            self._end(order, report, now)
            return
        self._live(order, report, now)

    def look_up(self, client_id: str, attempt: int, now: Instant) -> None:
        """A look-up is due."""
        order = self._core.book.orders.get(client_id)
        if order is not None and not order.is_over:
            self._core.command(LookUp(symbol=order.symbol, client_id=client_id))
            self._look_up_later(order, now, attempt + 1)

    def settle(self, client_id: str, attempt: int, now: Instant) -> None:
        """An order has executed more than we hold fills for: read its trades (rule 17 of the trading rules)."""
        order = self._core.book.orders.get(client_id)
        if order is None or (order.is_over and not order.missing):
            return
        self._read_trades_of(order)
        wait_ms = min(200 << min(attempt, 10), SETTLE_LAST_MS)
        self._core.do_at(Chore.SETTLE, client_id, now.mono_ms + wait_ms, attempt + 1)

    def _read_trades_of(self, order: OrderEntry) -> None:
        """Read the order's own trades: never more than what is missing of it is booked from them."""
        self._core.command(ReadTrades(symbol=order.symbol, since_ms=0, order_id=order.order_id))

    def on_trades_of(self, order: OrderEntry, now: Instant) -> None:
        """The order's own trades were read and booked: that was the last proof that it is gone."""
        if not order.is_over and self.absence.is_proven(order):
            self._absent(order, now)

    def on_silent(self, client_id: str, now: Instant) -> None:
        """An acknowledged order was not echoed in time: the private stream is deaf (trading rule 19)."""
        order = self._core.book.orders.get(client_id)
        if order is not None:
            reason = f"{order.symbol}: an acknowledged order was not echoed within {self._core.settings.echo_ms} ms"
            self._standing.put(HoldCause.ORDER_STREAM, "", reason, now)
            self._core.command(Restream(reason=reason))

    def _expect_echo(self, order: OrderEntry, now: Instant) -> None:
        """Have an order that was heard of otherwise told by the private stream too, where that was up when it was sent.

        Whoever said that it lives: the answer to its placement may have been lost, and a look-up found it.
        """
        core, client_id = self._core, order.client_id
        was_sent_since = core.sent_ms.get(client_id, -1) >= core.stream_since_ms and client_id not in core.inherited
        if was_sent_since and client_id not in core.echoed:
            core.do_at(Chore.ECHO, client_id, now.mono_ms + core.settings.echo_ms)

    def _is_waiting(self, order: OrderEntry) -> bool:
        if order.is_over:
            return False
        if order.key is None or not order.is_attached:
            return not order.order_id
        return self._core.slot(order.key).phase in (Phase.PENDING, Phase.UNKNOWN)

    def _live(self, order: OrderEntry, report: OrderReport, now: Instant) -> None:
        core = self._core
        self.absence.forget(order.client_id)
        if self._is_waiting(order) or not order.order_id:
            core.record(acked(report))
            self._expect_echo(order, now)
        core.drop(Chore.LOOK_UP, order.client_id)
        if report.filled > order.booked:
            core.reported[order.client_id] = max(report.filled, core.reported.get(order.client_id, 0))
            core.do_at(Chore.SETTLE, order.client_id, now.mono_ms + SETTLE_FIRST_MS)
        self._cancelling.on_live(order, now)

    def _end(self, order: OrderEntry, report: OrderReport, now: Instant) -> None:
        core = self._core
        filled = max(report.filled, order.booked)
        is_unasked = not self._was_asked_to_end(order)
        core.record(
            OrderEnded(
                client_id=order.client_id,
                symbol=order.symbol,
                order_id=report.order_id,
                status=report.status,
                filled=filled,
                by_venue=self._ended_by_venue(order, report, filled),
            )
        )
        core.ended(order.client_id)
        self.absence.forget(order.client_id)
        if order.missing:
            core.do_at(Chore.SETTLE, order.client_id, now.mono_ms + SETTLE_FIRST_MS)
        elif is_unasked and not filled and not order.purpose.closing and order.key is not None:
            core.refuse(order.key, Reason.BACK_OFF, f"the venue ended it: {report.expiry_reason or order.status}")
        else:
            self._after_end(order, report.expiry_reason, now)

    def _ended_by_venue(self, order: OrderEntry, report: OrderReport, filled: int) -> bool:
        """Whether the venue ended an exit that nobody here cancelled: it has its own reason, and that is to be read."""
        if order.purpose is not Purpose.EXIT or filled >= order.quantity or order.key is None:
            return False
        if report.status is OrderStatus.FILLED or report.expiry_reason == "post_only":
            return False
        return not self._was_asked_to_end(order)

    def _was_asked_to_end(self, order: OrderEntry) -> bool:
        if order.client_id in self._core.cancel_wanted or order.key is None or not order.is_attached:
            return True
        return self._core.slot(order.key).phase is Phase.CANCELLING

    def _after_fill(self, order: OrderEntry, now: Instant) -> None:
        core = self._core
        is_of_other_side = order.key is not None and not core.book.symbol(order.symbol).is_of_present_side(order.key)
        if order.purpose is Purpose.STOP or is_of_other_side:
            # A fill of the side that was left has closed lots of this one.
            self._withdraw_oversized(order.symbol, now)
        if order.is_over and not order.missing:
            core.drop(Chore.SETTLE, order.client_id)
            self._after_end(order, "", now)
        elif not order.is_over:
            core.drop(Chore.LOOK_UP, order.client_id)
            if order.booked >= order.quantity:
                # Filled by what the trades say: its end may have been told to a life that is over.
                core.do_at(Chore.LOOK_UP, order.client_id, now.mono_ms + LOOK_UP_FIRST_MS)
            self._cancelling.on_live(order, now)

    def _after_end(self, order: OrderEntry, expiry_reason: str, now: Instant) -> None:
        core, key = self._core, order.key
        if key is None:
            return
        slot = core.slot(key)
        if slot.phase is Phase.BLOCKED:
            reason = f"{order.symbol} level {key.level}: the venue ended the exit by itself ({order.status})"
            core.last_event_ms[order.symbol] = now.mono_ms
            core.notice("exit_ended_by_venue", reason, "warning")
            core.do_at(Chore.RESYNC, "", now.mono_ms)
        elif expiry_reason == "post_only":
            core.refuse(key, Reason.BACK_OFF, "post-only order would have taken")
        elif not order.purpose.closing or order.booked < order.quantity:
            self._placing.arm_exit(key, now)

    def _after_foreign(self, fill: Fill, now: Instant) -> None:
        """Somebody else traded the symbol.

        Exits that are now too large are withdrawn, and placed again for the rest.
        """
        core = self._core
        core.notice("foreign_fill", f"{fill.symbol}: {fill.side.value} of {fill.quantity} steps is not ours", "warning")
        self._withdraw_oversized(fill.symbol, now)

    def _withdraw_oversized(self, symbol: str, now: Instant) -> None:
        core = self._core
        for order in core.book.live_orders(symbol):
            if order.key is None or not order.purpose.closing:
                continue
            lot = core.slot(order.key).lot
            if lot is None or order.quantity - order.booked > lot.quantity:
                self._cancelling.cancel(order.client_id, now)

    def _lost(self, order: OrderEntry, now: Instant) -> None:
        if not self._is_waiting(order):
            return
        core = self._core
        core.record(OrderMarked(client_id=order.client_id, symbol=order.symbol, signal=Signal.LOST))
        self._look_up_later(order, now, attempt=0)

    def _look_up_later(self, order: OrderEntry, now: Instant, attempt: int) -> None:
        wait_ms = min(LOOK_UP_FIRST_MS << min(attempt, 8), LOOK_UP_LAST_MS)
        at_ms = now.mono_ms + wait_ms
        final_ms = self._core.sent_ms.get(order.client_id, 0) + self._core.settings.absent_after_ms
        if now.mono_ms < final_ms < at_ms:
            at_ms = final_ms
        self._core.do_at(Chore.LOOK_UP, order.client_id, at_ms, attempt)

    def _absent(self, order: OrderEntry, now: Instant) -> None:
        """The venue has no trace of it and cannot have one any more."""
        core = self._core
        core.record(OrderMarked(client_id=order.client_id, symbol=order.symbol, signal=Signal.ABSENT))
        core.ended(order.client_id)
        self.absence.forget(order.client_id)
        if order.key is not None:
            self._placing.arm_exit(order.key, now)

    def _refused(self, order: OrderEntry, refused: Refused, now: Instant) -> None:
        core = self._core
        if not self._is_waiting(order):
            return
        if refused.refusal is Refusal.DUPLICATE_ID:
            self._lost(order, now)
            return
        if refused.refusal is Refusal.CLOCK:
            core.command(SyncClock())
        if refused.refusal is Refusal.FILTER:
            core.do_at(Chore.RULES, "", now.mono_ms)
        conflict = refused.refusal is Refusal.REDUCE_ONLY_CONFLICT and order.purpose is Purpose.EXIT
        signal = Signal.CONFLICT if conflict else Signal.REFUSED
        core.record(
            OrderMarked(client_id=order.client_id, symbol=order.symbol, signal=signal, reason=refused.refusal.value)
        )
        core.record(Counted(symbol=order.symbol, what=f"refused_{refused.refusal.value}"))
        core.ended(order.client_id)
        if conflict:
            core.last_event_ms[order.symbol] = now.mono_ms  # only a reading begun after this may clear the slot
            core.notice("reduce_only_conflict", f"{order.symbol}: {refused.message}", "warning")
            core.do_at(Chore.RESYNC, "", now.mono_ms)
        if order.key is not None:
            word = Reason.MARGIN if refused.refusal is Refusal.MARGIN else Reason.VENUE_REFUSED
            post_only = refused.refusal is Refusal.POST_ONLY_WOULD_TAKE
            core.refuse(order.key, Reason.BACK_OFF if post_only else word, f"{refused.code} {refused.refusal.value}")
        cause = _WORTH_A_HOLD.get(refused.refusal)
        if cause is not None and not order.purpose.closing:
            scope = "" if refused.refusal is not Refusal.SYMBOL_CLOSED else order.symbol
            self._standing.put(cause, scope, f"{order.symbol}: {refused.code} {refused.message}", now)
            if cause is HoldCause.MARGIN:
                core.do_at(Chore.LIFT_MARGIN, "", now.mono_ms + core.settings.margin_pause_ms)

    def _latecomer(self, order: OrderEntry, report: OrderReport, now: Instant) -> None:
        """An order that was over shows up: doubles of its end are nothing, a life after it is cancelled and counted."""
        core = self._core
        if not order.order_id:
            # Its trades are told by the venue's id alone.
            core.record(acked(report))
        if report.filled > order.booked:
            core.reported[order.client_id] = report.filled
            self._read_trades_of(order)
        if report.status.is_terminal or order.status is not None:
            return
        core.record(Counted(symbol=order.symbol, what="latecomer"))
        identity = decode(order.client_id, order.symbol)
        if identity is not None:
            self._strays.adopt_or_cancel(identity, report, now)
