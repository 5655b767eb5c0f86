"""What the tests against a venue share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from exchanges.adapters import lacking
from tests.venue.contract import BY_NAME
from tests.venue.running_venue import SPOKEN

BY_SECONDS = frozenset({"test_a_recorded_crash_is_halted_and_nothing_is_bought_meanwhile"})
"""Tried where candles of a second are streamed: a tape is played sixty times as fast, and ends with few longer ones."""


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP session of the test's own loop."""
    async with aiohttp.ClientSession() as made:
        yield made


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Have the hard cases run at every venue: the long command runs the whole table, the short one its first line.

    So do the tests of the exchange-side stop, at each venue that has one.
    """
    module = metafunc.module.__name__.rpartition(".")[2]
    case = module.partition("test_scenario_")[2][:2]
    is_stop = module == "test_exchange_stop"
    if not (case or is_stop) or "tmp_path" not in metafunc.fixturenames:
        return  # no hard case, or one that meets no venue
    name = metafunc.function.__name__
    places = []
    for venue in BY_NAME:
        is_home = venue == "binanceusdm"
        if is_stop and "exchange_stop" in lacking(venue):
            continue
        if name not in BY_SECONDS or BY_NAME[venue].candle == "1s":
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
