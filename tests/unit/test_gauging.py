"""How many symbols are shown at once, and how often each is."""

from __future__ import annotations

import pytest

from actors.gateway.gauging import AT_ONCE, PARTS_MAX, Gauging
from actors.mail.outbox import NoGauges
from tests.manual_clock import ManualClock
from tests.unit.test_gauging_money import SETTINGS


def turns(count: int, looks: int) -> list[list[str]]:
    gauging = Gauging(name="gateway", gauges=NoGauges(), settings=SETTINGS, clock=ManualClock())
    symbols = [f"S{number}" for number in range(count)]
    return [gauging._in_turn(symbols) for _ in range(looks)]


@pytest.mark.parametrize("count", [0, 1, AT_ONCE])
def test_a_few_symbols_are_all_shown_each_time(count: int) -> None:
    assert turns(count, 3) == [[f"S{number}" for number in range(count)]] * 3


@pytest.mark.parametrize("count", [AT_ONCE + 1, 75, 200])
def test_of_many_each_has_its_turn_in_time_and_a_look_shows_a_part(count: int) -> None:
    looked = turns(count, PARTS_MAX)

    assert {symbol for look in looked for symbol in look} == {f"S{number}" for number in range(count)}
    assert max(len(look) for look in looked) <= max(AT_ONCE, -(-count // PARTS_MAX))
