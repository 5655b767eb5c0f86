"""Where levels lie, and which one a price is at."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from grid.errors import ConfigError
from grid.ladder import GridSide, Ladder, Spacing, check_geometric, interval_ticks
from grid.order import Side
from tests.grid_world import instrument, ladder


def geometric(side: GridSide = GridSide.LONG, *, anchor: int = 100_000, ratio: str = "1.01") -> Ladder:
    return Ladder(symbol="X", generation=1, side=side, spacing=Spacing.GEOMETRIC, anchor=anchor, ratio=Decimal(ratio))


def test_levels_are_counted_from_the_anchor() -> None:
    assert [ladder().price(index) for index in (-2, -1, 0, 1)] == [299_600, 299_800, 300_000, 300_200]


def test_a_short_ladder_counts_downward() -> None:
    short = ladder(GridSide.SHORT)

    assert [short.price(index) for index in (-2, -1, 0, 1)] == [300_400, 300_200, 300_000, 299_800]
    assert (GridSide.SHORT.entry_side, GridSide.LONG.entry_side) == (Side.SELL, Side.BUY)


@pytest.mark.parametrize(
    ("price", "top"), [(300_000, -1), (300_019, -1), (300_020, 0), (299_550, -3), (299_820, -1), (300_420, 2)]
)
def test_the_highest_entry_keeps_a_tenth_of_the_interval_from_the_price(price: int, top: int) -> None:
    assert ladder().ceiling_for_entries(price) == top


def test_the_guard_is_a_tenth_rounded_up_and_at_least_one_tick() -> None:
    assert [ladder(interval=interval).guard(0) for interval in (2, 10, 11, 200)] == [1, 1, 2, 20]


@pytest.mark.parametrize(("price", "floor"), [(300_000, 0), (299_999, -1), (300_199, 0), (300_200, 1)])
def test_the_floor_is_the_highest_level_at_or_under_the_price(price: int, floor: int) -> None:
    assert ladder().floor(price) == floor


def test_geometric_levels_are_the_ratios_powers_rounded_away_from_the_price() -> None:
    assert [geometric().price(index) for index in (-1, 0, 1, 2)] == [99_009, 100_000, 101_000, 102_010]
    assert geometric(GridSide.SHORT).price(1) == 99_010
    assert geometric().gap(0) == 1_000
    assert geometric().guard(0) == 100


def test_a_ladder_through_1000_from_above_has_each_level_once() -> None:
    rules = instrument(tick=Decimal("0.01"))
    levels = [rules.price(ladder(anchor=101_000, interval=25).price(-index)) for index in range(80)]

    assert levels[0] == Decimal("1010.00")
    assert levels[40] == Decimal("1000.00")
    assert levels[41] == Decimal("999.75")
    assert len(set(levels)) == 80
    assert levels == sorted(levels, reverse=True)


def test_levels_around_a_ten_millionth_stay_apart() -> None:
    tiny = ladder(anchor=1_000, interval=2)
    rules = instrument(tick=Decimal("1e-10"))

    assert rules.price(tiny.price(0)) == Decimal("1e-7")
    assert rules.price(tiny.price(-1)) == Decimal("9.98e-8")


@pytest.mark.parametrize(
    ("tick", "interval", "ticks"), [("0.1", "0.2", 2), ("0.5", "2", 4), ("5", "10", 2), ("1e-10", "2e-10", 2)]
)
def test_an_interval_of_whole_ticks_is_taken(tick: str, interval: str, ticks: int) -> None:
    assert interval_ticks("X", Decimal(interval), instrument(tick=Decimal(tick))) == ticks


@pytest.mark.parametrize(
    ("tick", "interval", "named"),
    [
        ("0.1", "0.25", "0.2 and 0.3"),
        ("0.5", "1.2", "1 and 1.5"),
        ("5", "12", "10 and 15"),
        ("5", "5", "10 and 15"),
        ("0.1", "0.05", "0.2 and 0.3"),
        ("1e-10", "3.5e-10", "0.0000000003 and 0.0000000004"),
    ],
)
def test_an_interval_off_the_tick_is_refused_naming_the_two_nearest(tick: str, interval: str, named: str) -> None:
    with pytest.raises(ConfigError, match=rf"the two nearest that work are {named}$"):
        interval_ticks("X", Decimal(interval), instrument(tick=Decimal(tick)))


def test_a_ratio_too_narrow_in_reach_is_refused_naming_one_that_works() -> None:
    narrow = geometric(anchor=1_000, ratio="1.001")

    with pytest.raises(ConfigError, match=r"two ticks apart, here [01]; [0-9.]+ works$") as refused:
        check_geometric(narrow, -20, 20)

    named = Decimal(refused.value.rule.split()[-2])
    check_geometric(replace(narrow, ratio=named, _known={}), -20, 20)


def test_a_reach_that_no_ratio_can_serve_is_said_so() -> None:
    with pytest.raises(ConfigError, match="no ratio works for so many levels"):
        check_geometric(geometric(anchor=20, ratio="1.001"), -200, 0)


@pytest.mark.parametrize("ratio", ["1", "0.99"])
def test_a_ratio_of_one_or_less_is_refused(ratio: str) -> None:
    with pytest.raises(ConfigError, match="must be above 1"):
        check_geometric(geometric(ratio=ratio), -1, 1)
