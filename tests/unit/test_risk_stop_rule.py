"""Where the exchange-side stop lies: it stands still in a fall, follows a climb, and is checked before the wire."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from grid.ladder import GridSide, Ladder, Spacing
from grid.order import Side
from grid.stop import StopRequest, WorkingType
from risk.stop_rule import StopRule, approve_stop, ladder_end
from risk.veto import ApprovedStop
from risk.wire_check import Vetoed
from tests.unit.risk_plans import ETH, eth

MAX_LOTS = 20
POLICY = eth(max_lots=MAX_LOTS).policy
RULE = StopRule(distance=Decimal("0.05"))


def ladder(side: GridSide = GridSide.LONG) -> Ladder:
    return Ladder(symbol="ETHUSDT", generation=0, side=side, spacing=Spacing.ARITHMETIC, anchor=300_000, interval=200)


def oriented(side: GridSide, price: int) -> int:
    return side.sign * price


@pytest.mark.parametrize("side", GridSide)
def test_the_end_of_an_empty_ladder_is_the_one_that_the_start_checks(side: GridSide) -> None:
    plan = eth(side=side)
    first = plan.levels_to_buy(MAX_LOTS)[-1]

    assert ladder_end(ladder(side), [], oriented(side, 300_000), POLICY) == plan.ladder.price(first)


@pytest.mark.parametrize("side", GridSide)
def test_it_stands_still_while_a_fall_buys_level_after_level(side: GridSide) -> None:
    levels = ladder(side)
    held: list[int] = []
    ends = {ladder_end(levels, held, oriented(side, 300_000), POLICY)}
    for index in range(-1, -MAX_LOTS - 1, -1):
        held.append(levels.at(index))
        # before and after the feed has told of the price that bought it
        ends |= {ladder_end(levels, held, levels.at(index) + ahead, POLICY) for ahead in (20, 190)}

    assert ends == {levels.price(-MAX_LOTS)}


def test_it_stays_under_the_lowest_lot_and_is_known_without_a_price() -> None:
    levels = ladder()
    held = [levels.at(-1), levels.at(-2)]

    assert ladder_end(levels, held, None, POLICY) == levels.price(-MAX_LOTS)
    assert ladder_end(levels, held, levels.at(100), POLICY) == levels.price(-2)


def test_it_moves_by_a_tenth_of_its_distance_and_never_for_less() -> None:
    end = 296_000
    resting = RULE.trigger(end, ETH, 1)
    assert resting == 281_200
    for ends, moves in ((end + 1_400, False), (end + 1_600, True), (end - 1_400, False), (end - 1_700, True)):
        assert RULE.is_to_move(resting, RULE.trigger(ends, ETH, 1), ends, 1) is moves


def test_one_that_has_come_to_lie_inside_the_ladder_moves_at_once() -> None:
    wide = StopRule(distance=Decimal("0.5"))
    assert wide.is_to_move(150_000, wide.trigger(149_000, ETH, 1), 149_000, 1)


def test_a_fixed_price_never_moves_but_by_a_new_configuration() -> None:
    rule = StopRule(price=Decimal(2500))
    assert rule.trigger(296_000, ETH, 1) == rule.trigger(250_100, ETH, 1) == 250_000
    assert not rule.is_to_move(250_000, 250_000, 249_000, 1)
    assert rule.is_to_move(249_000, 250_000, 296_000, 1)


REQUEST = StopRequest(symbol="ETHUSDT", client_id="gA1", side=Side.SELL, trigger=281_200, working_type=WorkingType.MARK)


def test_a_stop_that_closes_something_may_go() -> None:
    assert isinstance(approve_stop(REQUEST, instrument=ETH, position=20, lots=20), ApprovedStop)
    short = replace(REQUEST, side=Side.BUY)
    assert isinstance(approve_stop(short, instrument=ETH, position=-20, lots=-20), ApprovedStop)


@pytest.mark.parametrize(
    ("request_", "position", "lots"),
    [
        (replace(REQUEST, side=Side.BUY), 20, 20),
        (REQUEST, 0, 0),
        (REQUEST, -5, 20),
        (replace(REQUEST, trigger=0), 20, 20),
        (replace(REQUEST, client_id="t1"), 20, 20),
        (replace(REQUEST, symbol="BTCUSDT"), 20, 20),
    ],
)
def test_one_that_would_open_or_is_none_may_not(request_: StopRequest, position: int, lots: int) -> None:
    assert isinstance(approve_stop(request_, instrument=ETH, position=position, lots=lots), Vetoed)


@pytest.mark.parametrize("side", list(GridSide))
def test_a_bounded_ladder_ends_at_its_level_zero_wherever_the_price_is(side: GridSide) -> None:
    levels, bounded = ladder(side), replace(POLICY, lowest_level=0, highest_level=9)

    for index in (-30, 0, 5, 9, 40):
        assert ladder_end(levels, [], levels.at(index) + 30, bounded) == levels.price(0)
    assert ladder_end(levels, [], levels.at(40), replace(bounded, max_lots=3)) == levels.price(7)
