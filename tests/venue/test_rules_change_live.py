"""The venue changes its rules while a deployment runs: learned by the first refusal and taken over."""

from __future__ import annotations

from pathlib import Path

from tests.live_control import still_venue
from tests.live_deployment import LiveDeployment, deployed, live_settings


def reason(live: LiveDeployment) -> str:
    return next((hold["reason"] for hold in live.gateway()["holds"] if hold["cause"] == "venue_rule"), "")


def test_a_raised_minimum_is_taken_over_and_holds_nothing(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue), venue) as live:
        live.until(lambda: len(live.entries()) == 3, "it quotes")
        venue.verb("instrument", symbol="ETHUSDT", filters={"MIN_NOTIONAL": {"notional": "100"}})
        live.walk("2997.5", "2999.5")

        live.until(
            lambda: "rules_changed" in [row["kind"] for row in live.gateway()["notices"]], "the change is taken over"
        )
        sent = live.gateway()["counts"]["orders_sent"]
        live.stays(lambda: live.gateway()["counts"]["orders_sent"] <= sent + 1, "it asks for nothing too small", 3)
        assert reason(live) == ""
