"""The routes of a simulated Bybit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from exchanges.sim.bybit.hub import Session
from exchanges.sim.bybit.pipeline import Pipeline
from exchanges.sim.bybit.rest_door import RestDoor
from exchanges.sim.bybit.stream_door import StreamTalk
from exchanges.sim.bybit.trade_door import PATH as TRADE_PATH
from exchanges.sim.bybit.trade_door import TradeTalk
from exchanges.sim.bybit.venue import BybitVenue
from exchanges.sim.server.connection import Connection
from exchanges.sim.server.options import VenueOptions

PUBLIC_PATH, PRIVATE_PATH = "/v5/public/linear", "/v5/private"


class BybitDoors:
    """The `Doors` of a simulated Bybit."""

    def __init__(self, options: VenueOptions, wall_ms: Callable[[], int]) -> None:
        self.venue = BybitVenue(options, wall_ms)
        self._pipeline = Pipeline(self.venue)
        self._trading: set[Connection] = set()

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add every route of the venue."""
        rest = RestDoor(self.venue, self._pipeline)
        router.add_get(PUBLIC_PATH, self._serve_stream)
        router.add_get(PRIVATE_PATH, self._serve_stream)
        router.add_get(TRADE_PATH, self._serve_trading)
        router.add_route("*", "/{path:.*}", rest.handle)

    def connections(self, path: str = "") -> list[Connection]:
        """Return the open sockets whose path starts so."""
        own = [held for held in self._trading if held.path.startswith(path)]
        return self.venue.hub.connections(path) + own

    async def stop(self) -> None:
        """Give up what is still on its way."""
        await self._pipeline.stop()

    async def _serve_stream(self, request: web.Request) -> web.StreamResponse:
        socket, connection = await self._opened(request)
        session = Session(connection=connection, is_private=request.path == PRIVATE_PATH)
        self.venue.hub.join(session)
        try:
            await self._served(connection, StreamTalk(self.venue, session).hear)
        finally:
            self.venue.hub.leave(session)
        return socket

    async def _serve_trading(self, request: web.Request) -> web.StreamResponse:
        socket, connection = await self._opened(request)
        talk = TradeTalk(self.venue, self._pipeline, connection)
        self._trading.add(connection)
        try:
            await self._served(connection, talk.hear)
        finally:
            self._trading.discard(connection)
            await talk.stop()
        return socket

    async def _opened(self, request: web.Request) -> tuple[web.WebSocketResponse, Connection]:
        socket = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=1 << 20)
        await socket.prepare(request)
        return socket, self.venue.options.connection(socket, request, path=request.path)

    async def _served(self, connection: Connection, hear: Callable[[str], Awaitable[None]]) -> None:
        behaviour = self.venue.behaviour
        connection.start(
            ping_interval_s=behaviour.ping_interval_s,
            pong_wait_s=behaviour.pong_wait_s,
            lifetime_s=behaviour.connection_lifetime_s,
        )
        await connection.serve(hear)
