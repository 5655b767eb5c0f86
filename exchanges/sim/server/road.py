"""The way of a request to the venue and of its reply back, with everything that can go wrong on either."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import orjson
from aiohttp import web

from exchanges.sim.server.core import VenueCore
from exchanges.sim.server.faults import FaultKind, Loss, Strike, Subject

BEFORE_ACTING = (
    FaultKind.BANNED,
    FaultKind.RATE_LIMITED,
    FaultKind.LOGIN_REFUSED,
    FaultKind.REQUEST_LOST,
    FaultKind.SERVICE_UNAVAILABLE,
    FaultKind.OVERLOADED,
    FaultKind.ACCEPTED_LATE,
)
AFTER_ACTING = (
    FaultKind.REPLY_LOST,
    FaultKind.REPLY_TRUNCATED,
    FaultKind.UNKNOWN_ERROR,
    FaultKind.BAD_GATEWAY,
    FaultKind.UNEXPECTED_RESPONSE,
    FaultKind.BACKEND_TIMEOUT,
)
_GATEWAY = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body></body>\r\n</html>\r\n"


class Delivery(Enum):
    """What becomes of a reply on its way."""

    WHOLE = "whole"
    TRUNCATED = "truncated"
    CLOSE = "close"
    HANG = "hang"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer before it takes the form of a door. `payload` is JSON unless `raw` is set."""

    status: int
    payload: Any = None
    raw: bytes | None = None
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    delivery: Delivery = Delivery.WHOLE

    def body(self) -> bytes:
        return self.raw if self.raw is not None else orjson.dumps(self.payload)


Words = Callable[[FaultKind, Strike], Reply]
"""How a protocol words a fault: RATE_LIMITED, BANNED, LOGIN_REFUSED, SERVICE_UNAVAILABLE, OVERLOADED, UNKNOWN_ERROR,
UNEXPECTED_RESPONSE and BACKEND_TIMEOUT."""


class Road:
    """Carries requests of every protocol. Only waiting happens here; what is decided is the plan's and the venue's."""

    def __init__(self, venue: VenueCore) -> None:
        self._venue = venue
        self._late: set[asyncio.Task[Reply]] = set()

    async def carry(
        self, subject: Subject, act: Callable[[], Reply], words: Words, *, is_exempt: bool = False
    ) -> Reply:
        """Carry one admitted request; `is_exempt` from refusals for overload are those that close or cancel."""
        venue = self._venue
        latency = venue.strike(FaultKind.REQUEST_LATENCY, subject)
        if latency:
            await self._wait(latency)
        strike = venue.plan.first_strike(BEFORE_ACTING, subject, venue.now_ms())
        if strike:
            return self._fail_before(strike, act, words, is_exempt=is_exempt)
        reply = act()
        after = venue.plan.first_strike(AFTER_ACTING, subject, venue.now_ms())
        slow = venue.strike(FaultKind.REPLY_LATENCY, subject)
        if slow:
            await self._wait(slow)
        return _fail_after(after, reply, words) if after else reply

    async def stop(self) -> None:
        for task in self._late:
            task.cancel()
        await asyncio.gather(*self._late, return_exceptions=True)

    def _fail_before(self, strike: Strike, act: Callable[[], Reply], words: Words, *, is_exempt: bool) -> Reply:
        match strike.kind:
            case FaultKind.OVERLOADED if is_exempt:
                return act()
            case FaultKind.ACCEPTED_LATE:
                task = asyncio.create_task(self._act_late(act, strike))
                self._late.add(task)
                task.add_done_callback(self._late.discard)
                return _lost(strike, words)
            case FaultKind.REQUEST_LOST:
                return _lost(strike, words)
            case _:
                return words(strike.kind, strike)

    async def _act_late(self, act: Callable[[], Reply], strike: Strike) -> Reply:
        await self._wait(strike)
        return act()

    async def _wait(self, strike: Strike) -> None:
        if strike.released is not None:
            await strike.released.wait()
        await asyncio.sleep(strike.delay_ms / 1000)


def _lost(strike: Strike, words: Words) -> Reply:
    match strike.loss:
        case Loss.CLOSE:
            return Reply(status=0, delivery=Delivery.CLOSE)
        case Loss.HANG:
            return Reply(status=0, delivery=Delivery.HANG)
        case Loss.TIMEOUT:
            return words(FaultKind.BACKEND_TIMEOUT, strike)


def _fail_after(strike: Strike, reply: Reply, words: Words) -> Reply:
    match strike.kind:
        case FaultKind.REPLY_LOST:
            return _lost(strike, words)
        case FaultKind.REPLY_TRUNCATED:
            return Reply(status=reply.status, payload=reply.payload, raw=reply.raw, delivery=Delivery.TRUNCATED)
        case FaultKind.BAD_GATEWAY:
            return Reply(status=502, raw=_GATEWAY, content_type="text/html")
        case _:
            return words(strike.kind, strike)


async def deliver(request: web.Request, reply: Reply, *, hang_s: float) -> web.StreamResponse:
    """Answer an HTTP request, in whatever way the reply is to arrive."""
    match reply.delivery:
        case Delivery.WHOLE:
            return web.Response(
                status=reply.status, body=reply.body(), content_type=reply.content_type, headers=reply.headers
            )
        case Delivery.TRUNCATED:
            return await _send_half(request, reply)
        case Delivery.HANG:
            await asyncio.sleep(hang_s)
    _abort(request)
    return web.Response(status=500)


async def _send_half(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Announce the whole body, send half of it, and drop the connection."""
    body = reply.body()
    response = web.StreamResponse(status=reply.status, headers={"Content-Length": str(len(body))})
    response.content_type = reply.content_type
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


def _abort(request: web.Request) -> None:
    transport = request.transport
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()
