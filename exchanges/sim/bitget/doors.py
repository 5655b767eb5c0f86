"""The routes of a simulated Bitget."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from exchanges.sim.bitget.hub import Session
from exchanges.sim.bitget.pipeline import Pipeline
from exchanges.sim.bitget.rest_door import RestDoor
from exchanges.sim.bitget.talk import Talk
from exchanges.sim.bitget.venue import BitgetVenue
from exchanges.sim.server.connection import Connection
from exchanges.sim.server.options import VenueOptions

PUBLIC_PATH, PRIVATE_PATH = "/v2/ws/public", "/v2/ws/private"


class BitgetDoors:
    """The `Doors` of a simulated Bitget."""

    def __init__(self, options: VenueOptions, wall_ms: Callable[[], int]) -> None:
        self.venue = BitgetVenue(options, wall_ms)
        self._pipeline = Pipeline(self.venue)

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add every route of the venue."""
        rest = RestDoor(self.venue, self._pipeline)
        router.add_get(PUBLIC_PATH, self._serve)
        router.add_get(PRIVATE_PATH, self._serve)
        router.add_route("*", "/{path:.*}", rest.handle)

    def connections(self, path: str = "") -> list[Connection]:
        """Return the open sockets whose path starts so."""
        return self.venue.hub.connections(path)

    async def stop(self) -> None:
        """Give up what is still on its way."""
        await self._pipeline.stop()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        behaviour = self.venue.behaviour
        socket = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=1 << 20)
        await socket.prepare(request)
        connection = self.venue.options.connection(socket, request, path=request.path)
        session = Session(connection=connection, is_private=request.path == PRIVATE_PATH)
        connection.start(
            ping_interval_s=behaviour.ping_interval_s,
            pong_wait_s=behaviour.pong_wait_s,
            lifetime_s=behaviour.connection_lifetime_s,
        )
        talk = Talk(self.venue, self._pipeline, session)
        self.venue.hub.join(session)
        try:
            await connection.serve(talk.hear)
        finally:
            self.venue.hub.leave(session)
            await talk.stop()
        return socket
