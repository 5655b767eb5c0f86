"""Something done again and again in the gateway's loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def every(period_s: float, call: Callable[[], None]) -> None:
    """Call for ever; an exception ends it, and with it the gateway."""
    while True:
        call()
        await asyncio.sleep(period_s)
