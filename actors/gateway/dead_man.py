"""The venue's own countdown: it cancels a symbol's orders unless it hears from us in time (trading rule 24).

It cancels everything on the symbol, so it is armed only where the configuration consents and all orders are ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial

from actors.gateway.caller import VenueCaller
from actors.structured_log import log_of
from exchanges.desk.commands import Notice
from exchanges.errors import VenueError
from exchanges.lane import Lane
from exchanges.port import TradingVenue

LOOK_S = 0.5
DISARM_S = 3.0


class DeadMan:
    """Renews the countdowns at half their time while the gateway lives; ends them when it ends in order."""

    def __init__(
        self,
        *,
        name: str,
        venue: TradingVenue,
        caller: VenueCaller,
        countdowns_ms: Callable[[], Mapping[str, int]],
        is_ready: Callable[[], bool],
        foreign_orders: Callable[[str], int],
        now_ms: Callable[[], int],
        on_notice: Callable[[Notice], None],
    ) -> None:
        self._venue = venue
        self._caller = caller
        self._countdowns_ms = countdowns_ms
        self._is_ready = is_ready
        self._foreign_orders = foreign_orders
        self._now_ms = now_ms
        self._on_notice = on_notice
        self._log = log_of(name)
        self._due_ms: dict[str, int] = {}
        self._off: set[str] = set()
        self.armed: set[str] = set()

    async def run(self) -> None:
        """Keep them running; a cancelled run disarms, since an orderly end leaves what it is told to leave."""
        try:
            while True:
                # Whose orders there are is known only from a reading.
                wanted = self._countdowns_ms() if self._is_ready() else {}
                for symbol, countdown_ms in wanted.items():
                    await self._look_after(symbol, countdown_ms)
                for symbol in sorted(self.armed - set(wanted)) if self._is_ready() else ():
                    await self._set(symbol, 0)
                await asyncio.sleep(LOOK_S)
        finally:
            for symbol in sorted(self.armed):
                await self._set(symbol, 0)

    async def _look_after(self, symbol: str, countdown_ms: int) -> None:
        if self._foreign_orders(symbol):
            self._due_ms.pop(symbol, None)
            is_off = symbol not in self.armed or await self._set(symbol, 0)
            if is_off and symbol not in self._off:
                self._off.add(symbol)
                text = f"{symbol}: somebody else has orders there; the countdown would cancel them and is off"
                self._on_notice(Notice(kind="countdown_off", text=text, level="warning"))
            return
        self._off.discard(symbol)
        if self._now_ms() >= self._due_ms.get(symbol, 0) and await self._set(symbol, countdown_ms):
            self._due_ms[symbol] = self._now_ms() + countdown_ms // 2

    async def _set(self, symbol: str, countdown_ms: int) -> bool:
        """Set it; 0 ends it. What failed is tried again at the next look."""
        try:
            async with asyncio.timeout(DISARM_S):
                # Counted, and with the cancels: a renewal that waits behind readings comes too late.
                call = partial(self._venue.set_countdown, symbol, countdown_ms)
                await self._caller.read(call, self._venue.costs.countdown, Lane.CANCEL)
        except (VenueError, TimeoutError) as error:
            self._log.warning("countdown_not_set", symbol=symbol, countdown_ms=countdown_ms, why=str(error))
            # It may have been set all the same: it is looked after, and ended, as if it were.
            if countdown_ms:
                self.armed.add(symbol)
            return False
        if countdown_ms:
            self.armed.add(symbol)
        else:
            self.armed.discard(symbol)
        return True
