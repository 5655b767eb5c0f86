"""What the calls of every venue share: the order socket with REST behind it, the fence, and venue time."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from exchanges.errors import Refusal, VenueError, VenueRefused
from exchanges.hosts import HostPolicy
from exchanges.port import UsedQuota
from exchanges.session.clock_offset import ClockOffset, ClockReading, offset_of
from exchanges.session.http import HttpClient, HttpTongue
from exchanges.session.reader import Reader, ReaderTimes
from exchanges.session.request_socket import RequestSocket, RequestTongue
from exchanges.session.settings import AdapterSettings, required

SOCKET_WAIT_S = 2.0
T = TypeVar("T")


class VenueCalls(ABC):
    """Base of a venue's `Calls`. Knows venue time; measures it again when the venue refuses ours.

    A venue asks `_fence` before each of its writes, and `_raise_bug` before each order.
    """

    def __init__(
        self,
        settings: AdapterSettings,
        policy: HostPolicy,
        *,
        http: HttpTongue,
        orders_url: str,
        orders: RequestTongue,
        on_quota: Callable[[UsedQuota], None],
    ) -> None:
        self._settings = settings
        self.policy = policy
        self.credentials = required(settings.credentials)
        self._http = HttpClient(policy, http, settings.monotonic_ns, settings.connect_timeout_s)
        self._http.on_quota = on_quota
        self._entry = RequestSocket(
            url=orders_url,
            tongue=orders,
            policy=policy,
            times=settings.socket_times,
            in_flight_max=settings.in_flight_max,
            monotonic_ns=settings.monotonic_ns,
            on_quota=on_quota,
        )
        self._entry_task: asyncio.Task[None] | None = None
        self.clock = ClockOffset()
        self._fence: Callable[[], None] = lambda: None

    @abstractmethod
    async def _read_venue_ms(self) -> int:
        """Read the venue's clock, once."""

    def fence_by(self, fence: Callable[[], None]) -> None:
        """Have `fence` raise where nothing may be written.

        It is asked after a request's time was taken, so that one which is held up between there and the wire is refused
        by the venue once its window is over, where the venue has such a window.
        """
        self._fence = fence

    @property
    def is_socket_up(self) -> bool:
        """Whether orders go over the socket now."""
        return self._entry.is_up

    def venue_now_ms(self) -> int:
        """Return the venue's time as we know it."""
        return self._settings.now_ms() + self.clock.offset_ms

    async def open_socket(self) -> None:
        """Start the order socket and give it a moment; orders go over REST until it is up."""
        if self._entry_task is None:
            settings = self._settings
            times = ReaderTimes(life_s=settings.connection_life_s, backoff=settings.backoff)
            reader = Reader(self._entry, times, settings.random, settings.monotonic_ns)
            self._entry_task = asyncio.create_task(reader.run())
        await self._entry.wait_up(SOCKET_WAIT_S)

    async def measure_clock(self) -> ClockOffset:
        """Measure the offset anew; the old one stays where the venue does not answer."""
        readings = []
        for _ in range(self._settings.time_probes):
            sent_ms = self._settings.now_ms()
            venue_ms = await self._read_venue_ms()
            readings.append(ClockReading(sent_ms=sent_ms, venue_ms=venue_ms, received_ms=self._settings.now_ms()))
        self.clock = offset_of(readings)
        return self.clock

    async def close(self) -> None:
        """Close every connection."""
        if self._entry_task is not None:
            self._entry_task.cancel()
            await asyncio.wait([self._entry_task])
            self._entry_task = None
        await self._http.close()

    async def _minding_clock(self, answer: Awaitable[T]) -> T:
        try:
            return await answer
        except VenueRefused as refusal:
            await self._mind_clock(refusal)
            raise

    async def _mind_clock(self, refusal: VenueRefused) -> None:
        if refusal.refusal is Refusal.CLOCK:
            with suppress(VenueError):
                await self.measure_clock()

    def _raise_bug(self) -> None:
        """A reader that broke by our own mistake must not hide behind the fallback."""
        task = self._entry_task
        if task is not None and task.done() and not task.cancelled():
            failure = task.exception()
            if failure is not None:
                raise failure
