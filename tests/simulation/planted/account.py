"""Bugs in what is made of positions and of other people's trades."""

from __future__ import annotations

import pytest

import grid.book
from exchanges.desk import readings
from exchanges.desk.commands import SendCancel
from exchanges.desk.core import Core
from exchanges.desk.events import Instant
from exchanges.desk.readings import Readings
from exchanges.desk.reports import Reports
from exchanges.desk.standing import StandingHolds
from exchanges.desk.strays import Strays
from grid.booking import book_foreign
from grid.holds import HoldCause
from grid.order import Fill, OrderReport
from grid.records import LotSet
from grid.slot import SlotKey
from grid.symbol_book import SymbolBook
from tests.simulation.faults import Kind
from tests.simulation.planted.bug import Bug

FOREIGN = frozenset({Kind.FOREIGN_BUY, Kind.FOREIGN_SELL})


def an_empty_position_erases_the_lots(patch: pytest.MonkeyPatch) -> None:
    """One reading without a position is taken for flat."""
    judge = Readings._judge

    def believing(self: Readings, symbol: str, position: object, begun_ms: int, now: Instant) -> None:
        if position is None:
            for key, _ in list(self._core.book.symbol(symbol).lots()):
                self._core.record(LotSet(key=key, lot=None, reason="flat"))
        judge(self, symbol, position, begun_ms, now)  # type: ignore[arg-type]

    patch.setattr(Readings, "_judge", believing)


def one_reading_is_proof(patch: pytest.MonkeyPatch) -> None:
    """A position that contradicts the book is believed at once, and the book is bent to it."""
    patch.setattr(readings, "CONFIRMATIONS", 1)
    patch.setattr(readings, "CONFIRMATIONS_SOON", 1)


def a_blocked_slot_is_never_cleared(patch: pytest.MonkeyPatch) -> None:
    """Nobody lets a slot act again whose exit the venue ended."""
    record = Core.record

    def forgetful(self: Core, one: object) -> None:
        if type(one).__name__ != "SlotCleared":
            record(self, one)  # type: ignore[arg-type]

    patch.setattr(Core, "record", forgetful)


def whatever_rests_on_our_symbol_is_ours(patch: pytest.MonkeyPatch) -> None:
    """An order that nobody here knows is cancelled."""
    unknown = Strays.on_unknown

    def tidy(self: Strays, report: OrderReport, now: Instant) -> None:
        unknown(self, report, now)
        if not report.status.is_terminal:
            self._core.command(SendCancel(symbol=report.symbol, client_id=report.client_id))

    patch.setattr(Strays, "on_unknown", tidy)


def a_trade_by_hand_is_not_booked(patch: pytest.MonkeyPatch) -> None:
    """Fills that are not ours are left out."""
    take_fill = Reports.take_fill

    def ours_only(self: Reports, fill: Fill, client_id: str, now: Instant) -> None:
        owner = client_id or self._core.book.client_id_of(fill.symbol, fill.order_id)
        if owner.startswith("g"):
            take_fill(self, fill, client_id, now)

    patch.setattr(Reports, "take_fill", ours_only)


def a_foreign_sell_is_counted_twice(patch: pytest.MonkeyPatch) -> None:
    """What a foreign sell takes off our lots is taken off what is foreign as well."""

    def twice(symbol: SymbolBook, fill: Fill) -> tuple[SlotKey, ...]:
        before = symbol.lot_steps()
        changed = book_foreign(symbol, fill)
        symbol.foreign += fill.side.sign * (before - symbol.lot_steps())
        return changed

    patch.setattr(grid.book, "book_foreign", twice)


def any_good_news_lifts_the_operators_hold(patch: pytest.MonkeyPatch) -> None:
    """The supervisor's go is taken for the operator's."""
    on_tick = StandingHolds.on_tick

    def generous(self: StandingHolds, now: Instant) -> None:
        on_tick(self, now)
        if self._core.book.holds.find(HoldCause.LEASE, "") is None:
            self.lift(HoldCause.OPERATOR, "", "the supervisor says go")

    patch.setattr(StandingHolds, "on_tick", generous)


BUGS = (
    Bug(kind=Kind.EMPTY_POSITIONS, plant=an_empty_position_erases_the_lots),
    Bug(kind=Kind.LAGGING_READING, plant=one_reading_is_proof, kin=frozenset({Kind.EMPTY_POSITIONS})),
    Bug(
        kind=Kind.VENUE_ENDS_EXIT,
        plant=a_blocked_slot_is_never_cleared,
        kin=frozenset({Kind.REFUSED_REDUCE_ONLY, Kind.FOREIGN_SELL}),
    ),
    Bug(kind=Kind.FOREIGN_ORDER, plant=whatever_rests_on_our_symbol_is_ours),
    Bug(kind=Kind.FOREIGN_BUY, plant=a_trade_by_hand_is_not_booked, kin=FOREIGN),
    Bug(kind=Kind.FOREIGN_SELL, plant=a_foreign_sell_is_counted_twice, kin=FOREIGN),
    Bug(kind=Kind.OPERATOR_HOLD, plant=any_good_news_lifts_the_operators_hold),
)
