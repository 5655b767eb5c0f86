"""A paper account that trades as fast as it can and says what it is told, until it is killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import orjson

from grid.order import OrderUpdate, Side, TimeInForce
from tests.paper_market import MID, PaperRig, order, paper, top, trade


async def live(path: Path, life: int) -> None:
    async with paper(path) as rig:
        number = 0
        while True:
            number += 1
            await one_round(rig, f"{life}x{number}", (life * 1_000_000 + number) * 10)
            for event in rig.told:
                if isinstance(event, OrderUpdate):
                    say(event)
            rig.told.clear()


async def one_round(rig: PaperRig, name: str, at_ms: int) -> None:
    """Buy, leave an order resting, cancel one, sell what is there."""
    calls = [
        asyncio.ensure_future(rig.venue.place(order(f"{name}buy", MID - 1))),
        asyncio.ensure_future(rig.venue.place(order(f"{name}gone", MID - 9))),
        asyncio.ensure_future(rig.venue.cancel("ETHUSDT", f"{name}gone")),
    ]
    await rig.play(top(MID, MID + 1, at_ms=at_ms))
    await rig.play(trade(MID - 3, 1, Side.SELL, at_ms=at_ms + 1))
    calls.append(
        asyncio.ensure_future(
            rig.venue.place(order(f"{name}sell", MID, 10, Side.SELL, closing=True, time_in_force=TimeInForce.IOC))
        )
    )
    await rig.play(top(MID, MID + 1, at_ms=at_ms + 2))
    await asyncio.gather(*calls, return_exceptions=True)


def say(event: OrderUpdate) -> None:
    fill = event.fill
    told = {
        "client_id": event.report.client_id,
        "status": event.report.status.value,
        "filled": event.report.filled,
        "trade_id": fill.trade_id if fill is not None else None,
    }
    sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), int(sys.argv[2])))
