"""Scenario 8: a query of the start is refused or never answered. Nothing is traded, and it says why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grid.order import Purpose
from tests.live_control import VenueControl, still_venue
from tests.live_deployment import LiveDeployment, deployed, live_settings

ENTRIES = ["2998", "2996", "2994"]
METADATA = "metadata"
READING = "a reading of orders, trades and positions"
STREAM = "the order stream"


@pytest.mark.parametrize(
    ("query", "waits_for"),
    [
        ("contracts", METADATA),
        ("account", METADATA),
        ("positions", METADATA),
        ("fee rates", METADATA),
        ("risk tiers", METADATA),
        ("first price", METADATA),
        ("leverage", "leverage and margin type"),
        ("open orders", METADATA),
        ("own trades", READING),
        ("session", STREAM),
    ],
)
def test_a_refused_query_keeps_it_from_trading(tmp_path: Path, query: str, waits_for: str) -> None:
    with still_venue() as venue:
        venue.fault(**venue.ways.refuses(query))
        with deployed(live_settings(tmp_path, venue), venue, waits=False) as live:
            see_it_wait(live, venue, waits_for)

            venue.heal()
            live.until(lambda: live.entries() == ENTRIES, "it trades once the venue answers")
            live.settle()
            live.reckon()


def test_a_query_without_an_answer_keeps_it_from_trading(tmp_path: Path) -> None:
    with still_venue() as venue:
        hangs: dict[str, Any] = {"scope": {"endpoint": venue.ways.queries["positions"]}, "loss": "hang", "count": 1}
        venue.fault("request_lost", **hangs)
        with deployed(live_settings(tmp_path, venue), venue, waits=False) as live:
            live.until(lambda: venue.strikes("request_lost"), "the question is under way")
            live.stays(lambda: venue.own_orders() == [], "nothing is traded", 2)
            live.until(lambda: live.entries() == ENTRIES, "it asks again and then trades")
            live.settle()
            live.reckon()


def test_after_a_kill_an_unanswered_position_is_no_flat_position(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue), venue) as live:
        live.walk("2999.5", "2997.5", "2995.5")
        held = live.symbol()["lots"]
        live.kill_gateway()
        sent = len(venue.own_orders())
        venue.fault("empty_positions", count=2)
        venue.fault(**venue.ways.refuses("open orders"), length_ms=1_500)

        live.restart_gateway()
        live.settle()

        assert held == live.symbol()["lots"] == 2
        assert live.exits() == [-1, -2]
        bought = [one.level for _, one in venue.own_orders()[sent:] if one.purpose is Purpose.ENTRY]
        assert not {-1, -2} & set(bought), "no second buy for a held lot"
        live.reckon()


def see_it_wait(live: LiveDeployment, venue: VenueControl, waits_for: str) -> None:
    def says_so(said: list[str]) -> bool:
        return any(waits_for in words for words in said)

    live.until(lambda: says_so(live.gateway().get("waiting_for", [])), f"the gateway says it waits for {waits_for}")
    live.until(lambda: says_so(live.coordinator.snapshot()["waiting_for"]), "so does the coordinator")
    live.until(lambda: venue.truth()["faults"]["struck"][1:], "it asks again")
    assert venue.own_orders() == []
    assert live.state() == "starting"
