"""Killed at each named point of an order's life, life after life, with the market moving meanwhile (scenario 7)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from actors.gateway.stop_points import VARIABLE, StopPoint, pass_by, stops_from
from actors.settings.account import Settings
from grid.errors import ConfigError
from tests.crash_truth import not_true
from tests.live_control import VenueControl, still_venue
from tests.live_deployment import LiveDeployment, deployed, live_settings

ROOT = Path(__file__).resolve().parents[2]
LIFE_S = 120.0
DEATHS: dict[StopPoint, tuple[int, ...]] = {
    StopPoint.BEFORE_COMMIT: (2, 5),
    StopPoint.MID_JOURNAL_WRITE: (2, 5),
    StopPoint.AFTER_COMMIT: (2, 5),
    StopPoint.BEFORE_SEND: (2, 5),
    StopPoint.AFTER_SEND: (2, 5),
    StopPoint.AFTER_ACK: (2, 5),
    StopPoint.AFTER_FILL: (1, 3),
}
"""By point, at which passing each life ends: among the first entries, then among the exits that fills arm."""


def lives_until(
    settings: Settings, venue: VenueControl, folder: Path, stop_at: str, meanwhile: Callable[[], None]
) -> int:
    """Run one life until it kills itself, moving the market all the while; returns how it ended."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    with (folder / "lives.log").open("ab") as log:
        life = subprocess.Popen(
            [sys.executable, "-m", "tests.crash_life", folder / "live.yaml", venue.rest_url, venue.ws_url, venue.token],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=ROOT,
            env={**environment, VARIABLE: stop_at},
        )
        try:
            deadline = time.monotonic() + LIFE_S
            while life.poll() is None:
                assert time.monotonic() < deadline, (
                    f"it never passed {stop_at}: {(folder / 'lives.log').read_text()[-3000:]}"
                )
                meanwhile()
            return life.returncode
        finally:
            assert life.stdin is not None
            life.stdin.close()
            life.kill()
            life.wait()


def swing(venue: VenueControl, middle: Decimal) -> Callable[[], None]:
    """Return what takes the market down and up through the ladder, once entries rest."""
    lows = [middle - Decimal("4.5"), middle + Decimal("1.5")]

    def move() -> None:
        time.sleep(0.4)
        if venue.own_orders("ETHUSDT", is_open=True):
            venue.walk("ETHUSDT", str(lows[0]))
            lows.reverse()

    return move


FAST = {StopPoint.MID_JOURNAL_WRITE, StopPoint.AFTER_SEND, StopPoint.AFTER_FILL}
"""In the journal, on the wire, in the book: run by the test command, the rest by the long one."""


@pytest.mark.parametrize(
    "point",
    [pytest.param(point, id=point.value, marks=() if point in FAST else pytest.mark.long) for point in StopPoint],
)
def test_whatever_the_moment_of_death_nothing_is_lost_or_doubled(tmp_path: Path, point: StopPoint) -> None:
    with still_venue() as venue:
        settings = live_settings(tmp_path, venue, {"max_lots": 40, "sell_window": 5}, account={"max_notional": 9000})
        middle = Decimal(3000)
        for count in DEATHS[point]:
            ended = lives_until(settings, venue, tmp_path, f"{point.value}:{count}", swing(venue, middle))
            assert ended == -9, (tmp_path / "lives.log").read_text()[-3000:]
            middle *= Decimal("0.98")
            venue.walk("ETHUSDT", str(middle))

        with deployed(settings, venue) as live:
            finish(live, venue)
        assert list(not_true(settings, venue.account())) == []


def finish(live: LiveDeployment, venue: VenueControl) -> None:
    """Trade on as if nothing had been, then reckon."""
    live.until(lambda: live.gateway().get("holds") == [], "no hold stands")
    venue.walk("ETHUSDT", "2998.5")
    live.until(lambda: live.exits() or {"2996", "2994"} & {*live.entries()}, "it is at work there")
    live.settle()
    venue.walk("ETHUSDT", "2993.5")
    live.until(lambda: live.exits(), "something is offered")
    live.settle()
    assert live.counts().get("latecomer", 0) == 0
    live.reckon()


def test_without_the_variable_every_point_is_passed_by() -> None:
    assert stops_from({}) is pass_by


@pytest.mark.parametrize("text", ["after_lunch:1", "after_send", "after_send:0", "after_send:soon"])
def test_words_that_name_no_point_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="point:count"):
        stops_from({VARIABLE: text})
