"""The exchange-side stop at the desk: it covers the lots while any exist, and no longer (rules 14 and 24).

Where it lies is `risk.stop_rule`; its life is the table of `grid.stop`. To move it is to cancel it, to learn that it
is gone, and to place the next: the venue takes no second one. What it sells is booked as any order of ours, and its
trigger is a stop-loss.
"""

from __future__ import annotations

from exchanges.desk.commands import CancelStop, ReadOpenStops, SendStop
from exchanges.desk.core import Chore, Core
from exchanges.desk.events import (
    Instant,
    NotSent,
    Refused,
    StopAccepted,
    StopAnswered,
    StopCancelAnswered,
    StopEvent,
    StopRead,
    StopSaid,
    StopsRead,
    Unknown,
)
from exchanges.desk.guarding import Guarding
from exchanges.desk.stop_course import StopCourse, StopWord
from exchanges.desk.stop_cover import StopCover
from exchanges.errors import Refusal
from grid.client_id import decode
from grid.order import Fill, Purpose
from grid.records import Counted, StopIntended, StopMarked
from grid.stop import StopEntry, StopPhase, StopReport, StopRequest, StopSignal, StopStatus
from grid.symbol_book import SymbolBook
from risk.stop_rule import StopRule, approve_stop
from risk.veto import ApprovedStop

MOVE_PAUSE_MS = 10_000
"""A stop rests so long before it is moved: a market that hovers must not cost a stream of orders, nor cover."""
LOOK_FIRST_MS = 500
LOOK_LAST_MS = 10_000
APART_MS = 2_000
"""Two look-ups that find nothing prove that a stop which once rested is gone, if they are so far apart."""
UNSENT_MS = 90_000
THROUGH_MS = 15_000


class Stops:
    """One stop for each symbol that has a rule; strays of ours are cancelled."""

    def __init__(self, core: Core, guarding: Guarding) -> None:
        self._core = core
        self._guarding = guarding
        self._cover = StopCover(core)
        self._course = StopCourse(core)

    def begin(self, now: Instant) -> None:
        """Take over: a stop of a former life may have been sent at that life's last moment."""
        for book in self._core.book.symbols.values():
            if book.stop is not None:
                self._course.sent_ms[book.stop.client_id] = now.mono_ms
                self._course.since_ms[book.symbol] = now.mono_ms
                self._core.do_at(Chore.STOP, book.symbol, now.mono_ms)

    def reconcile(self, *, is_whole: bool) -> None:
        """Have every stop looked up; `is_whole`: and the venue's list read for any that nobody here knows."""
        for book in self._core.book.symbols.values():
            if book.stop is not None:
                self._course.look_up(book.symbol, book.stop)
        if is_whole and self._cover.is_used:
            self._core.command(ReadOpenStops())

    def step(self, now: Instant) -> None:
        """Compare what rests with what should, symbol by symbol."""
        for book in self._core.book.symbols.values():
            if book.generations and (book.stop is not None or self._cover.rule(book.symbol) is not None):
                self._look_after(book, now)

    def look(self, symbol: str, attempt: int, now: Instant) -> None:
        """A look-up is due: until the stop rests, or is gone."""
        stop = self._core.book.symbol(symbol).stop
        if stop is None:
            return
        if stop.phase is StopPhase.PENDING and stop.client_id not in self._course.sent_ms:
            if now.mono_ms - self._course.since_ms.get(symbol, now.mono_ms) >= UNSENT_MS:
                self._course.gone(symbol, stop, "it was never sent", now)
            else:
                self._core.do_at(Chore.STOP, symbol, now.mono_ms + LOOK_LAST_MS)
            return
        self._course.look_up(symbol, stop)
        self._core.do_at(
            Chore.STOP, symbol, now.mono_ms + min(LOOK_FIRST_MS << min(attempt, 8), LOOK_LAST_MS), attempt + 1
        )

    def release(self, client_id: str, now: Instant) -> ApprovedStop | None:
        """Give permission for the stop whose turn has come, or take it back."""
        core = self._core
        book = next((b for b in core.book.symbols.values() if b.stop and b.stop.client_id == client_id), None)
        if book is None or book.stop is None or book.stop.phase is not StopPhase.PENDING:
            return None
        stop, rule = book.stop, self._cover.rule(book.symbol)
        if rule is None or not core.may_act or self._cover.why_none(book, rule):
            self._course.gone(book.symbol, stop, "withdrawn before it was sent", now)
            return None
        request = StopRequest(
            symbol=book.symbol,
            client_id=client_id,
            side=stop.side,
            trigger=stop.trigger,
            working_type=rule.working_type,
            recv_window_ms=core.settings.recv_window_ms,
        )
        instrument, lots = core.symbols[book.symbol].instrument, book.held_sign * book.lot_steps()
        verdict = approve_stop(request, instrument=instrument, position=book.expected_position(), lots=lots)
        if not isinstance(verdict, ApprovedStop):
            self._course.gone(book.symbol, stop, verdict.reason, now)
            self._course.put_off(book.symbol, verdict.reason, now)
            return None
        self._course.sent_ms[client_id] = core.last_sent_ms = now.mono_ms
        core.do_at(Chore.STOP, book.symbol, now.mono_ms + core.settings.absent_after_ms)
        return verdict

    def on_event(self, event: StopEvent, now: Instant) -> None:
        """Take whatever the venue says of stops."""
        match event:
            case StopAnswered():
                self.on_answer(event, now)
            case StopCancelAnswered():
                self.on_cancel_answered(event)
            case StopRead():
                self.on_read(event, now)
            case StopsRead(reports=reports):
                # It proves nothing about one that it lacks: that is looked up.
                for report in reports or ():
                    self.on_report(report, now)
            case StopSaid(report=report):
                self.on_report(report, now)

    def on_answer(self, answered: StopAnswered, now: Instant) -> None:
        """Take the end of a placement on the wire."""
        stop, outcome = self._course.present(answered.symbol, answered.client_id), answered.outcome
        if isinstance(outcome, StopAccepted):
            self.on_report(outcome.report, now)
        elif stop is None or stop.phase is not StopPhase.PENDING:
            return
        elif isinstance(outcome, Unknown) or (isinstance(outcome, Refused) and outcome.refusal is Refusal.DUPLICATE_ID):
            self._course.mark(answered.symbol, stop, StopSignal.LOST, now)
            self._core.do_at(Chore.STOP, answered.symbol, now.mono_ms + LOOK_FIRST_MS, 1)
        elif isinstance(outcome, NotSent):
            self._course.gone(answered.symbol, stop, outcome.reason, now)
            self._course.put_off(answered.symbol, outcome.reason, now)
        else:
            self._refused(answered.symbol, stop, outcome, now)

    def on_cancel_answered(self, answered: StopCancelAnswered) -> None:
        """Look what became of it: the venue's yes to a cancel does not say."""
        stop = self._course.present(answered.symbol, answered.client_id)
        if stop is not None and answered.is_done:
            self._course.look_up(answered.symbol, stop)

    def on_read(self, read: StopRead, now: Instant) -> None:
        """Take a look-up."""
        stop = self._course.present(read.symbol, read.client_id)
        if isinstance(read.outcome, StopAccepted):
            if stop is not None:
                self._course.read_ms[read.symbol] = read.begun_ms
                self._course.unfound_ms.pop(read.symbol, None)
            self.on_report(read.outcome.report, now)
        elif stop is not None and isinstance(read.outcome, Refused) and read.outcome.refusal is Refusal.UNKNOWN_ORDER:
            self._unfound(read.symbol, stop, read.begun_ms, now)

    def on_report(self, report: StopReport, now: Instant) -> None:
        """Take the venue's word on one stop, whoever brings it."""
        if report.symbol not in self._core.book.symbols:
            return
        stop = self._course.present(report.symbol, report.client_id)
        if stop is None:
            self._stray(report, now)
        elif report.status is StopStatus.WAITING:
            self._waits(stop, report, now)
        elif report.status is StopStatus.TRIGGERED:
            self._triggered(stop, report, now)
        elif stop.phase is not StopPhase.TRIGGERED or report.status is StopStatus.FAILED:
            self._ended(stop, report, now)

    def may_have_sold(self, fill: Fill, seen_ms: int) -> bool:
        """Whether a trade of nobody known, first seen at `seen_ms`, may be the stop's; then that is looked up."""
        stop = self._core.book.symbol(fill.symbol).stop
        if stop is None or stop.side is not fill.side or stop.order_id:
            return False
        if stop.phase is not StopPhase.TRIGGERED and self._course.read_ms.get(fill.symbol, -1) >= seen_ms:
            return False
        self._course.look_up(fill.symbol, stop)
        return True

    def word(self, symbol: str, now: Instant) -> StopWord | None:
        """Return how the symbol's stop stands, None where none is configured and none rests."""
        book, rule = self._core.book.symbol(symbol), self._cover.rule(symbol)
        if rule is None and book.stop is None:
            return None
        if book.stop is not None:
            due = self._core.chores.get((Chore.STOP, symbol))
            missing = "" if book.stop.phase is StopPhase.LIVE else f"it is {book.stop.phase.value}"
            return StopWord(stop=book.stop, missing=missing, retry_ms=due.at_ms if due is not None else None)
        if why := self._cover.why_none(book, rule):
            return StopWord(stop=None, missing=why, retry_ms=None)
        trouble = self._course.trouble(symbol)
        words = trouble.words or "it is about to be placed"
        return StopWord(stop=None, missing=words, retry_ms=max(trouble.retry_ms, now.mono_ms))

    def _look_after(self, book: SymbolBook, now: Instant) -> None:
        core, stop, rule = self._core, book.stop, self._cover.rule(book.symbol)
        if stop is not None and stop.phase is StopPhase.TRIGGERED:
            self._end_triggered(book.symbol, stop, now)
            return
        if not core.may_act:
            return
        why = self._cover.why_none(book, rule)
        if stop is None:
            if rule is not None and not why and now.mono_ms >= self._course.trouble(book.symbol).retry_ms:
                self._intend(book, rule, now)
        elif stop.phase is StopPhase.LIVE and (rule is None or why or self._is_to_move(book, rule, stop, now)):
            core.record(
                StopMarked(
                    symbol=book.symbol, client_id=stop.client_id, signal=StopSignal.CANCEL, reason=why or "it moves"
                )
            )
            core.command(CancelStop(symbol=book.symbol, client_id=stop.client_id))
            core.do_at(Chore.STOP, book.symbol, now.mono_ms + 2 * LOOK_FIRST_MS)

    def _is_to_move(self, book: SymbolBook, rule: StopRule, stop: StopEntry, now: Instant) -> bool:
        has_rested = now.mono_ms - self._course.since_ms.get(book.symbol, 0) >= MOVE_PAUSE_MS
        return has_rested and self._cover.is_to_move(book, rule, stop, now)

    def _intend(self, book: SymbolBook, rule: StopRule, now: Instant) -> None:
        core, symbol = self._core, book.symbol
        client_id = core.next_client_id(symbol, book.ladder.generation, 0, Purpose.STOP)
        trigger = self._cover.trigger(book, rule, now)
        side = book.generation.side.entry_side.other
        core.record(StopIntended(symbol=symbol, client_id=client_id, side=side, trigger=trigger, at_ms=now.wall_ms))
        self._course.since_ms[symbol] = now.mono_ms
        core.command(SendStop(symbol=symbol, client_id=client_id))
        core.do_at(Chore.STOP, symbol, now.mono_ms + LOOK_LAST_MS)

    def _waits(self, stop: StopEntry, report: StopReport, now: Instant) -> None:
        symbol = report.symbol
        if stop.phase in (StopPhase.PENDING, StopPhase.UNKNOWN):
            self._course.troubles.pop(symbol, None)
            self._core.drop(Chore.STOP, symbol)
            self._course.mark(symbol, stop, StopSignal.ACKED, now, algo_id=report.algo_id)
        elif stop.phase is StopPhase.CANCELLING and now.mono_ms - self._course.since_ms.get(symbol, 0) >= LOOK_FIRST_MS:
            self._course.since_ms[symbol] = now.mono_ms
            self._core.command(CancelStop(symbol=symbol, client_id=stop.client_id))

    def _triggered(self, stop: StopEntry, report: StopReport, now: Instant) -> None:
        core, symbol = self._core, report.symbol
        is_news = stop.phase is not StopPhase.TRIGGERED
        if is_news or (report.order_id and not stop.order_id):
            self._course.mark(symbol, stop, StopSignal.TRIGGERED, now, order_id=report.order_id)
        if is_news:
            self._hold(symbol, stop, "the exchange-side stop was triggered", now)
            core.do_at(Chore.RESYNC, "", now.mono_ms + LOOK_FIRST_MS)  # should the stream have lost its trades
        if not report.order_id:
            core.do_at(Chore.STOP, symbol, now.mono_ms + LOOK_FIRST_MS, 1)

    def _end_triggered(self, symbol: str, stop: StopEntry, now: Instant) -> None:
        core, order = self._core, self._core.book.orders.get(stop.client_id)
        since_ms = self._course.since_ms.get(symbol, now.mono_ms)
        is_known = order is not None and order.is_over and not order.missing
        # Where its order never shows under our id, trades and position have told by then what it sold.
        is_settled = order is None and now.mono_ms - since_ms >= THROUGH_MS and core.compared_ms > since_ms
        if is_known or is_settled:
            self._course.gone(symbol, stop, "it is through", now)

    def _ended(self, stop: StopEntry, report: StopReport, now: Instant) -> None:
        was_asked = stop.phase is StopPhase.CANCELLING
        self._course.gone(report.symbol, stop, report.reason or report.status.value, now)
        if report.status is StopStatus.FAILED:
            self._hold(report.symbol, stop, f"the exchange-side stop failed ({report.reason})", now)
            self._course.put_off(report.symbol, report.reason, now)
        elif not was_asked:
            self._core.notice(
                "stop_gone", f"{report.symbol}: the exchange-side stop was taken away at the venue", "warning"
            )
            self._course.put_off(report.symbol, "it was taken away at the venue", now)

    def _unfound(self, symbol: str, stop: StopEntry, begun_ms: int, now: Instant) -> None:
        sent_ms = self._course.sent_ms.get(stop.client_id)
        if stop.phase in (StopPhase.PENDING, StopPhase.UNKNOWN):
            if sent_ms is not None and begun_ms >= sent_ms + self._core.settings.absent_after_ms:
                self._course.gone(symbol, stop, "it never arrived", now)
            return
        if stop.phase is StopPhase.TRIGGERED:
            return
        first_ms = self._course.unfound_ms.setdefault(symbol, begun_ms)
        if begun_ms - first_ms >= APART_MS:
            self._course.gone(symbol, stop, "the venue knows it no more", now)
        else:
            self._core.do_at(Chore.STOP, symbol, now.mono_ms + APART_MS)

    def _refused(self, symbol: str, stop: StopEntry, refused: Refused, now: Instant) -> None:
        self._course.gone(symbol, stop, f"{refused.code} {refused.message}", now)
        self._course.put_off(symbol, f"{refused.code} {refused.message}", now)
        self._core.record(Counted(symbol=symbol, what=f"stop_refused_{refused.refusal.value}"))
        if refused.refusal is Refusal.WOULD_TRIGGER:
            self._hold(symbol, stop, "the price is beyond the exchange-side stop already", now)
        else:
            self._core.command(ReadOpenStops())  # an older one of ours may stand in its way

    def _stray(self, report: StopReport, now: Instant) -> None:
        """A stop that the book does not know, or knows to be gone: ours is cancelled, and counted."""
        core, identity = self._core, decode(report.client_id, report.symbol)
        if identity is None or identity.journal != core.settings.journal or identity.purpose is not Purpose.STOP:
            return
        if identity.owner_epoch > core.book.owner_epoch:
            core.fence(identity.owner_epoch)
        elif report.status is StopStatus.WAITING:
            core.record(Counted(symbol=report.symbol, what="orphan_stop"))
            core.command(CancelStop(symbol=report.symbol, client_id=report.client_id))
        elif report.status is StopStatus.TRIGGERED and report.client_id not in core.book.orders:
            core.do_at(Chore.RESYNC, "", now.mono_ms + LOOK_FIRST_MS)

    def _hold(self, symbol: str, stop: StopEntry, what: str, now: Instant) -> None:
        price = self._core.symbols[symbol].instrument.price(stop.trigger)
        text = f"{symbol}: {what}, at {price}"
        self._core.notice("stop_triggered", text, "critical")
        self._guarding.on_exchange_stop(symbol, text, price, now)
