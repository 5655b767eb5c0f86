"""Bugs that only a venue of other ways brings to light."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

import grid.sizing
from exchanges.desk.absence import Absence
from exchanges.desk.events import Instant
from exchanges.desk.reports import Reports
from grid.errors import UnexpectedSignal
from grid.instrument import Instrument
from grid.order import Fill, OrderReport, OrderStatus, OrderUpdate
from grid.symbol_book import OrderEntry
from tests.simulation.faults import Kind
from tests.simulation.planted.bug import TraitBug
from tests.simulation.traits import Trait


def an_accepted_order_rests(patch: pytest.MonkeyPatch) -> None:
    """A post-only order that would take is refused, one holds: the end of one that was accepted is left out."""
    end = Reports._end

    def trusting(self: Reports, order: OrderEntry, report: OrderReport, now: Instant) -> None:
        if report.expiry_reason != "post_only":
            end(self, order, report, now)

    patch.setattr(Reports, "_end", trusting)


def the_missing_fill_will_come(patch: pytest.MonkeyPatch) -> None:
    """What an order's event says of a fill that it does not tell is not asked for."""
    patch.setattr(Reports, "settle", lambda self, client_id, attempt, now: None)


def what_was_accepted_is_found(patch: pytest.MonkeyPatch) -> None:
    """An order that the venue gave an id is asked for until it is found."""
    patch.setattr(Absence, "on_unfound", lambda self, order, begun_ms: None)


def an_order_is_born_once(patch: pytest.MonkeyPatch) -> None:
    """An order that is told as new after it was heard of already is unthinkable."""
    on_update = Reports.on_update

    def strict(self: Reports, update: OrderUpdate, now: Instant) -> None:
        if update.report.status is OrderStatus.NEW and update.report.client_id in self._core.echoed:
            raise UnexpectedSignal(f"{update.report.client_id} was born twice")
        on_update(self, update, now)

    patch.setattr(Reports, "on_update", strict)


def a_step_is_a_decimal_place(patch: pytest.MonkeyPatch) -> None:
    """A quantity is cut to so many digits, as if every step were a power of ten."""

    def cut(amount: Decimal, price: int, instrument: Instrument) -> int:
        place = Decimal(1).scaleb(instrument.step.adjusted())
        return int(amount // (instrument.price(price) * place) * place / instrument.step + Decimal("0.999"))

    patch.setattr(grid.sizing, "steps_for", cut)


def the_answer_to_a_cancel_is_the_last_word(patch: pytest.MonkeyPatch) -> None:
    """No fill of an order comes any more once its cancel is answered, nor is any missing."""
    take_report, take_fill = Reports.take_report, Reports.take_fill

    def final(self: Reports, report: OrderReport, now: Instant) -> None:
        order = self._core.book.orders.get(report.client_id)
        if report.status is OrderStatus.CANCELED and order is not None:
            report = replace(report, filled=order.booked)
        take_report(self, report, now)

    def in_life_only(self: Reports, fill: Fill, client_id: str, now: Instant) -> None:
        order = self._core.book.orders.get(client_id or self._core.book.client_id_of(fill.symbol, fill.order_id))
        if order is None or not order.is_over:
            take_fill(self, fill, client_id, now)

    patch.setattr(Reports, "take_report", final)
    patch.setattr(Reports, "take_fill", in_life_only)


BUGS = (
    TraitBug(trait=Trait.LATE_POST_ONLY, plant=an_accepted_order_rests, kinds=(Kind.PRICE_JUMP,)),
    TraitBug(trait=Trait.TRADES_APART, plant=the_missing_fill_will_come),
    TraitBug(
        trait=Trait.SHORT_MEMORY,
        plant=what_was_accepted_is_found,
        kinds=(Kind.VENUE_ENDS_EXIT, Kind.STREAM_GAP),
        seeds=(2, 4, 6),
    ),
    TraitBug(trait=Trait.STATE_FIRST, plant=an_order_is_born_once, kinds=(Kind.STREAM_GAP,)),
    TraitBug(trait=Trait.CONTRACTS, plant=a_step_is_a_decimal_place, seeds=(1, 5, 9)),
    TraitBug(
        trait=Trait.SLOW_STREAM,
        plant=the_answer_to_a_cancel_is_the_last_word,
        kinds=(Kind.FILL_BEFORE_CANCEL,),
        seeds=(1, 3, 5),
    ),
)
