"""Breakers on money, and when they end."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from grid.errors import ConfigError
from risk.breakers import (
    BreakerKind,
    BreakerReading,
    BreakerRules,
    BreakerState,
    Drawdown,
    Reentry,
    evaluate,
    rebased,
)

AT = BreakerReading(symbol="ETHUSDT", profit=Decimal(0), layers=0, price=Decimal(3000))
RULES = BreakerRules(stop_loss=Decimal(100), take_profit_arm=Decimal(50), layers_max=5)


def at(profit: str, *, layers: int = 0, price: str | None = "3000", is_long: bool = True) -> BreakerReading:
    known = None if price is None else Decimal(price)
    return replace(AT, profit=Decimal(profit), layers=layers, price=known, is_long=is_long)


def run(rules: BreakerRules, *readings: tuple[int, BreakerReading]) -> tuple[BreakerState, str]:
    state, why = BreakerState(), ""
    for now_ms, reading in readings:
        state, why = evaluate(rules, state, reading, now_ms)
    return state, why


def test_a_stop_loss_trips_at_its_limit_and_not_before() -> None:
    assert run(RULES, (0, at("-99.99")))[1] == ""
    state, why = run(RULES, (0, at("-100")))
    assert "stop-loss" in why
    assert state.trip is not None
    assert state.trip.kind is BreakerKind.STOP_LOSS


def test_without_a_reentry_rule_only_an_operator_ends_it() -> None:
    state, why = run(RULES, (0, at("-100")), (10**9, at("500", price="9000")))
    assert "an operator lifts it" in why

    lifted = rebased(state, at("-100"))

    assert evaluate(RULES, lifted, at("-199.99"), 0)[1] == ""
    assert "stop-loss" in evaluate(RULES, lifted, at("-200"), 0)[1]


def test_after_a_stop_loss_cool_down_and_price_must_both_be_met() -> None:
    reentry = Reentry(cool_down_ms=60_000, recovery=Decimal("0.01"))
    rules = replace(RULES, reentry={BreakerKind.STOP_LOSS: reentry})
    tripped, _ = run(rules, (0, at("-100", price="3000")))

    assert "cool-down" in evaluate(rules, tripped, at("-100", price="3030"), 59_999)[1]
    assert "has not come back" in evaluate(rules, tripped, at("-100", price="3029.99"), 60_000)[1]
    assert "price is unknown" in evaluate(rules, tripped, at("-100", price=None), 60_000)[1]
    state, why = evaluate(rules, tripped, at("-100", price="3030"), 60_000)
    assert why == ""
    assert evaluate(rules, state, at("-101", price="3030"), 60_001)[1] == ""


def test_a_short_grid_waits_for_the_price_to_come_down() -> None:
    reentry = Reentry(cool_down_ms=0, recovery=Decimal("0.01"))
    rules = replace(RULES, reentry={BreakerKind.STOP_LOSS: reentry})
    tripped, _ = run(rules, (0, at("-100", is_long=False)))

    assert "has not come back" in evaluate(rules, tripped, at("-100", price="2970.01", is_long=False), 1)[1]
    assert evaluate(rules, tripped, at("-100", price="2970", is_long=False), 1)[1] == ""


def test_a_take_profit_trails_its_peak_once_armed() -> None:
    assert run(RULES, (0, at("49.99")), (1, at("10")))[1] == ""
    assert run(RULES, (0, at("100")), (1, at("70.01")))[1] == ""
    state, why = run(RULES, (0, at("100")), (1, at("70")))
    assert "gave back 30% of its peak 100" in why
    assert state.trip is not None
    assert state.trip.kind is BreakerKind.TAKE_PROFIT


def test_layers_end_by_cool_down_and_price_only_once_there_are_fewer() -> None:
    rules = replace(RULES, reentry={BreakerKind.LAYERS: Reentry(cool_down_ms=1_000)})
    tripped, why = run(rules, (0, at("0", layers=5)))
    assert "5 layers held, 5 allowed" in why

    assert "5 layers held" in evaluate(rules, tripped, at("0", layers=5), 1_000)[1]
    assert evaluate(rules, tripped, at("0", layers=4), 1_000)[1] == ""


def test_a_lift_of_layers_does_not_forgive_a_loss() -> None:
    rules = replace(RULES, reentry={BreakerKind.LAYERS: Reentry(cool_down_ms=0)})
    tripped, _ = run(rules, (0, at("-90", layers=5)))
    lifted, _ = evaluate(rules, tripped, at("-90", layers=4), 1)

    assert "stop-loss" in evaluate(rules, lifted, at("-100", layers=4), 2)[1]


@pytest.mark.parametrize(
    "make",
    [
        lambda: BreakerRules(stop_loss=Decimal(0)),
        lambda: BreakerRules(take_profit_give_back=Decimal(1)),
        lambda: BreakerRules(layers_max=0),
        lambda: Drawdown(fraction=Decimal(1)),
    ],
)
def test_limits_that_cannot_work_are_refused(make: type[BreakerRules]) -> None:
    with pytest.raises(ConfigError):
        make()


def test_a_drawdown_speaks_once_and_a_rebase_starts_anew() -> None:
    drawdown = Drawdown(fraction=Decimal("0.2"))

    assert drawdown.update(Decimal(100)) == ""
    assert drawdown.update(Decimal(200)) == ""
    assert drawdown.update(Decimal("160.01")) == ""
    assert "20.0% below its peak 200" in drawdown.update(Decimal(160))
    assert drawdown.update(Decimal(10)) == ""
    assert drawdown.is_tripped
    drawdown.rebase()
    assert drawdown.update(Decimal(10)) == ""
    assert not drawdown.is_tripped


def test_an_account_without_equity_is_a_drawdown_whatever_its_peak() -> None:
    assert "drawdown" in Drawdown(fraction=Decimal("0.2")).update(Decimal(0))


PRICES = BreakerRules(stop_price=Decimal(2900), profit_price=Decimal(3100))
MIRRORED = BreakerRules(stop_price=Decimal(3100), profit_price=Decimal(2900))


@pytest.mark.parametrize(
    ("rules", "is_long", "price", "kind"),
    [
        (PRICES, True, "2900.01", None),
        (PRICES, True, "2900", BreakerKind.STOP_PRICE),
        (PRICES, True, "3099.99", None),
        (PRICES, True, "3100", BreakerKind.PROFIT_PRICE),
        (MIRRORED, False, "3099.99", None),
        (MIRRORED, False, "3100", BreakerKind.STOP_PRICE),
        (MIRRORED, False, "2900.01", None),
        (MIRRORED, False, "2900", BreakerKind.PROFIT_PRICE),
        (PRICES, True, None, None),
    ],
)
def test_a_price_of_the_whole_grid_trips_at_it_and_on_its_own_side(
    rules: BreakerRules, is_long: bool, price: str | None, kind: BreakerKind | None
) -> None:
    state, why = run(rules, (0, at("0", price=price, is_long=is_long)))

    assert (state.trip.kind if state.trip is not None else None) is kind
    assert bool(why) is (kind is not None)


def test_a_stop_price_stands_while_the_mark_is_beyond_it_however_often_it_is_cleared() -> None:
    tripped, _ = run(PRICES, (0, at("0", price="2890")))

    again, why = evaluate(PRICES, rebased(tripped, at("0", price="2890")), at("0", price="2890"), 10)

    assert again.trip is not None
    assert "stop_price" in why
    assert evaluate(PRICES, rebased(tripped, at("0", price="2901")), at("0", price="2901"), 10)[1] == ""


def test_a_stop_price_ends_by_cool_down_only_once_the_mark_is_back_over_it() -> None:
    back = Reentry(cool_down_ms=1_000)
    rules = replace(PRICES, reentry={BreakerKind.STOP_PRICE: back})
    tripped, _ = run(rules, (0, at("0", price="2890")))

    assert "stop_price" in evaluate(rules, tripped, at("0", price="2895"), 5_000)[1]
    assert evaluate(rules, tripped, at("0", price="2905"), 5_000)[1] == ""


def test_a_goal_that_was_reached_ends_by_an_operator_only() -> None:
    rules = replace(PRICES, reentry={BreakerKind.STOP_PRICE: Reentry(cool_down_ms=0)})
    tripped, _ = run(rules, (0, at("0", price="3200")))

    assert "an operator lifts it" in evaluate(rules, tripped, at("0", price="3000"), 10**9)[1]
