"""What a new grid begins with: which levels, at what price, and how much of it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from grid.ladder import GridSide, Ladder, Spacing
from grid.opening import OpeningRule, levels_to_open, order_of
from grid.window import Window
from tests.grid_world import instrument, ladder, policy

ETH = instrument()
RATIO = Decimal("1.0007")


@st.composite
def ladders(draw: st.DrawFn) -> Ladder:
    plain = ladder(draw(st.sampled_from(GridSide)), anchor=300_000, interval=draw(st.integers(2, 400)))
    return replace(plain, spacing=Spacing.GEOMETRIC, ratio=RATIO, _known={}) if draw(st.booleans()) else plain


@given(
    ladders(),
    st.integers(290_000, 310_000),
    st.none() | st.integers(1, 9),
    st.none() | st.integers(-40, 40),
    st.integers(1, 12),
    st.integers(0, 3),
)
def test_it_is_the_nearest_levels_over_the_price_up_to_every_limit(
    levels: Ladder, price: int, wanted: int | None, highest: int | None, max_lots: int, lots: int
) -> None:
    rules = policy(highest_level=highest, max_lots=max_lots)
    rule = OpeningRule(levels=wanted, slippage=Decimal("0.002"))
    reference = levels.side.sign * price

    found = levels_to_open(rule, levels, rules, ETH, reference, lots)

    assert len(found) <= max(0, max_lots - lots)
    assert wanted is None or len(found) <= wanted
    assert wanted is not None or highest is not None or found == ()
    assert all(levels.at(level) > reference and (highest is None or level <= highest) for level in found)
    assert list(found) == list(range(found[0], found[0] + len(found))) if found else True
    if found:
        assert levels.at(found[0] - 1) <= reference
        window = Window(levels, rules)
        assert not set(found) & set(range(window.on_price(reference, 1).view.top + 1))
    is_short_of_all = wanted is None or len(found) < wanted
    if found and highest is not None and is_short_of_all and len(found) < max_lots - lots:
        assert found[-1] == highest


@given(ladders(), st.integers(290_000, 310_000), st.integers(1, 30), st.integers(0, 50))
def test_no_order_pays_more_than_its_level_the_limit_or_the_amount(
    levels: Ladder, mark: int, away: int, per_mille: int
) -> None:
    sign, rules = levels.side.sign, policy()
    rule = OpeningRule(levels=1, slippage=Decimal(per_mille) / 1000)
    limit = rule.limit(ETH.price(mark), ETH, sign)
    level = levels.floor(sign * mark) + away

    order = order_of(level, levels, rules, ETH, limit)

    assert sign * (Decimal(limit) / mark - 1) <= rule.slippage
    if order is not None:
        price, quantity = order
        assert sign * price == min(sign * limit, levels.at(level))
        assert ETH.notional(price, quantity) <= rules.amount
        assert ETH.notional(levels.price(level), quantity) <= rules.amount
