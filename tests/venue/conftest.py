"""What the tests against a venue share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from tests.venue.contract import BY_NAME
from tests.venue.running_venue import SPOKEN

AT_EVERY_VENUE = frozenset({"00", "01", "02", "03", "04", "05", "06", "09", "17"})
"""The hard cases whose faults every venue has words for."""
AT_HOME = frozenset(
    {
        "test_a_fill_comes_between_the_cancel_and_its_answer",
        "test_a_part_filled_buy_is_cut_and_sold_at_its_target",
    }
)
"""Tried at Binance alone: elsewhere a fill is told before the price that it happened at, and its entry is cut."""


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP session of the test's own loop."""
    async with aiohttp.ClientSession() as made:
        yield made


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Have the hard cases run at every venue: the long command runs the whole table, the short one its first line."""
    case = metafunc.module.__name__.rpartition("test_scenario_")[2][:2]
    if case not in AT_EVERY_VENUE:
        return
    name = metafunc.function.__name__
    places = []
    for venue in BY_NAME:
        is_home = venue == "binanceusdm"
        if is_home or name not in AT_HOME:
            marks = () if is_home or case == "00" else (pytest.mark.long,)
            places.append(pytest.param(venue, id=venue, marks=marks))
    metafunc.parametrize("spoken", places, indirect=True)


@pytest.fixture(autouse=True)
def spoken(request: pytest.FixtureRequest) -> Iterator[str]:
    """The language of the venues that the test starts."""
    name: str = getattr(request, "param", "binanceusdm")
    before = SPOKEN.set(name)
    yield name
    SPOKEN.reset(before)
