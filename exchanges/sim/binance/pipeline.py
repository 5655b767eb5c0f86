"""The way of one request through the venue: limits, key, clock, the faults of the road, the handler."""

from __future__ import annotations

from exchanges.sim.binance.call import Call, Door
from exchanges.sim.binance.endpoint import Effect, Endpoint, Security
from exchanges.sim.binance.errors import ApiError
from exchanges.sim.binance.signing import check_time
from exchanges.sim.binance.venue import Venue
from exchanges.sim.refusal import Refused
from exchanges.sim.server.faults import FaultKind, Strike
from exchanges.sim.server.road import Reply, Road
from exchanges.sim.server.windows import Interval

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


def _refusal(error: ApiError) -> Reply:
    headers = {"Retry-After": str(error.retry_after_s)} if error.retry_after_s is not None else {}
    return Reply(status=error.status, payload=error.body(), headers=headers)


class Pipeline:
    """Answers calls."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._road = Road(venue)

    async def answer(self, endpoint: Endpoint, call: Call, *, signer: str = "") -> Reply:
        """Answer one call. `signer` is the account of a logged-on session: its calls carry no signature."""
        try:
            call = self._admit(endpoint, call, signer)
        except ApiError as error:
            return self._with_counts(_refusal(error), call)
        reply = await self._road.carry(
            self._venue.subject(call, (f"{endpoint.method} {endpoint.path}",)),
            lambda: self._act(endpoint, call),
            lambda kind, strike: _refusal(self._words(kind, strike, call)),
            is_exempt=_is_exempt(call),
        )
        return self._with_counts(reply, call, with_orders=endpoint.orders_10s > 0)

    async def stop(self) -> None:
        await self._road.stop()

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

    def _words(self, kind: FaultKind, strike: Strike, call: Call) -> ApiError:
        now_ms = self._venue.now_ms()
        match kind:
            case FaultKind.BANNED:
                self._venue.limits.ban(call.peer, now_ms + max(strike.delay_ms, 1000))
                return self._banned(call, now_ms)
            case FaultKind.RATE_LIMITED:
                return ApiError(429, -1003, "Too many requests; please slow down.", retry_after_s=_up(strike))
            case FaultKind.LOGIN_REFUSED:
                return ApiError(401, -2015, "Invalid API-key, IP, or permissions for action")
            case FaultKind.SERVICE_UNAVAILABLE:
                return _UNAVAILABLE
            case FaultKind.OVERLOADED:
                return _OVERLOADED
            case FaultKind.UNKNOWN_ERROR:
                return _UNKNOWN_ERROR
            case FaultKind.UNEXPECTED_RESPONSE:
                return _UNEXPECTED
            case _:
                return _TIMEOUT

    def _banned(self, call: Call, now_ms: int) -> ApiError:
        try:
            self._venue.limits.check_ban(call.peer, now_ms)
        except ApiError as error:
            return error
        raise AssertionError("a ban just set must refuse")

    def _with_counts(self, reply: Reply, call: Call, *, with_orders: bool = False) -> Reply:
        now_ms = self._venue.now_ms()
        reply.headers.update(self._venue.limits.weight_headers(call.peer, now_ms))
        if with_orders and call.door is Door.REST:
            reply.headers.update(self._venue.limits.order_headers(call.account, now_ms))
        return reply


def _is_exempt(call: Call) -> bool:
    claims = (call.optional("reduceOnly"), call.optional("closePosition"))
    return "cancel" in call.action or any(claim.lower() == "true" for claim in claims)


def _up(strike: Strike) -> int:
    return max(1, -(-strike.delay_ms // 1000))
