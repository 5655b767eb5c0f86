"""The limiter over any schedule: no window is ever exceeded, and a cancel never waits behind an entry."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.cost import Cost
from exchanges.lane import Lane
from exchanges.port import RateWindow, UsedQuota
from exchanges.throttle import KEEPERS, MS, TRIAL_NS, Throttle, ThrottleRule
from exchanges.waiting_line import EXPIRED, Released, WaitingLine

SECOND = 1_000 * MS
SMALL = (
    RateWindow(kind="orders", interval_ms=10_000, limit=20),
    RateWindow(kind="orders", interval_ms=60_000, limit=60),
    RateWindow(kind="weight", interval_ms=60_000, limit=100),
    RateWindow(kind="cancels", interval_ms=4_000, limit=7),
)
RULE = ThrottleRule(orders_per_second=Decimal(5), burst=10, margin_ms=500)
FREE = ThrottleRule(orders_per_second=Decimal(10_000), burst=10_000)

lanes = st.sampled_from(list(Lane))
costs = st.builds(Cost, orders=st.integers(0, 3), weight=st.integers(0, 20), cancels=st.integers(0, 2)).filter(
    lambda cost: cost.orders or cost.weight or cost.cancels
)
steps = st.tuples(lanes, costs, st.integers(0, 4 * SECOND), st.booleans())
schedules = st.lists(steps, max_size=120)
quick = st.tuples(lanes, costs, st.integers(0, SECOND // 5), st.booleans())
floods = st.lists(quick, min_size=40, max_size=80)


def sent_in(sent: list[tuple[int, Lane, Cost]], window: RateWindow, end_ns: int, length_ns: int) -> int:
    return sum(cost.of(window.kind) for at_ns, _, cost in sent if end_ns - length_ns < at_ns <= end_ns)


@given(st.one_of(schedules, floods), st.integers(0, 500))
def test_no_window_is_ever_exceeded_however_it_is_aligned_or_delayed(
    schedule: list[tuple[Lane, Cost, int, bool]], delay_ms: int
) -> None:
    throttle = Throttle(SMALL, RULE)
    now_ns, sent = 0, []
    for lane, cost, pause_ns, waits in schedule:
        now_ns += pause_ns
        if waits:
            now_ns = throttle.ready_at(lane, cost, now_ns)
            assert throttle.take(lane, cost, now_ns), "ready_at named a time that was not"
            sent.append((now_ns, lane, cost))
        elif throttle.take(lane, cost, now_ns):
            sent.append((now_ns, lane, cost))

    for window in SMALL:
        # late by any delay under the margin: what a slow link can squeeze into one window of the venue
        length_ns = (window.interval_ms + delay_ms) * MS - 1
        for at_ns, _, _ in sent:
            assert sent_in(sent, window, at_ns, length_ns) <= window.limit
    for at_ns, _, _ in sent:
        for seconds in (1, 2, 3):
            orders = sent_in(sent, SMALL[0], at_ns, seconds * SECOND)
            assert orders <= RULE.burst + RULE.orders_per_second * seconds


@given(floods)
def test_a_tenth_of_each_window_is_left_to_cancels_and_exits(schedule: list[tuple[Lane, Cost, int, bool]]) -> None:
    throttle = Throttle(SMALL, FREE)
    now_ns, sent = 0, []
    for lane, cost, pause_ns, _ in schedule:
        now_ns += pause_ns
        if lane not in KEEPERS and throttle.take(lane, cost, now_ns):
            sent.append((now_ns, lane, cost))

    for window in SMALL:
        for at_ns, _, _ in sent:
            assert sent_in(sent, window, at_ns, window.interval_ms * MS) <= window.limit * 9 // 10
    assert throttle.take(Lane.CANCEL, Cost(orders=2, weight=10), now_ns)


def test_entries_stop_at_nine_tenths_and_exits_go_on() -> None:
    throttle = Throttle(SMALL, FREE)
    entries = sum(throttle.take(Lane.ENTRY, Cost(orders=1), 0) for _ in range(30))
    exits = sum(throttle.take(Lane.EXIT, Cost(orders=1), 0) for _ in range(30))

    assert (entries, exits) == (18, 2)


def test_entries_leave_tokens_of_the_burst_to_exits() -> None:
    throttle = Throttle((), RULE)
    entries = sum(throttle.take(Lane.ENTRY, Cost(orders=1), 0) for _ in range(30))
    exits = sum(throttle.take(Lane.EXIT, Cost(orders=1), 0) for _ in range(30))

    assert (entries, exits) == (9, 1)


@given(schedules)
def test_ready_at_is_the_earliest_time(schedule: list[tuple[Lane, Cost, int, bool]]) -> None:
    throttle = Throttle(SMALL, RULE)
    now_ns = 0
    for lane, cost, pause_ns, _ in schedule:
        now_ns += pause_ns
        ready_ns = throttle.ready_at(lane, cost, now_ns)
        if ready_ns > now_ns:
            now_ns = ready_ns - 1
            assert not throttle.take(lane, cost, now_ns)
        assert throttle.take(lane, cost, ready_ns)
        now_ns = ready_ns


@given(
    st.lists(st.tuples(lanes, costs, st.integers(0, SECOND)), min_size=2, max_size=60),
    st.integers(0, 20),
    st.integers(0, 100),
)
def test_a_cancel_never_waits_behind_an_entry(
    arrivals: list[tuple[Lane, Cost, int]], orders_used: int, weight_used: int
) -> None:
    throttle = Throttle(SMALL, RULE)
    throttle.observe(UsedQuota(used={("orders", 10_000): orders_used, ("weight", 60_000): weight_used}), 0)
    line: WaitingLine[int] = WaitingLine(throttle, size_per_lane=200)
    now_ns = 0
    waiting: dict[int, tuple[Lane, Cost]] = {}
    order: dict[Lane, list[int]] = {lane: [] for lane in Lane}
    for number, (lane, cost, pause_ns) in enumerate(arrivals):
        now_ns += pause_ns
        assert line.offer(lane, number, cost, now_ns=now_ns, deadline_ns=10**18)
        waiting[number] = (lane, cost)
    while waiting:
        released = line.release(now_ns)
        if released is None:
            wake_ns = line.wake_at(now_ns)
            assert wake_ns is not None
            assert wake_ns > now_ns, "the line would spin"
            now_ns = wake_ns
            continue
        lane, cost = waiting.pop(released.work)
        order[lane].append(released.work)
        ahead = [other for other_lane, other in waiting.values() if other_lane < lane]
        assert not any(other.shares_with(cost) for other in ahead)
    for numbers in order.values():
        assert numbers == sorted(numbers), "first come, first served within a lane"


@given(st.integers(0, 120), st.integers(0, 60), st.integers(0, 20))
def test_the_venues_count_is_taken_over_where_it_is_higher(told: int, own: int, later: int) -> None:
    throttle = Throttle(SMALL, FREE)
    for _ in range(own):
        throttle.take(Lane.CANCEL, Cost(weight=1), 0)
    for _ in range(later):
        throttle.take(Lane.CANCEL, Cost(weight=1), 2 * SECOND)
    throttle.observe(UsedQuota(used={("weight", 60_000): told}, at_ns=SECOND), 3 * SECOND)

    (state,) = [state for state in throttle.windows(3 * SECOND) if state.kind == "weight"]
    assert state.used == max(told, own) + later


def test_what_others_spent_holds_us_back_until_it_is_over() -> None:
    throttle = Throttle(SMALL, FREE)
    throttle.observe(UsedQuota(used={("weight", 60_000): 100}, at_ns=0), 0)

    assert not throttle.take(Lane.CANCEL, Cost(weight=1), 0)
    assert throttle.ready_at(Lane.CANCEL, Cost(weight=1), 0) == 61 * SECOND


def test_a_reading_older_than_its_window_is_void() -> None:
    throttle = Throttle(SMALL, FREE)
    throttle.observe(UsedQuota(used={("weight", 60_000): 100}, at_ns=0), 60 * SECOND)

    assert throttle.take(Lane.READ, Cost(weight=1), 60 * SECOND)


@pytest.mark.parametrize("lane", list(Lane))
def test_a_ban_holds_every_lane(lane: Lane) -> None:
    throttle = Throttle(SMALL, RULE)
    throttle.ban(5 * SECOND, 0)
    throttle.ban(3 * SECOND, 0)

    assert throttle.is_banned(4 * SECOND)
    assert throttle.ready_at(lane, Cost(weight=1), 0) == 5 * SECOND
    assert throttle.take(lane, Cost(weight=1), 5 * SECOND)


@given(lanes, costs)
def test_a_ban_meets_one_request_at_a_time_each_after_a_longer_pause(lane: Lane, cost: Cost) -> None:
    """The venue does not tell when the ban ends: each refusal asks for a second only."""
    throttle = Throttle(SMALL, FREE)
    throttle.ban(SECOND, 0)
    refused = []
    for now_ns in range(0, 300 * SECOND, SECOND // 10):
        if throttle.take(lane, cost, now_ns):
            throttle.ban(now_ns + SECOND, now_ns)
            refused.append(now_ns // SECOND)

    assert refused == [1, 3, 7, 15, 31, 63, 123, 183, 243]


def test_what_waits_behind_a_trial_goes_in_its_order_once_that_is_answered() -> None:
    throttle = Throttle(SMALL, FREE)
    line: WaitingLine[str] = WaitingLine(throttle, size_per_lane=5)
    throttle.ban(SECOND, 0)
    for lane, work in ((Lane.ENTRY, "buy"), (Lane.EXIT, "sell"), (Lane.EXIT, "sell too"), (Lane.CANCEL, "cancel")):
        cost = Cost(cancels=1) if lane is Lane.CANCEL else Cost(orders=1)
        line.offer(lane, work, cost, now_ns=0, deadline_ns=60 * SECOND)

    assert [released.work for released in _all(line, SECOND)] == ["cancel"]
    assert throttle.is_banned(SECOND)
    assert not throttle.answered(SECOND - 1), "it was sent before the ban"
    assert throttle.answered(SECOND)
    assert [released.work for released in _all(line, SECOND)] == ["sell", "sell too", "buy"]


@pytest.mark.parametrize("is_withdrawn", [True, False])
def test_a_trial_without_an_answer_is_followed_by_another(is_withdrawn: bool) -> None:
    throttle = Throttle(SMALL, FREE)
    throttle.ban(SECOND, 0)
    one = Cost(orders=1)

    assert throttle.take(Lane.EXIT, one, SECOND)
    assert not throttle.take(Lane.CANCEL, one, SECOND)
    if is_withdrawn:
        throttle.give_back(one)
    again_ns = SECOND if is_withdrawn else SECOND + TRIAL_NS
    assert throttle.ready_at(Lane.EXIT, one, SECOND) == again_ns
    assert throttle.take(Lane.EXIT, one, again_ns)
    assert not throttle.take(Lane.EXIT, one, again_ns)


def _all(line: WaitingLine[str], now_ns: int) -> list[Released[str]]:
    released = []
    while (one := line.release(now_ns)) is not None:
        released.append(one)
    return released


def test_the_ceiling_alone_does_not_allow_more_than_the_venue() -> None:
    windows = (
        RateWindow(kind="orders", interval_ms=10_000, limit=300),
        RateWindow(kind="orders", interval_ms=60_000, limit=1200),
    )
    throttle = Throttle(windows, ThrottleRule())
    now_ns, sent = 0, 0
    while now_ns < 60 * SECOND:
        sent += throttle.take(Lane.CANCEL, Cost(orders=1), now_ns)
        now_ns += 10 * MS

    assert sent == 1200


def test_work_that_could_never_go_is_refused_at_once() -> None:
    line: WaitingLine[str] = WaitingLine(Throttle(SMALL, RULE), size_per_lane=5)

    with pytest.raises(ValueError, match="never fit"):
        line.offer(Lane.ENTRY, "too big", Cost(orders=10), now_ns=0, deadline_ns=SECOND)
    assert line.offer(Lane.EXIT, "all of it", Cost(orders=10), now_ns=0, deadline_ns=SECOND)


def test_late_work_is_dropped_with_its_reason_and_never_released() -> None:
    throttle = Throttle(SMALL, RULE)
    throttle.ban(10 * SECOND, 0)
    line: WaitingLine[str] = WaitingLine(throttle, size_per_lane=2)
    line.offer(Lane.ENTRY, "early", Cost(orders=1), now_ns=0, deadline_ns=SECOND)
    line.offer(Lane.ENTRY, "late", Cost(orders=1), now_ns=0, deadline_ns=60 * SECOND)

    assert not line.offer(Lane.ENTRY, "one too many", Cost(orders=1), now_ns=0, deadline_ns=SECOND)
    assert line.wake_at(0) == SECOND
    (dropped,) = line.expire(SECOND)
    assert (dropped.work, dropped.reason) == ("early", EXPIRED)
    released = line.release(10 * SECOND)
    assert released is not None
    assert (released.work, released.waited_ns) == ("late", 10 * SECOND)


def test_a_hold_empties_the_lane_of_entries() -> None:
    line: WaitingLine[str] = WaitingLine(Throttle(SMALL, RULE), size_per_lane=5)
    line.offer(Lane.ENTRY, "buy", Cost(orders=1), now_ns=0, deadline_ns=SECOND)
    line.offer(Lane.EXIT, "sell", Cost(orders=1), now_ns=0, deadline_ns=SECOND)

    assert [dropped.reason for dropped in line.clear(Lane.ENTRY, "hold operator")] == ["hold operator"]
    assert (line.depth(Lane.ENTRY), line.depth(Lane.EXIT)) == (0, 1)


def test_a_read_may_pass_an_exit_that_waits_for_an_order_token() -> None:
    throttle = Throttle(SMALL, RULE)
    line: WaitingLine[str] = WaitingLine(throttle, size_per_lane=5)
    throttle.take(Lane.EXIT, Cost(orders=10), 0)
    line.offer(Lane.EXIT, "sell", Cost(orders=1), now_ns=0, deadline_ns=60 * SECOND)
    line.offer(Lane.ENTRY, "buy", Cost(orders=1, weight=1), now_ns=0, deadline_ns=60 * SECOND)
    line.offer(Lane.READ, "who am I", Cost(weight=5), now_ns=0, deadline_ns=60 * SECOND)

    released = line.release(0)

    # the entry ahead spends of both kinds and waits too, so the read may not pass it
    assert released is None
    line.clear(Lane.ENTRY, "hold")
    passed = line.release(0)
    assert passed is not None
    assert passed.work == "who am I"


@given(lane=lanes, cost=costs, before=st.lists(st.tuples(lanes, costs), max_size=6))
def test_what_is_given_back_was_never_spent(lane: Lane, cost: Cost, before: list[tuple[Lane, Cost]]) -> None:
    spent, other = Throttle(SMALL, RULE), Throttle(SMALL, RULE)
    for throttle in (spent, other):
        for earlier, paid in before:
            throttle.take(earlier, paid, SECOND)

    if spent.take(lane, cost, SECOND):
        spent.give_back(cost)

    assert spent.windows(SECOND) == other.windows(SECOND)
    assert [spent.ready_at(lane, cost, SECOND + ms * MS) for ms in (0, 700, 5_000)] == [
        other.ready_at(lane, cost, SECOND + ms * MS) for ms in (0, 700, 5_000)
    ]
