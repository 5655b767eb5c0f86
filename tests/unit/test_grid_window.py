"""The window: what a new one says, jumps, versions and alarms."""

from __future__ import annotations

from collections import Counter

from grid.window import Alarm, Window
from tests.grid_world import ladder, policy


def test_a_new_window_announces_itself_as_a_whole() -> None:
    window = Window(ladder(), policy())

    change = window.on_price(300_000, 5)

    assert change.entered == (-3, -2, -1)
    assert (change.left, change.due, change.rung) == ((), (), ())
    assert (change.view.top, change.view.floor, change.view.at_ms) == (-1, 0, 5)
    assert list(window.levels_in_reach()) == [-4, -3, -2, -1]


def test_no_level_is_in_reach_before_the_first_quote() -> None:
    window = Window(ladder(), policy())

    assert list(window.levels_in_reach()) == []
    assert window.view is None


def test_a_window_that_replaces_another_speaks_with_a_newer_version() -> None:
    old = Window(ladder(), policy())
    views = [old.on_price(300_000 + 250 * step, 1_000_000 + step).view for step in range(50)]

    new = Window(ladder(), policy()).on_price(300_000, 1_002_000).view

    assert new.version > views[-1].version


def test_entries_left_above_a_fall_are_withdrawn_by_the_jump_back() -> None:
    window = Window(ladder(), policy())
    window.on_price(302_050, 1)
    window.on_price(300_050, 2)

    change = window.on_price(310_050, 3)

    assert set(range(7, 11)) <= set(change.left)


def test_the_same_price_again_changes_nothing() -> None:
    window = Window(ladder(), policy())
    first = window.on_price(300_000, 1)

    again = window.on_price(300_000, 2)

    assert (again.view, again.levels) == (first.view, ())


def test_an_alarm_that_rings_at_once_is_not_kept() -> None:
    window = Window(ladder(), policy())
    window.on_price(300_000, 1)

    assert window.set_alarm(Alarm(level=4, high=300_000))
    assert window.on_price(300_001, 2).rung == ()


def test_an_alarm_hears_only_what_is_told_after_its_time_the_same_price_too() -> None:
    window = Window(ladder(), policy())
    window.on_price(300_100, 5)

    assert not window.set_alarm(Alarm(level=4, high=300_000, after_ms=6))
    again = window.on_price(300_100, 7)

    assert (again.rung, again.view.at_ms) == ((4,), 7)


def test_a_newer_alarm_of_a_level_replaces_the_older() -> None:
    window = Window(ladder(), policy())
    window.on_price(300_050, 1)
    window.set_alarm(Alarm(level=4, high=300_060))
    window.set_alarm(Alarm(level=4, high=300_100))

    assert window.on_price(300_070, 2).rung == ()
    rung = window.on_price(300_100, 3)
    assert (rung.rung, rung.levels) == ((4,), (4,))


def test_a_climb_tells_a_level_that_it_closed_and_that_it_left_and_never_again() -> None:
    window = Window(ladder(), policy())

    told = Counter(level for step in range(60) for level in window.on_price(300_050 + 200 * step, step).left)

    assert set(told) == set(range(-2, 57))
    assert max(told.values()) == 2
