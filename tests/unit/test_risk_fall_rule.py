"""One coin by the fall rule: how far is a fall, what is usual, what has recovered."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from grid.errors import ConfigError
from risk.candle import Candle
from risk.coin_window import CoinWindow
from risk.detector import CoinDetector, Condition
from risk.fall_rule import FallRule
from risk.rules import DetectorKind, RiskRules
from tests.unit.risk_candles import MINUTE, candle, running

RULE = FallRule(window=3, baseline=6, multiplier=Decimal(5), fall_min=Decimal("0.02"), fall_max=Decimal("0.05"))


def fed(*candles: Candle, rule: FallRule = RULE) -> CoinDetector:
    made = CoinDetector("BTCUSDT", rule, interval_ms=MINUTE, stale_ms=15_000)
    made.stream_up()
    for one in candles:
        made.add(one, now_ms=0)
    return made


def flat(count: int = 4) -> list[Candle]:
    return [candle(place) for place in range(count)]


def swinging(count: int, swing: str) -> list[Candle]:
    """Closes of 100 and 100 - swing by turns, the last one of 100."""
    low = str(Decimal(100) - Decimal(swing))
    return [candle(place, close="100" if (count - place) % 2 else low) for place in range(count)]


def fell_to(place: int, low: str, close: str) -> Candle:
    return replace(running(place, close=close), low=Decimal(low))


@pytest.mark.parametrize(("low", "expected"), [("98", Condition.ANOMALOUS), ("98.01", Condition.CALM)])
def test_a_coin_that_never_moves_falls_by_the_lower_bound(low: str, expected: Condition) -> None:
    assert fed(*flat(), running(4, close=low)).read(0).condition is expected


@pytest.mark.parametrize(("low", "expected"), [("97", Condition.ANOMALOUS), ("97.01", Condition.CALM)])
def test_a_coin_that_moves_has_to_fall_by_so_many_usual_moves(low: str, expected: Condition) -> None:
    assert fed(*swinging(8, "0.6"), running(8, close=low)).read(0).condition is expected


@pytest.mark.parametrize(("low", "expected"), [("95", Condition.ANOMALOUS), ("95.01", Condition.CALM)])
def test_a_coin_that_moves_wildly_falls_by_the_upper_bound(low: str, expected: Condition) -> None:
    assert fed(*swinging(8, "4"), running(8, close=low)).read(0).condition is expected


def test_the_fall_counts_from_the_highest_close_within_the_window_and_no_farther() -> None:
    at_the_edge = [candle(0, close="103"), *[candle(place) for place in range(1, 3)], running(3, close="99")]
    beyond = [candle(0, close="103"), *[candle(place) for place in range(1, 4)], running(4, close="99")]
    high_but_not_closed = [replace(candle(place), high=Decimal(110)) for place in range(4)]

    rule = replace(RULE, multiplier=Decimal("0.1"))
    assert fed(*at_the_edge, rule=rule).read(0).condition is Condition.ANOMALOUS
    assert fed(*beyond, rule=rule).read(0).condition is Condition.CALM
    assert fed(*high_but_not_closed, running(4, close="99"), rule=rule).read(0).condition is Condition.CALM


def test_a_low_counts_though_the_price_came_back() -> None:
    made = fed(*flat(), fell_to(4, "97", "100"))
    assert made.read(0).condition is Condition.ANOMALOUS

    made.add(replace(fell_to(4, "97", "100.5"), is_closed=True), now_ms=0)

    assert made.read(0).condition is Condition.ANOMALOUS
    assert not made.read(0).has_recovered


def test_the_window_is_needed_without_a_gap_and_the_baseline_is_what_there_is() -> None:
    assert fed(*flat(2), running(2)).read(0).condition is Condition.MISSING
    assert fed(*flat(3), running(3)).read(0).condition is Condition.CALM
    assert fed(candle(0), candle(1), candle(3), running(4)).read(0).condition is Condition.MISSING
    assert "not all of the 3 closed candles" in fed(*flat(2), running(2)).evidence(0)


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_a_missing_candle_hides_no_fall_from_the_closes_that_are_known(missing: int) -> None:
    known = [one for place, one in enumerate(flat()) if place != missing]

    assert fed(*known, running(4, close="95")).read(0).condition is Condition.ANOMALOUS
    assert fed(*known, running(4, close="95.01")).read(0).condition is Condition.ANOMALOUS  # flat: the lower bound
    assert fed(*known, running(4, close="98.01")).read(0).condition is Condition.MISSING
    assert not fed(*known, candle(4, close="101")).read(0).has_recovered


def test_a_fall_from_what_is_known_says_of_how_many_closes_it_knows() -> None:
    made = fed(candle(1), candle(3), running(4, close="95"))

    assert made.evidence(0) == "low 95 5.00% under the highest of 2 closes, limit 5.00%, price 95"


def test_closes_from_before_the_window_are_no_measure_of_a_fall() -> None:
    assert fed(*flat(), running(7, close="50")).read(0).condition is Condition.MISSING


def test_a_gap_farther_back_is_no_move() -> None:
    window = CoinWindow(length=6, interval_ms=MINUTE)
    for one in (candle(0, close="50"), candle(2, close="100"), candle(3, close="101"), candle(4, close="99")):
        window.add(one)

    assert window.moves_before(running(5)) == (Decimal(3), 2)
    assert window.moves_before(candle(4)) == (Decimal(1), 1)


def test_the_present_candle_is_no_part_of_what_is_usual() -> None:
    wild = [*flat(4), replace(candle(4, close="97"), low=Decimal("97"))]

    assert fed(*wild).read(0).condition is Condition.ANOMALOUS


@pytest.mark.parametrize(("close", "recovered"), [("100", True), ("99.99", False)])
def test_recovered_is_a_close_at_or_above_the_mean_of_those_before(close: str, recovered: bool) -> None:
    assert fed(*flat(), candle(4, close=close)).read(0).has_recovered is recovered


def test_a_minute_that_fell_and_came_back_is_no_recovery() -> None:
    made = fed(*flat(), replace(candle(4), low=Decimal(97)), running(5))

    assert made.read(0).condition is Condition.CALM
    assert not made.read(0).has_recovered


def test_the_evidence_names_fall_and_limit() -> None:
    made = fed(*swinging(8, "0.6"), fell_to(8, "96.5", "97"))

    assert made.evidence(0) == "low 96.5 3.50% under the highest of 3 closes, limit 3.00%, price 97"


def test_the_default_rule_is_the_fall_rule_and_the_volume_rule_is_there_by_name() -> None:
    assert isinstance(RiskRules(watch=("A",)).coin_rule, FallRule)
    assert RiskRules(watch=("A",), detector=DetectorKind.VOLUME).coin_rule.needed == 20


def test_bounds_that_cross_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"risk\.fall_min = 0\.04"):
        RiskRules(watch=("A",), fall_min=Decimal("0.04"))
