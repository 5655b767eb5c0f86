"""Scenario 4: the order stream goes silent while buys fill, wholly and in part, are cancelled, and a sell fills."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path

import pytest

from tests.live_control import VenueControl, still_venue
from tests.live_deployment import LiveDeployment, deployed, live_settings

RECONCILE_S, ECHO_S = 3, 5
SLOW_MACHINE_S = 30
LADDER = {"buy_window": 8}


def keep_silent(venue: VenueControl) -> None:
    """Until the venue is healed the stream does not come back, and no cancel arrives: they start at once."""
    venue.fault(**venue.ways.no_session)
    venue.fault("request_latency", scope={"endpoint": "order.cancel"}, until_healed=True)


def go_half_open(venue: VenueControl) -> None:
    """Nothing comes and nothing is closed; who has noticed cannot cancel before the hand has."""
    venue.fault("service_unavailable", scope={"endpoint": "order.cancel"})
    assert venue.verb("sockets", action="half_open", path=venue.ways.private_path)["sockets"] >= 1


def expire_the_listen_key(venue: VenueControl) -> None:
    keep_silent(venue)
    venue.verb("listen_key/expire")


def cut_everything(venue: VenueControl) -> None:
    """What the venue does to every connection after a day."""
    keep_silent(venue)
    assert venue.verb("sockets", action="cut")["sockets"] >= 2


def trade_in_the_dark(venue: VenueControl, *, by_hand: bool) -> None:
    """Buys fill, whole and in part, and are cancelled by hand or by the gateway's own late cancels; the sell fills."""
    venue.trade("ETHUSDT", "2987.5", "0.001", "SELL")
    for price in ("2986", "2984"):
        venue.fill_part("ETHUSDT", price, "0.020" if price == "2986" and not by_hand else "0.007")
        if by_hand:
            [row] = [row for row, _ in venue.own_orders(is_open=True) if row["price"] == f"{price}.00"]
            assert Decimal(row["executedQty"]) == Decimal("0.007")
            venue.cancel_by_hand("ETHUSDT", row["clientOrderId"])
    venue.trade("ETHUSDT", "3000.5", "0.001", "BUY")
    venue.quote("ETHUSDT", "2983", "2983.01")
    venue.heal()


@pytest.mark.parametrize("silence", [go_half_open, expire_the_listen_key, cut_everything])
def test_every_fill_is_recovered_and_offered(tmp_path: Path, silence: object) -> None:
    assert callable(silence)
    with still_venue() as venue:
        settings = live_settings(
            tmp_path,
            venue,
            LADDER,
            gateway={"echo_timeout_s": ECHO_S},
            runtime={"reconcile_s": RECONCILE_S},
        )
        with deployed(settings, venue) as live:
            live.walk("2999.5", "2997.5")
            assert live.exits() == [-1]
            told_before = len(live.notices())
            begun_ms = time.time_ns() // 1_000_000

            silence(venue)
            trade_in_the_dark(venue, by_hand=silence is go_half_open)

            live.until(lambda: live.symbol()["entry_fills"] == 8, "all eight buys are booked")
            live.until(lambda: set(range(-8, -1)) <= set(live.exits()), "every lot is offered")
            live.until(lambda: stream_hold(live, told_before) is not None, "the silence is noticed")
            live.until(lambda: is_free(live, venue), "the new stream is confirmed")
            live.settle()

            noticed_ms = stream_hold(live, told_before)
            assert noticed_ms is not None
            assert noticed_ms - begun_ms <= 1000 * (RECONCILE_S + ECHO_S + SLOW_MACHINE_S)
            assert live.symbol()["exit_fills"] == 1
            held = {level: Decimal(live.levels()[level]["lot"]["quantity"]) for level in (-7, -8)}
            part, whole = Decimal("0.007"), Decimal("0.020")
            assert held == {-7: part if silence is go_half_open else whole, -8: part}
            live.reckon()


def is_free(live: LiveDeployment, venue: VenueControl) -> bool:
    """Whether nothing is held; where one address serves both streams, the prices fell silent too and have to speak."""
    if venue.ways.private_path == venue.ways.public_path:
        venue.quote("ETHUSDT", "2983", "2983.01", size=str(500 + time.monotonic_ns() % 97))
    return live.holds() == []


def stream_hold(live: LiveDeployment, told_before: int) -> int | None:
    """Return when the hold was put, once it was."""
    for one in live.notices()[told_before:]:
        if one["kind"] == "hold" and one["text"].startswith("hold order_stream"):
            at_ms: int = one["at_ms"]
            return at_ms
    return None
