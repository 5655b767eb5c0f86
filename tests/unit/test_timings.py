"""The gateway's stopwatches: what is measured from where to where, and that nothing grows without end."""

from __future__ import annotations

import pytest

from actors.gateway.timings import KEPT, Timings
from exchanges.desk.commands import Effects, Send, SendCancel
from exchanges.lane import Lane
from tests.manual_clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def timings(clock: ManualClock) -> Timings:
    return Timings(clock)


def sends(*orders: tuple[str, Lane]) -> Effects:
    cancel = SendCancel(symbol="ETHUSDT", client_id="old")
    return Effects(commands=[cancel, *(Send(client_id=client_id, lane=lane) for client_id, lane in orders)])


def test_an_exit_is_timed_from_its_fill_to_its_release(timings: Timings, clock: ManualClock) -> None:
    timings.caused(sends(("x1", Lane.EXIT), ("e1", Lane.ENTRY)), Lane.EXIT, timings.now_ns())
    clock.advance_ms(7)
    timings.released("x1", closing=True)
    timings.released("e1", closing=False)  # no quote is known to have caused it

    taken = timings.take()
    assert list(taken.fill_to_exit_ms) == [7]
    assert list(taken.quote_to_entry_ms) == []


def test_an_entry_is_timed_from_its_quote_as_the_feed_dates_it(timings: Timings, clock: ManualClock) -> None:
    quoted_ms = clock.now_ms()
    clock.advance_ms(4)
    timings.caused(sends(("e1", Lane.ENTRY)), Lane.ENTRY, timings.quoted_ns(quoted_ms))
    clock.advance_ms(3)
    timings.released("e1", closing=False)

    assert list(timings.take().quote_to_entry_ms) == [7]


def test_a_quote_of_a_host_whose_clock_is_ahead_is_not_from_the_future(timings: Timings, clock: ManualClock) -> None:
    timings.caused(sends(("e1", Lane.ENTRY)), Lane.ENTRY, timings.quoted_ns(clock.now_ms() + 50))
    timings.released("e1", closing=False)

    assert list(timings.take().quote_to_entry_ms) == [0]


def test_an_order_is_timed_once_and_one_kept_back_never(timings: Timings) -> None:
    timings.caused(sends(("x1", Lane.EXIT), ("x2", Lane.EXIT)), Lane.EXIT, 0)
    timings.kept_back("x2")
    for client_id in ("x1", "x1", "x2"):
        timings.released(client_id, closing=True)

    assert len(timings.take().fill_to_exit_ms) == 1


def test_what_was_taken_is_gone(timings: Timings, clock: ManualClock) -> None:
    begun_ns = timings.now_ns()
    clock.advance_ms(2)
    timings.waited(Lane.CANCEL, 5_000_000)
    timings.answered("entry", "unknown", begun_ns)
    timings.journalled(begun_ns)

    taken, again = timings.take(), timings.take()
    assert list(taken.lane_wait_ms) == [("cancel", 5)]
    assert list(taken.venue_call_ms) == [("entry", "unknown", 2)]
    assert list(taken.journal_us) == [2_000]
    assert [*again.lane_wait_ms, *again.venue_call_ms, *again.journal_us] == []


def test_nothing_grows_without_end(timings: Timings) -> None:
    for number in range(KEPT + 50):
        timings.caused(sends((f"x{number}", Lane.EXIT)), Lane.EXIT, 0)
        timings.waited(Lane.EXIT, number)

    assert len(timings._begun_ns) == KEPT
    assert len(timings.take().lane_wait_ms) == KEPT
    timings.released("x0", closing=True)
    timings.released(f"x{KEPT + 49}", closing=True)
    assert len(timings.take().fill_to_exit_ms) == 1, "the oldest gave way"
