"""A grid between two prices: where its levels lie, what it buys, and what is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid.bounded import PriceRange, TrailLimit
from grid.decision import Place, Stay, Surroundings, Withdraw, decide
from grid.errors import ConfigError
from grid.ladder import GridSide, Ladder, Spacing
from grid.order import Purpose
from grid.reasons import Reason
from grid.slot import Phase, SlotKey, SlotOrder, SlotState
from grid.window import Window
from risk.liquidation import full_ladder
from tests.grid_world import instrument, policy
from tests.unit.risk_plans import eth

ETH = instrument()


def between(low: str, high: str, count: int) -> PriceRange:
    return PriceRange(symbol="ETHUSDT", low=Decimal(low), high=Decimal(high), count=count)


def ladder_of(bounds: PriceRange, side: GridSide, spacing: Spacing) -> Ladder:
    is_even = spacing is Spacing.ARITHMETIC
    return Ladder(
        symbol="ETHUSDT",
        generation=1,
        side=side,
        spacing=spacing,
        anchor=bounds.anchor(side, ETH),
        interval=bounds.interval(ETH) if is_even else 0,
        ratio=Decimal(1) if is_even else bounds.ratio(),
    )


@pytest.mark.parametrize("side", list(GridSide))
@pytest.mark.parametrize("spacing", list(Spacing))
def test_the_first_level_is_one_end_and_the_last_target_the_other(side: GridSide, spacing: Spacing) -> None:
    bounds = between("2700", "3300", 300)
    levels = ladder_of(bounds, side, spacing)

    ends = (levels.price(0), levels.price(300))

    assert ends == ((270_000, 330_000) if side is GridSide.LONG else (330_000, 270_000))


@given(
    low=st.integers(min_value=10_000, max_value=500_000),
    width=st.integers(min_value=500, max_value=500_000),
    count=st.integers(min_value=2, max_value=100),
    side=st.sampled_from(GridSide),
)
def test_a_geometric_range_ends_at_its_ends_to_the_tick(low: int, width: int, count: int, side: GridSide) -> None:
    bounds = PriceRange(symbol="ETHUSDT", low=ETH.price(low), high=ETH.price(low + width), count=count)
    levels = ladder_of(bounds, side, Spacing.GEOMETRIC)

    assert {levels.price(0), levels.price(count)} == {low, low + width}


def test_steps_that_are_no_whole_ticks_are_refused_and_the_named_ends_work() -> None:
    with pytest.raises(ConfigError) as refused:
        between("2700", "3300.01", 300).interval(ETH)

    named = re.findall(r"[0-9.]+", refused.value.rule.partition("a high of ")[2])[:2]
    assert [between("2700", high, 300).interval(ETH) for high in named] == [200, 201]
    with pytest.raises(ConfigError):
        between("2700.001", "3300", 300).anchor(GridSide.LONG, ETH)


def around(price: int, side: GridSide = GridSide.LONG, count: int = 10) -> Surroundings:
    levels = Ladder(
        symbol="ETHUSDT",
        generation=1,
        side=side,
        spacing=Spacing.ARITHMETIC,
        anchor=300_000,
        interval=200,
    )
    rules = policy(lowest_level=0, highest_level=count - 1)
    view = Window(levels, rules).on_price(side.sign * price, 1_000).view
    return Surroundings(
        ladder=levels, policy=rules, instrument=ETH, view=view, holds=(), has_older_lot=False, now_ms=100_000
    )


def slot(level: int) -> SlotState:
    return SlotState(key=SlotKey(symbol="ETHUSDT", generation=1, level=level))


def wanted(world: Surroundings) -> list[int]:
    return [level for level in range(-20, 40) if isinstance(decide(slot(level), world), Place)]


@pytest.mark.parametrize(
    ("price", "levels"),
    [
        (301_500, [5, 6, 7]),
        (300_100, [0]),  # the window reaches under the range, the grid does not
        (299_000, []),
        (302_000, [7, 8, 9]),
        (350_000, [7, 8, 9]),  # far above, what is nearest goes on resting
    ],
)
def test_it_buys_inside_its_range_and_nowhere_else(price: int, levels: list[int]) -> None:
    assert wanted(around(price)) == levels
    assert wanted(around(600_000 - price, GridSide.SHORT)) == levels


def test_a_level_outside_says_so_and_an_entry_there_goes() -> None:
    stay = decide(slot(-1), around(300_100))
    assert isinstance(stay, Stay)
    assert stay.reason is Reason.OUT_OF_RANGE

    state = slot(9)
    order = SlotOrder(
        client_id="in",
        purpose=Purpose.ENTRY,
        side=GridSide.LONG.entry_side,
        price=301_800,
        quantity=10,
        target=302_000,
        placed_ms=0,
    )
    live = replace(state, phase=Phase.LOCKED, order=order)
    assert isinstance(decide(live, around(302_000)), Stay)
    gone = decide(live, around(302_000, count=9))
    assert isinstance(gone, Withdraw)
    assert gone.reason is Reason.OUT_OF_RANGE


def test_the_checks_count_no_level_outside() -> None:
    free = replace(eth(max_lots=20, anchor=298_000), reference=300_000)
    bounded = replace(free, policy=replace(free.policy, lowest_level=0, highest_level=9))

    assert free.levels_to_buy(20) == list(range(9, -11, -1))
    assert bounded.levels_to_buy(20) == list(range(9, -1, -1))
    assert full_ladder(bounded, 20).last_price == 2980
    assert replace(bounded, reference=400_000).first_index == 9


def limited(low: str | None, high: str | None) -> TrailLimit:
    ends = [None if end is None else Decimal(end) for end in (low, high)]
    return TrailLimit(symbol="ETHUSDT", low=ends[0], high=ends[1])


@given(
    st.none() | st.integers(280_000, 299_000),
    st.none() | st.integers(301_000, 330_000),
    st.sampled_from(GridSide),
    st.sampled_from(Spacing),
)
def test_a_limit_keeps_levels_with_their_targets_inside_and_leaves_out_no_other(
    low: int | None, high: int | None, side: GridSide, spacing: Spacing
) -> None:
    levels = ladder_of(between("2950", "3050", 100), side, spacing)
    found = limited(*(None if end is None else str(ETH.price(end)) for end in (low, high))).levels(levels, ETH)
    rules = policy(lowest_level=found[0], highest_level=found[1])

    for level in range(-400, 400):
        ends = (levels.price(level), levels.price(level + 1))
        is_inside = (low is None or min(ends) >= low) and (high is None or max(ends) <= high)
        assert rules.has(level) == is_inside, level


def test_a_limit_without_a_level_is_refused_by_name() -> None:
    levels = ladder_of(between("2700", "3300", 300), GridSide.LONG, Spacing.ARITHMETIC)

    assert limited("2999", "3003").levels(levels, ETH) == (150, 150)
    for narrow in (("2999", "3001"), ("3000.50", "3001.50")):
        with pytest.raises(ConfigError, match="no level lies between them"):
            limited(*narrow).levels(levels, ETH)
