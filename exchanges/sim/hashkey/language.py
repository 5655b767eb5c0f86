"""How HashKey is asked and answers over HTTP: keys and signatures, codes, and no envelope."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from exchanges.sim.hashkey import errors
from exchanges.sim.hashkey.contracts import symbol_of
from exchanges.sim.hashkey.venue import HashkeyVenue
from exchanges.sim.refusal import Refused
from exchanges.sim.server.faults import FaultKind, Strike
from exchanges.sim.server.keys import ApiKey
from exchanges.sim.server.request import ApiError, Endpoint, Malformed, Request
from exchanges.sim.server.road import Reply

VALID_MS = 5000
AHEAD_MS = 1000
MARK = "&signature="


class HashkeyLanguage:
    """The `Language` of the venue."""

    def __init__(self, venue: HashkeyVenue) -> None:
        self._venue = venue

    def authenticate(self, request: Request) -> ApiKey:
        """Return the key by which a request is signed: over the query, or the form where the query is not signed."""
        key = self._venue.book.find(request.headers.get("X-HK-APIKEY", ""))
        if key is None:
            raise _bad_key()
        query = request.target.partition("?")[2]
        signed, _, signature = (query if MARK in query else request.body).rpartition(MARK)
        wanted = hmac.new(key.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted.encode(), signature.encode()):
            raise ApiError("0002", "Incorrect signature", status=errors.BAD_REQUEST)
        behind_ms = self._venue.server_ms() - request.whole("timestamp")
        if not -AHEAD_MS <= behind_ms <= request.whole("recvWindow", VALID_MS):
            words = "Timestamp for this request is outside of the recvWindow."
            raise ApiError("-1021", words, status=errors.BAD_REQUEST)
        return key

    def answer(self, data: Any) -> Reply:
        return Reply(status=200, payload=data)

    def refusal(self, error: ApiError) -> Reply:
        return Reply(status=error.status, payload={"code": error.code, "msg": error.message})

    def refused(self, refusal: Refused) -> ApiError:
        return errors.refused(refusal)

    def malformed(self, error: Malformed) -> ApiError:
        return errors.malformed(error)

    def over_quota(self) -> ApiError:
        return errors.too_many()

    def faulty(self, kind: FaultKind, strike: Strike) -> ApiError:
        match kind:
            case FaultKind.LOGIN_REFUSED:
                return _bad_key()
            case FaultKind.SERVICE_UNAVAILABLE | FaultKind.OVERLOADED:
                # nothing in these words says whether anything was done
                return ApiError("-1001", "Internal error", status=503)
            case FaultKind.BACKEND_TIMEOUT:
                return ApiError("-1007", "Timeout waiting for response from server.", status=errors.BAD_REQUEST)
            case _:
                return ApiError("-1006", "Execution status unknown.", status=errors.BAD_REQUEST)

    def headers(self, request: Request, endpoint: Endpoint[Any]) -> dict[str, str]:
        return {}

    def about(self, request: Request) -> tuple[str, str]:
        name = request.params.get("symbol")
        client_id = request.params.get("clientOrderId") or request.params.get("origClientOrderId")
        return symbol_of(name) if isinstance(name, str) else "", client_id if isinstance(client_id, str) else ""


def _bad_key() -> ApiError:
    return ApiError("0102", "Invalid APIKey", status=errors.BAD_REQUEST)
