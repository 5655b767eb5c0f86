"""A server that says recorded public frames of a venue, one when it is told to, over real sockets."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from aiohttp import WSMsgType, web

from tests.frame_tongues import Tongue
from tests.recorded_frames import MARK, QUOTE, Frame

ACCOUNT, OTHERS = "account", "others"
"""Who listens: each has a door of its own, since whoever hears a frame first decides what comes first."""


class FrameServer:
    """Runs in a thread of its own. REST tells the rules, and the best prices as the frames told them last."""

    def __init__(self, tongue: Tongue, frames: Sequence[Frame]) -> None:
        self.tongue = tongue
        self._marks = {frame.stream: frame for frame in reversed(frames) if frame.kind == MARK}
        self._best = {frame.symbol: frame for frame in reversed(frames) if frame.kind == QUOTE}
        self._listeners: dict[web.WebSocketResponse, set[str]] = {}
        self._doors: dict[web.WebSocketResponse, str] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="frame server", daemon=True)
        self._runner: web.AppRunner | None = None
        self._ports: dict[str, int] = {}

    @property
    def rest_url(self) -> str:
        return f"http://127.0.0.1:{self._ports[OTHERS]}"

    def ws_url(self, door: str = OTHERS) -> str:
        return f"ws://127.0.0.1:{self._ports[door]}"

    def begin(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)

    def end(self) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def send(self, frame: Frame, door: str) -> int:
        """Say a frame to whoever asked for its stream behind a door; return how many those are."""
        return asyncio.run_coroutine_threadsafe(self._send(frame, door), self._loop).result(10)

    def listeners(self, stream: str, door: str) -> int:
        held = list(self._listeners.items())
        return sum(stream in names and self._doors[socket] == door for socket, names in held)

    async def _send(self, frame: Frame, door: str) -> int:
        if frame.kind == QUOTE:
            self._best[frame.symbol] = frame
        text = json.dumps(frame.message)
        behind = [socket for socket, at in self._doors.items() if at == door]
        hearing = [socket for socket in behind if frame.stream in self._listeners[socket]]
        for socket in hearing:
            await socket.send_str(text)
        return len(hearing)

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_get(self.tongue.rules_path, self._rules)
        app.router.add_get(self.tongue.price_path, self._price)
        app.router.add_get(self.tongue.socket_path, self._streams)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        for door in (ACCOUNT, OTHERS):
            await web.TCPSite(self._runner, "127.0.0.1", 0).start()
            self._ports[door] = self._runner.addresses[-1][1]

    async def _stop(self) -> None:
        for socket in list(self._listeners):
            await socket.close()
        assert self._runner is not None
        await self._runner.cleanup()

    async def _rules(self, request: web.Request) -> web.Response:
        return web.json_response(self.tongue.rules())

    async def _price(self, request: web.Request) -> web.Response:
        return web.json_response(self.tongue.price(self._best[self.tongue.asked_for(dict(request.query))]))

    async def _streams(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        assert request.transport is not None
        port = request.transport.get_extra_info("sockname")[1]
        self._listeners[socket] = set()
        self._doors[socket] = next(door for door, number in self._ports.items() if number == port)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT and message.data.startswith("{"):
                    await self._subscribe(socket, json.loads(message.data))
                elif message.type is WSMsgType.TEXT:
                    await socket.send_str("pong")
        finally:
            self._doors.pop(socket, None)
            self._listeners.pop(socket, None)
        return socket

    async def _subscribe(self, socket: web.WebSocketResponse, asked: dict[str, object]) -> None:
        names, answers = self.tongue.subscribed(asked)
        for answer in answers:
            await socket.send_json(answer)
        self._listeners[socket].update(names)
        for name in names:
            if (mark := self._marks.get(name)) is not None:  # which the venue says every second
                await socket.send_json(mark.message)


@contextmanager
def serving(tongue: Tongue, frames: Sequence[Frame]) -> Iterator[FrameServer]:
    server = FrameServer(tongue, frames)
    server.begin()
    try:
        yield server
    finally:
        server.end()
