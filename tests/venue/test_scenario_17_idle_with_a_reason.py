"""Scenario 17, live: a level that could have an order and has none says why, and when it is tried again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actors.clock import now_ms
from actors.deployment.view import explanation
from exchanges.sim.server.faults import FaultKind
from tests.live_control import VenueControl, still_venue
from tests.live_deployment import LiveDeployment, deployed, live_settings
from tests.venue.test_scenario_05_frozen_price_feed import freeze

WINDOW = {-1, -2, -3}
AT_LATEST_MS = 35_000
"""The longest pause of any back-off, and what a busy machine adds."""


def rows(live: LiveDeployment) -> dict[int, dict[str, Any]]:
    """Return the explained levels of the window that hold neither an order nor a lot."""
    answers = live.crew.ask_all(live.roster.layouts["ETHUSDT"].names(), "explain")
    if any(found is None for found in answers.values()):
        return {}
    told = explanation("ETHUSDT", live.coordinator.snapshot(), answers, now_ms())["levels"]
    return {row["level"]: row for row in told if row["level"] in WINDOW and not row["order"] and not row["lot"]}


def halt(live: LiveDeployment, venue: VenueControl) -> None:
    live.coordinator.halt("to look around")


def refuse_margin(live: LiveDeployment, venue: VenueControl) -> None:
    venue.verb("transfer", amount="-99999")
    lift_off(live)


def go_stale(live: LiveDeployment, venue: VenueControl) -> None:
    freeze(venue)
    venue.quote("ETHUSDT", "3010", "3010.01")


def refuse_orders(live: LiveDeployment, venue: VenueControl) -> None:
    if FaultKind.SERVICE_UNAVAILABLE in venue.ways.lacks:
        pytest.skip(f'{venue.name} has no word for "nothing was done": such an order is unknown')
    venue.fault("service_unavailable", scope={"endpoint": "order.place"})
    lift_off(live)


def lift_off(live: LiveDeployment) -> None:
    """Take the entries away and let them come back, so that the venue's word on a new one is heard."""
    live.coordinator.halt("for a moment")
    live.until(lambda: live.entries() == [], "the entries are gone")
    live.coordinator.resume()


CASES: list[tuple[str, Callable[[LiveDeployment, VenueControl], None], str]] = [
    ("operator", halt, "operator"),
    ("margin", refuse_margin, "margin"),
    ("price", go_stale, "price"),
    ("unreachable", refuse_orders, "not_sent"),
]


@pytest.mark.parametrize(("trouble", "words"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_an_idle_level_says_why_and_what_it_waits_for(
    tmp_path: Path, trouble: Callable[[LiveDeployment, VenueControl], None], words: str
) -> None:
    with (
        still_venue() as venue,
        deployed(live_settings(tmp_path, venue, runtime={"price_age_s": 1}), venue) as live,
    ):
        live.until(lambda: len(live.entries()) == 3, "it quotes")
        trouble(live, venue)
        seen: dict[int, dict[str, Any]] = {}

        def is_told() -> bool:
            nonlocal seen
            seen = rows(live)
            return set(seen) == WINDOW and all(words in f"{row['reason']} {row['detail']}" for row in seen.values())

        live.until(is_told, f"each idle level names {words}")
        for row in seen.values():
            see_a_way_on(live, row)


def see_a_way_on(live: LiveDeployment, row: dict[str, Any]) -> None:
    """It is tried again at a time that is told, or once a hold is lifted that is listed with its reason."""
    if row["reason"] == "hold":
        named = set(row["detail"].split(", "))
        live.until(lambda: named <= {hold["cause"] for hold in live.gateway()["holds"] if hold["reason"]}, f"{row}")
    elif row["detail"] == "asked":
        assert row["retry_ms"] - now_ms() < AT_LATEST_MS, row
    else:
        assert row["retry"], row
        assert row["retry_ms"] - now_ms() < AT_LATEST_MS, row


@pytest.mark.parametrize(
    ("ladder", "account", "words"),
    [
        ({"max_lots": 1}, {}, "max_lots"),
        ({}, {"max_notional": 61}, "max_notional"),
        ({}, {"max_orders": 2}, "order_cap"),
    ],
)
def test_a_level_that_a_limit_keeps_idle_names_it_and_its_next_try(
    tmp_path: Path, ladder: dict[str, Any], account: dict[str, Any], words: str
) -> None:
    limits = {"max_notional": 5000, "daily_loss": 1000, **account}
    with still_venue() as venue, deployed(live_settings(tmp_path, venue, ladder, account=limits), venue) as live:
        live.until(lambda: live.entries(), "it quotes what it may")
        live.settle()

        def is_told() -> bool:
            idle = rows(live)
            return bool(idle) and all(
                words in f"{row['reason']} {row['detail']}" and row["retry_ms"] for row in idle.values()
            )

        live.until(is_told, f"each idle level names {words} and its next try: {rows(live)}")
        live.reckon()
