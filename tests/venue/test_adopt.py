"""A position that stood before the first start is taken over lot by lot, as the user lists it (trading rule 16)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.crash_truth import book_on_disk
from tests.live_control import VenueControl, still_venue
from tests.live_deployment import LiveDeployment, deployed, live_settings

LISTED = [
    {"price": 2998, "quantity": "0.020"},
    {"price": "2995.37", "quantity": "0.030"},
    {"price": "3005.5", "quantity": "0.010", "target": 3007},
]
"""At level -1, at level -3 (an average between ticks, above its level's price), and above the market."""


def buy_by_hand(venue: VenueControl, quantity: str) -> None:
    venue.verb("position", symbol="ETHUSDT", quantity=quantity, price="3000")


def lots(live: LiveDeployment) -> dict[int, tuple[Decimal, Decimal, Decimal]]:
    return {
        level: (Decimal(row["lot"]["quantity"]), Decimal(row["lot"]["cost"]), Decimal(row["lot"]["target"]))
        for level, row in live.levels().items()
        if row["lot"]
    }


def test_listed_lots_are_sold_at_their_targets_and_the_rest_is_left_alone(tmp_path: Path) -> None:
    with still_venue() as venue:
        buy_by_hand(venue, "0.100")
        settings = live_settings(tmp_path, venue, {"existing_position": "adopt", "adopted_lots": LISTED})
        with deployed(settings, venue) as live:
            live.until(lambda: live.exits() == [2, -1, -3], "each lot is offered")
            assert lots(live) == {
                2: (Decimal("0.010"), Decimal("30.055"), Decimal(3007)),
                -1: (Decimal("0.020"), Decimal("59.96"), Decimal(3000)),
                -3: (Decimal("0.030"), Decimal("89.8611"), Decimal(2996)),
            }
            assert live.symbol()["foreign"] == "0.040"
            assert live.notices("foreign_fill") == [], "what the position holds already is not booked beside it"
            live.until(lambda: live.entries(), "it quotes")
            assert not {"2998", "2994"} & {*live.entries()}, "no second buy for a held lot"

            live.kill_gateway()
            live.restart_gateway()
            assert sorted(lots(live)) == [-3, -1, 2], "a start with a journal adopts nothing again"
            assert live.symbol()["foreign"] == "0.040"

            # The market was above two targets: those exits rest a tick over it.
            venue.walk("ETHUSDT", "3008")
            live.until(lambda: lots(live) == {}, "all are sold")
            live.settle()
            live.stop()
        book = book_on_disk(settings).symbol("ETHUSDT")
        sold = Decimal("0.010") * 3007 + Decimal("0.050") * Decimal("3000.01")
        assert book.ledger.realised == sold - Decimal("179.8761")
        assert (book.ledger.round_trips, book.foreign) == (3, 40)
        assert Decimal(venue.account()["positions"]["ETHUSDT"]["quantity"]) == Decimal("0.04")


@pytest.mark.parametrize(
    ("held", "listed", "words"),
    [
        ("0.050", LISTED, "the venue holds 0.050"),
        ("-0.060", LISTED, "the venue holds 0"),
        ("0.100", [{"price": 2998, "quantity": "0.0205"}], "no whole number"),
        ("0.100", [{"price": 2998, "quantity": "0.01"}, {"price": 2999, "quantity": "0.01"}], "list them as one"),
        ("0.100", [{"price": 2998, "quantity": "0.01", "target": 2990}], "losing side"),
    ],
)
def test_lots_that_cannot_be_the_position_refuse_the_start(
    tmp_path: Path, held: str, listed: list[dict[str, Any]], words: str
) -> None:
    with still_venue() as venue:
        buy_by_hand(venue, held)
        settings = live_settings(tmp_path, venue, {"existing_position": "adopt", "adopted_lots": listed})
        with deployed(settings, venue, waits=False) as live:
            live.until(lambda: live.state() == "refused", "the start is refused")
            assert any(words in reason for reason in live.coordinator.snapshot()["refusals"])
        assert venue.own_orders() == []


def test_a_short_position_is_adopted_by_a_short_grid(tmp_path: Path) -> None:
    with still_venue() as venue:
        buy_by_hand(venue, "-0.020")
        ladder = {
            "side": "short",
            "existing_position": "adopt",
            "adopted_lots": [{"price": "3002.6", "quantity": "0.020"}],
        }
        settings = live_settings(tmp_path, venue, ladder)
        with deployed(settings, venue) as live:
            live.until(lambda: len(live.exits()) == 1, "the lot is offered")
            [(quantity, cost, target)] = lots(live).values()
            assert (quantity, cost, target) == (Decimal("0.020"), Decimal("60.052"), Decimal(3002))
            assert live.notices("foreign_fill") == []
            live.stop()
        book = book_on_disk(settings).symbol("ETHUSDT")
        assert (book.expected_position(), book.foreign) == (-20, 0)
