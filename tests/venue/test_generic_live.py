"""The ladder trades through ccxt alone, on two venues that have no adapter here: round trips, halt, and one truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from grid.order import Purpose
from tests.live_control import still_venue
from tests.live_deployment import deployed, live_settings
from tests.venue.running_venue import still_options

PRIVATE = {"kucoinfutures": "/endpoint/private", "hashkey": "/api/v1/ws"}


@pytest.mark.parametrize("name", ["kucoinfutures", "hashkey"])
def test_the_ladder_trades_through_ccxt_and_the_books_agree(tmp_path: Path, name: str) -> None:
    options = still_options(protocol=name, windows=())
    with still_venue(options) as venue, deployed(live_settings(tmp_path, venue), venue) as live:
        live.until(lambda: live.entries() == ["2998", "2996", "2994"], "three entries rest")

        venue.walk("ETHUSDT", "2995.5")
        live.until(lambda: live.exits() == [-1, -2], "both lots are offered")
        venue.walk("ETHUSDT", "3001.5")
        live.until(lambda: live.symbol()["round_trips"] == 2, "both lots are sold")
        live.settle()

        live.coordinator.halt("a test")
        live.until(lambda: live.entries() == [], "no entry rests under a halt")
        reckoning = live.reckon()

    assert reckoning.document()["fills"] == 4
    assert reckoning.open_own_orders == 0


@pytest.mark.parametrize("name", ["kucoinfutures", "hashkey"])
@pytest.mark.parametrize("has_filled", [False, True], ids=["rests", "filled"])
def test_an_order_whose_answer_was_lost_is_found_by_its_id_and_not_placed_again(
    tmp_path: Path, name: str, has_filled: bool
) -> None:
    with still_venue(still_options(protocol=name, windows=())) as venue:
        venue.fault("reply_lost", scope={"endpoint": "order.place"}, count=1, loss="hang")
        # nor does the stream tell of it: only the question for our id is left
        venue.fault("event_dropped", scope={"path": PRIVATE[name], "symbol": "ETHUSDT"})
        settings = live_settings(
            tmp_path, venue, {"buy_window": 1}, runtime={"reconcile_s": 60}, gateway={"echo_timeout_s": 60}
        )
        with deployed(settings, venue, waits=False) as live:
            live.until(lambda: venue.strikes("reply_lost"), "the answer is lost")
            if has_filled:
                venue.walk("ETHUSDT", "2997.5")
                live.until(lambda: live.exits() == [-1], "the lot is offered")
            else:
                live.until(lambda: live.levels().get(-1, {}).get("phase") == "locked", "the entry is known to rest")
            venue.heal()
            live.settle()
            entries = [one for _, one in venue.own_orders() if one.level == -1 and one.purpose is Purpose.ENTRY]
            reckoning = live.reckon()

    assert len(entries) == 1
    assert reckoning.document()["fills"] == int(has_filled)
