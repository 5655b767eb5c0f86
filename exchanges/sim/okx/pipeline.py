"""The way of one request through the venue: limits, key, clock, the faults of the road, the handler."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exchanges.sim.okx.call import Call, Endpoint
from exchanges.sim.okx.errors import ApiError, refusal
from exchanges.sim.okx.rates import too_many
from exchanges.sim.okx.venue import OkxVenue
from exchanges.sim.refusal import Refused
from exchanges.sim.server.faults import FaultKind, Strike
from exchanges.sim.server.road import Reply, Road

_BUSY = ApiError(429, "50013", "Systems are busy. Please try again later.")
_TIMEOUT = ApiError(400, "50004", "API endpoint request timeout. The order may have been placed or not.")
_WORDS = {
    FaultKind.LOGIN_REFUSED: ApiError(401, "50111", "Invalid OK-ACCESS-KEY"),
    FaultKind.SERVICE_UNAVAILABLE: ApiError(503, "50001", "Service temporarily unavailable. Please try again later."),
    FaultKind.OVERLOADED: _BUSY,
    FaultKind.UNKNOWN_ERROR: ApiError(500, "50026", "System error. Try again later"),
    FaultKind.UNEXPECTED_RESPONSE: ApiError(200, "51149", "Order timed out. Please try again later."),
}


def refused(error: ApiError) -> Reply:
    return Reply(status=error.status, payload=error.body())


class Pipeline:
    """Answers calls."""

    def __init__(self, venue: OkxVenue) -> None:
        self._venue = venue
        self._road = Road(venue)

    async def answer(self, endpoint: Endpoint, call: Call, *, signer: str = "") -> Reply:
        """Answer one call. `signer` is the account of a logged-in socket: its calls carry no signature."""
        try:
            call = self._admit(endpoint, call, signer)
        except ApiError as error:
            return refused(error)
        return await self._road.carry(
            self._venue.subject(call, (f"{endpoint.method} {endpoint.path}",)),
            lambda: self._act(endpoint, call),
            lambda kind, strike: refused(self._words(kind, strike, call)),
            is_exempt="cancel" in call.action or all(row.get("reduceOnly") in (True, "true") for row in call.rows),
        )

    async def stop(self) -> None:
        await self._road.stop()

    def _admit(self, endpoint: Endpoint, call: Call, signer: str) -> Call:
        """Find the account, judge signature and time, count the call."""
        venue = self._venue
        venue.rates.check_ban(call.peer, call.received_ms)
        if endpoint.is_private:
            account = signer or venue.keys.signer(call, endpoint.method, venue.server_ms()).account
            call = call.by(account)
        owner = call.account or call.peer
        instrument = str(call.params.get("instId") or call.params.get("instIdCode") or "")
        # a list of orders counts each of them, in a window of its own
        venue.rates.charge(
            (endpoint.action, owner, instrument), endpoint.limit, call.received_ms, count=len(call.rows) or 1
        )
        if call.expires_ms and call.expires_ms < venue.server_ms():
            raise ApiError(200, "50036", "The expTime can't be earlier than the current system time.")
        return call

    def _act(self, endpoint: Endpoint, call: Call) -> Reply:
        venue = self._venue
        try:
            if call.expires_ms and venue.behaviour.recv_window_at_matching and call.expires_ms < venue.server_ms():
                raise ApiError(200, "50037", "Order expired.")
            rows = endpoint.handler(venue, call)
        except Refused as told:
            error = refusal(told)
            venue.refusals[error.code] += 1
            return refused(error)
        except ApiError as error:
            return refused(error)
        return Reply(status=200, payload=_body(endpoint, rows))

    def _words(self, kind: FaultKind, strike: Strike, call: Call) -> ApiError:
        if kind is FaultKind.BANNED:
            now_ms = self._venue.now_ms()
            self._venue.rates.ban(call.peer, now_ms + max(strike.delay_ms, 1000))
        if kind in (FaultKind.BANNED, FaultKind.RATE_LIMITED):
            return too_many()
        return _WORDS.get(kind, _TIMEOUT)


def _body(endpoint: Endpoint, rows: Sequence[Any]) -> dict[str, object]:
    """Return the whole answer: of a list of operations it says whether all, some or none were done."""
    failed = sum(row.get("sCode") != "0" for row in rows) if endpoint.has_items else 0
    code = "0" if not failed else "1" if failed == len(rows) else "2"
    words = {"0": "", "1": "All operations failed", "2": "Bulk operation partially succeeded."}[code]
    return {"code": code, "msg": words, "data": rows}
