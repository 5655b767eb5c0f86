"""One connection of ccxt's streams, which tells when it is confirmed and always tells when it is lost.

ccxt's own streams resolve a future with whatever came since it was last asked, say nothing of a confirmation, and may
stop reading without a word: after an error in a handler, or on a socket that is open and mute. Here each is an end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp

from exchanges.errors import BadReply, Refusal, VenueError, VenueRefused, VenueUnreachable
from exchanges.generic.exchange import READING_FAULTS, Ears
from exchanges.generic.outcome import CODES, name_of
from exchanges.session.buffers import WholeBuffer
from exchanges.websocket import SocketTimes

KEPT = 1_000
LOOK_S = 0.02
GRACE_NS = 100_000_000
"""So long after a frame nothing more has to be asked: what was asked is then taken to be answered."""
SETTLE_NS = 1_500_000_000
"""A venue that answers no request for a stream is taken to have heard it after so long."""
CLOSE_S = 0.5
NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One stream: our name of it, and what asks ccxt for its next news."""

    ours: str
    ask: Callable[[Any], Awaitable[Any]]
    polls: bool = False
    """It reads over REST, by itself and again and again: its first answer confirms it."""


def copied(rows: Sequence[Any]) -> list[Any]:
    """Return rows as they are now: ccxt writes later states into the same ones."""
    return [dict(row) for row in rows]


class CcxtLink:
    """A connection of one exchange of ccxt's, made for it alone: with it every cache and subscription ends."""

    def __init__(
        self, made: Any, session: aiohttp.ClientSession, times: SocketTimes, monotonic_ns: Callable[[], int]
    ) -> None:
        self._exchange = made
        self._session = session
        self._times = times
        self._monotonic_ns = monotonic_ns
        self._news: WholeBuffer[tuple[str, Any]] = WholeBuffer(KEPT)
        self._tasks: list[asyncio.Task[None]] = []
        self._failure: BaseException | None = None
        self._is_closing = False
        self._sent_ns: dict[str, int] = {}
        self._heard_ns: dict[str, int] = {}
        self._up_ns: dict[str, int] = {}
        self._answered: set[str] = set()
        made.ears = Ears(sent=self._sent, heard=self._heard, broke=self._broke)

    async def start(self, watches: list[Watch]) -> None:
        """Ask for the streams, one after the other, and return once they are taken to be confirmed."""
        for watch in watches:
            self._run(self._follow(watch))
            async with asyncio.timeout(2 * self._times.open_timeout_s):
                await self._confirmed(watch)
        self._run(self._mind_silence())

    async def recv(self, *, decode: Literal[False] = False) -> tuple[str, Any]:
        """Return the next news and of which stream it is, or raise what ended the connection."""
        return await self._news.get()

    async def close(self) -> None:
        """End the connection and everything that belongs to it; a mute venue is not waited for."""
        self._is_closing = True
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._exchange.close()
        except TimeoutError:
            pass
        finally:
            await self._session.close()

    async def _follow(self, watch: Watch) -> None:
        while True:
            news = await watch.ask(self._exchange)
            self._answered.add(watch.ours)
            await self._news.put((watch.ours, news))

    async def _confirmed(self, watch: Watch) -> None:
        began_ns = self._monotonic_ns()
        while watch.ours not in self._answered:
            if self._failure is not None:
                raise self._failure
            # some streams need no request of their own: they are told with another
            may_have_asked = self._monotonic_ns() - began_ns >= GRACE_NS
            if not watch.polls and may_have_asked and self._is_answered():
                return
            await asyncio.sleep(LOOK_S)

    def _is_answered(self) -> bool:
        """Whether on every socket something was asked, and heard afterwards or asked long ago."""
        now_ns = self._monotonic_ns()
        urls = [url for url in self._exchange.clients or {} if "://" in url]  # ccxt keeps other things there too
        return bool(urls) and all(self._is_quiet(url, now_ns) for url in urls)

    def _is_quiet(self, url: str, now_ns: int) -> bool:
        sent_ns, heard_ns = self._sent_ns.get(url), self._heard_ns.get(url, 0)
        if sent_ns is None:
            # some are asked by their address alone
            up_ns = self._up_ns.setdefault(url, now_ns) if self._exchange.clients[url].isConnected else now_ns
            return now_ns - up_ns >= SETTLE_NS
        return (heard_ns > sent_ns and now_ns - heard_ns >= GRACE_NS) or now_ns - sent_ns >= SETTLE_NS

    async def _mind_silence(self) -> None:
        """End the connection when a socket answers no ping any more."""
        patience_ns = int((self._times.ping_interval_s + self._times.ping_timeout_s) * NS)
        last: dict[str, tuple[Any, int]] = {}
        while True:
            await asyncio.sleep(self._times.ping_interval_s / 4)
            now_ns = self._monotonic_ns()
            for url, client in (self._exchange.clients or {}).items():
                heard, since_ns = last.get(url, (None, 0))
                if client.last_message_at != heard or url not in last:
                    last[url] = (client.last_message_at, now_ns)
                elif now_ns - since_ns > patience_ns:
                    raise VenueUnreachable("no sign of life in time")

    def _run(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._is_closing:
            if not task.cancelled():
                task.exception()
            return
        # ccxt cancels what is waited for on a socket that it has closed
        failure = None if task.cancelled() else task.exception()
        self._broke(failure or VenueUnreachable("connection lost"))

    def _broke(self, fault: BaseException) -> None:
        if self._failure is None:
            self._failure = self._meaning(fault)
            self._news.end(self._failure)

    def _meaning(self, fault: BaseException) -> BaseException:
        """Return what ends the connection. ccxt's words are left out: an address with a key may be among them."""
        if isinstance(fault, VenueError):
            return fault
        name = name_of(fault)
        if isinstance(fault, self._exchange.base_error):
            refusal = CODES.refused.get(name)
            if refusal in (Refusal.CREDENTIALS, Refusal.CLOCK):
                return VenueRefused(name, "the stream was refused", refusal)
            return VenueUnreachable(f"stream: {name}")
        if isinstance(fault, (*READING_FAULTS, OSError, TimeoutError, aiohttp.ClientError)):
            return BadReply(f"stream: {name}")
        return fault

    def _sent(self, url: str) -> None:
        self._sent_ns[url] = self._monotonic_ns()

    def _heard(self, url: str) -> None:
        self._heard_ns[url] = self._monotonic_ns()
