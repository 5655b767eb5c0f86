"""The account's own stream: listen key, keep-alive, orders, fills, positions and changes of configuration."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection

from exchanges import wire
from exchanges.binance import wire_account, wire_orders, wire_stops
from exchanges.binance.codes import BAD_LISTEN_KEY
from exchanges.errors import BadReply, VenueError, VenueRefused, VenueUnreachable
from exchanges.hosts import HostPolicy
from exchanges.port import Position, PrivateEvent, StreamDown, StreamUp
from exchanges.session.ages import Ages
from exchanges.session.buffers import WholeBuffer
from exchanges.websocket import SocketTimes, open_websocket

NAME = "private"
RETRY_S = 60.0
"""Pause after a keep-alive that failed; the key lives for an hour."""


class ListenKey:
    """The account's listen key at the venue. Never deleted: it belongs to the account, not to this program."""

    def __init__(self, create: Callable[[], Awaitable[str]], renew: Callable[[], Awaitable[str]]) -> None:
        self.create = create
        self.renew = renew


class PrivateStream:
    """Handler of the private connection. Events go to the buffer whole and in order; nothing is ever dropped.

    Kinds that we have no use for are counted in `ignored`.
    """

    def __init__(
        self,
        *,
        url: str,
        policy: HostPolicy,
        times: SocketTimes,
        keep_alive_s: float,
        key: ListenKey,
        buffer: WholeBuffer[PrivateEvent],
        ages: Ages,
        instruments: Callable[[], wire.Instruments],
        reload_rules: Callable[[], Awaitable[None]],
        known_positions: dict[str, Position],
        ignored: Counter[str],
    ) -> None:
        self._url = url
        self._policy = policy
        self._times = times
        self._keep_alive_s = keep_alive_s
        self._key = key
        self._buffer = buffer
        self._ages = ages
        self._instruments = instruments
        self._reload_rules = reload_rules
        self._known_positions = known_positions
        self._ignored = ignored
        self._keeping: asyncio.Task[None] | None = None

    async def open(self) -> ClientConnection:
        listen_key = await self._key.create()
        connection = await open_websocket(f"{self._url}?listenKey={quote(listen_key)}", self._policy, self._times)
        try:
            # a handshake is accepted for a dead key too: only the venue's own word says that the key lives
            if await self._key.renew() != listen_key:
                raise BadReply("listenKey: the venue keeps another one alive")
        except BaseException:
            await connection.close()
            raise
        self._keeping = asyncio.create_task(self._keep_alive(connection, listen_key))
        return connection

    async def up(self) -> None:
        self._ages.heard(NAME)
        await self._buffer.put(StreamUp(name=NAME))

    async def message(self, raw: str | bytes) -> None:
        message = wire.mapping(wire.decode(raw, NAME), NAME)
        self._ages.heard(NAME)
        for event in await self._read(message):
            if isinstance(event, Position):
                self._known_positions[event.symbol] = event
            await self._buffer.put(event)

    def retire(self) -> bool:
        return True

    async def down(self, reason: str) -> None:
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()
            # waited for, not awaited: a cancel of the reader itself must not pass for the one of this task
            await asyncio.wait([keeping])
            if not keeping.cancelled() and (bug := keeping.exception()) is not None:
                raise bug
        await self._buffer.put(StreamDown(name=NAME, reason=reason))

    async def _read(self, message: wire.Row) -> list[PrivateEvent]:
        try:
            return self._events(message)
        except wire.UnknownSymbol:
            await self._reload_rules()
            return self._events(message)

    def _events(self, message: wire.Row) -> list[PrivateEvent]:
        kind = message.get("e")
        if kind == "ORDER_TRADE_UPDATE":
            return [wire_orders.update(message, self._instruments())]
        if kind == "ALGO_UPDATE":
            return [wire_stops.update(message, self._instruments())]
        if kind == "ACCOUNT_UPDATE":
            return [*wire_account.streamed_positions(message, self._instruments(), self._known_positions)]
        if kind == "ACCOUNT_CONFIG_UPDATE":
            return [wire_account.configuration_change(message)]
        if kind == "listenKeyExpired":
            raise VenueUnreachable("the listen key has expired", retry_after_s=0.0)
        if not isinstance(kind, str):
            raise BadReply("private: an event without its kind")
        self._ignored[kind] += 1
        return []

    async def _keep_alive(self, connection: ClientConnection, listen_key: str) -> None:
        """Renew the key for as long as the connection lives; without a living key the connection is closed."""
        reason = "the keep-alive broke"
        try:
            reason = await self._kept_until(listen_key)
        finally:
            await connection.close(reason=reason)

    async def _kept_until(self, listen_key: str) -> str:
        """Renew the key until it is gone; return why."""
        pause_s = self._keep_alive_s
        while True:
            await asyncio.sleep(pause_s)
            try:
                kept = await self._key.renew()
            except VenueRefused as error:
                return (
                    "the listen key is gone" if error.code == BAD_LISTEN_KEY else f"keep-alive refused ({error.code})"
                )
            except VenueError:
                pause_s = min(RETRY_S, self._keep_alive_s)
                continue
            if kept != listen_key:
                return "the listen key was replaced"
            pause_s = self._keep_alive_s
