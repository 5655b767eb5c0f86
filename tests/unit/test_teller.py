"""What slots are told at once and what may wait to be told together."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from actors.gateway.teller import LATER_S, Teller
from actors.mail.messages import Message, Tellings
from grid.intent import Standing, Told
from grid.order import Purpose, Side
from grid.reasons import Reason
from grid.slot import Phase, SlotKey, SlotOrder, SlotState

STANDING = Standing(symbol="ETHUSDT", halt_epoch=0, holds=())
ORDER = SlotOrder(
    client_id="in", purpose=Purpose.ENTRY, side=Side.BUY, price=299_800, quantity=10, target=300_000, placed_ms=0
)


def told(
    level: int, version: int, phase: Phase, order: SlotOrder | None = ORDER, refusal: Reason | None = None
) -> Told:
    key = SlotKey(symbol="ETHUSDT", generation=0, level=level)
    state = SlotState(key=key, phase=phase, order=order, version=version)
    return Told(state=state, standing=STANDING, refusal=refusal)


def versions(posted: list[tuple[str, Message]]) -> list[list[tuple[int, int]]]:
    """Return what each message said, as (level, version)."""
    return [
        [(one.state.key.level, one.state.version) for one in message.told]
        for _, message in posted
        if isinstance(message, Tellings)
    ]


async def test_an_order_that_was_sent_and_soon_acknowledged_is_told_of_once() -> None:
    posted: list[tuple[str, Message]] = []
    teller = Teller(lambda receiver, message: posted.append((receiver, message)))

    teller.tell("a", told(1, 1, Phase.PENDING))
    teller.tell("a", told(2, 4, Phase.CANCELLING))
    teller.tell("a", told(1, 2, Phase.LOCKED))
    at_once = list(posted)
    await asyncio.sleep(10 * LATER_S)

    assert at_once == []
    assert versions(posted) == [[(1, 2), (2, 4)]]


async def test_what_a_slot_may_act_on_is_told_at_once_with_all_that_was_kept_before_it() -> None:
    posted: list[tuple[str, Message]] = []
    teller = Teller(lambda receiver, message: posted.append((receiver, message)))
    urgent = [
        told(3, 7, Phase.FREE, None),
        told(4, 8, Phase.LOCKED, replace(ORDER, filled=4)),
        told(5, 0, Phase.PENDING, refusal=Reason.STALE),
        told(6, 9, Phase.BLOCKED),
    ]

    teller.tell("a", told(1, 1, Phase.PENDING))
    for one in urgent:
        teller.tell("a", one)
    teller.tell("b", told(2, 2, Phase.LOCKED))

    assert versions(posted) == [[(1, 1), (3, 7)], [(4, 8)], [(5, 0)], [(6, 9)]]
