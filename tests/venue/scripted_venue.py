"""A venue that says what the test tells it to, for messages that no sound venue sends."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import WSMsgType, web

from tests.unit.binance_messages import exchange_info


class ScriptedVenue:
    """`frames` are sent to each stream connection once it is confirmed, the first script to the first connection."""

    def __init__(self) -> None:
        self.rest_url = ""
        self.ws_url = ""
        self.frames: deque[list[bytes]] = deque()
        self.early: list[bytes] = []
        self.acknowledgement: dict[str, Any] = {"result": None}
        self.kept_key = "key1"
        self.is_ready = True
        self.order_reply: dict[str, Any] = {}
        self.pause_s = 0.0
        """Between two frames, for a consumer that shall see each of them."""
        self.connections = 0
        self.sent = 0
        self.methods: list[str] = []
        self._sockets: set[web.WebSocketResponse] = set()

    async def cut(self) -> None:
        """Close every stream."""
        for socket in list(self._sockets):
            await socket.close()

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/fapi/v1/exchangeInfo", self._rules)
        app.router.add_get("/fapi/v1/time", self._time)
        app.router.add_route("*", "/fapi/v1/listenKey", self._listen_key)
        app.router.add_post("/fapi/v1/order", self._order)
        app.router.add_get("/{root:public|market|private}/{path:.*}", self._stream)
        return app

    async def _rules(self, request: web.Request) -> web.Response:
        return web.json_response(exchange_info()) if self.is_ready else web.Response(status=503, text="not yet")

    async def _time(self, request: web.Request) -> web.Response:
        return web.json_response({"serverTime": 0})

    async def _order(self, request: web.Request) -> web.Response:
        return web.json_response(self.order_reply)

    async def _listen_key(self, request: web.Request) -> web.Response:
        self.methods.append(request.method)
        return web.json_response({"listenKey": "key1" if request.method == "POST" else self.kept_key})

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connections += 1
        self._sockets.add(socket)
        script = self.frames.popleft() if self.frames else []
        if request.match_info["root"] == "private":
            await self._play(socket, script)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                for frame in self.early:
                    await socket.send_str(frame.decode())
                number = orjson.loads(message.data)["id"]
                await socket.send_str(orjson.dumps({**self.acknowledgement, "id": number}).decode())
                await self._play(socket, script)
        self._sockets.discard(socket)
        return socket

    async def _play(self, socket: web.WebSocketResponse, script: list[bytes]) -> None:
        for frame in script:
            await socket.send_str(frame.decode())
            self.sent += 1
            if self.pause_s:
                await asyncio.sleep(self.pause_s)


@asynccontextmanager
async def scripted() -> AsyncIterator[ScriptedVenue]:
    """A started venue; everything of it is gone at the end."""
    venue = ScriptedVenue()
    runner = web.AppRunner(venue.application(), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    venue.rest_url, venue.ws_url = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"
    try:
        yield venue
    finally:
        await asyncio.wait_for(venue.cut(), 60)
        await runner.cleanup()


def book_frame(update_id: int, bid: str = "2999.99", symbol: str = "ETHUSDT", **changes: Any) -> bytes:
    """A bookTicker message of a combined stream."""
    data = {
        "e": "bookTicker",
        "u": update_id,
        "s": symbol,
        "b": bid,
        "B": "1",
        "a": "3000.01",
        "A": "1",
        "T": 1,
        "E": 1,
    }
    return orjson.dumps({"stream": f"{symbol.lower()}@bookTicker", "data": {**data, **changes}})
