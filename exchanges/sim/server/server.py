"""The venue as a server: one port for HTTP and WebSocket, a tape that plays, and an orderly end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from exchanges.sim.server.connection import Connection
from exchanges.sim.server.control import Control
from exchanges.sim.server.core import VenueCore
from exchanges.sim.server.doors import doors_of
from exchanges.sim.server.options import VenueOptions
from exchanges.sim.server.tape_driver import TapeDriver
from exchanges.sim.server.wall_clock import wall_clock_ms

HOUSEKEEPING_S = 0.05


class SimVenue:
    """A simulated venue for the length of `start` to `stop`; also an async context manager.

    `rest_url` and `ws_url` are known once it has started.
    """

    def __init__(self, options: VenueOptions, wall_ms: Callable[[], int] = wall_clock_ms) -> None:
        self.options = options
        self._doors = doors_of(options, wall_ms)
        self.tape = TapeDriver(self.venue, self.venue.source, speed=options.speed, keep_playing=options.keep_playing)
        self.rest_url = ""
        self.ws_url = ""
        self._runner: web.AppRunner | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def venue(self) -> VenueCore:
        return self._doors.venue

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
        await self._doors.stop()
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
        return self._doors.connections(path)

    async def _keep_house(self) -> None:
        while True:
            self.venue.advance()
            await asyncio.sleep(HOUSEKEEPING_S)

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=1 << 20)
        Control(self).add_to(application.router)
        self._doors.add_to(application.router)
        return application
