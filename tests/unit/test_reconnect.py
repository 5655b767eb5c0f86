"""Pauses between attempts to connect."""

from __future__ import annotations

from random import Random

from exchanges.reconnect import Backoff, BackoffRule
from exchanges.session.clock_offset import ClockReading, offset_of

RULE = BackoffRule(first_s=1.0, longest_s=8.0, stable_s=30.0)


def test_pauses_double_up_to_the_longest_and_are_scattered() -> None:
    pauses = [Backoff(RULE, Random(seed)) for seed in range(50)]
    rows = [[backoff.failed() for _ in range(6)] for backoff in pauses]

    for step, whole in enumerate((1.0, 2.0, 4.0, 8.0, 8.0, 8.0)):
        column = [row[step] for row in rows]
        assert all(whole / 2 <= pause <= whole for pause in column)
        assert max(column) - min(column) > whole / 4


def test_one_seed_gives_one_sequence() -> None:
    first, second = (Backoff(RULE, Random(7)) for _ in range(2))

    assert [first.failed() for _ in range(5)] == [second.failed() for _ in range(5)]


def test_a_connection_that_lived_starts_over() -> None:
    backoff = Backoff(RULE, Random(0))
    for _ in range(5):
        backoff.failed()

    assert backoff.failed(lived_s=30.0) <= 1.0


def test_a_connection_that_came_up_and_died_at_once_does_not() -> None:
    backoff = Backoff(RULE, Random(0))
    for _ in range(5):
        backoff.failed()

    assert backoff.failed(lived_s=0.5) >= 4.0


def test_ever_more_failures_do_not_overflow() -> None:
    backoff = Backoff(RULE, Random(0))

    assert all(backoff.failed() <= 8.0 for _ in range(3000))


def test_one_slow_answer_does_not_move_the_clock() -> None:
    quick = [ClockReading(sent_ms=n * 10, venue_ms=n * 10 + 502, received_ms=n * 10 + 4) for n in range(4)]
    slow = ClockReading(sent_ms=100, venue_ms=2600, received_ms=3000)
    offset = offset_of([*quick, slow])

    assert (offset.offset_ms, offset.error_ms) == (500, 2)
