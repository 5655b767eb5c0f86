"""What the tests against a venue share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from tests.venue.contract import BY_NAME
from tests.venue.running_venue import SPOKEN

AT_EVERY_VENUE = frozenset({"00", "01", "02", "03", "04", "05", "06", "09", "10", "12", "13", "17"})
"""The hard cases whose faults every venue has words for."""
NOT_AT: dict[tuple[str, str], str] = {}
"""By test and venue: why it cannot be tried there."""


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
        why = NOT_AT.get((name, venue), NOT_AT.get((name, ""), "")) if venue != "binanceusdm" else ""
        marks = [pytest.mark.long] if venue != "binanceusdm" and case != "00" else []
        places.append(pytest.param(venue, id=venue, marks=[*marks, pytest.mark.skip(reason=why)] if why else marks))
    metafunc.parametrize("spoken", places, indirect=True)


@pytest.fixture(autouse=True)
def spoken(request: pytest.FixtureRequest) -> Iterator[str]:
    """The language of the venues that the test starts."""
    name: str = getattr(request, "param", "binanceusdm")
    before = SPOKEN.set(name)
    yield name
    SPOKEN.reset(before)
