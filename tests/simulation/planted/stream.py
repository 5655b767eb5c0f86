"""Bugs in what is made of the private stream."""

from __future__ import annotations

import pytest

from exchanges.desk.events import Accepted, Instant, Outcome, TradesRead
from exchanges.desk.readings import Readings
from exchanges.desk.reports import Reports
from grid.errors import UnexpectedSignal
from grid.order import Fill, OrderReport, OrderUpdate
from grid.records import FillBooked, OrderMarked
from grid.slot import Signal
from grid.symbol_book import OrderEntry
from tests.simulation.faults import Kind
from tests.simulation.planted.actors import CRASHES
from tests.simulation.planted.bug import Bug

LATE = frozenset({Kind.STREAM_DELAY, Kind.STREAM_DOUBLE, Kind.STREAM_REORDER})
SILENT = frozenset({Kind.STREAM_GAP, Kind.STREAM_DEAF})


def silence_means_that_the_order_is_gone(patch: pytest.MonkeyPatch) -> None:
    """An order that the stream does not echo in time is taken for absent."""

    def give_up(self: Reports, client_id: str, now: Instant) -> None:
        order = self._core.book.orders.get(client_id)
        if order is not None and not order.is_over:
            self._absent(order, now)

    patch.setattr(Reports, "on_silent", give_up)


def the_stream_never_repeats_itself(patch: pytest.MonkeyPatch) -> None:
    """A fill of the stream is booked without a look at whether it is booked already."""
    on_update = Reports.on_update

    def trusting(self: Reports, update: OrderUpdate, now: Instant) -> None:
        fill, core = update.fill, self._core
        if fill is not None and core.book.has_fill(fill.key):
            core.record(FillBooked(fill=fill, client_id=update.report.client_id))
        on_update(self, update, now)

    patch.setattr(Reports, "on_update", trusting)


def a_fill_after_the_end_is_dropped(patch: pytest.MonkeyPatch) -> None:
    """Once an order is over its fills are taken for doubles."""
    take_fill = Reports.take_fill

    def deaf(self: Reports, fill: Fill, client_id: str, now: Instant) -> None:
        owner = client_id or self._core.book.client_id_of(fill.symbol, fill.order_id)
        order = self._core.book.orders.get(owner)
        if order is None or not order.is_over:
            take_fill(self, fill, client_id, now)

    patch.setattr(Reports, "take_fill", deaf)


def fills_come_by_the_stream_alone(patch: pytest.MonkeyPatch) -> None:
    """Trades that were read are not booked."""
    on_trades = Readings.on_trades

    def skipping(self: Readings, read: TradesRead, now: Instant) -> None:
        nothing = TradesRead(symbol=read.symbol, since_ms=read.since_ms, begun_ms=read.begun_ms, fills=())
        on_trades(self, nothing if read.fills is not None else read, now)

    patch.setattr(Readings, "on_trades", skipping)


def nobody_minds_a_silent_stream(patch: pytest.MonkeyPatch) -> None:
    """An acknowledged order need not be echoed."""
    patch.setattr(Reports, "on_silent", lambda self, client_id, now: None)


def an_answer_is_the_first_word_on_its_order(patch: pytest.MonkeyPatch) -> None:
    """Nobody thought of an order that is over before its placement is answered."""
    on_placed = Reports.on_placed

    def believing(self: Reports, client_id: str, outcome: Outcome, now: Instant) -> None:
        order = self._core.book.orders[client_id]
        if isinstance(outcome, Accepted) and order.is_over:
            raise UnexpectedSignal(f"{client_id} is over already")
        on_placed(self, client_id, outcome, now)

    patch.setattr(Reports, "on_placed", believing)


def the_end_is_what_was_known_when_the_cancel_was_sent(patch: pytest.MonkeyPatch) -> None:
    """The executed quantity of a cancelled order is not looked at."""
    end = Reports._end

    def blind(self: Reports, order: OrderEntry, report: OrderReport, now: Instant) -> None:
        if report.filled > order.booked and report.filled < order.quantity:
            self._core.record(OrderMarked(client_id=order.client_id, symbol=order.symbol, signal=Signal.ABSENT))
            return
        end(self, order, report, now)

    patch.setattr(Reports, "_end", blind)
    take_fill = Reports.take_fill

    def in_life_only(self: Reports, fill: Fill, client_id: str, now: Instant) -> None:
        owner = client_id or self._core.book.client_id_of(fill.symbol, fill.order_id)
        order = self._core.book.orders.get(owner)
        if order is None or not order.is_over or order.missing:
            take_fill(self, fill, client_id, now)

    patch.setattr(Reports, "take_fill", in_life_only)


BUGS = (
    Bug(kind=Kind.STREAM_DELAY, plant=silence_means_that_the_order_is_gone, kin=SILENT | LATE),
    Bug(kind=Kind.STREAM_DOUBLE, plant=the_stream_never_repeats_itself, kin=LATE),
    Bug(
        kind=Kind.STREAM_REORDER,
        plant=a_fill_after_the_end_is_dropped,
        kin=LATE | SILENT | CRASHES | {Kind.FILL_BEFORE_CANCEL, Kind.LATECOMER},
    ),
    Bug(kind=Kind.STREAM_GAP, plant=fills_come_by_the_stream_alone, kin=SILENT | LATE | CRASHES),
    Bug(kind=Kind.STREAM_DEAF, plant=nobody_minds_a_silent_stream, kin=SILENT),
    Bug(kind=Kind.REPLY_LATE, plant=an_answer_is_the_first_word_on_its_order, seeds=(9, 15, 16)),
    Bug(
        kind=Kind.FILL_BEFORE_CANCEL,
        plant=the_end_is_what_was_known_when_the_cancel_was_sent,
        kin=LATE | SILENT | CRASHES | {Kind.LATECOMER},
        seeds=(25, 35, 39),
    ),
)
