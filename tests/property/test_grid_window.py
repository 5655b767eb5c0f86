"""The window's differences against a recomputation of everything, over paths with jumps."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from grid.ladder import GridSide, Ladder, Spacing
from grid.policy import GridPolicy
from grid.window import Alarm, Window
from tests.grid_world import ladder, policy

MOVES = st.lists(st.one_of(st.integers(-60, 60), st.integers(-3_000, 3_000)), max_size=60)


@st.composite
def grids(draw: st.DrawFn) -> tuple[Ladder, GridPolicy]:
    side = draw(st.sampled_from(GridSide))
    levels = ladder(side, anchor=100_000, interval=draw(st.integers(2, 300)))
    if draw(st.booleans()):
        ratio = 1 + Decimal(draw(st.integers(1, 30))) / 1000
        levels = replace(levels, spacing=Spacing.GEOMETRIC, ratio=ratio, _known={})
    rules = policy(
        buy_window=draw(st.integers(1, 6)),
        sell_window=draw(st.none() | st.integers(1, 6)),
        entry_slack=draw(st.integers(0, 3)),
        lowest_level=draw(st.none() | st.integers(-6, 0)),
        highest_level=draw(st.none() | st.integers(0, 6)),
    )
    return levels, rules


def top_and_floor(levels: Ladder, rules: GridPolicy, price: int) -> tuple[int, int]:
    """Rule 5, by walking the levels."""
    floor = 0
    while levels.at(floor) > price:
        floor -= 1
    while levels.at(floor + 1) <= price:
        floor += 1
    top = floor + 1
    while levels.at(top) > price - max(1, -(-levels.gap(top) // 10)):
        top -= 1
    return top if rules.highest_level is None else min(top, rules.highest_level), floor


@given(grids(), MOVES)
def test_a_difference_is_what_a_recomputation_finds(grid: tuple[Ladder, GridPolicy], moves: list[int]) -> None:
    levels, rules = grid
    window = Window(levels, rules)
    price = levels.at(0)
    may_rest: set[int] = set()
    open_before: set[int] = set()
    floor_before: int | None = None

    for step, move in enumerate([0, *moves]):
        price += move
        change = window.on_price(price, 1_000 + step)

        top, floor = top_and_floor(levels, rules, price)
        open_now = set(range(top - rules.buy_window + 1, top + 1))
        lowest_kept = min(open_now) - rules.entry_slack
        must_leave = {level for level in may_rest if level < lowest_kept}
        assert (change.view.price, change.view.top, change.view.floor) == (price, top, floor)
        assert set(change.entered) == open_now - open_before
        closed = open_before - open_now
        assert set(change.left) >= must_leave | closed
        assert all(level < lowest_kept or level in closed for level in change.left)
        if floor_before is not None and rules.sell_window is not None:
            reach = range(min(floor, floor_before) - 8, max(floor, floor_before) + 8)
            due = {
                level
                for level in reach
                if levels.at(floor_before + rules.sell_window) < levels.at(level + 1)
                and levels.at(level + 1) <= levels.at(floor + rules.sell_window)
            }
            assert set(change.due) == due
        else:
            assert change.due == ()
        may_rest = (may_rest | open_now) - must_leave
        open_before, floor_before = open_now, floor


@given(grids(), MOVES)
def test_messages_grow_with_levels_crossed_and_a_quote_that_crosses_nothing_says_nothing(
    grid: tuple[Ladder, GridPolicy], moves: list[int]
) -> None:
    levels, rules = grid
    window = Window(levels, rules)
    view = window.on_price(levels.at(0), 1).view
    told, crossed = 0, 0

    for step, move in enumerate(moves):
        change = window.on_price(view.price + move, 2 + step)
        crossed += abs(change.view.top - view.top) + abs(change.view.floor - view.floor)
        told += len(change.entered) + len(change.left) + len(change.due)
        has_moved = (change.view.top, change.view.floor) != (view.top, view.floor)
        assert change.view.version == view.version + has_moved
        assert has_moved or change.levels == ()
        view = change.view

    assert told <= 4 * crossed + rules.buy_window


@given(grids(), MOVES, st.integers(-2_000, 2_000), st.integers(0, 2_000))
def test_an_alarm_rings_once_at_the_first_price_outside_its_band(
    grid: tuple[Ladder, GridPolicy], moves: list[int], low: int, width: int
) -> None:
    levels, rules = grid
    window = Window(levels, rules)
    start = price = levels.at(0)
    alarm = Alarm(level=-7, low=start + low, high=start + low + width)
    window.on_price(price, 1)
    rang = [window.set_alarm(alarm)]

    for step, move in enumerate(moves):
        price += move
        rang.append(-7 in window.on_price(price, 2 + step).rung)

    path = [start]
    for move in moves:
        path.append(path[-1] + move)
    outside = [not start + low < price < start + low + width for price in path]
    first = outside.index(True) if True in outside else None
    assert rang == [index == first for index in range(len(path))]
