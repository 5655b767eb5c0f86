"""How KuCoin is asked and answers over HTTP: keys and signatures, envelopes, codes, headers."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from exchanges.sim.kucoinfutures import errors
from exchanges.sim.kucoinfutures.contracts import symbol_of
from exchanges.sim.kucoinfutures.venue import KucoinVenue
from exchanges.sim.refusal import Refused
from exchanges.sim.server.faults import FaultKind, Strike
from exchanges.sim.server.keys import ApiKey
from exchanges.sim.server.request import ApiError, Endpoint, Malformed, Request
from exchanges.sim.server.road import Reply
from exchanges.sim.server.windows import Kind

VALID_MS = 5000
UNAUTHORISED = 401
NEEDED = ("KC-API-KEY", "KC-API-SIGN", "KC-API-TIMESTAMP", "KC-API-PASSPHRASE")


class KucoinLanguage:
    """The `Language` of the venue."""

    def __init__(self, venue: KucoinVenue) -> None:
        self._venue = venue

    def authenticate(self, request: Request) -> ApiKey:
        """Return the key by which a request is signed: over time, method, address with query, and body."""
        headers = request.headers
        told = {name: headers.get(name, "") for name in NEEDED}
        if not all(told.values()):
            raise ApiError("400001", "Please check the header of your request", status=UNAUTHORISED)
        timestamp = told["KC-API-TIMESTAMP"]
        if not timestamp.isdecimal() or abs(self._venue.server_ms() - int(timestamp)) > VALID_MS:
            raise ApiError("400002", "KC-API-TIMESTAMP Invalid", status=UNAUTHORISED)
        key = self._venue.book.find(told["KC-API-KEY"])
        if key is None:
            raise ApiError("400003", "KC-API-KEY not exists", status=UNAUTHORISED)
        is_encrypted = headers.get("KC-API-KEY-VERSION", "1") != "1"
        wanted = _signed(key, key.passphrase) if is_encrypted else key.passphrase
        if not hmac.compare_digest(wanted.encode(), told["KC-API-PASSPHRASE"].encode()):
            raise ApiError("400004", "Invalid KC-API-PASSPHRASE", status=UNAUTHORISED)
        signed = _signed(key, f"{timestamp}{request.method}{request.target}{request.body}")
        if not hmac.compare_digest(signed.encode(), told["KC-API-SIGN"].encode()):
            raise ApiError("400005", "Invalid KC-API-SIGN", status=UNAUTHORISED)
        return key

    def answer(self, data: Any) -> Reply:
        return Reply(status=200, payload={"code": errors.SUCCESS, "data": data})

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
                return ApiError("400003", "KC-API-KEY not exists", status=UNAUTHORISED)
            case FaultKind.SERVICE_UNAVAILABLE | FaultKind.OVERLOADED:
                # nothing in these words says whether anything was done
                return ApiError("503000", "Service Unavailable", status=503)
            case FaultKind.BACKEND_TIMEOUT:
                return ApiError("408000", "Network timeout, please try again later")
            case _:
                return ApiError("500000", "Internal Server Error", status=500)

    def headers(self, request: Request, endpoint: Endpoint[Any]) -> dict[str, str]:
        """Return what is left of the pool that the call was paid from."""
        left = self._venue.quota.left(Kind.WEIGHT, request.account or request.peer, self._venue.now_ms())
        if left is None:
            return {}
        limit, remaining, reset_ms = left
        return {
            "gw-ratelimit-limit": str(limit),
            "gw-ratelimit-remaining": str(remaining),
            "gw-ratelimit-reset": str(reset_ms),
        }

    def about(self, request: Request) -> tuple[str, str]:
        name, client_id = request.params.get("symbol"), request.params.get("clientOid")
        return symbol_of(name) if isinstance(name, str) else "", client_id if isinstance(client_id, str) else ""


def _signed(key: ApiKey, text: str) -> str:
    return base64.b64encode(hmac.new(key.secret.encode(), text.encode(), hashlib.sha256).digest()).decode()
