"""Scenario 9: a wrong position reading is not believed; what somebody really closed is taken off lot by lot."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from tests.crash_truth import book_on_disk
from tests.live_control import PRIVATE, Row, VenueControl, still_venue
from tests.live_deployment import LiveDeployment, deployed, live_settings

DOWN = ("2997.5", "2995.5", "2993.5", "2991.5", "2989.5")
LOT = Decimal("0.020")


@contextmanager
def five_lots(folder: Path, venue: VenueControl) -> Iterator[LiveDeployment]:
    """Lots at the levels -1 to -5, each offered at its target."""
    with deployed(live_settings(folder, venue), venue) as live:
        live.until(lambda: len(live.entries()) == 3, "it quotes")
        live.walk(*DOWN)
        live.until(lambda: live.exits() == [-1, -2, -3, -4, -5], "five lots are offered")
        yield live


def lots(live: LiveDeployment) -> dict[int, Decimal]:
    return {level: Decimal(row["lot"]["quantity"]) for level, row in live.levels().items() if row["lot"]}


def resting(venue: VenueControl) -> dict[int, Decimal]:
    """Return how much each level offers at the venue."""
    own = venue.own_orders("ETHUSDT", is_open=True)
    return {identity.level: left_of(row) for row, identity in own if identity.purpose.closing}


def left_of(row: Row) -> Decimal:
    return Decimal(row["origQty"]) - Decimal(row["executedQty"])


def close_by_hand(venue: VenueControl, quantity: str, price: str) -> None:
    venue.verb("position", symbol="ETHUSDT", quantity=f"-{quantity}", price=price)


def test_one_empty_reading_changes_nothing(tmp_path: Path) -> None:
    with still_venue() as venue, five_lots(tmp_path, venue) as live:
        before, offered = lots(live), resting(venue)
        venue.fault("empty_positions", count=1)
        live.crew.ask(live.roster.gateway, "reconcile", "read now: the fault is for this reading")
        live.until(lambda: venue.strikes("empty_positions"), "a reading was empty")
        live.stays(lambda: lots(live) == before and live.holds() == [], "the lots stand and nothing is held", 5)

        assert resting(venue) == offered
        assert Decimal(live.symbol()["foreign"]) == 0
        live.reckon()


def test_one_reading_of_the_past_changes_nothing(tmp_path: Path) -> None:
    with still_venue() as venue, deployed(live_settings(tmp_path, venue), venue) as live:
        live.until(lambda: len(live.entries()) == 3, "it quotes")
        live.walk(*DOWN[:2])
        live.until(lambda: len(lots(live)) == 2, "it holds two lots")
        then = time.monotonic()
        live.walk(*DOWN[2:])
        live.until(lambda: len(live.exits()) == 5, "it holds five")
        before, offered = lots(live), resting(venue)

        # A whole reading, of the time of two lots. The fault is for the desk's own reading: it is asked for at once.
        delay = round((time.monotonic() - then) * 1000)
        venue.fault("stale_read", scope={"endpoint": "positions*"}, delay=delay, count=1)
        live.crew.ask(live.roster.gateway, "reconcile", "read now")
        live.until(lambda: venue.strikes("stale_read"), "a reading was old")
        live.stays(lambda: lots(live) == before and live.holds() == [], "the lots stand and nothing is held", 4)

        assert resting(venue) == offered
        assert Decimal(live.symbol()["foreign"]) == 0
        live.reckon()


def test_readings_that_stay_empty_hold_and_erase_nothing(tmp_path: Path) -> None:
    with still_venue() as venue, five_lots(tmp_path, venue) as live:
        before = lots(live)
        venue.fault("empty_positions")
        live.until(lambda: len(venue.strikes("empty_positions")) >= 4, "several readings were empty")
        assert lots(live) == before

        venue.heal()
        live.until(lambda: live.holds() == [], "the hold is lifted by readings that agree")
        assert lots(live) == before
        live.reckon()


def test_a_close_of_everything_is_booked_at_its_price_lot_by_lot(tmp_path: Path) -> None:
    with still_venue() as venue, five_lots(tmp_path, venue) as live:
        close_by_hand(venue, "0.100", "2990")
        live.until(lambda: lots(live) == {}, "no lot is left")
        live.until(lambda: live.exits() == [], "nothing is offered")
        live.settle()

        assert Decimal(live.symbol()["foreign"]) == 0
        bought = sum(Decimal(2998 - 2 * back) for back in range(5)) * LOT
        assert Decimal(live.symbol()["grid_profit_gross"]) == Decimal(2990) * Decimal("0.100") - bought
        live.until(lambda: live.entries(), "it quotes on")
        live.reckon()


def test_a_close_of_thirty_per_cent_takes_the_highest_targets_first(tmp_path: Path) -> None:
    with still_venue() as venue, five_lots(tmp_path, venue) as live:
        close_by_hand(venue, "0.030", "2990")

        left = {-2: Decimal("0.010"), -3: LOT, -4: LOT, -5: LOT}
        live.until(lambda: lots(live) == left, "one and a half lots are gone, from the top")
        live.until(lambda: resting(venue) == left, "what is offered is what is left")
        live.settle()
        assert {level: Decimal(row["lot"]["cost"]) for level, row in live.levels().items() if row["lot"]} == {
            -2: Decimal("29.96"),
            -3: Decimal("59.88"),
            -4: Decimal("59.84"),
            -5: Decimal("59.80"),
        }
        live.reckon()


def test_a_close_that_no_event_told_is_found_by_readings(tmp_path: Path) -> None:
    with still_venue() as venue, five_lots(tmp_path, venue) as live:
        venue.fault("event_dropped", scope=PRIVATE)
        close_by_hand(venue, "0.030", "2990")
        left = {-2: Decimal("0.010"), -3: LOT, -4: LOT, -5: LOT}
        live.until(lambda: lots(live) == left, "the readings told")
        venue.heal()

        live.until(lambda: resting(venue) == left, "what is offered is what is left")
        live.until(lambda: live.holds() == [], "nothing is held")
        live.settle()
        live.reckon()


def test_a_close_while_the_gateway_was_dead_is_taken_off_at_its_start(tmp_path: Path) -> None:
    with still_venue() as venue, five_lots(tmp_path, venue) as live:
        live.kill_gateway()
        close_by_hand(venue, "0.030", "2990")
        live.restart_gateway()

        left = {-2: Decimal("0.010"), -3: LOT, -4: LOT, -5: LOT}
        live.until(lambda: lots(live) == left, "one and a half lots are gone, from the top")
        live.until(lambda: resting(venue) == left, "what is offered is what is left")
        live.settle()
        live.reckon()
        on_disk = {key.level: lot.quantity for key, lot in book_on_disk(live.settings).symbol("ETHUSDT").lots()}
    whole = on_disk[-3]
    assert on_disk == {-2: whole // 2, -3: whole, -4: whole, -5: whole}
