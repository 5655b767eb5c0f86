"""What `init` proposes: what every proposal has to satisfy, whatever the market, the funds and the wish."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from grid.decision import pays
from grid.errors import ConfigError
from grid.ladder import GridSide, Ladder, Spacing
from grid.sizing import entry_quantity
from risk.candle import Candle
from risk.proposal import CANDLES_MIN, LOTS_MIN, Appetite, Movement, Wish, movement, propose
from tests.unit.risk_plans import ETH

MINUTES_15_MS = 900_000


def candle(index: int, high: str, low: str, *, is_closed: bool = True) -> Candle:
    opened = index * MINUTES_15_MS
    return Candle(
        symbol="ETHUSDT",
        open_ms=opened,
        close_ms=opened + MINUTES_15_MS - 1,
        open=Decimal(3000),
        high=Decimal(high),
        low=Decimal(low),
        close=Decimal(3000),
        volume=Decimal(1),
        is_closed=is_closed,
    )


def test_the_day_s_range_is_the_candle_s_by_the_root_of_its_time() -> None:
    found = movement([candle(index, "3006", "2994") for index in range(CANDLES_MIN)])

    assert found is not None
    assert found.candle_range == Decimal("0.004")
    assert found.day_range == Decimal("0.004") * Decimal(96).sqrt()


def test_a_candle_that_still_runs_counts_for_nothing() -> None:
    closed = [candle(index, "3006", "2994") for index in range(CANDLES_MIN - 1)]

    assert movement([*closed, candle(99, "9000", "1", is_closed=False)]) is None


def test_a_market_that_never_moved_is_no_ground_for_a_step() -> None:
    assert movement([candle(index, "3000", "3000") for index in range(CANDLES_MIN)]) is None


@given(
    price=st.integers(min_value=50_000, max_value=10_000_000),
    share=st.decimals(min_value="0.00005", max_value="0.05", places=5),
    funds=st.decimals(min_value=20, max_value=1_000_000, places=0),
    fee=st.sampled_from([Decimal("0"), Decimal("0.0002"), Decimal("0.0005")]),
    side=st.sampled_from(GridSide),
    appetite=st.sampled_from(Appetite),
)
@example(
    price=300_000,
    share=Decimal("0.005"),
    funds=Decimal(1000),
    fee=Decimal("0.0002"),
    side=GridSide.LONG,
    appetite=Appetite.MEDIUM,
)
def test_every_step_earns_every_amount_buys_and_all_lots_fit_the_funds(
    price: int, share: Decimal, funds: Decimal, fee: Decimal, side: GridSide, appetite: Appetite
) -> None:
    moved = Movement(candles=500, candle_ms=MINUTES_15_MS, candle_range=share, day_range=share * Decimal(96).sqrt())
    wish = Wish(side=side, appetite=appetite, funds=funds, leverage=appetite.leverage)
    try:
        made = propose(ETH, price, fee, moved, wish)
    except ConfigError:
        assume(False)
        raise

    ladder = Ladder(
        symbol="ETHUSDT",
        generation=0,
        side=side,
        spacing=Spacing.ARITHMETIC,
        anchor=price,
        interval=ETH.ticks(made.interval),
    )
    for level in (-1, -made.max_lots):
        assert pays(ladder, level, fee)
        assert ladder.price(level) > 0
    assert entry_quantity(made.amount, price, ETH) > 0
    assert entry_quantity(made.amount, int(price * Decimal("1.09")), ETH) > 0
    assert made.max_lots >= LOTS_MIN
    assert made.buy_window <= made.max_lots
    assert made.max_lots * made.amount / made.leverage * Decimal("1.2") <= funds


def test_funds_that_are_too_small_are_refused_and_the_named_ones_work() -> None:
    moved = Movement(candles=500, candle_ms=MINUTES_15_MS, candle_range=Decimal("0.005"), day_range=Decimal("0.05"))

    def wish(funds: Decimal) -> Wish:
        return Wish(side=GridSide.LONG, appetite=Appetite.LOW, funds=funds, leverage=1)

    with pytest.raises(ConfigError) as refused:
        propose(ETH, 300_000, Decimal("0.0002"), moved, wish(Decimal(100)))
    works = Decimal(refused.value.rule.rpartition("; ")[2].split()[0])

    assert propose(ETH, 300_000, Decimal("0.0002"), moved, wish(works)).max_lots == LOTS_MIN
    with pytest.raises(ConfigError):
        propose(ETH, 300_000, Decimal("0.0002"), moved, wish(works - 2))


def test_a_wilder_market_gets_wider_steps_and_a_greater_appetite_a_shorter_ladder() -> None:
    def made(share: str, appetite: Appetite) -> tuple[Decimal, Decimal]:
        moved = Movement(
            candles=500,
            candle_ms=MINUTES_15_MS,
            candle_range=Decimal(share),
            day_range=Decimal(share) * Decimal(96).sqrt(),
        )
        found = propose(
            ETH,
            300_000,
            Decimal("0.0002"),
            moved,
            Wish(side=GridSide.LONG, appetite=appetite, funds=Decimal(100_000), leverage=2),
        )
        return found.interval, found.depth

    assert made("0.01", Appetite.LOW)[0] > made("0.004", Appetite.LOW)[0]
    assert made("0.004", Appetite.LOW)[1] > made("0.004", Appetite.HIGH)[1]


@pytest.mark.parametrize("funds", [1_000, 2_000, 5_000])
def test_no_proposal_places_orders_that_count_as_dust_where_the_funds_allow_larger_ones(funds: int) -> None:
    moved = Movement(candles=40, candle_ms=MINUTES_15_MS, candle_range=Decimal("0.004"), day_range=Decimal("0.039"))
    wish = Wish(side=GridSide.LONG, appetite=Appetite.MEDIUM, funds=Decimal(funds), leverage=2)
    price = ETH.ticks(Decimal(3000))

    made = propose(ETH, price, Decimal("0.0002"), moved, wish)

    prices = range(price * 9 // 10, price * 11 // 10, 97)
    assert all(ETH.notional(one, entry_quantity(made.amount, one, ETH)) >= 50 for one in prices)
