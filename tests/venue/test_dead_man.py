"""The dead-man's switch over live sockets: renewed while we live, off for a stranger's order, ended in order."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from grid.errors import ConfigError
from tests.live_control import VenueControl, still_venue
from tests.live_deployment import deployed, live_settings

COUNTDOWN_MS = 10_000
SWITCH: dict[str, Any] = {"countdown_s": COUNTDOWN_MS // 1000, "cancels_manual_orders": "true"}
COUNTDOWN = {"endpoint": "POST /fapi/v1/countdownCancelAll"}


def see_none_cancelled_but_for_want_of_renewal(venue: VenueControl) -> None:
    """Where this machine stood still for half of the countdown, the venue was right to cancel."""
    renewed_ms = [row["time"] for row in venue.strikes("request_latency")]
    for row, _ in venue.own_orders("ETHUSDT"):
        if row["status"] == "CANCELED":
            assert not any(0 < row["updateTime"] - at_ms < COUNTDOWN_MS for at_ms in renewed_ms), row


def own_cancelled(venue: VenueControl) -> int:
    return sum(1 for row, _ in venue.own_orders("ETHUSDT") if row["status"] == "CANCELED")


def test_the_venue_cancels_what_rests_once_it_hears_nothing_more(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue, SWITCH), venue) as live:
        live.until(lambda: len(live.entries()) == 3, "entries rest")
        counting = venue.fault("request_latency", scope=COUNTDOWN, delay=0)
        live.until(lambda: len(venue.strikes("request_latency")) >= 4, "it is renewed for longer than the countdown")
        see_none_cancelled_but_for_want_of_renewal(venue)
        venue.heal(counting)

        venue.fault("request_lost", scope=COUNTDOWN, loss="close")
        before = own_cancelled(venue)
        live.until(lambda: own_cancelled(venue) >= before + 3, "the venue cancels them")

        venue.heal()
        live.until(lambda: len(live.entries()) == 3, "a gateway that lives after all places anew")
        live.reckon()


@pytest.mark.long
def test_a_gateway_that_died_finds_its_orders_gone_and_places_anew_without_doubled_lots(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue, SWITCH), venue) as live:
        live.until(lambda: len(live.entries()) == 3, "entries rest")
        venue.walk("ETHUSDT", "2997.5")
        live.until(lambda: live.exits() == [-1], "an exit rests")
        live.settle()
        time.sleep(1)  # it is armed by now
        venue.fault("request_lost", scope=COUNTDOWN, loss="close")  # so that the dying one disarms nothing
        live.kill_gateway()

        live.until(lambda: venue.own_orders("ETHUSDT", is_open=True) == [], "the venue cancels all")
        venue.heal()
        live.restart_gateway()

        live.until(lambda: live.exits() == [-1], "the lot is offered again")
        live.until(lambda: len(live.entries()) == 3, "entries rest again")
        assert live.symbol()["lots"] == 1
        live.reckon()


@pytest.mark.long
def test_it_is_off_while_somebody_else_has_an_order_there(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue, SWITCH), venue) as live:
        live.until(lambda: len(live.entries()) == 3, "entries rest")
        time.sleep(1)  # it is armed by now
        manual = venue.manual_order("ETHUSDT", "BUY", "0.1", "2900")

        live.until(lambda: live.notices("countdown_off"), "it is switched off")
        venue.fault("request_lost", scope=COUNTDOWN, loss="close")
        live.stays(lambda: own_cancelled(venue) == 0, "nothing is cancelled", 11)

        rows = {row["orderId"]: row["status"] for row in venue.account()["orders"]}
        assert rows[manual["orderId"]] == "NEW"


@pytest.mark.long
def test_a_stop_that_leaves_exits_leaves_them_for_longer_than_the_countdown(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue, SWITCH), venue) as live:
        live.until(lambda: len(live.entries()) == 3, "entries rest")
        venue.walk("ETHUSDT", "2997.5")
        live.until(lambda: live.exits() == [-1], "an exit rests")
        live.settle()

        live.stop("leave_exits")

        live.stays(lambda: live.exits() == [-1], "the exit stays", 11)


def test_without_consent_it_is_refused(tmp_path: Path) -> None:
    with still_venue() as venue, pytest.raises(ConfigError, match=r"countdown_s.*cancels_manual_orders"):
        live_settings(tmp_path, venue, {"countdown_s": 30})
