"""A connection with many streams, each confirmed by the venue and each with its own age."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from websockets.asyncio.client import ClientConnection

from exchanges import wire
from exchanges.errors import BadReply, VenueUnreachable
from exchanges.hosts import HostPolicy
from exchanges.port import StreamDown, StreamUp
from exchanges.session.ages import Ages, StreamName
from exchanges.session.keep_alive import KeepAlive, Keeper
from exchanges.websocket import SocketTimes, open_websocket

STREAMS_MAX = 200
EARLY_MESSAGES_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """The venue has taken up these streams, by its names; None: all that were asked for."""

    names: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The venue has said no, in its words."""

    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event of a stream, by the venue's name."""

    name: str
    content: Any


Heard = Confirmed | Refused | Told | None
"""What a frame says; None where it is of no interest (the answer to a keep-alive)."""


class StreamTongue(Protocol):
    """How a venue is asked for streams and how it answers."""

    keep_alive: KeepAlive | None

    def requests(self, names: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """Return the frames that ask for the streams."""
        ...

    def hear(self, message: wire.Row) -> Heard:
        """Return what a frame says. Raises `BadReply`."""
        ...


Take = Callable[[str, Any], Awaitable[None]]
Announce = Callable[[StreamUp | StreamDown], Awaitable[None]]
Prepare = Callable[[], Awaitable[None]]
LogIn = Callable[[ClientConnection], Awaitable[None]]


class Subscription:
    """Handler of one connection. `take` gets (our stream name, content); `announce` gets up and down.

    Streams of the venue that share a name of ours come up and go down as one.
    `prepare` runs before each connection, `log_in` on each; what they raise counts as a failed attempt.
    """

    def __init__(
        self,
        *,
        url: str,
        names: Sequence[StreamName],
        tongue: StreamTongue,
        policy: HostPolicy,
        times: SocketTimes,
        ages: Ages,
        take: Take,
        announce: Announce,
        prepare: Prepare | None = None,
        log_in: LogIn | None = None,
    ) -> None:
        if not 0 < len(names) <= STREAMS_MAX:
            raise ValueError(f"{len(names)} streams on one connection, 1 to {STREAMS_MAX} are allowed")
        self._url = url
        self._names = {name.venue: name.ours for name in names}
        self._tongue = tongue
        self._policy = policy
        self._times = times
        self._ages = ages
        self._take = take
        self._announce = announce
        self._prepare = prepare
        self._log_in = log_in
        self._keeper = Keeper(tongue.keep_alive)
        self._early: list[Told] = []
        self.ignored = 0

    async def open(self) -> ClientConnection:
        if self._prepare is not None:
            await self._prepare()
        connection = await open_websocket(self._url, self._policy, self._times)
        try:
            async with asyncio.timeout(self._times.open_timeout_s):
                if self._log_in is not None:
                    await self._log_in(connection)
                for request in self._tongue.requests(list(self._names)):
                    await connection.send(orjson.dumps(request), text=True)
                await self._confirmed(connection)
        except BaseException:
            await connection.close()
            raise
        self._keeper.start(connection)
        return connection

    async def up(self) -> None:
        for name in dict.fromkeys(self._names.values()):
            self._ages.heard(name)
            await self._announce(StreamUp(name=name))
        early, self._early = self._early, []
        for event in early:
            await self._event(event)

    async def message(self, raw: str | bytes) -> None:
        heard = self._hear(raw)
        if isinstance(heard, Refused):
            raise VenueUnreachable(f"the venue ended a subscription: {heard.words}")
        if isinstance(heard, Told):
            await self._event(heard)
        else:
            self.ignored += 1

    def retire(self) -> bool:
        return True

    async def down(self, reason: str) -> None:
        await self._keeper.stop()
        for name in dict.fromkeys(self._names.values()):
            await self._announce(StreamDown(name=name, reason=reason))

    def _hear(self, raw: str | bytes) -> Heard:
        if raw in (b"pong", "pong"):
            return None
        return self._tongue.hear(wire.mapping(wire.decode(raw, "stream"), "stream"))

    async def _confirmed(self, connection: ClientConnection) -> None:
        """Wait until every stream is confirmed; keep what the venue pushed before."""
        self._early = []
        missing = set(self._names)
        while missing:
            heard = self._hear(await connection.recv(decode=False))
            match heard:
                case Confirmed(names=names):
                    missing = missing - set(names) if names is not None else set()
                case Refused(words=words):
                    raise VenueUnreachable(f"SUBSCRIBE was not confirmed: {words}")
                case Told():
                    if len(self._early) >= EARLY_MESSAGES_MAX:
                        raise BadReply("stream: no answer to SUBSCRIBE before the buffer was full")
                    self._early.append(heard)

    async def _event(self, event: Told) -> None:
        name = self._names.get(event.name)
        if name is None:
            self.ignored += 1
            return
        self._ages.heard(name)
        await self._take(name, event.content)
