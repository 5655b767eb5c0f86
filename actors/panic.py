"""`gridmesh panic`: no Ray, no journal. Cancels every own order over REST until none is left, and says what stays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from actors.clock import Clock
from exchanges.errors import Refusal, VenueError, VenueRefused, VenueUnreachable
from exchanges.port import Position, TradingVenue
from grid.client_id import decode
from grid.order import OrderReport

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]

BATCH = 10
CANCEL_TRIES = 3
CANCEL_PAUSE_S = 0.5
READ_PAUSE_S = 2.0
"""A reading of all symbols weighs 40 of the 2,400 a minute: faster ones would end in a ban, just now."""
PAUSE_S_MAX = 10.0
READINGS_TO_BELIEVE = 2
MARGIN_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class PanicReport:
    """What was done. `is_clear`: two readings, the last one late enough for any order on its way, held none of ours."""

    is_clear: bool
    cancelled: int
    left: tuple[OrderReport, ...]
    foreign: tuple[OrderReport, ...]
    positions: tuple[Position, ...]
    troubles: tuple[str, ...]


class Panic:
    """One attempt to take every own order off the account. Foreign orders and all positions are never touched.

    The venue is not connected on purpose: without its order socket every call goes over REST.
    """

    def __init__(
        self, venue: TradingVenue, clock: Clock, sleep: Sleep, *, recv_window_ms: int, deadline_ms: int
    ) -> None:
        self._venue = venue
        self._clock = clock
        self._sleep = sleep
        self._settle_ns = (recv_window_ms + MARGIN_MS) * 1_000_000
        self._deadline_ns = clock.monotonic_ns() + deadline_ms * 1_000_000
        self._cancelled: set[str] = set()
        self._troubles: list[str] = []

    async def run(self) -> PanicReport:
        """Read, cancel, read again; ends when nothing of ours is left or the deadline has passed."""
        empty_readings, last_own_ns = 0, self._clock.monotonic_ns()
        orders: list[OrderReport] = []
        while True:
            begun_ns = self._clock.monotonic_ns()
            read = await self._try("open orders", self._venue.open_orders)
            if read is not None:
                orders = read
                if own := own_orders(orders):
                    empty_readings, last_own_ns = 0, begun_ns
                    await self._cancel(own)
                elif begun_ns - last_own_ns >= self._settle_ns or empty_readings == 0:
                    empty_readings += 1
                if empty_readings >= READINGS_TO_BELIEVE:
                    return await self._report(orders, is_clear=True)
            if self._is_late():
                return await self._report(orders, is_clear=False)
            await self._pause(READ_PAUSE_S)

    async def _cancel(self, own: Sequence[OrderReport]) -> None:
        by_symbol: dict[str, list[str]] = defaultdict(list)
        for order in own:
            by_symbol[order.symbol].append(order.client_id)
        for symbol, client_ids in by_symbol.items():
            for start in range(0, len(client_ids), BATCH):
                await self._cancel_batch(symbol, client_ids[start : start + BATCH])

    async def _cancel_batch(self, symbol: str, client_ids: Sequence[str]) -> None:
        """Cancel, and try those again whose outcome is open: a second cancel of the same order does no harm."""
        waiting = list(client_ids)
        for _ in range(CANCEL_TRIES):
            asked = waiting
            answers = await self._try(f"cancel on {symbol}", partial(self._venue.cancel_batch, symbol, asked))
            if answers is not None:
                waiting = [
                    c for c, answer in zip(asked, answers, strict=True) if not self._is_settled(symbol, c, answer)
                ]
            if not waiting or self._is_late():
                return
            await self._pause(CANCEL_PAUSE_S)

    def _is_settled(self, symbol: str, client_id: str, answer: OrderReport | BaseException) -> bool:
        if isinstance(answer, OrderReport):
            self._cancelled.add(client_id)
            return True
        if isinstance(answer, VenueRefused) and answer.refusal is Refusal.UNKNOWN_ORDER:
            # gone already, filled or cancelled; whether that is so, the next reading says
            return True
        self._note(f"cancel of {client_id} on {symbol}: {answer}")
        return isinstance(answer, VenueRefused)

    async def _report(self, orders: Sequence[OrderReport], *, is_clear: bool) -> PanicReport:
        positions = await self._try("positions", self._venue.positions)
        return PanicReport(
            is_clear=is_clear,
            cancelled=len(self._cancelled),
            left=tuple(own_orders(orders)),
            foreign=tuple(order for order in orders if decode(order.client_id, order.symbol) is None),
            positions=tuple(position for position in positions or [] if position.quantity),
            troubles=tuple(self._troubles),
        )

    async def _try(self, what: str, call: Callable[[], Awaitable[T]]) -> T | None:
        """Return the answer, or None after noting the trouble and a pause; credentials that are refused end it."""
        try:
            return await call()
        except VenueRefused as error:
            if error.refusal is Refusal.CREDENTIALS:
                raise
            self._note(f"{what}: {error}")
        except VenueUnreachable as error:
            self._note(f"{what}: {error}")
            await self._pause(min(error.retry_after_s, PAUSE_S_MAX))
        except VenueError as error:
            self._note(f"{what}: {error}")
        return None

    async def _pause(self, pause_s: float) -> None:
        """Wait, but not beyond the deadline."""
        left_s = max(0, self._deadline_ns - self._clock.monotonic_ns()) / 1_000_000_000
        await self._sleep(min(pause_s, left_s))

    def _is_late(self) -> bool:
        return self._clock.monotonic_ns() >= self._deadline_ns

    def _note(self, trouble: str) -> None:
        if trouble not in self._troubles:
            self._troubles.append(trouble)


def own_orders(orders: Sequence[OrderReport]) -> list[OrderReport]:
    """Return the live orders whose id decodes as one of this program's, whichever journal wrote it."""
    return [
        order for order in orders if not order.status.is_terminal and decode(order.client_id, order.symbol) is not None
    ]
