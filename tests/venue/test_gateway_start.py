"""A gateway's start over real sockets: refused with words and nothing changed, or serving what it must not abandon."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from actors.exit_codes import ExitCode
from grid.holds import HoldCause
from tests.live_control import VenueControl, still_venue
from tests.live_deployment import deployed, live_settings
from tests.venue.running_venue import binance, running, still_options

TOO_MANY = {"risk": {"enabled": False, "required_positions": 1_000_000}}


def test_a_refused_start_names_the_rule_and_changes_nothing_at_the_venue(tmp_path: Path) -> None:
    with still_venue() as venue:
        venue.fault("service_unavailable", scope={"endpoint": "POST /fapi/v1/leverage"})
        with deployed(live_settings(tmp_path, venue, **TOO_MANY), venue, waits=False) as live:
            live.until(lambda: live.state() == "refused", "the start is refused")

            said = live.coordinator.snapshot()
            assert "required_positions" in " ".join(said["refusals"])
            assert said["refusal_code"] == ExitCode.REFUSED_TO_START
            assert venue.own_orders() == []
            assert venue.strikes("service_unavailable") == [], "leverage was set before the checks were through"


def test_a_start_says_what_the_venue_has_locked_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = {"isLocked": True, "indicator": "TMV", "value": 10, "triggerValue": 10}
    with running(replace(still_options(), control_token="a token")) as started:
        started.within(lambda server: binance(server).indicators.update({"ACCOUNT": [told]}))
        venue = VenueControl(started.rest_url, started.ws_url, "a token")
        with deployed(live_settings(tmp_path, venue), venue) as live:
            live.until(lambda: len(live.entries()) == 3, "it quotes")

    assert "the venue locks the account: TMV is 10, its bound 10" in capsys.readouterr().out


def test_lots_are_looked_after_though_a_check_refuses_the_next_start(tmp_path: Path) -> None:
    with still_venue() as venue:
        with deployed(live_settings(tmp_path, venue), venue) as live:
            live.until(lambda: len(live.entries()) == 3, "it quotes")
            live.walk("2997.5", "2995.5")
            live.until(lambda: live.exits() == [-1, -2], "two lots are offered")
            live.kill_gateway()

        with deployed(live_settings(tmp_path, venue, **TOO_MANY), venue, waits=False) as live:
            live.until(lambda: HoldCause.OPERATOR.value in live.holds(), "entries wait for a person")
            live.until(lambda: live.exits() == [-1, -2] and live.entries() == [], "exits rest, entries are gone")
            assert any("required_positions" in hold["reason"] for hold in live.gateway()["holds"])

            live.walk("2999.5")
            live.until(lambda: live.exits() == [-1], "the nearer exit sold")
            live.settle()
            assert live.entries() == []
            live.reckon()
