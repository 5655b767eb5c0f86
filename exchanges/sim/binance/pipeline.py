"""The way of one request through the venue: limits, key, clock, faults, the handler, faults again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import orjson

from exchanges.sim.binance.call import Call, Door
from exchanges.sim.binance.endpoint import Effect, Endpoint, Security
from exchanges.sim.binance.errors import ApiError
from exchanges.sim.binance.faults import FaultKind, Loss, Strike
from exchanges.sim.binance.rate_limits import Interval
from exchanges.sim.binance.signing import check_time
from exchanges.sim.binance.venue import Venue
from exchanges.sim.refusal import Refused

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
_UNKNOWN_ERROR = ApiError(503, -1000, "Unknown error, please check your request or try again later.")
_UNAVAILABLE = ApiError(503, -1001, "Service Unavailable.")
_OVERLOADED = ApiError(
    503,
    -1008,
    "Request throttled by system-level protection. Reduce-only/close-position orders are exempt. Please try again.",
)
_UNEXPECTED = ApiError(
    400, -1006, "An unexpected response was received from the message bus. Execution status unknown."
)
_TIMEOUT = ApiError(
    408, -1007, "Timeout waiting for response from backend server. Send status unknown; execution status unknown."
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


def _refusal(error: ApiError) -> Reply:
    headers = {"Retry-After": str(error.retry_after_s)} if error.retry_after_s is not None else {}
    return Reply(status=error.status, payload=error.body(), headers=headers)


class Pipeline:
    """Answers calls. Only waiting happens here; every decision is the venue's or the plan's."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._late: set[asyncio.Task[Reply]] = set()

    async def answer(self, endpoint: Endpoint, call: Call, *, signer: str = "") -> Reply:
        """Answer one call. `signer` is the account of a logged-on session: its calls carry no signature."""
        try:
            call = self._admit(endpoint, call, signer)
        except ApiError as error:
            return self._with_counts(_refusal(error), call)
        subject = self._subject(endpoint, call)
        latency = self._venue.plan.strike(FaultKind.REQUEST_LATENCY, subject, self._venue.now_ms())
        if latency:
            await asyncio.sleep(latency.delay_ms / 1000)
        strike = self._venue.plan.first_strike(BEFORE_ACTING, subject, self._venue.now_ms())
        if strike:
            return self._with_counts(self._fail_before(strike, endpoint, call), call)
        reply = self._act(endpoint, call)
        after = self._venue.plan.first_strike(AFTER_ACTING, subject, self._venue.now_ms())
        slow = self._venue.plan.strike(FaultKind.REPLY_LATENCY, subject, self._venue.now_ms())
        if slow:
            await asyncio.sleep(slow.delay_ms / 1000)
        return self._with_counts(
            _fail_after(after, reply) if after else reply, call, with_orders=endpoint.orders_10s > 0
        )

    async def stop(self) -> None:
        for task in self._late:
            task.cancel()
        await asyncio.gather(*self._late, return_exceptions=True)

    def _subject(self, endpoint: Endpoint, call: Call) -> Any:
        return self._venue.subject(call, (f"{endpoint.method} {endpoint.path}",))

    def _admit(self, endpoint: Endpoint, call: Call, signer: str) -> Call:
        """Charge the address, find the account, judge signature and time; return the call with its account."""
        venue = self._venue
        venue.limits.charge_weight(call.peer, endpoint.cost(call), call.received_ms)
        if endpoint.security is Security.NONE:
            return call
        if signer:
            call = call.by(signer)
        elif endpoint.security is Security.KEY:
            call = call.by(venue.keys.holder(call.api_key).account)
        else:
            call = call.by(venue.keys.signer(call).account)
        if endpoint.security is Security.SIGNED:
            check_time(call, venue.server_ms())
        if endpoint.orders_10s:
            costs = {Interval.SECOND: endpoint.orders_10s, Interval.MINUTE: endpoint.orders_1m}
            venue.limits.charge_orders(call.account, costs, call.received_ms)
        return call

    def _act(self, endpoint: Endpoint, call: Call) -> Reply:
        try:
            if endpoint.effect is Effect.TRADE and self._venue.behaviour.recv_window_at_matching:
                check_time(call, self._venue.server_ms())
            return Reply(status=200, payload=endpoint.handler(self._venue, call))
        except Refused as refusal:
            return _refusal(self._venue.refused(refusal))
        except ApiError as error:
            return _refusal(error)

    def _fail_before(self, strike: Strike, endpoint: Endpoint, call: Call) -> Reply:
        now_ms = self._venue.now_ms()
        match strike.kind:
            case FaultKind.BANNED:
                until_ms = now_ms + max(strike.delay_ms, 1000)
                self._venue.limits.ban(call.peer, until_ms)
                return self._banned(call, now_ms)
            case FaultKind.RATE_LIMITED:
                return _refusal(ApiError(429, -1003, "Too many requests; please slow down.", retry_after_s=_up(strike)))
            case FaultKind.LOGIN_REFUSED:
                return _refusal(ApiError(401, -2015, "Invalid API-key, IP, or permissions for action"))
            case FaultKind.SERVICE_UNAVAILABLE:
                return _refusal(_UNAVAILABLE)
            case FaultKind.OVERLOADED:
                return self._act(endpoint, call) if _is_exempt(call) else _refusal(_OVERLOADED)
            case FaultKind.ACCEPTED_LATE:
                task = asyncio.create_task(self._act_late(endpoint, call, strike.delay_ms / 1000))
                self._late.add(task)
                task.add_done_callback(self._late.discard)
                return _lost(strike.loss)
            case _:
                return _lost(strike.loss)

    def _banned(self, call: Call, now_ms: int) -> Reply:
        try:
            self._venue.limits.check_ban(call.peer, now_ms)
        except ApiError as error:
            return _refusal(error)
        raise AssertionError("a ban just set must refuse")

    async def _act_late(self, endpoint: Endpoint, call: Call, delay_s: float) -> Reply:
        await asyncio.sleep(delay_s)
        return self._act(endpoint, call)

    def _with_counts(self, reply: Reply, call: Call, *, with_orders: bool = False) -> Reply:
        now_ms = self._venue.now_ms()
        reply.headers.update(self._venue.limits.weight_headers(call.peer, now_ms))
        if with_orders and call.door is Door.REST:
            reply.headers.update(self._venue.limits.order_headers(call.account, now_ms))
        return reply


def _is_exempt(call: Call) -> bool:
    return call.claim("reduceOnly") or call.claim("closePosition") or "cancel" in call.action


def _up(strike: Strike) -> int:
    return max(1, -(-strike.delay_ms // 1000))


def _lost(loss: Loss) -> Reply:
    match loss:
        case Loss.CLOSE:
            return Reply(status=0, delivery=Delivery.CLOSE)
        case Loss.HANG:
            return Reply(status=0, delivery=Delivery.HANG)
        case Loss.TIMEOUT:
            return _refusal(_TIMEOUT)


def _fail_after(strike: Strike, reply: Reply) -> Reply:
    match strike.kind:
        case FaultKind.REPLY_LOST:
            return _lost(strike.loss)
        case FaultKind.REPLY_TRUNCATED:
            return Reply(status=reply.status, payload=reply.payload, raw=reply.raw, delivery=Delivery.TRUNCATED)
        case FaultKind.UNKNOWN_ERROR:
            return _refusal(_UNKNOWN_ERROR)
        case FaultKind.BAD_GATEWAY:
            return Reply(status=502, raw=_GATEWAY, content_type="text/html")
        case FaultKind.UNEXPECTED_RESPONSE:
            return _refusal(_UNEXPECTED)
        case _:
            return _refusal(_TIMEOUT)
