"""REST: every endpoint under its path and method."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from exchanges.sim.gate import account_calls, market_calls, order_queries, trade_calls
from exchanges.sim.gate.call import Call, Door, Endpoint
from exchanges.sim.gate.pipeline import Pipeline
from exchanges.sim.gate.signing import rest_signer
from exchanges.sim.gate.venue import GateVenue
from exchanges.sim.server.road import deliver

ENDPOINTS: tuple[Endpoint, ...] = (
    *market_calls.ENDPOINTS,
    *trade_calls.ENDPOINTS,
    *order_queries.ENDPOINTS,
    *account_calls.ENDPOINTS,
)
SETTLE = "usdt"


class RestDoor:
    """Reads a request, and gives its answer the form of HTTP."""

    def __init__(self, venue: GateVenue, pipeline: Pipeline) -> None:
        self._venue = venue
        self._pipeline = pipeline

    def add_to(self, router: web.UrlDispatcher) -> None:
        for endpoint in ENDPOINTS:
            router.add_route(endpoint.method, endpoint.path, self._serving(endpoint))

    def _serving(self, endpoint: Endpoint) -> Any:
        async def serve(request: web.Request) -> web.StreamResponse:
            return await self._serve(endpoint, request)

        return serve

    async def _serve(self, endpoint: Endpoint, request: web.Request) -> web.StreamResponse:
        named = dict(request.match_info)
        if named.pop("settle", SETTLE).lower() != SETTLE:
            told = {"label": "NOT_FOUND", "message": "no such settlement currency here"}
            return web.json_response(told, status=404)
        body = (await request.read()).decode("utf-8", "replace")
        query = request.rel_url.raw_query_string
        decoded = _decoded(body)
        params = {**(decoded if isinstance(decoded, dict) else {}), **dict(parse_qsl(query)), **named}
        expires = request.headers.get("X-Gate-Exptime", "")
        call = Call(
            door=Door.REST,
            action=endpoint.action,
            path=request.path,
            peer=request.remote or "127.0.0.1",
            received_ms=self._venue.now_ms(),
            params=params,
            rows=decoded if isinstance(decoded, list) else [],
            expires_ms=int(expires) if expires.isdecimal() else 0,
            sizes_as_text=request.headers.get("X-Gate-Size-Decimal") == "1",
        )

        def authenticate() -> str:
            server_ms = self._venue.server_ms()
            headers, path = request.headers, request.rel_url.raw_path
            return rest_signer(self._venue.book, headers, request.method, path, query, body, server_ms).account

        reply = await self._pipeline.answer(endpoint, call, authenticate)
        return await deliver(request, reply, hang_s=self._venue.behaviour.hang_s)


def _decoded(body: str) -> Any:
    try:
        return orjson.loads(body) if body else None
    except orjson.JSONDecodeError:
        return None
