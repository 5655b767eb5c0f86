"""One coin by the volume rule: when it is anomalous, when not known, when recovered."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from risk.candle import Candle
from risk.detector import CoinDetector, Condition
from risk.volume_rule import VolumeRule
from tests.unit.risk_candles import MINUTE, candle, running, shock


def detector(*, window: int = 3, stale_ms: int = 15_000) -> CoinDetector:
    rule = VolumeRule(length=window, multiplier=Decimal(3))
    made = CoinDetector("BTCUSDT", rule, interval_ms=MINUTE, stale_ms=stale_ms)
    made.stream_up()
    return made


def fed(*candles: Candle) -> CoinDetector:
    made = detector()
    for one in candles:
        made.add(one, now_ms=0)
    return made


def flat(count: int = 3) -> list[Candle]:
    return [candle(place) for place in range(count)]


@pytest.mark.parametrize(
    ("close", "volume", "expected"),
    [
        ("99.99", "30.01", Condition.ANOMALOUS),
        ("99.99", "30", Condition.CALM),  # exactly multiplier x mean is not above it
        ("100", "1000", Condition.CALM),  # the mean price is not under the mean price
        ("90", "29.99", Condition.CALM),
    ],
)
def test_an_unfinished_candle_is_anomalous_strictly_beyond_both_bounds(
    close: str, volume: str, expected: Condition
) -> None:
    assert fed(*flat(), running(3, close=close, volume=volume)).read(0).condition is expected


def test_the_newest_closed_candle_is_judged_against_those_before_it_alone() -> None:
    assert fed(*flat(), shock(3, is_closed=True)).read(0).condition is Condition.ANOMALOUS


def test_the_window_slides_and_forgets() -> None:
    made = fed(*[candle(place, volume="1000") for place in range(3)], *[candle(place) for place in range(3, 6)])

    made.add(shock(6), now_ms=0)

    assert made.read(0).condition is Condition.ANOMALOUS


def test_without_a_candle_the_coin_is_missing() -> None:
    assert detector().read(0).condition is Condition.MISSING


def test_too_few_candles_are_missing_and_no_calm() -> None:
    assert fed(*flat(2), running(2)).read(0).condition is Condition.MISSING


def test_a_gap_in_the_baseline_is_missing_until_it_is_filled() -> None:
    made = fed(candle(0), candle(2), running(3))
    assert made.read(0).condition is Condition.MISSING

    made.add(candle(1), now_ms=0)

    assert made.read(0).condition is Condition.CALM


def test_a_close_that_never_came_is_a_gap() -> None:
    made = fed(*flat(), running(3), running(4))

    assert made.read(0).condition is Condition.MISSING


def test_silence_beyond_the_limit_is_stale_and_a_candle_ends_it() -> None:
    made = fed(*flat(), running(3))
    assert made.read(15_000).condition is Condition.CALM
    assert made.read(15_001).condition is Condition.STALE

    made.add(running(3, volume="11"), now_ms=15_001)

    assert made.read(15_001).condition is Condition.CALM


def test_a_reconnection_alone_is_no_sign_of_life() -> None:
    made = fed(*flat(), running(3))

    made.stream_down("cut")
    made.stream_up()

    assert made.read(15_001).condition is Condition.STALE


def test_candles_out_of_order_and_doubled_give_the_same_answer() -> None:
    made = fed(candle(2), candle(0), candle(1), candle(1), candle(0), candle(2), shock(3), running(3, volume="5"))

    assert made.read(0).condition is Condition.ANOMALOUS


def test_an_older_closed_candle_than_the_window_changes_nothing() -> None:
    made = fed(*[candle(place) for place in range(5, 9)])

    made.add(candle(4, volume="100000"), now_ms=0)
    made.add(shock(9), now_ms=0)

    assert made.read(0).condition is Condition.ANOMALOUS


def test_a_closed_candle_that_comes_again_replaces_the_first() -> None:
    made = fed(*flat(), candle(2, volume="100"), running(3, close="99", volume="31"))

    assert made.read(0).condition is Condition.CALM  # the mean is 40 now


def test_a_running_update_of_a_candle_already_closed_is_ignored() -> None:
    assert fed(*flat(), candle(3), shock(3)).read(0).condition is Condition.CALM


def test_seeding_takes_the_last_candle_of_a_reply_as_unfinished_whatever_its_flag_says() -> None:
    made = detector()

    made.seed([*flat(), shock(3, is_closed=True)], venue_ms=3 * MINUTE + 30_000, now_ms=0)
    reading = made.read(0)
    assert reading.closed_ms == 2 * MINUTE
    assert reading.condition is Condition.ANOMALOUS
    assert not reading.has_recovered


def test_seeding_with_old_candles_is_no_sign_of_life() -> None:
    made = detector()

    made.seed(flat(4), venue_ms=60 * MINUTE, now_ms=0)

    assert made.read(0).condition is Condition.MISSING


@pytest.mark.parametrize("low", ["NaN", "0", "-1", "100.01", "1E-40"])
def test_a_low_that_cannot_be_is_malformed(low: str) -> None:
    made = fed(*flat(), running(3))

    made.add(replace(running(3), low=Decimal(low)), now_ms=15_001)

    assert made.read(15_001).condition is Condition.STALE


@pytest.mark.parametrize("volume", ["NaN", "Infinity", "-1", "1E+40", "1E-40"])
def test_a_malformed_candle_changes_nothing_and_is_no_sign_of_life(volume: str) -> None:
    made = fed(*flat(), running(3))

    made.add(replace(running(3), volume=Decimal(volume)), now_ms=15_001)

    assert made.read(15_001).condition is Condition.STALE


def test_a_candle_that_opens_off_the_interval_is_malformed() -> None:
    made = fed(*flat())

    made.add(replace(candle(3), open_ms=3 * MINUTE + 1), now_ms=0)

    assert made.read(0).closed_ms == 2 * MINUTE


def test_recovery_is_judged_on_the_newest_closed_candle_only() -> None:
    made = fed(*flat(), candle(3, close="101"))
    assert made.read(0).has_recovered

    made.add(running(4, close="90"), now_ms=0)

    assert made.read(0).has_recovered


@pytest.mark.parametrize(("close", "volume"), [("100", "10"), ("99", "10"), ("101", "30")])
def test_no_recovery_at_or_under_the_mean_or_with_much_volume(close: str, volume: str) -> None:
    assert not fed(*flat(), candle(3, close=close, volume=volume)).read(0).has_recovered


def test_a_coin_whose_stream_is_down_has_not_recovered_though_it_is_not_yet_stale() -> None:
    made = fed(*flat(), candle(3, close="101"))

    made.stream_down("cut")

    reading = made.read(0)
    assert reading.condition is Condition.CALM
    assert not reading.has_recovered


def test_a_stale_coin_has_not_recovered() -> None:
    assert not fed(*flat(), candle(3, close="101")).read(15_001).has_recovered


def test_a_volume_of_zero_before_makes_any_trade_under_the_mean_anomalous() -> None:
    made = fed(*[candle(place, volume="0") for place in range(3)], running(3, close="99", volume="0.001"))

    assert made.read(0).condition is Condition.ANOMALOUS
    assert "mean of 0" in made.evidence(0)


def test_the_evidence_names_the_figures() -> None:
    made = fed(*flat(), shock(3))

    assert made.evidence(0) == "volume 31 3.1 x its mean, price 96 -4.00% from its mean"
