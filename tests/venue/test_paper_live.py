"""A whole deployment on paper, over real sockets: it lives by the public streams, and no venue ever hears of it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.live_control import VenueControl, still_venue
from tests.live_deployment import deployed, live_settings

PAPER: dict[str, Any] = {"balance": 5000, "latency_min_ms": 1, "latency_max_ms": 3}


@pytest.fixture
def venue() -> Iterator[VenueControl]:
    with still_venue() as started:
        yield started


def test_it_buys_and_sells_on_paper_and_the_venue_hears_nothing(venue: VenueControl, tmp_path: Path) -> None:
    settings = live_settings(tmp_path, venue, paper=PAPER)
    assert settings.is_paper
    with deployed(settings, venue) as live:
        live.until(lambda: live.symbol().get("entries") == 3, "three entries rest on paper")
        venue.trade("ETHUSDT", "2997", "1", "SELL")
        live.until(lambda: live.symbol().get("lots") == 1, "one is bought")
        live.until(lambda: live.symbol().get("exits") == 1, "its exit rests")
        venue.trade("ETHUSDT", "3001", "1", "BUY")
        live.until(lambda: live.symbol().get("round_trips") == 1, "it is sold")
        account = live.gateway()["account"]
        live.stop()

    assert Decimal(account["wallet"]) > 4999
    assert venue.account()["orders"] == []
