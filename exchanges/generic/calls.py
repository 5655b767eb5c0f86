"""One call of ccxt's, and what its failure means: nothing sent, refused, or unknown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from decimal import getcontext, setcontext
from typing import Any

from exchanges.errors import BadReply, NotSupported, OutcomeUnknown, Refusal, VenueError, VenueRefused, VenueUnreachable
from exchanges.generic.exchange import CALL, READING_FAULTS, Call, Ground, exchange, policy
from exchanges.generic.outcome import CODES, CcxtTongue, name_of, worded
from exchanges.outcome import Effect
from exchanges.session.clock_offset import ClockOffset, ClockReading, offset_of
from exchanges.session.http import HttpClient
from exchanges.session.settings import AdapterSettings

MARKETS_TIMEOUT_S = 30.0
"""The list of every market is the largest reply that a venue gives."""


class Calls:
    """Every REST request of one half. Knows venue time; measures it again when the venue refuses ours."""

    def __init__(self, name: str, settings: AdapterSettings) -> None:
        self._settings = settings
        self.clock = ClockOffset()
        self._is_measuring = False
        self.name = name
        self.ground = Ground(now_ms=self.venue_now_ms, read_timeout_s=settings.read_timeout_s)
        self.exchange = exchange(name, settings, self.ground)
        self.policy = policy(self.exchange)
        self._http = HttpClient(self.policy, CcxtTongue(), settings.monotonic_ns, settings.connect_timeout_s)
        self.ground.http = self._http

    @property
    def is_socket_up(self) -> bool:
        """Never: the outcome of ccxt's orders over a socket could not be judged."""
        return False

    async def open_socket(self) -> None:
        """Do nothing: orders go over REST."""

    def fence_by(self, fence: Callable[[], None]) -> None:
        """Have `fence` raise where nothing may be written; it is asked after ccxt has built and stamped a request."""
        self.ground.fence = fence

    def venue_now_ms(self) -> int:
        """Return the venue's time as we know it."""
        return self._settings.now_ms() + self.clock.offset_ms

    async def read(self, method: str, *arguments: Any, timeout_s: float | None = None) -> Any:
        """Read by ccxt's unified method. Never `OutcomeUnknown`."""
        return await self._ask(Call(Effect.READ, timeout_s or self._settings.read_timeout_s), method, arguments)

    async def write(self, method: str, *arguments: Any, closing: bool = False, post_only: bool = False) -> Any:
        """Change something by ccxt's unified method."""
        call = Call(Effect.WRITE, self._settings.order_timeout_s, closing=closing, post_only=post_only)
        return await self._ask(call, method, arguments)

    def has(self, ability: str) -> bool:
        """Whether ccxt says that the exchange has it, natively or put together."""
        return bool(self.exchange.has.get(ability))

    def feature(self, ability: str) -> dict[str, Any]:
        """Return what ccxt says of a call for linear swaps: page size, window; empty where it says nothing."""
        told = ((self.exchange.features or {}).get("swap") or {}).get("linear") or {}
        found: dict[str, Any] = told.get(ability) or {}
        return found

    async def markets(self) -> dict[str, Any]:
        """Return every market, read anew."""
        found: dict[str, Any] = await self.read("load_markets", True, timeout_s=MARKETS_TIMEOUT_S)
        return found

    async def measure_clock(self) -> ClockOffset:
        """Measure the offset anew; the old one stays where the venue does not answer."""
        if not self.has("fetchTime"):
            return self.clock
        readings = []
        for _ in range(self._settings.time_probes):
            sent_ms = self._settings.now_ms()
            venue_ms = int(await self.read("fetch_time"))
            readings.append(ClockReading(sent_ms=sent_ms, venue_ms=venue_ms, received_ms=self._settings.now_ms()))
        self.clock = offset_of(readings)
        return self.clock

    async def close(self) -> None:
        """Close every connection."""
        await self.exchange.close()
        await self._http.close()

    async def _ask(self, call: Call, method: str, arguments: tuple[Any, ...]) -> Any:
        token = CALL.set(call)
        try:
            # ccxt changes the rounding of whatever context of decimals it finds: it gets one, and a task, of its own.
            # A `with localcontext()` here would be left in somebody else's task where this one is thrown away.
            apart = copy_context()
            apart.run(setcontext, getcontext().copy())
            made = getattr(self.exchange, method)(*arguments)
            return await asyncio.get_running_loop().create_task(made, context=apart)
        except VenueRefused as refusal:
            await self._mind_clock(refusal)
            raise
        except (*READING_FAULTS, self.exchange.base_error) as fault:
            raise self._meaning(call, method, fault) from fault
        finally:
            CALL.reset(token)

    def _meaning(self, call: Call, method: str, fault: Exception) -> VenueError:
        """Return what a fault of ccxt's own means: before anything was sent it is a plain no."""
        words = f"{method}: {name_of(fault)}"
        refusal = CODES.refused.get(name_of(fault))
        is_answer = call.effect is Effect.READ and isinstance(fault, self.exchange.base_error)
        if call.is_sent and is_answer and refusal is Refusal.UNKNOWN_ORDER:
            return VenueRefused(name_of(fault), f"{method}: the answer holds none", refusal)
        if call.is_sent:
            lost = f"{words}: the answer could not be read"
            return OutcomeUnknown(lost) if call.effect is Effect.WRITE else BadReply(lost)
        if not isinstance(fault, self.exchange.base_error):
            return VenueRefused("", f"{words}: {fault}", Refusal.OTHER)
        if name_of(fault) == "NotSupported":
            return NotSupported(f"{self.name}: {method}")
        if refusal is None:
            return VenueUnreachable(f"not sent: {words}")
        # nothing was sent: however it is worded, it is no doubt
        return worded(
            VenueRefused(name_of(fault), str(fault), refusal),
            Effect.READ,
            closing=call.closing,
            post_only=call.post_only,
        )

    async def _mind_clock(self, refusal: VenueRefused) -> None:
        if refusal.refusal is Refusal.CLOCK and not self._is_measuring:
            self._is_measuring = True
            try:
                with suppress(VenueError):
                    await self.measure_clock()
            finally:
                self._is_measuring = False
