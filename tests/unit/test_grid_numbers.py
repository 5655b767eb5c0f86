"""Ticks, steps, amounts and lots: awkward numbers stay exact."""

from __future__ import annotations

from decimal import Decimal

import pytest

from grid.instrument import OffGrid
from grid.lot import Lot, add_fees, merge, share
from grid.sizing import entry_quantity, is_valid_opening, smallest_amount, steps_for
from tests.grid_world import instrument

BITCOIN = {"symbol": "BTCUSDT", "tick": Decimal("0.1"), "step": Decimal("0.001"), "notional_min": Decimal(100)}


@pytest.mark.parametrize(
    ("tick", "price", "floor", "ceiling"),
    [
        ("0.1", "10.05", 100, 101),
        ("0.1", "10.1", 101, 101),
        ("0.5", "3000.7", 6001, 6002),
        ("5", "97002", 19400, 19401),
        ("1e-8", "1e-7", 10, 10),
        ("0.1", "-10.05", -101, -100),
    ],
)
def test_a_price_between_two_ticks_is_rounded_outward_or_refused(
    tick: str, price: str, floor: int, ceiling: int
) -> None:
    rules = instrument(tick=Decimal(tick))

    assert rules.ticks_floor(Decimal(price)) == floor
    assert rules.ticks_ceil(Decimal(price)) == ceiling
    if floor == ceiling:
        assert rules.ticks(Decimal(price)) == floor
        assert rules.price(floor) == Decimal(price)
    else:
        with pytest.raises(OffGrid, match=r"no whole number"):
            rules.ticks(Decimal(price))


def test_a_quantity_between_two_steps_is_cut_or_refused() -> None:
    rules = instrument(step=Decimal("0.01"))

    assert rules.steps(Decimal("0.29")) == 29
    assert rules.quantity(29) == Decimal("0.29")
    with pytest.raises(OffGrid):
        rules.steps(Decimal("0.299"))


def test_notional_is_price_times_quantity_exactly() -> None:
    assert instrument().notional(300_200, 9) == Decimal("27.018")


def test_the_amount_is_rounded_down_to_whole_steps_and_never_up() -> None:
    rules = instrument()

    assert steps_for(Decimal(30), 300_200, rules) == 9
    assert steps_for(Decimal("30.02"), 300_200, rules) == 10
    assert entry_quantity(Decimal(30), 300_200, rules) == 9


def test_fifty_dollars_of_a_coin_at_97000_are_refused_naming_two_steps_as_the_smallest() -> None:
    rules = instrument(**BITCOIN)

    assert entry_quantity(Decimal(50), 970_000, rules) == 0
    assert smallest_amount(970_000, rules) == Decimal(194)
    assert entry_quantity(Decimal(194), 970_000, rules) == 2
    assert entry_quantity(Decimal("193.99"), 970_000, rules) == 0


def test_a_notional_minimum_met_exactly_needs_no_further_step() -> None:
    rules = instrument(**BITCOIN)

    assert smallest_amount(1_000_000, rules) == Decimal(100)
    assert entry_quantity(Decimal(110), 1_000_000, rules) == 1


def test_the_quantity_minimum_rules_where_it_is_the_larger_one() -> None:
    rules = instrument(quantity_min=50, notional_min=Decimal(5))

    assert smallest_amount(100_000, rules) == Decimal(50)
    assert not is_valid_opening(49, 100_000, rules)
    assert is_valid_opening(50, 100_000, rules)


def test_a_coin_of_a_ten_millionth_is_counted_exactly() -> None:
    rules = instrument(tick=Decimal("1e-8"), step=Decimal(1), quantity_max=10**12, notional_min=Decimal(5))

    quantity = entry_quantity(Decimal(30), 10, rules)

    assert quantity == 300_000_000
    assert rules.notional(10, quantity) == Decimal(30)


def lot() -> Lot:
    fees = (("BNB", Decimal("0.00001")), ("USDT", Decimal("0.006")))
    return Lot(quantity=7, cost=Decimal("20.986"), target=300_000, fees=fees, funding=Decimal("-0.001"), opened_ms=5)


@pytest.mark.parametrize("taken", range(1, 7))
def test_the_parts_of_a_split_lot_add_up_to_the_whole(taken: int) -> None:
    leaving, staying = lot().split(taken)

    assert staying is not None
    assert merge([leaving, staying]) == (7, Decimal("20.986"))
    assert leaving.quantity == taken
    assert add_fees(leaving.fees, staying.fees) == lot().fees
    assert leaving.funding + staying.funding == Decimal("-0.001")
    assert (leaving.target, staying.target, staying.opened_ms) == (300_000, 300_000, 5)
    assert abs(leaving.cost - Decimal("20.986") * taken / 7) <= Decimal("1e-12")


def test_a_whole_lot_leaves_untouched_and_nothing_stays() -> None:
    assert lot().split(7) == (lot(), None)


@pytest.mark.parametrize("taken", [0, -1, 8])
def test_more_than_a_lot_or_nothing_cannot_leave_it(taken: int) -> None:
    with pytest.raises(ValueError, match="of a lot of 7"):
        lot().split(taken)


def test_a_further_fill_adds_cost_and_fees_and_keeps_the_target() -> None:
    grown = lot().grown(3, Decimal("9"), (("USDT", Decimal("0.001")),))

    assert (grown.quantity, grown.cost, grown.target) == (10, Decimal("29.986"), 300_000)
    assert dict(grown.fees) == {"BNB": Decimal("0.00001"), "USDT": Decimal("0.007")}


def test_the_whole_share_is_not_rounded() -> None:
    odd = Decimal("0.12345678901234567")

    assert share(odd, 3, 3) == odd
    assert share(Decimal(1), 1, 3) == Decimal("0.333333333333")
