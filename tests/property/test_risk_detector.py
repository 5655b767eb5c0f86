"""The incremental window against one that is computed anew, over any order of messages."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from risk.candle import Candle
from risk.coin_window import CoinWindow
from risk.fall_rule import FallRule
from tests.unit.risk_candles import MINUTE, candle

LENGTH = 4
AMOUNTS = st.decimals(min_value="0.0000000001", max_value="99999999999999999", places=10)


@st.composite
def messages(draw: st.DrawFn) -> list[Candle]:
    places = draw(st.lists(st.integers(0, 12), min_size=1, max_size=40))
    return [
        candle(place, close=str(draw(AMOUNTS)), volume=str(draw(AMOUNTS)), is_closed=draw(st.booleans()))
        for place in places
    ]


@given(messages())
def test_sums_are_exact_and_the_same_as_computed_anew(sent: list[Candle]) -> None:
    window = CoinWindow(length=LENGTH, interval_ms=MINUTE)
    kept: dict[int, Candle] = {}
    for one in sent:
        window.add(one)
        if one.is_closed and (len(kept) <= LENGTH or one.open_ms in kept or one.open_ms > min(kept)):
            kept[one.open_ms] = one
            if len(kept) > LENGTH + 1:
                del kept[min(kept)]

        for place in range(14):
            before = [kept.get((place - back) * MINUTE) for back in range(1, LENGTH + 1)]
            known = [past for past in before if past is not None]
            answer = window.baseline_before(candle(place))
            assert (answer is None) == (len(known) < LENGTH)
            if answer is not None:
                assert Fraction(answer[0]) == sum(Fraction(past.volume) for past in known)
                assert Fraction(answer[1]) == sum(Fraction(past.close) for past in known)


@given(messages())
def test_moves_are_exact_and_the_same_as_computed_anew(sent: list[Candle]) -> None:
    window = CoinWindow(length=LENGTH, interval_ms=MINUTE)
    kept: dict[int, Candle] = {}
    for one in sent:
        window.add(one)
        if one.is_closed and (len(kept) <= LENGTH or one.open_ms in kept or one.open_ms > min(kept)):
            kept[one.open_ms] = one
            if len(kept) > LENGTH + 1:
                del kept[min(kept)]

        for place in range(14):
            before = sorted(at for at in kept if at < place * MINUTE)[-LENGTH:]
            moves = [
                abs(Fraction(kept[at].close) - Fraction(kept[at - MINUTE].close))
                for at in before
                if at - MINUTE in before
            ]
            total, count = window.moves_before(candle(place))
            assert (Fraction(total), count) == (sum(moves), len(moves))


PRICES = st.decimals(min_value="90", max_value="101", places=2)


@given(st.lists(PRICES, min_size=4, max_size=8), st.lists(PRICES, min_size=1, max_size=6))
def test_a_finished_candle_falls_by_the_rule_where_it_did_at_some_moment(
    closes: list[Decimal], path: list[Decimal]
) -> None:
    """So recorded candles tell in which minutes a live run would have found the coin anomalous."""
    rule = FallRule(window=3, baseline=5, multiplier=Decimal(3), fall_min=Decimal("0.02"), fall_max=Decimal("0.05"))
    window = CoinWindow(length=rule.length, interval_ms=MINUTE)
    for place, close in enumerate(closes):
        window.add(candle(place, close=str(close)))
    last = candle(len(closes), close=str(path[-1]))
    seen = []
    for moment, price in enumerate(path):
        running = replace(last, close=price, low=min(path[: moment + 1]), volume=Decimal(moment), is_closed=False)
        window.add(running)
        seen.append(rule.is_anomalous(window, running) is True)
    finished = replace(last, low=min(path))
    window.add(finished)

    assert rule.is_anomalous(window, finished) is any(seen)
    assert seen == sorted(seen)  # once anomalous, so to the end of the candle


@given(st.lists(PRICES, min_size=3, max_size=8), PRICES, st.data())
def test_what_is_missing_hides_no_fall_and_never_makes_one(
    closes: list[Decimal], low: Decimal, data: st.DataObject
) -> None:
    bound = Decimal("0.04")
    rule = FallRule(window=3, baseline=5, multiplier=Decimal(3), fall_min=bound, fall_max=bound)
    lost = data.draw(st.sets(st.integers(0, len(closes) - 1)))
    whole, holed = (CoinWindow(length=rule.length, interval_ms=MINUTE) for _ in range(2))
    for place, close in enumerate(closes):
        whole.add(candle(place, close=str(close)))
        if place not in lost:
            holed.add(candle(place, close=str(close)))
    present = candle(len(closes), close=str(low), is_closed=False)
    directly_before = range(len(closes) - 3, len(closes))
    truth, known = rule.is_anomalous(whole, present), [place for place in directly_before if place not in lost]

    highest = max((closes[place] for place in known), default=Decimal(0))
    if highest and highest - low >= bound * highest:
        assert rule.is_anomalous(holed, present) is True
        assert truth is True
    else:
        assert rule.is_anomalous(holed, present) is (truth if len(known) == 3 else None)


@given(messages())
def test_the_order_in_which_a_full_history_arrives_does_not_matter(sent: list[Candle]) -> None:
    closed = {one.open_ms: one for one in sent if one.is_closed}
    newest = sorted(closed)[-(LENGTH + 1) :]
    windows = []
    for keys in (newest, newest[::-1]):
        window = CoinWindow(length=LENGTH, interval_ms=MINUTE)
        for key in keys:
            window.add(closed[key])
        windows.append(window)

    assert windows[0].latest_closed == windows[1].latest_closed
    for place in range(14):
        assert windows[0].baseline_before(candle(place)) == windows[1].baseline_before(candle(place))
        assert windows[0].moves_before(candle(place)) == windows[1].moves_before(candle(place))


@given(messages())
def test_the_running_candle_is_always_newer_than_every_closed_one(sent: list[Candle]) -> None:
    window = CoinWindow(length=LENGTH, interval_ms=MINUTE)
    for one in sent:
        window.add(one)
        if window.running is not None and window.latest_closed is not None:
            assert window.running.open_ms > window.latest_closed.open_ms
        assert window.current is None or isinstance(window.current.volume, Decimal)
