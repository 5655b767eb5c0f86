"""The HTTP door: requests to calls, replies to responses."""

from __future__ import annotations

from aiohttp import web

from exchanges.sim.binance.call import Call, Door
from exchanges.sim.binance.endpoint import Endpoint
from exchanges.sim.binance.pipeline import Pipeline
from exchanges.sim.binance.signing import rest_params, rest_payload
from exchanges.sim.binance.venue import Venue
from exchanges.sim.server.road import deliver

NOT_FOUND = b'{"code":-5000,"msg":"Path %s, Method %s is invalid"}'


class RestDoor:
    """Serves every endpoint under its path and method."""

    def __init__(self, venue: Venue, pipeline: Pipeline, endpoints: tuple[Endpoint, ...]) -> None:
        self._venue = venue
        self._pipeline = pipeline
        self._endpoints = {(held.method, held.path): held for held in endpoints}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        endpoint = self._endpoints.get((request.method, request.path))
        if endpoint is None:
            body = NOT_FOUND % (request.path.encode(), request.method.encode())
            return web.Response(status=404, body=body, content_type="application/json")
        call = await self._call(endpoint, request)
        reply = await self._pipeline.answer(endpoint, call)
        return await deliver(request, reply, hang_s=self._venue.behaviour.hang_s)

    async def _call(self, endpoint: Endpoint, request: web.Request) -> Call:
        received_ms = self._venue.now_ms()
        body = (await request.read()).decode("utf-8", "replace")
        query = request.rel_url.raw_query_string
        params = rest_params(query, body)
        return Call(
            door=Door.REST,
            action=endpoint.action,
            path=request.path,
            params=params,
            peer=request.remote or "127.0.0.1",
            received_ms=received_ms,
            api_key=request.headers.get("X-MBX-APIKEY", ""),
            payload=rest_payload(query, body),
        )
