"""Once the gateway has taken the fence no entry is written: proved by the order of frames on one socket, not by time.

The cancels that a hold causes go over the same socket as the entries before it. So whatever the venue reads after the
first of them was written after the fence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from grid.client_id import decode
from tests.bench.wire_times import WireLog, watched
from tests.live_control import VenueControl, still_venue
from tests.live_deployment import deployed, live_settings
from tests.venue.running_venue import still_options

SYMBOL = "ETHUSDT"
WINDOW = 15
BURST = 4


@pytest.fixture
def log() -> WireLog:
    return WireLog()


@pytest.fixture
def venue(log: WireLog) -> Iterator[VenueControl]:
    with still_venue(replace(still_options(), connection=watched(log))) as started:
        yield started


def writes(log: WireLog) -> list[tuple[str, str]]:
    """Return what the venue has read on the order socket, in order: the method and our id."""
    found = []
    for _, _, content in log.read:
        message = orjson.loads(content)
        params = message.get("params")
        if message.get("method") in ("order.place", "order.cancel") and isinstance(params, dict):
            found.append((message["method"], params.get("newClientOrderId") or params["origClientOrderId"]))
    return found


def entries(log: WireLog) -> list[str]:
    """Return the ids of the entries read so far."""
    identities = [(text, decode(text, SYMBOL)) for method, text in writes(log) if method == "order.place"]
    return [text for text, identity in identities if identity is not None and not identity.purpose.closing]


def test_no_entry_follows_the_first_cancel_of_a_hold_and_every_one_before_it_is_cancelled_and_verified(
    tmp_path: Path, venue: VenueControl, log: WireLog
) -> None:
    settings = live_settings(
        tmp_path,
        venue,
        {"buy_window": WINDOW, "max_lots": WINDOW},
        # Most of the window waits in the entries' lane when the hold comes.
        gateway={"orders_per_second": 1, "burst": BURST},
    )
    with deployed(settings, venue) as deployment:
        deployment.until(lambda: len(entries(log)) >= BURST, "the first entries are written")

        # The hold of the start was proved too, before there was anything to withdraw.
        earlier = len(deployment.notices("entries_gone"))
        deployment.coordinator.halt("a test of the fence")
        deployment.until(lambda: len(deployment.notices("entries_gone")) > earlier, "the entries are verified gone")
        deployment.stays(lambda: not deployment.entries(), "no entry comes back under the hold", 1.5)

        methods = [method for method, _ in writes(log)]
        fence = methods.index("order.cancel")
        written = entries(log)
        assert 0 < len(written) < WINDOW
        assert "order.place" not in methods[fence:]
        assert {text for method, text in writes(log) if method == "order.cancel"} >= set(written)
