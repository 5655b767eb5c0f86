"""The way of a call from a door to what answers it, and of the answer back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exchanges.sim.bitget.call import Call, Door, Endpoint
from exchanges.sim.bitget.errors import ApiError, bad_key, too_many_requests
from exchanges.sim.bitget.venue import BitgetVenue
from exchanges.sim.refusal import Refused
from exchanges.sim.server.faults import FaultKind, Strike
from exchanges.sim.server.keys import ApiKey
from exchanges.sim.server.road import Reply, Road

Authenticate = Callable[[], ApiKey]


class Pipeline:
    """Answers calls with whole replies of REST; the order socket takes from them what its frames carry."""

    def __init__(self, venue: BitgetVenue) -> None:
        self._venue = venue
        self._road = Road(venue)

    async def answer(self, endpoint: Endpoint, call: Call, authenticate: Authenticate) -> Reply:
        try:
            if call.door is Door.REST:
                self._venue.limits.charge_address(call.peer, call.received_ms)
            if endpoint.is_signed:
                call = call.by(authenticate().account)
                self._venue.limits.charge(endpoint.counted or endpoint.action, call.account, call.received_ms)
        except ApiError as error:
            return self._refusal(error)
        return await self._road.carry(
            self._venue.subject(call, (f"{endpoint.method} {endpoint.path}",)),
            lambda: self._act(endpoint, call),
            lambda kind, strike: self._refusal(self._words(kind, strike, call)),
            is_exempt="cancel" in call.action or call.params.get("reduceOnly") == "YES",
        )

    async def stop(self) -> None:
        await self._road.stop()

    def _act(self, endpoint: Endpoint, call: Call) -> Reply:
        try:
            data = endpoint.handler(self._venue, call)
        except Refused as refusal:
            return self._refusal(self._venue.refused(refusal))
        except ApiError as error:
            self._venue.refusals[error.code] += 1
            return self._refusal(error)
        return Reply(status=200, payload=self._envelope("00000", "success", data))

    def _refusal(self, error: ApiError) -> Reply:
        return Reply(status=error.status, payload=self._envelope(error.code, error.message, None))

    def _envelope(self, code: str, words: str, data: Any) -> dict[str, Any]:
        return {"code": code, "msg": words, "requestTime": self._venue.server_ms(), "data": data}

    def _words(self, kind: FaultKind, strike: Strike, call: Call) -> ApiError:
        match kind:
            case FaultKind.BANNED:
                self._venue.limits.ban(call.peer, self._venue.now_ms() + max(strike.delay_ms, 1000))
                return too_many_requests()
            case FaultKind.RATE_LIMITED:
                return too_many_requests()
            case FaultKind.LOGIN_REFUSED:
                return bad_key()
            case FaultKind.SERVICE_UNAVAILABLE | FaultKind.OVERLOADED:
                # the venue's words, which do not say whether anything was done
                return ApiError("40200", "Server upgrade, please try again later", status=503)
            case FaultKind.UNKNOWN_ERROR:
                return ApiError("45001", "Unknown error")
            case FaultKind.UNEXPECTED_RESPONSE:
                return ApiError("40725", "service return an error", status=500)
            case _:
                return ApiError("40010", "Request timed out")
