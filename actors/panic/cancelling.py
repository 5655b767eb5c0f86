"""`gridmesh panic`: no Ray. Cancels every own order over REST until none is left, and says what stays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TypeVar

from actors.clock import Clock
from exchanges.errors import Refusal, VenueError, VenueRefused, VenueUnreachable
from exchanges.port import Position, TradingVenue
from grid.client_id import decode
from grid.order import OrderReport
from grid.stop import StopReport

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]

BATCH = 10
CANCEL_TRIES = 3
CANCEL_PAUSE_S = 0.5
READ_PAUSE_S = 2.0
"""A reading of all symbols weighs 40 of the 2,400 a minute: faster ones would end in a ban, just now."""
SYMBOLS_MAX = 30
"""Symbols that are read one by one, at a weight of 1 each; more are read together."""
READINGS_TO_BELIEVE = 2
MARGIN_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class PanicReport:
    """What was done. `is_clear`: two readings, the last one late enough for any order on its way, held none of ours."""

    is_clear: bool
    cancelled: int
    left: tuple[OrderReport | StopReport, ...]
    foreign: tuple[OrderReport | StopReport, ...]
    positions: tuple[Held, ...]
    troubles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A position that stays. `quantity` and `cost` are None where the symbol's rules could not be read."""

    symbol: str
    steps: int
    entry_price: Decimal
    quantity: Decimal | None = None
    cost: Decimal | None = None
    base: str = ""
    quote: str = ""

    @property
    def words(self) -> str:
        """Return the position as its owner thinks of it: coins and what they cost."""
        if self.quantity is None or self.cost is None:
            return f"{self.symbol} {self.steps} steps, entry {self.entry_price.normalize():f}"
        cost, entry = f"{self.cost:.2f}", f"{self.entry_price.normalize():f}"
        return f"{self.symbol} {self.quantity} {self.base}, cost {cost} {self.quote} (entry {entry})"


class Panic:
    """One attempt to take every own order off the account. Foreign orders and all positions are never touched.

    The venue is not connected on purpose: without its order socket every call goes over REST. `journal` limits the
    attempt to the orders that one journal knows.
    """

    def __init__(
        self,
        venue: TradingVenue,
        clock: Clock,
        sleep: Sleep,
        *,
        symbols: Sequence[str],
        recv_window_ms: int,
        deadline_ms: int,
        journal: str | None = None,
    ) -> None:
        self._venue = venue
        self._clock = clock
        self._sleep = sleep
        self._symbols = set(symbols)
        self._journal = journal
        self._settle_ns = (recv_window_ms + MARGIN_MS) * 1_000_000
        self._deadline_ns = clock.monotonic_ns() + deadline_ms * 1_000_000
        self._quiet_until_ns = 0
        self._cancelled: set[str] = set()
        self._troubles: list[str] = []
        self._foreign: tuple[OrderReport, ...] = ()
        self._foreign_stops: tuple[StopReport, ...] = ()

    async def run(self) -> PanicReport:
        """Read, cancel, read again; ends when nothing of ours is left or the deadline has passed.

        The first reading and the one that is believed are of all symbols, and of conditional orders, which are a list
        of their own; those between only of open orders on symbols that matter.
        """
        empty_readings, last_own_ns, is_whole = 0, self._clock.monotonic_ns(), True
        own: list[OrderReport] = []
        stops: list[StopReport] = []
        while True:
            begun_ns = self._clock.monotonic_ns()
            read = await self._open_orders(is_whole)
            found = await self._waiting_stops() if is_whole and read is not None else []
            if read is not None:
                own = own_orders(read, self._journal)
                stops = found if is_whole and found is not None else stops
                self._symbols.update(order.symbol for order in own)
                is_late_enough = begun_ns - last_own_ns >= self._settle_ns
                if own or found:
                    empty_readings, last_own_ns = 0, begun_ns
                    await self._cancel(own)
                    await self._cancel_stops(found or [])
                elif found is None:
                    pass  # the other list could not be read: this reading proves nothing
                elif empty_readings == 0 or (is_late_enough and is_whole):
                    empty_readings += 1
                if empty_readings >= READINGS_TO_BELIEVE:
                    return await self._report([], is_clear=True)
                is_whole = self._clock.monotonic_ns() - last_own_ns + READ_PAUSE_S * 1e9 >= self._settle_ns
            if self._is_late() or self._is_shut_out():
                return await self._report([*own, *stops], is_clear=False)
            await self._pause(READ_PAUSE_S)

    async def _open_orders(self, is_whole: bool) -> list[OrderReport] | None:
        """Return the open orders, or None where one reading failed; it then proves nothing."""
        if is_whole or len(self._symbols) > SYMBOLS_MAX:
            read = await self._try("open orders", self._venue.open_orders)
            if read is not None:
                self._foreign = tuple(order for order in read if not _is_ours(order, self._journal))
            return read
        found: list[OrderReport] = []
        for symbol in sorted(self._symbols):
            part = await self._try(f"open orders of {symbol}", partial(self._venue.open_orders, symbol))
            if part is None:
                return None
            found += part
        return found

    async def _waiting_stops(self) -> list[StopReport] | None:
        """Return our conditional orders that wait, or None where the reading failed."""
        read = await self._try("conditional orders", self._venue.open_stops)
        if read is None:
            return None
        self._foreign_stops = tuple(stop for stop in read if not _is_ours(stop, self._journal))
        return [stop for stop in read if _is_ours(stop, self._journal)]

    async def _cancel_stops(self, stops: Sequence[StopReport]) -> None:
        """Cancel each; what is left of them the next whole reading says."""
        for stop in stops:
            call = partial(self._cancel_stop, stop.symbol, stop.client_id)
            if await self._try(f"cancel of the stop {stop.client_id} on {stop.symbol}", call):
                self._cancelled.add(stop.client_id)

    async def _cancel_stop(self, symbol: str, client_id: str) -> bool:
        try:
            await self._venue.cancel_stop(symbol, client_id)
        except VenueRefused as error:
            if error.refusal is not Refusal.UNKNOWN_ORDER:
                raise
            return False  # it has triggered, or is cancelled already
        return True

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
            if not waiting or self._is_late() or self._is_shut_out():
                return
            await self._pause(CANCEL_PAUSE_S)

    def _is_settled(self, symbol: str, client_id: str, answer: OrderReport | BaseException) -> bool:
        if isinstance(answer, OrderReport):
            self._cancelled.add(client_id)
            return True
        if isinstance(answer, VenueRefused) and answer.refusal is Refusal.UNKNOWN_ORDER:
            # gone already, filled or cancelled; whether that is so, the next reading says
            return True
        if isinstance(answer, VenueUnreachable):
            self._hush(answer)
        self._note(f"cancel of {client_id} on {symbol}: {answer}")
        return isinstance(answer, VenueRefused)

    async def _report(self, own: Sequence[OrderReport | StopReport], *, is_clear: bool) -> PanicReport:
        if self._is_shut_out():
            left_s = (self._quiet_until_ns - self._clock.monotonic_ns()) / 1_000_000_000
            self._note(f"the venue takes no request for {left_s:.0f} s more: run panic again then")
        return PanicReport(
            is_clear=is_clear,
            cancelled=len(self._cancelled),
            left=() if is_clear else tuple(o for o in own if o.client_id not in self._cancelled),
            foreign=(*self._foreign, *self._foreign_stops),
            positions=tuple([await self._held(one) for one in await self._positions() if one.quantity]),
            troubles=tuple(self._troubles),
        )

    async def _positions(self) -> list[Position]:
        if self._is_shut_out():
            return []
        return await self._try("positions", self._venue.positions) or []

    async def _held(self, position: Position) -> Held:
        symbol, steps, entry = position.symbol, position.quantity, position.entry_price
        instrument = await self._try(f"rules of {symbol}", partial(self._venue.instrument, symbol))
        if instrument is None:
            return Held(symbol=symbol, steps=steps, entry_price=entry)
        quantity = instrument.quantity(steps)
        return Held(
            symbol=symbol,
            steps=steps,
            entry_price=entry,
            quantity=quantity,
            cost=abs(quantity) * entry,
            base=instrument.base,
            quote=instrument.quote,
        )

    async def _try(self, what: str, call: Callable[[], Awaitable[T]]) -> T | None:
        """Return the answer, or None after noting the trouble; credentials that are refused end it."""
        await self._pause((self._quiet_until_ns - self._clock.monotonic_ns()) / 1_000_000_000)
        try:
            return await call()
        except VenueRefused as error:
            if error.refusal is Refusal.CREDENTIALS:
                raise
            self._note(f"{what}: {error}")
        except VenueUnreachable as error:
            self._note(f"{what}: {error}")
            self._hush(error)
        except VenueError as error:
            self._note(f"{what}: {error}")
        return None

    async def _pause(self, pause_s: float) -> None:
        """Wait, but not beyond the deadline."""
        left_s = (self._deadline_ns - self._clock.monotonic_ns()) / 1_000_000_000
        if (wait_s := min(pause_s, left_s)) > 0:
            await self._sleep(wait_s)

    def _hush(self, error: VenueUnreachable) -> None:
        """Ask nothing before the venue wants to be asked again: to go on would end in a ban."""
        until_ns = self._clock.monotonic_ns() + round(error.retry_after_s * 1_000_000_000)
        self._quiet_until_ns = max(self._quiet_until_ns, until_ns)

    def _is_shut_out(self) -> bool:
        """Whether the venue wants no request before the deadline."""
        return self._quiet_until_ns >= self._deadline_ns

    def _is_late(self) -> bool:
        return self._clock.monotonic_ns() >= self._deadline_ns

    def _note(self, trouble: str) -> None:
        if trouble not in self._troubles:
            self._troubles.append(trouble)


def own_orders(orders: Sequence[OrderReport], journal: str | None = None) -> list[OrderReport]:
    """Return the live orders whose id decodes as one of this program's; of one journal, or whichever wrote it."""
    return [order for order in orders if not order.status.is_terminal and _is_ours(order, journal)]


def _is_ours(order: OrderReport | StopReport, journal: str | None) -> bool:
    identity = decode(order.client_id, order.symbol)
    return identity is not None and journal in (None, identity.journal)
