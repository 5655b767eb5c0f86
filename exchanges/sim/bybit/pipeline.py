"""The way of a call from a door to what answers it, and of the answer back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exchanges.sim.bybit.call import Call, Door, Endpoint
from exchanges.sim.bybit.errors import ApiError, bad_key, shut_out, too_many_visits
from exchanges.sim.bybit.venue import BybitVenue
from exchanges.sim.refusal import Refused
from exchanges.sim.server.faults import FaultKind, Strike
from exchanges.sim.server.keys import ApiKey
from exchanges.sim.server.road import Reply, Road

Authenticate = Callable[[], ApiKey]
SYSTEM_ERROR = 10016
HIGH_LOAD = 429
FREQUENT = 10429
RESTARTING = 10019
TIMED_OUT = 10000


class Pipeline:
    """Answers calls with whole replies of REST; the order socket takes from them what its frames carry."""

    def __init__(self, venue: BybitVenue) -> None:
        self._venue = venue
        self._road = Road(venue)

    async def answer(self, endpoint: Endpoint, call: Call, authenticate: Authenticate) -> Reply:
        headers: dict[str, str] = {}
        try:
            if call.door is Door.REST:
                self._venue.limits.charge_address(call.peer, call.received_ms)
            if endpoint.is_signed:
                call = call.by(authenticate().account)
            if endpoint.counted:
                amount = endpoint.amount(call)
                headers = self._venue.limits.charge(endpoint.counted, call.account, amount, call.received_ms)
        except ApiError as error:
            return self._refusal(error)
        reply = await self._road.carry(
            self._venue.subject(call, (f"{endpoint.method} {endpoint.path}",)),
            lambda: self._act(endpoint, call),
            lambda kind, strike: self._refusal(self._words(kind, strike, call)),
            is_exempt="cancel" in call.action or call.params.get("reduceOnly") is True,
        )
        reply.headers.update(headers)
        return reply

    async def stop(self) -> None:
        await self._road.stop()

    def _act(self, endpoint: Endpoint, call: Call) -> Reply:
        try:
            answer = endpoint.handler(self._venue, call)
        except Refused as refusal:
            return self._refusal(self._venue.refused(refusal))
        except ApiError as error:
            self._venue.refusals[str(error.code)] += 1
            return self._refusal(error)
        return Reply(status=200, payload=self._envelope(0, "OK", answer.result, answer.beside))

    def _refusal(self, error: ApiError) -> Reply:
        return Reply(status=error.status, payload=self._envelope(error.code, error.message, {}, {}))

    def _envelope(self, code: int, words: str, result: Any, beside: Any) -> dict[str, Any]:
        return {
            "retCode": code,
            "retMsg": words,
            "result": result,
            "retExtInfo": beside,
            "time": self._venue.server_ms(),
        }

    def _words(self, kind: FaultKind, strike: Strike, call: Call) -> ApiError:
        is_rest = call.door is Door.REST
        match kind:
            case FaultKind.BANNED:
                self._venue.limits.ban(call.peer, self._venue.now_ms() + max(strike.delay_ms, 1000))
                return shut_out()
            case FaultKind.RATE_LIMITED:
                return too_many_visits()
            case FaultKind.LOGIN_REFUSED:
                return bad_key()
            case FaultKind.SERVICE_UNAVAILABLE if is_rest:
                return ApiError(HIGH_LOAD, "The trading service is experiencing a high server load. Please retry.")
            case FaultKind.SERVICE_UNAVAILABLE:
                return ApiError(RESTARTING, "The trading service is restarting.")
            case FaultKind.OVERLOADED:
                return ApiError(FREQUENT, "System level frequency protection.", status=429 if is_rest else 200)
            case FaultKind.UNKNOWN_ERROR:
                return ApiError(SYSTEM_ERROR, "Internal System Error.")
            case FaultKind.UNEXPECTED_RESPONSE:
                return ApiError(SYSTEM_ERROR, "System error. Please try again later.", status=500)
            case _:
                return ApiError(TIMED_OUT, "Server Timeout")
