"""Bugs in what is made of calls whose outcome is bad, late or unknown."""

from __future__ import annotations

import pytest

from exchanges.desk.cancelling import Cancelling
from exchanges.desk.core import Chore, Core
from exchanges.desk.events import Instant, NotSent, OpenOrdersRead, OrderRead, Outcome, Refused, Unknown
from exchanges.desk.readings import Readings, Stage
from exchanges.desk.reports import Reports
from exchanges.errors import Refusal
from grid.order import Purpose
from grid.reasons import Reason
from grid.records import LotSet
from grid.symbol_book import OrderEntry
from tests.simulation.faults import Kind
from tests.simulation.planted.actors import CRASHES
from tests.simulation.planted.bug import Bug

UNKNOWN = frozenset(
    {Kind.REPLY_LOST, Kind.REQUEST_LOST, Kind.ACCEPTED_LATE, Kind.LATECOMER, Kind.LATE_VISIBILITY, Kind.REPLY_LATE}
)


def no_reply_means_nothing_happened(patch: pytest.MonkeyPatch) -> None:
    """A lost reply frees the slot for another order."""
    on_placed = Reports.on_placed

    def careless(self: Reports, client_id: str, outcome: Outcome, now: Instant) -> None:
        order = self._core.book.orders[client_id]
        if isinstance(outcome, Unknown) and self._is_waiting(order):
            self._placing.withdraw_unsent(order, Reason.BACK_OFF, outcome.reason)
            return
        on_placed(self, client_id, outcome, now)

    patch.setattr(Reports, "on_placed", careless)


def not_found_is_never_final(patch: pytest.MonkeyPatch) -> None:
    """An order that never reached the venue is looked for for ever."""
    patch.setattr(Reports, "_absent", lambda self, order, now: self._look_up_later(order, now, attempt=4))


def not_found_is_final_at_once(patch: pytest.MonkeyPatch) -> None:
    """The first look-up that finds nothing settles it, however early."""
    on_looked_up = Reports.on_looked_up

    def hasty(self: Reports, read: OrderRead, now: Instant) -> None:
        self._core.sent_ms.pop(read.client_id, None)
        on_looked_up(self, read, now)

    patch.setattr(Reports, "on_looked_up", hasty)


def what_comes_too_late_is_nobodys(patch: pytest.MonkeyPatch) -> None:
    """An order that was given up and shows up is left alone."""
    patch.setattr(Reports, "_latecomer", lambda self, order, report, now: None)


def a_cancel_is_sent_once(patch: pytest.MonkeyPatch) -> None:
    """A cancel without an effect is not repeated."""
    patch.setattr(Cancelling, "resend", lambda self, client_id, attempt, now: None)


def what_is_not_listed_is_gone(patch: pytest.MonkeyPatch) -> None:
    """One list of open orders is believed about every order that it lacks."""
    on_open_orders = Readings.on_open_orders

    def believing(self: Readings, read: OpenOrdersRead, now: Instant) -> None:
        if read.reports is not None:
            seen = {report.client_id for report in read.reports}
            for order in self._core.book.live_orders():
                old = self._core.sent_ms.get(order.client_id, read.begun_ms) + 3_500 < read.begun_ms
                if order.client_id not in seen and order.order_id and old:
                    self._reports._absent(order, now)
        on_open_orders(self, read, now)

    patch.setattr(Readings, "on_open_orders", believing)


def the_list_proves_that_nothing_came(patch: pytest.MonkeyPatch) -> None:
    """An unknown order that one list of open orders lacks is given up."""
    on_open_orders, on_placed = Readings.on_open_orders, Reports.on_placed

    def believing(self: Readings, read: OpenOrdersRead, now: Instant) -> None:
        on_open_orders(self, read, now)

    def asking(self: Reports, client_id: str, outcome: Outcome, now: Instant) -> None:
        on_placed(self, client_id, outcome, now)
        order = self._core.book.orders[client_id]
        if isinstance(outcome, Unknown) and self._is_waiting(order):
            self._core.sent_ms[client_id] = now.mono_ms - self._core.settings.absent_after_ms
            self._core.do_at(Chore.LOOK_UP, client_id, now.mono_ms)

    patch.setattr(Readings, "on_open_orders", believing)
    patch.setattr(Reports, "on_placed", asking)


def a_failed_reading_ends_all_reading(patch: pytest.MonkeyPatch) -> None:
    """A step that does not answer is waited for for ever."""

    def enter(self: Readings, stage: Stage, now: Instant) -> None:
        self._stage, self._begun_ms = stage, now.mono_ms
        self._core.drop(Chore.RESYNC, "")

    patch.setattr(Readings, "_enter", enter)
    patch.setattr(Readings, "_failed", lambda self, stage, now: None)


def a_margin_hold_is_for_ever(patch: pytest.MonkeyPatch) -> None:
    """Nobody lifts the hold that a refused margin puts."""
    do_at = Core.do_at

    def forgetful(self: Core, chore: Chore, subject: str, at_ms: int, attempt: int = 0) -> None:
        if chore is not Chore.LIFT_MARGIN:
            do_at(self, chore, subject, at_ms, attempt)

    patch.setattr(Core, "do_at", forgetful)


def a_refused_exit_erases_its_lot(patch: pytest.MonkeyPatch) -> None:
    """The error code of a reduce-only order is taken for `no position`."""
    _erase_on(patch, lambda outcome: isinstance(outcome, Refused) and outcome.code == "-2022")


def a_throttled_exit_erases_its_lot(patch: pytest.MonkeyPatch) -> None:
    """429 is taken for `no position`."""
    _erase_on(patch, lambda outcome: isinstance(outcome, NotSent))


def a_post_only_reject_is_waited_for(patch: pytest.MonkeyPatch) -> None:
    """A refused post-only order is expected to come back by itself."""
    refused = Reports._refused

    def patient(self: Reports, order: OrderEntry, outcome: Refused, now: Instant) -> None:
        if outcome.refusal is Refusal.POST_ONLY_WOULD_TAKE:
            self._core.drop(Chore.LOOK_UP, order.client_id)
            return
        refused(self, order, outcome, now)

    patch.setattr(Reports, "_refused", patient)


def _erase_on(patch: pytest.MonkeyPatch, is_wrong: object) -> None:
    on_placed = Reports.on_placed

    def erasing(self: Reports, client_id: str, outcome: Outcome, now: Instant) -> None:
        order = self._core.book.orders[client_id]
        on_placed(self, client_id, outcome, now)
        if is_wrong(outcome) and order.purpose is Purpose.EXIT and order.key is not None:  # type: ignore[operator]
            self._core.record(LotSet(key=order.key, lot=None, reason=str(outcome)))

    patch.setattr(Reports, "on_placed", erasing)


BUGS = (
    Bug(kind=Kind.REPLY_LOST, plant=no_reply_means_nothing_happened, kin=UNKNOWN),
    Bug(kind=Kind.REQUEST_LOST, plant=not_found_is_never_final, kin=UNKNOWN | CRASHES),
    Bug(kind=Kind.ACCEPTED_LATE, plant=not_found_is_final_at_once, kin=UNKNOWN | CRASHES),
    Bug(kind=Kind.LATECOMER, plant=what_comes_too_late_is_nobodys),
    Bug(kind=Kind.LATE_VISIBILITY, plant=the_list_proves_that_nothing_came, kin=UNKNOWN),
    Bug(kind=Kind.CANCEL_LOST, plant=a_cancel_is_sent_once, kin=CRASHES | {Kind.RECONFIGURE}),
    Bug(kind=Kind.EMPTY_ORDERS, plant=what_is_not_listed_is_gone, kin=frozenset({Kind.LATE_VISIBILITY})),
    Bug(
        kind=Kind.FAILED_READING,
        plant=a_failed_reading_ends_all_reading,
        kin=frozenset({Kind.REFUSED_REDUCE_ONLY, Kind.VENUE_ENDS_EXIT, *CRASHES}),
    ),
    Bug(kind=Kind.REFUSED_MARGIN, plant=a_margin_hold_is_for_ever),
    Bug(kind=Kind.REFUSED_REDUCE_ONLY, plant=a_refused_exit_erases_its_lot),
    Bug(kind=Kind.TOO_MANY_REQUESTS, plant=a_throttled_exit_erases_its_lot),
    Bug(kind=Kind.REFUSED_POST_ONLY, plant=a_post_only_reject_is_waited_for),
)
