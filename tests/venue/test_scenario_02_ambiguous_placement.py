"""Scenario 2: the answer to a placement is lost. One order and one fill result, nothing is resent blindly."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from grid.client_id import ClientId
from grid.order import Purpose
from tests.live_control import PRIVATE, Row, VenueControl, still_venue
from tests.live_deployment import LiveDeployment, deployed, live_settings

RECV_WINDOW_MS = 3_000
BOUND_MS = RECV_WINDOW_MS + 1_000
"""recvWindow + clock bound + margin: from here on "not found" is final."""
STREAM_MUTE = {"scope": PRIVATE}
"""Nor does the stream tell of it: only a question for the id is left."""
PLACING = {"scope": {"endpoint": "order.place"}, "count": 1}
LOST = {**PLACING, "loss": "hang"}


def begun(folder: Path, venue: VenueControl) -> AbstractContextManager[LiveDeployment]:
    """Begin a deployment with one entry, and no periodic reading that would resolve it by the way."""
    settings = live_settings(
        folder,
        venue,
        {"buy_window": 1},
        # an order that the mute stream does not echo is no news here
        gateway={"recv_window_ms": RECV_WINDOW_MS, "echo_timeout_s": 60},
        runtime={"reconcile_s": 60},
    )
    return deployed(settings, venue, waits=False)


def entries_at(venue: VenueControl, level: int) -> list[tuple[Row, ClientId]]:
    return [(row, one) for row, one in venue.own_orders() if one.level == level and one.purpose is Purpose.ENTRY]


def see_one_entry(live: LiveDeployment, venue: VenueControl) -> None:
    """The slot took over the order that it had lost sight of, and sent no second."""
    live.until(lambda: live.levels().get(-1, {}).get("phase") == "locked", "the entry is known to rest")
    venue.heal()
    live.settle()
    live.stays(lambda: len(entries_at(venue, -1)) == 1, "there is one order", 1.0)
    row, _ = entries_at(venue, -1)[0]
    assert live.levels()[-1]["order"]["client_id"] == row["clientOrderId"]
    assert live.gateway()["counts"].get("outcomes_unknown", 0) >= 1


def test_it_was_accepted_and_still_rests(tmp_path: Path) -> None:
    with still_venue() as venue:
        venue.fault("reply_lost", **LOST)
        venue.fault("event_dropped", **STREAM_MUTE)
        with begun(tmp_path, venue) as live:
            see_one_entry(live, venue)
            live.reckon()


def test_it_was_accepted_and_has_filled(tmp_path: Path) -> None:
    with still_venue() as venue:
        venue.fault("reply_lost", **LOST)
        venue.fault("event_dropped", **STREAM_MUTE)
        with begun(tmp_path, venue) as live:
            live.until(lambda: venue.strikes("reply_lost"), "the answer is lost")
            venue.walk("ETHUSDT", "2997.5")
            live.until(lambda: live.exits() == [-1], "the lot is offered")
            venue.heal()
            live.settle()
            assert live.symbol()["entry_fills"] == 1
            assert len(entries_at(venue, -1)) == 1
            live.reckon()


def test_it_was_never_received(tmp_path: Path) -> None:
    with still_venue() as venue:
        venue.fault("request_lost", **LOST)
        with begun(tmp_path, venue) as live:
            live.until(lambda: entries_at(venue, -1), "the entry is sent anew")
            live.settle()
            lost, (row, identity) = venue.strikes("request_lost")[0], entries_at(venue, -1)[0]
            assert row["time"] - lost["time"] >= BOUND_MS, "absence was believed before it was final"
            assert row["clientOrderId"] != lost["clientOrderId"]
            assert identity.level == -1
            assert len(entries_at(venue, -1)) == 1
            live.reckon()


def test_it_is_accepted_three_seconds_later(tmp_path: Path) -> None:
    with still_venue() as venue:
        venue.fault("accepted_late", delay=3_000, **LOST)
        venue.fault("event_dropped", **STREAM_MUTE)
        with begun(tmp_path, venue) as live:
            live.until(lambda: venue.strikes("accepted_late"), "the request is held back")
            see_one_entry(live, venue)
            row, _ = entries_at(venue, -1)[0]
            assert row["time"] - venue.strikes("accepted_late")[0]["time"] >= 3_000
            live.reckon()


def test_it_is_visible_only_three_seconds_later(tmp_path: Path) -> None:
    with still_venue() as venue:
        venue.fault("reply_lost", **LOST)
        venue.fault("late_visibility", delay=3_000)
        venue.fault("event_dropped", **STREAM_MUTE)
        with begun(tmp_path, venue) as live:
            see_one_entry(live, venue)
            live.reckon()


@pytest.mark.parametrize("loss", ["close", "timeout"])
def test_however_the_answer_is_lost_there_is_one_order(tmp_path: Path, loss: str) -> None:
    lost: dict[str, Any] = {**PLACING, "loss": loss}
    with still_venue() as venue:
        venue.fault("reply_lost", **lost)
        venue.fault("event_dropped", **STREAM_MUTE)
        with begun(tmp_path, venue) as live:
            see_one_entry(live, venue)
            live.reckon()


def test_one_that_comes_after_it_was_given_up_is_withdrawn_and_counted(tmp_path: Path) -> None:
    with still_venue() as venue:
        venue.fault("accepted_late", until_healed=True, **LOST)
        with begun(tmp_path, venue) as live:
            live.until(lambda: entries_at(venue, -1), "it is given up, and the entry sent anew")
            venue.heal()
            live.until(lambda: len(entries_at(venue, -1)) == 2, "the given up order comes after all")
            live.until(lambda: live.counts().get("latecomer") == 1, "it is counted")
            live.until(lambda: live.entries() == ["2998"], "one of the two stays")
            live.settle()
            # Two lived side by side for a moment: that is what a latecomer is. Nothing else may be wrong.
            reckoning = live.reckon(allow=("before",))
    assert reckoning.duplicate_orders == 1
