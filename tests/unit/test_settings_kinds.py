"""What the configuration refuses of grid kinds that contradict each other, key by key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.test_settings import changed, load, refused

RANGE = {"low": 2700, "high": 3300, "grids": 300}
BOUNDED = {"range": RANGE, "interval": None}
NEUTRAL = {**BOUNDED, "side": "neutral"}


@pytest.mark.parametrize(
    ("keys", "key", "words"),
    [
        ({"trail_limit": {}}, "low and high", "name at least one"),
        ({"trail_limit": {"low": 3300, "high": 2700}}, "high", "above low"),
        ({"trigger_price": 2600, "stop_price": 2700}, "trigger_price", "would end as it begins"),
        ({"trigger_price": 3300, "take_profit_price": 3300}, "trigger_price", "would end as it begins"),
        ({"side": "short", "trigger_price": 3300, "stop_price": 3200}, "trigger_price", "would end as it begins"),
        ({"open_position": {}}, "levels", "no end on that side"),
        ({"side": "short", "trail_limit": {"high": 3300}, "open_position": {}}, "levels", "trail_limit.low"),
        ({"open_position": {"levels": 500}}, "levels", "at most max_lots"),
        (
            {
                "existing_position": "adopt",
                "adopted_lots": [{"price": 3000, "quantity": "0.01"}],
                "open_position": {"levels": 1},
            },
            "open_position",
            "use one of them",
        ),
        ({**BOUNDED, "trail_limit": {"low": 2700}}, "trail_limit", "no meaning with range"),
        ({"side": "neutral"}, "range", "required for a neutral grid"),
        ({**NEUTRAL, "anchor": 3300}, "anchor", "has to lie between 2700 and 3300"),
        ({**NEUTRAL, "stop_price": 2600}, "stop_price", "on either side"),
        ({**NEUTRAL, "take_profit_price": 3400}, "take_profit_price", "on either side"),
        ({**NEUTRAL, "open_position": {"levels": 1}}, "open_position", "begins with nothing"),
        ({**NEUTRAL, "interval": 2}, "interval", "no meaning with range"),
        ({**NEUTRAL, "exchange_stop": {"price": 2600}}, "price", "lies on one side only"),
        (
            {
                **NEUTRAL,
                "existing_position": "adopt",
                "adopted_lots": [{"price": 3000, "quantity": "0.01"}],
            },
            "existing_position",
            "of one side",
        ),
    ],
)
def test_kinds_that_contradict_each_other_are_refused_by_key(
    tmp_path: Path, keys: dict[str, Any], key: str, words: str
) -> None:
    errors = refused(tmp_path, changed(**{f"symbols__0__{name}": value for name, value in keys.items()}))

    assert [error.key.rpartition("].")[2].rpartition(".")[2] for error in errors] == [key]
    assert words in errors[0].rule


def test_a_neutral_grid_has_both_sides_and_its_start_price_may_be_left_out(tmp_path: Path) -> None:
    bounded = {f"symbols__0__{name}": value for name, value in NEUTRAL.items()}
    symbol = load(tmp_path, changed(**bounded)).symbols[0]

    assert (symbol.is_neutral, symbol.way, symbol.anchor) == (True, None, None)
    assert load(tmp_path, changed(**bounded, symbols__0__anchor=3000)).symbols[0].anchor == 3000


def test_one_limit_of_the_trail_is_enough(tmp_path: Path) -> None:
    limit = load(tmp_path, changed(symbols__0__trail_limit={"high": "3600"})).symbols[0].limit

    assert limit is not None
    assert (limit.low, str(limit.high)) == (None, "3600")
