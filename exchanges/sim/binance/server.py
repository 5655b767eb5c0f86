"""The venue as a server: one port for HTTP and WebSocket, a tape that plays, and an orderly end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from exchanges.sim.binance.connection import Connection
from exchanges.sim.binance.control import Control
from exchanges.sim.binance.errors import ApiError
from exchanges.sim.binance.interface import REST
from exchanges.sim.binance.options import VenueOptions
from exchanges.sim.binance.pipeline import Pipeline
from exchanges.sim.binance.rest_door import RestDoor
from exchanges.sim.binance.stream_door import StreamDoor
from exchanges.sim.binance.tape_driver import TapeDriver
from exchanges.sim.binance.venue import Venue
from exchanges.sim.binance.wall_clock import wall_clock_ms
from exchanges.sim.binance.ws_api_door import CONNECT_WEIGHT, WebSocketApi
from exchanges.sim.binance.ws_api_door import PATH as WS_API_PATH

HOUSEKEEPING_S = 0.05


class SimVenue:
    """A simulated venue for the length of `start` to `stop`; also an async context manager.

    `rest_url` and `ws_url` are known once it has started.
    """

    def __init__(self, options: VenueOptions, wall_ms: Callable[[], int] = wall_clock_ms) -> None:
        self.options = options
        self.venue = Venue(options, wall_ms)
        self.tape = TapeDriver(self.venue, self.venue.source, speed=options.speed, keep_playing=options.keep_playing)
        self.rest_url = ""
        self.ws_url = ""
        self._pipeline = Pipeline(self.venue)
        self._api_connections: set[Connection] = set()
        self._runner: web.AppRunner | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def port(self) -> int:
        return int(self.rest_url.rsplit(":", 1)[1])

    async def start(self) -> None:
        """Load the history, open the port, and let the tape run."""
        self.tape.load_history()
        self.tape.play_due()
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.options.host, self.options.port, ssl_context=self.options.tls)
        await site.start()
        port = self._runner.addresses[0][1]
        secure = "s" if self.options.tls else ""
        self.rest_url = f"http{secure}://{self.options.host}:{port}"
        self.ws_url = f"ws{secure}://{self.options.host}:{port}"
        self._tasks = [asyncio.create_task(self.tape.run()), asyncio.create_task(self._keep_house())]

    async def stop(self) -> None:
        """Cut every socket, end the tape, close the port."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._pipeline.stop()
        for connection in self.connections():
            connection.cut()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> SimVenue:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def failure(self) -> BaseException | None:
        """Return what ended the tape or the housekeeping, if something did."""
        for task in self._tasks:
            if task.done() and not task.cancelled() and task.exception():
                return task.exception()
        return None

    async def wait(self) -> None:
        """Run until something fails; raises what did."""
        await asyncio.gather(*self._tasks)

    def connections(self, path: str = "") -> list[Connection]:
        own = [held for held in self._api_connections if held.path.startswith(path)]
        return self.venue.hub.connections(path) + own

    async def _keep_house(self) -> None:
        while True:
            self.venue.advance()
            self.venue.market.tick(self.venue.now_ms())
            await asyncio.sleep(HOUSEKEEPING_S)

    def _application(self) -> web.Application:
        rest, streams = RestDoor(self.venue, self._pipeline, REST), StreamDoor(self.venue)
        application = web.Application(client_max_size=1 << 20)
        router = application.router
        Control(self).add_to(router)
        router.add_get(WS_API_PATH, self._serve_api)
        for root in ("", "/{root:public|market|private}"):
            router.add_get(root + "/{kind:ws}", streams.handle)
            router.add_get(root + "/{kind:ws}/{names:.*}", streams.handle)
            router.add_get(root + "/{kind:stream}", streams.handle)
        router.add_route("*", "/{path:.*}", rest.handle)
        return application

    async def _serve_api(self, request: web.Request) -> web.StreamResponse:
        behaviour = self.options.behaviour
        try:
            self.venue.limits.charge_weight(request.remote or "", CONNECT_WEIGHT, self.venue.now_ms())
        except ApiError as error:
            return web.json_response(error.body(), status=error.status)
        socket = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=1 << 20)
        await socket.prepare(request)
        connection = Connection(socket, request, path=request.path)
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
