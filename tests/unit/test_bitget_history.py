"""Bitget tells fills of seven days at a time: those of one order are looked for backwards from now."""

from __future__ import annotations

from typing import Any

import pytest

from exchanges.bitget.history import DAY_MS, KEPT_MS, SPAN_MS, History
from exchanges.cost import Cost

NOW_MS = 1_795_000_000_000
FURTHEST = KEPT_MS // SPAN_MS + 2
"""So many spans at most lie between now and the oldest fill that the venue tells."""


class Asked:
    """What is asked of a venue that holds nothing."""

    def __init__(self) -> None:
        self.queries: list[dict[str, Any]] = []

    async def read(self, path: str, query: dict[str, Any]) -> dict[str, Any]:
        self.queries.append(query)
        return {"fillList": None, "endId": ""}

    async def pay(self, cost: Cost) -> None:
        """Nothing is short here."""


@pytest.mark.parametrize("order_id", ["", "1234567890"])
async def test_no_more_is_asked_for_than_the_venue_keeps(order_id: str) -> None:
    venue = Asked()

    await History(venue.read, dict, venue.pay).fills("ETHUSDT", 0, NOW_MS, order_id)

    assert 1 < len(venue.queries) <= FURTHEST
    assert all(query["endTime"] - query["startTime"] <= SPAN_MS for query in venue.queries)
    assert min(query["startTime"] for query in venue.queries) >= NOW_MS - KEPT_MS
    assert max(query["endTime"] for query in venue.queries) >= NOW_MS


async def test_the_fills_of_an_order_are_first_looked_for_among_the_latest() -> None:
    venue = Asked()

    await History(venue.read, dict, venue.pay).fills("ETHUSDT", NOW_MS - DAY_MS, NOW_MS, "1234567890")

    (query,) = venue.queries
    assert query["startTime"] == NOW_MS - DAY_MS
    assert query["orderId"] == "1234567890"
