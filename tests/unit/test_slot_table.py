"""The slot's table: what may happen in which phase, and that nothing gets stuck."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from grid.errors import UnexpectedSignal
from grid.lot import Lot
from grid.order import Purpose, Side
from grid.slot import ENDS_ORDER, TRANSITIONS, OrderState, Phase, PositionState, Signal, SlotKey, SlotOrder, SlotState

KEY = SlotKey(symbol="ETHUSDT", generation=1, level=-1)
ORDER = SlotOrder(
    client_id="g1", purpose=Purpose.ENTRY, side=Side.BUY, price=299_800, quantity=10, target=300_000, placed_ms=1
)
ALL_PAIRS = [(phase, signal) for phase in Phase for signal in Signal]


def slot_in(phase: Phase) -> SlotState:
    order = None if phase in (Phase.FREE, Phase.BLOCKED) else ORDER
    return SlotState(key=KEY, phase=phase, order=order, version=7)


@pytest.mark.parametrize(("phase", "signal"), ALL_PAIRS, ids=lambda value: value.value)
def test_every_pair_has_a_row_or_raises(phase: Phase, signal: Signal) -> None:
    before = slot_in(phase)
    order = ORDER if signal is Signal.PLACE else None

    if (phase, signal) not in TRANSITIONS:
        with pytest.raises(UnexpectedSignal, match=rf"{signal.value} in phase {phase.value}"):
            before.after(signal, order)
        return
    after = before.after(signal, order)

    assert after.phase is TRANSITIONS[(phase, signal)]
    assert after.version == 8
    assert (after.order is None) is (signal in ENDS_ORDER or (before.order is None and order is None))


def reachable(start: Phase, *, without: frozenset[Signal] = frozenset()) -> set[Phase]:
    found, open_phases = {start}, [start]
    while open_phases:
        here = open_phases.pop()
        for (phase, signal), target in TRANSITIONS.items():
            if phase is here and signal not in without and target not in found:
                found.add(target)
                open_phases.append(target)
    return found


def test_every_phase_can_be_reached_from_free() -> None:
    assert reachable(Phase.FREE) == set(Phase)


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_can_get_back_to_free(phase: Phase) -> None:
    assert Phase.FREE in reachable(phase)


@pytest.mark.parametrize("phase", [Phase.PENDING, Phase.LOCKED, Phase.CANCELLING, Phase.UNKNOWN])
def test_an_order_can_end_without_our_asking_again(phase: Phase) -> None:
    assert Phase.FREE in reachable(phase, without=frozenset({Signal.PLACE, Signal.CANCEL, Signal.ABSENT}))


@pytest.mark.parametrize(("pair", "target"), TRANSITIONS.items())
def test_a_phase_has_an_order_exactly_where_one_may_live(pair: tuple[Phase, Signal], target: Phase) -> None:
    after = slot_in(pair[0]).after(pair[1], ORDER if pair[1] is Signal.PLACE else None)

    assert (after.order is None) is (target in (Phase.FREE, Phase.BLOCKED))


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.FREE])
def test_nothing_is_placed_over_what_is_not_over(phase: Phase) -> None:
    with pytest.raises(UnexpectedSignal):
        slot_in(phase).after(Signal.PLACE, ORDER)


@pytest.mark.parametrize("signal", [Signal.ACKED, Signal.LOST, Signal.CANCEL_FAILED, Signal.DONE_SHORT])
def test_late_words_about_an_order_that_waits_for_its_fills_change_nothing(signal: Signal) -> None:
    after = slot_in(Phase.SETTLING).after(signal)

    assert (after.phase, after.order) == (Phase.SETTLING, ORDER)


def test_the_venue_may_end_an_exit_while_we_cancel_it() -> None:
    after = slot_in(Phase.CANCELLING).after(Signal.CONFLICT)

    assert (after.phase, after.order) == (Phase.BLOCKED, None)


def test_two_failed_cancels_leave_the_order_live() -> None:
    twice = slot_in(Phase.CANCELLING).after(Signal.CANCEL_FAILED).after(Signal.CANCEL_FAILED)

    assert (twice.phase, twice.order) == (Phase.LOCKED, ORDER)


@pytest.mark.parametrize(
    ("signal", "filled", "word"),
    [
        (Signal.DONE, 10, OrderState.FILLED),
        (Signal.DONE, 4, OrderState.CANCELED),
        (Signal.ABSENT, 0, OrderState.NOT_PLACED),
    ],
)
def test_the_word_for_an_ended_order_is_what_became_of_it(signal: Signal, filled: int, word: OrderState) -> None:
    after = slot_in(Phase.LOCKED).after(signal, replace(ORDER, filled=filled))

    assert after.order_state is word


def test_a_live_order_is_placed_or_partly_filled_and_an_entry_or_an_exit() -> None:
    entry = slot_in(Phase.LOCKED)
    leaving = replace(entry, order=replace(ORDER, purpose=Purpose.EXIT, filled=1))

    assert (entry.order_state, leaving.order_state) == (OrderState.PLACED, OrderState.PARTLY_FILLED)
    assert (entry.has_live_entry, entry.has_live_exit) == (True, False)
    assert (leaving.has_live_entry, leaving.has_live_exit) == (False, True)
    assert SlotState(key=KEY).order_state is OrderState.NOT_PLACED


def test_a_lot_fills_the_position_and_raises_the_version() -> None:
    held = slot_in(Phase.FREE).with_lot(Lot(quantity=1, cost=Decimal(3), target=5))

    assert (held.position_state, held.version) == (PositionState.FILLED, 8)
    assert held.with_lot(None).position_state is PositionState.EMPTY


RACES = {
    (Phase.PENDING, Signal.FILL): Phase.LOCKED,
    (Phase.PENDING, Signal.DONE): Phase.FREE,
    (Phase.PENDING, Signal.LOST): Phase.UNKNOWN,
    (Phase.LOCKED, Signal.LOST): Phase.LOCKED,
    (Phase.UNKNOWN, Signal.ACKED): Phase.LOCKED,
    (Phase.UNKNOWN, Signal.ABSENT): Phase.FREE,
    (Phase.CANCELLING, Signal.FILL): Phase.CANCELLING,
    (Phase.CANCELLING, Signal.ACKED): Phase.CANCELLING,
    (Phase.CANCELLING, Signal.DONE): Phase.FREE,
    (Phase.CANCELLING, Signal.DONE_SHORT): Phase.SETTLING,
    (Phase.CANCELLING, Signal.CANCEL_FAILED): Phase.LOCKED,
    (Phase.SETTLING, Signal.FILL): Phase.SETTLING,
    (Phase.LOCKED, Signal.CONFLICT): Phase.BLOCKED,
    (Phase.BLOCKED, Signal.FILL): Phase.BLOCKED,
}
"""What the races must come to, written down apart from the table."""


@pytest.mark.parametrize(("pair", "target"), RACES.items())
def test_a_race_ends_where_it_must(pair: tuple[Phase, Signal], target: Phase) -> None:
    assert slot_in(pair[0]).after(pair[1]).phase is target


@pytest.mark.parametrize("phase", [Phase.UNKNOWN, Phase.SETTLING, Phase.CANCELLING])
def test_what_may_still_live_is_not_freed_by_silence(phase: Phase) -> None:
    freed = {signal for (here, signal), target in TRANSITIONS.items() if here is phase and target is Phase.FREE}

    assert freed <= {Signal.DONE, Signal.ABSENT, Signal.REFUSED, Signal.SETTLED}
