"""REST: every endpoint under its path and method."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from exchanges.sim.bitget import account_calls, market_calls, order_queries, trade_calls
from exchanges.sim.bitget.call import Call, Door, Endpoint
from exchanges.sim.bitget.pipeline import Pipeline
from exchanges.sim.bitget.signing import signer
from exchanges.sim.bitget.venue import BitgetVenue
from exchanges.sim.server.keys import ApiKey
from exchanges.sim.server.road import deliver

ENDPOINTS: tuple[Endpoint, ...] = (
    *market_calls.ENDPOINTS,
    *trade_calls.ENDPOINTS,
    *order_queries.ENDPOINTS,
    *account_calls.ENDPOINTS,
)
BY_ACTION = {held.action: held for held in ENDPOINTS}
_BY_PATH = {(held.method, held.path): held for held in ENDPOINTS}


class RestDoor:
    """Reads a request, and gives its answer the form of HTTP."""

    def __init__(self, venue: BitgetVenue, pipeline: Pipeline) -> None:
        self._venue = venue
        self._pipeline = pipeline

    async def handle(self, request: web.Request) -> web.StreamResponse:
        endpoint = _BY_PATH.get((request.method, request.path))
        if endpoint is None:
            told = {"code": "40404", "msg": "Request URL NOT FOUND", "requestTime": 0, "data": None}
            return web.Response(status=404, body=orjson.dumps(told), content_type="application/json")
        body = (await request.read()).decode("utf-8", "replace")
        query = request.rel_url.raw_query_string
        target = f"{request.path}?{query}" if query else request.path
        params = dict(parse_qsl(query, keep_blank_values=True)) if request.method == "GET" else _decoded(body)
        call = Call(
            door=Door.REST,
            action=endpoint.action,
            path=request.path,
            params=params,
            peer=request.remote or "127.0.0.1",
            received_ms=self._venue.now_ms(),
        )

        def authenticate() -> ApiKey:
            signed = f"{request.method}{target}{body}"
            return signer(self._venue.book, request.headers, signed, self._venue.server_ms())

        reply = await self._pipeline.answer(endpoint, call, authenticate)
        return await deliver(request, reply, hang_s=self._venue.behaviour.hang_s)


def _decoded(body: str) -> dict[str, Any]:
    """Return a body's parameters; one that is no object has none, and is refused for what it lacks."""
    try:
        found = orjson.loads(body or "{}")
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
