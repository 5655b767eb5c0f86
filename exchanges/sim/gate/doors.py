"""The doors of Gate's futures on one port: REST, and one socket for everything else."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from exchanges.sim.gate.hub import Session
from exchanges.sim.gate.pipeline import Pipeline
from exchanges.sim.gate.rest_door import RestDoor
from exchanges.sim.gate.socket_door import PATH, Talk
from exchanges.sim.gate.venue import GateVenue
from exchanges.sim.server.connection import Connection
from exchanges.sim.server.options import VenueOptions


class GateDoors:
    """The `Doors` of a simulated Gate."""

    def __init__(self, options: VenueOptions, wall_ms: Callable[[], int]) -> None:
        self.venue = GateVenue(options, wall_ms)
        self._pipeline = Pipeline(self.venue)

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add every route of the venue."""
        router.add_get(PATH, self._serve)
        RestDoor(self.venue, self._pipeline).add_to(router)

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
        connection.start(
            ping_interval_s=behaviour.ping_interval_s,
            pong_wait_s=behaviour.pong_wait_s,
            lifetime_s=behaviour.connection_lifetime_s,
        )
        session = Session(connection=connection)
        talk = Talk(self.venue, self._pipeline, session)
        self.venue.hub.join(session)
        try:
            await connection.serve(talk.hear)
        finally:
            self.venue.hub.leave(session)
            await talk.stop()
        return socket
