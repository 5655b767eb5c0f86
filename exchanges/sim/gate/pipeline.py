"""The way of one request through the venue: limits, key, expiry, the faults of the road, the handler."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate

from exchanges.sim.gate.call import Call, Counted, Endpoint
from exchanges.sim.gate.errors import ApiError, expired, too_many
from exchanges.sim.gate.limits import RESET
from exchanges.sim.gate.venue import GateVenue
from exchanges.sim.refusal import Refused
from exchanges.sim.server.faults import FaultKind, Strike
from exchanges.sim.server.road import Reply, Road

_SERVER_ERROR = ApiError(500, "SERVER_ERROR", "Internal server error")
_INTERNAL = ApiError(500, "INTERNAL", "Internal server error")
_BUSY = ApiError(503, "TOO_BUSY", "Server is too busy at the moment")

Authenticate = Callable[[], str]
"""Returns the account of the caller; raises `ApiError`."""


class Pipeline:
    """Answers calls."""

    def __init__(self, venue: GateVenue) -> None:
        self._venue = venue
        self._road = Road(venue)

    async def answer(self, endpoint: Endpoint, call: Call, authenticate: Authenticate) -> Reply:
        headers: dict[str, str] = {}
        try:
            self._venue.limits.check_ban(call.peer, call.received_ms)
            if not endpoint.is_public:
                call = call.by(authenticate())
            amount = max(1, len(call.rows)) if endpoint.counted is not Counted.READS else 1
            owner = call.account or call.peer
            headers = self._venue.limits.charge(endpoint.counted, endpoint.path, owner, amount, call.received_ms)
            if call.expires_ms and self._venue.server_ms() > call.expires_ms:
                raise expired()
        except ApiError as error:
            return self._refusal(error, headers)
        reply = await self._road.carry(
            self._venue.subject(call, (f"{endpoint.method} {call.path}",)),
            lambda: self._act(endpoint, call),
            lambda kind, strike: self._refusal(self._words(kind, strike, call)),
            is_exempt="cancel" in call.action or call.claim("reduce_only"),
        )
        for name, told in headers.items():
            reply.headers.setdefault(name, told)
        return reply

    async def stop(self) -> None:
        await self._road.stop()

    def _act(self, endpoint: Endpoint, call: Call) -> Reply:
        try:
            return Reply(status=endpoint.status, payload=endpoint.handler(self._venue, call))
        except Refused as refusal:
            return self._refusal(self._venue.refused(refusal))
        except ApiError as error:
            return self._refusal(error)

    def _refusal(self, error: ApiError, headers: dict[str, str] | None = None) -> Reply:
        told = _limit_ends(self._venue.server_ms(), error.wait_ms) if error.wait_ms else {}
        return Reply(status=error.status, payload=error.body(), headers=(headers or {}) | told)

    def _words(self, kind: FaultKind, strike: Strike, call: Call) -> ApiError:
        match kind:
            case FaultKind.BANNED:
                wait_ms = max(round(strike.delay_ms), 1000)
                self._venue.limits.ban(call.peer, self._venue.now_ms() + wait_ms)
                return too_many(wait_ms)
            case FaultKind.RATE_LIMITED:
                return too_many(round(strike.delay_ms))
            case FaultKind.LOGIN_REFUSED:
                return ApiError(401, "INVALID_KEY", "Invalid key provided")
            case FaultKind.SERVICE_UNAVAILABLE | FaultKind.OVERLOADED:
                return _BUSY
            case FaultKind.UNKNOWN_ERROR:
                return _INTERNAL
            case _:
                return _SERVER_ERROR


def _limit_ends(server_ms: int, wait_ms: int) -> dict[str, str]:
    """Return what the headers say of a limit that was met: its end, and the moment of the answer."""
    return {RESET: str(-(-(server_ms + wait_ms) // 1000)), "Date": formatdate(server_ms // 1000, usegmt=True)}
