"""What the tests against a venue share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP session of the test's own loop."""
    async with aiohttp.ClientSession() as made:
        yield made
