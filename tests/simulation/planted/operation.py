"""Bugs in stopping, starting again with other ladders, and bearing silence."""

from __future__ import annotations

import pytest

from actors.grid_slot import GridSlot
from exchanges.desk import core
from exchanges.desk.closing import Closing
from exchanges.desk.events import ClosingMode, Instant
from exchanges.desk.flattening import Flattening
from exchanges.desk.placing import Placing
from exchanges.desk.standing import StandingHolds
from grid.holds import HoldCause
from grid.order import Purpose
from grid.symbol_book import OrderEntry
from tests.simulation.faults import Kind
from tests.simulation.planted.bug import Bug


def a_silent_supervisor_is_content(patch: pytest.MonkeyPatch) -> None:
    """A lost lease keeps new entries back and leaves the resting ones."""
    put = StandingHolds.put

    def lenient(self: StandingHolds, cause: HoldCause, symbol: str, reason: str, now: Instant) -> None:
        if cause is not HoldCause.LEASE:
            put(self, cause, symbol, reason, now)

    patch.setattr(StandingHolds, "put", lenient)


def a_slot_looks_only_when_it_is_told(patch: pytest.MonkeyPatch) -> None:
    """No slot evaluates its levels again by itself."""
    begin = GridSlot.__init__

    def trusting(self: GridSlot, **given: object) -> None:
        begin(self, **{**given, "reconcile_ms": 10**9})  # type: ignore[arg-type]

    patch.setattr(GridSlot, "__init__", trusting)


def an_older_lot_keeps_nobody_from_buying(patch: pytest.MonkeyPatch) -> None:
    """A new ladder buys where the old one holds a lot already."""
    patch.setattr(core, "has_older_lot", lambda symbol, key: False)


def a_stop_that_keeps_leaves_the_exits(patch: pytest.MonkeyPatch) -> None:
    """Keeping the position is taken for keeping its exits."""
    patch.setattr(Closing, "_must_go", lambda self, order: not order.purpose.closing)


def a_stop_that_leaves_exits_takes_them(patch: pytest.MonkeyPatch) -> None:
    """Every stop cancels everything."""

    def everything(self: Closing, order: OrderEntry) -> bool:
        return order.purpose is not Purpose.FLATTEN

    may_close = Placing._may_close

    def never_while_stopping(self: Placing, symbol: str) -> bool:
        return self._core.closing is not ClosingMode.LEAVE_EXITS and may_close(self, symbol)

    patch.setattr(Closing, "_must_go", everything)
    patch.setattr(Placing, "_may_close", never_while_stopping)


def a_flatten_sells_nothing(patch: pytest.MonkeyPatch) -> None:
    """Nothing more can be done, it says, before anything was done."""
    patch.setattr(Flattening, "step", lambda self, book, now: True)


BUGS = (
    Bug(kind=Kind.RISK_SILENT, plant=a_silent_supervisor_is_content, kin=frozenset({Kind.MARKET_SHOCK})),
    Bug(
        kind=Kind.DROP_THEN_STILL,
        plant=a_slot_looks_only_when_it_is_told,
        kin=frozenset({Kind.MESSAGE_DROP, Kind.KILL_FEED, Kind.KILL_SLOT}),
    ),
    Bug(kind=Kind.RECONFIGURE, plant=an_older_lot_keeps_nobody_from_buying, seeds=(8, 15, 16)),
    Bug(kind=Kind.STOP_KEEP, plant=a_stop_that_keeps_leaves_the_exits, kin=frozenset({Kind.STOP_FLATTEN})),
    Bug(kind=Kind.STOP_LEAVE_EXITS, plant=a_stop_that_leaves_exits_takes_them),
    Bug(kind=Kind.STOP_FLATTEN, plant=a_flatten_sells_nothing),
)
