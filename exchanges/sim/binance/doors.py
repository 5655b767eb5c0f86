"""The doors of Binance USD-M on one port: REST, three stream roots and the retired one, and the WebSocket API."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from exchanges.sim.binance.errors import ApiError
from exchanges.sim.binance.interface import REST
from exchanges.sim.binance.pipeline import Pipeline
from exchanges.sim.binance.rest_door import RestDoor
from exchanges.sim.binance.stream_door import StreamDoor
from exchanges.sim.binance.venue import Venue
from exchanges.sim.binance.ws_api_door import CONNECT_WEIGHT, WebSocketApi
from exchanges.sim.binance.ws_api_door import PATH as WS_API_PATH
from exchanges.sim.server.connection import Connection
from exchanges.sim.server.options import VenueOptions


class BinanceDoors:
    """The `Doors` of a simulated Binance USD-M."""

    def __init__(self, options: VenueOptions, wall_ms: Callable[[], int]) -> None:
        self.venue = Venue(options, wall_ms)
        self._pipeline = Pipeline(self.venue)
        self._api_connections: set[Connection] = set()

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add every route of the venue."""
        rest, streams = RestDoor(self.venue, self._pipeline, REST), StreamDoor(self.venue)
        router.add_get(WS_API_PATH, self._serve_api)
        for root in ("", "/{root:public|market|private}"):
            router.add_get(root + "/{kind:ws}", streams.handle)
            router.add_get(root + "/{kind:ws}/{names:.*}", streams.handle)
            router.add_get(root + "/{kind:stream}", streams.handle)
        router.add_route("*", "/{path:.*}", rest.handle)

    def connections(self, path: str = "") -> list[Connection]:
        """Return the open sockets whose path starts so."""
        own = [held for held in self._api_connections if held.path.startswith(path)]
        return self.venue.hub.connections(path) + own

    async def stop(self) -> None:
        """Give up what is still on its way."""
        await self._pipeline.stop()

    async def _serve_api(self, request: web.Request) -> web.StreamResponse:
        behaviour = self.venue.behaviour
        try:
            self.venue.limits.charge_weight(request.remote or "", CONNECT_WEIGHT, self.venue.now_ms())
        except ApiError as error:
            return web.json_response(error.body(), status=error.status)
        socket = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=1 << 20)
        await socket.prepare(request)
        connection = self.venue.options.connection(socket, request, path=request.path)
        connection.start(
            ping_interval_s=behaviour.ping_interval_s,
            pong_wait_s=behaviour.pong_wait_s,
            lifetime_s=behaviour.connection_lifetime_s,
        )
        wants_limits = request.query.get("returnRateLimits", "true") != "false"
        api = WebSocketApi(self.venue, self._pipeline, connection, returns_limits=wants_limits)
        self._api_connections.add(connection)
        try:
            await connection.serve(api.receive)
        finally:
            self._api_connections.discard(connection)
            await api.stop()
        return socket
