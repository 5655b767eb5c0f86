"""The doors of OKX on one port: REST and three kinds of socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import web

from exchanges.sim.okx import account_calls, algo_calls, market_calls, trade_calls
from exchanges.sim.okx.call import Call, Door, Endpoint, Row
from exchanges.sim.okx.errors import ApiError
from exchanges.sim.okx.hub import Session
from exchanges.sim.okx.pipeline import Pipeline, refused
from exchanges.sim.okx.socket_door import Conversation
from exchanges.sim.okx.venue import OkxVenue
from exchanges.sim.server.connection import Connection
from exchanges.sim.server.options import VenueOptions
from exchanges.sim.server.road import deliver

ENDPOINTS = (*trade_calls.ENDPOINTS, *algo_calls.ENDPOINTS, *account_calls.ENDPOINTS, *market_calls.ENDPOINTS)


class OkxDoors:
    """The `Doors` of a simulated OKX."""

    def __init__(self, options: VenueOptions, wall_ms: Callable[[], int]) -> None:
        self.venue = OkxVenue(options, wall_ms)
        self._pipeline = Pipeline(self.venue)
        self._endpoints = {(held.method, held.path): held for held in ENDPOINTS}

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add every route of the venue."""
        router.add_get("/ws/v5/{kind:public|private|business}", self._serve_socket)
        router.add_route("*", "/{path:.*}", self._serve_rest)

    def connections(self, path: str = "") -> list[Connection]:
        """Return the open sockets whose path starts so."""
        return self.venue.hub.connections(path)

    async def stop(self) -> None:
        """Give up what is still on its way."""
        await self._pipeline.stop()

    async def _serve_rest(self, request: web.Request) -> web.StreamResponse:
        endpoint = self._endpoints.get((request.method, request.path))
        if endpoint is None:
            body = {"msg": f"Invalid request path {request.path}", "code": "404", "data": []}
            return web.json_response(body, status=404)
        try:
            call = await self._call(endpoint, request)
        except ApiError as error:
            reply = refused(error)
        else:
            reply = await self._pipeline.answer(endpoint, call)
        return await deliver(request, reply, hang_s=self.venue.behaviour.hang_s)

    async def _call(self, endpoint: Endpoint, request: web.Request) -> Call:
        received_ms = self.venue.now_ms()
        body = (await request.read()).decode("utf-8", "replace")
        query = request.rel_url.raw_query_string
        path = f"{request.path}?{query}" if query else request.path
        expires = request.headers.get("expTime", "0")
        return Call(
            door=Door.REST,
            action=endpoint.action,
            path=request.path,
            rows=_rows(body) if request.method == "POST" else [dict(request.query)],
            peer=request.remote or "127.0.0.1",
            received_ms=received_ms,
            expires_ms=int(expires) if expires.isdigit() else 0,
            headers={name.upper(): value for name, value in request.headers.items()},
            signed_text=f"{path}{body}",
        )

    async def _serve_socket(self, request: web.Request) -> web.StreamResponse:
        behaviour = self.venue.behaviour
        socket = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=1 << 20)
        await socket.prepare(request)
        connection = self.venue.options.connection(socket, request, path=request.path)
        connection.start(
            ping_interval_s=behaviour.ping_interval_s,
            pong_wait_s=behaviour.pong_wait_s,
            lifetime_s=behaviour.connection_lifetime_s,
        )
        kind = request.match_info["kind"]
        session = Session(connection=connection, is_private=kind == "private", is_business=kind == "business")
        conversation = Conversation(self.venue, self._pipeline, session)
        self.venue.hub.join(session)
        try:
            await connection.serve(conversation.receive)
        finally:
            self.venue.hub.leave(session)
            await conversation.stop()
        return socket


def _rows(body: str) -> list[Row]:
    try:
        decoded: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ApiError(400, "50002", "JSON syntax error") from None
    rows = decoded if isinstance(decoded, list) else [decoded]
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise ApiError(400, "50000", "Body for POST request cannot be empty.")
    return rows
