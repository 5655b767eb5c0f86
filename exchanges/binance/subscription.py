"""A public connection: many streams of one kind, confirmed by the venue, each with its own age."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection

from exchanges.binance import wire
from exchanges.errors import BadReply, VenueUnreachable
from exchanges.hosts import HostPolicy
from exchanges.port import StreamDown, StreamUp
from exchanges.websocket import SocketTimes, open_websocket

STREAMS_MAX = 200
EARLY_MESSAGES_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamName:
    """A stream's name at the venue, and ours (`quote/ETHUSDT`)."""

    venue: str
    ours: str


class Ages:
    """When each stream last spoke, on the monotonic clock: staleness is a stream's, not a socket's."""

    def __init__(self, monotonic_ns: Callable[[], int]) -> None:
        self._monotonic_ns = monotonic_ns
        self._heard_ns: dict[str, int] = {}

    def heard(self, name: str) -> None:
        """Note a message of the stream (or that it was confirmed)."""
        self._heard_ns[name] = self._monotonic_ns()

    def forget(self, name: str) -> None:
        """Drop a stream that is no longer wanted."""
        self._heard_ns.pop(name, None)

    def read(self) -> dict[str, float]:
        """Return seconds since each stream last spoke or was confirmed."""
        now_ns = self._monotonic_ns()
        return {name: (now_ns - heard_ns) / 1e9 for name, heard_ns in self._heard_ns.items()}


Take = Callable[[str, wire.Row], Awaitable[None]]
Announce = Callable[[StreamUp | StreamDown], Awaitable[None]]


class Subscription:
    """Handler of one public connection. `take` gets (our stream name, event); `announce` gets up and down.

    `prepare` runs before each connection; what it raises counts as a failed attempt.
    """

    def __init__(
        self,
        *,
        url: str,
        names: Sequence[StreamName],
        policy: HostPolicy,
        times: SocketTimes,
        ages: Ages,
        take: Take,
        announce: Announce,
        prepare: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        if not 0 < len(names) <= STREAMS_MAX:
            raise ValueError(f"{len(names)} streams on one connection, 1 to {STREAMS_MAX} are allowed")
        self._url = url
        self._names = {name.venue: name.ours for name in names}
        self._policy = policy
        self._times = times
        self._ages = ages
        self._take = take
        self._announce = announce
        self._prepare = prepare
        self._early: list[wire.Row] = []
        self.ignored = 0

    async def open(self) -> ClientConnection:
        if self._prepare is not None:
            await self._prepare()
        connection = await open_websocket(self._url, self._policy, self._times)
        try:
            request = {"method": "SUBSCRIBE", "params": list(self._names), "id": 1}
            await connection.send(orjson.dumps(request), text=True)
            async with asyncio.timeout(self._times.open_timeout_s):
                await self._confirmed(connection)
        except BaseException:
            await connection.close()
            raise
        return connection

    async def up(self) -> None:
        for name in self._names.values():
            self._ages.heard(name)
            await self._announce(StreamUp(name=name))
        early, self._early = self._early, []
        for message in early:
            await self._event(message)

    async def message(self, raw: str | bytes) -> None:
        await self._event(wire.mapping(wire.decode(raw, "stream"), "stream"))

    def retire(self) -> bool:
        return True

    async def down(self, reason: str) -> None:
        for name in self._names.values():
            await self._announce(StreamDown(name=name, reason=reason))

    async def _confirmed(self, connection: ClientConnection) -> None:
        """Wait for the answer to SUBSCRIBE; keep what the venue pushed before it."""
        self._early = []
        while True:
            message = wire.mapping(wire.decode(await connection.recv(decode=False), "stream"), "stream")
            if message.get("id") != 1:
                if len(self._early) >= EARLY_MESSAGES_MAX:
                    raise BadReply("stream: no answer to SUBSCRIBE before the buffer was full")
                self._early.append(message)
            elif "result" in message and message["result"] is None:
                return
            else:
                raise VenueUnreachable(f"SUBSCRIBE was not confirmed: {_error_words(message)}")

    async def _event(self, message: wire.Row) -> None:
        stream = message.get("stream", "")
        if not isinstance(stream, str):
            raise BadReply(f"stream: expected a name, got {wire.shown(stream)}")
        name = self._names.get(stream)
        if name is None:
            self.ignored += 1
            return
        self._ages.heard(name)
        await self._take(name, wire.mapping(message.get("data"), "stream.data"))


def _error_words(message: dict[str, Any]) -> str:
    error = message.get("error", message)
    told = [error.get("code"), error.get("msg")] if isinstance(error, dict) else [error]
    return " ".join(one if isinstance(one, str) and len(one) <= wire.SHOWN_MAX else wire.shown(one) for one in told)
