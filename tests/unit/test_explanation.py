"""`explain` shows one moment of the book: what a slot says of another moment is marked, and changes no order."""

from __future__ import annotations

from typing import Any

from actors.deployment.view import explanation
from grid.order import Purpose, Side
from grid.reasons import Reason
from grid.slot import SlotOrder
from grid.slot_machine import Explanation

NOW_MS = 1_750_000_000_000


def level(number: int, price: str, client_id: str = "") -> dict[str, Any]:
    order = {"client_id": client_id, "side": "BUY", "price": price, "quantity": "0.02", "filled": "0"}
    return {
        "level": number,
        "generation": 0,
        "phase": "entry" if client_id else "lot",
        "order": order if client_id else None,
        "lot": None if client_id else {"quantity": "0.02", "target": "2998.00"},
    }


def says(number: int, client_id: str = "") -> Explanation:
    order = None
    if client_id:
        order = SlotOrder(
            client_id=client_id,
            purpose=Purpose.ENTRY,
            side=Side.BUY,
            price=299_600,
            quantity=20,
            target=299_800,
            placed_ms=1,
        )
    return Explanation(
        level=number,
        generation=0,
        price=300_000 + 200 * number,
        phase="entry" if client_id else "free",
        order=order,
        lot=None,
        reason=Reason.ENTRY_RESTING if client_id else Reason.BACK_OFF,
        detail="",
        next_try_ms=None,
    )


def seen(*levels: dict[str, Any]) -> dict[str, Any]:
    row = {
        "tick": "0.01",
        "step": "0.001",
        "price": "2999.00",
        "at_ms": NOW_MS - 400,
        "price_at_ms": NOW_MS - 900,
        "levels": list(levels),
    }
    return {"gateway": {"symbols": {"ETHUSDT": row}, "holds": []}}


def test_orders_and_lots_are_the_book_s_and_what_a_slot_has_not_heard_is_marked() -> None:
    book = seen(level(-1, "2998.00"), level(-2, "2996.00", "B2"), level(-3, "2994.00", "B3"))
    slots = [says(-1, "B1"), says(-2, "B2"), says(-3), says(-4, "B4"), says(-5)]

    rows = {row["level"]: row for row in explanation("ETHUSDT", book, {"slot": slots}, NOW_MS)["levels"]}

    assert {number: (row["order"], row["lot"], row["is_changing"]) for number, row in rows.items()} == {
        -1: (None, "0.02", True),  # bought, and the slot does not know yet
        -2: ("BUY 0.02 @ 2996.00", None, False),
        -3: ("BUY 0.02 @ 2994.00", None, True),
        -4: (None, None, True),  # the slot is ahead of this picture
        -5: (None, None, False),
    }
    assert rows[-1]["target"] == "2998.00"


def test_an_answer_says_how_old_it_is() -> None:
    told = explanation("ETHUSDT", seen(), {}, NOW_MS)

    assert (told["price"], told["at_ms"], told["price_at_ms"], told["age_ms"]) == (
        "2999.00",
        NOW_MS - 400,
        NOW_MS - 900,
        400,
    )
