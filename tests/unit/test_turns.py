"""What a message means to the desk, and whose turn it is where it asks for several things."""

from __future__ import annotations

from actors.mail.desk_mail import desk_events
from actors.mail.messages import Intents
from exchanges.desk.events import Asked
from grid.intent import CancelIntent, PlaceIntent
from grid.order import Purpose, TimeInForce
from grid.reasons import Reason
from grid.slot import SlotKey


def key(level: int) -> SlotKey:
    return SlotKey(symbol="ETHUSDT", generation=0, level=level)


def place(level: int, purpose: Purpose) -> PlaceIntent:
    return PlaceIntent(
        key=key(level),
        basis_version=0,
        purpose=purpose,
        price=100 + level,
        quantity=1,
        target=110,
        time_in_force=TimeInForce.POST_ONLY,
        reference=None,
        halt_epoch=0,
    )


def test_exits_go_first_then_the_nearest_entries_and_cancels_last() -> None:
    asked = (
        CancelIntent(key=key(-9), client_id="far", reason=Reason.LEFT_WINDOW),
        place(-3, Purpose.ENTRY),
        place(-1, Purpose.ENTRY),
        place(-7, Purpose.EXIT),
    )

    events = desk_events(Intents(intents=asked))

    assert events == [Asked(intent=asked[index]) for index in (3, 2, 1, 0)]
