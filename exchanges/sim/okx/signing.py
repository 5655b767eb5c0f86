"""Keys, signatures and time stamps of requests and logins."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime

from exchanges.sim.okx.call import Call, Row
from exchanges.sim.okx.errors import ApiError
from exchanges.sim.server.keys import ApiKey, KeyBook

WINDOW_MS = 30_000
LOGIN_TEXT = "GET/users/self/verify"


def sign(text: str, secret: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


class KeyRing:
    """Finds who signed a request."""

    def __init__(self, book: KeyBook) -> None:
        self._book = book

    def signer(self, call: Call, method: str, server_ms: int) -> ApiKey:
        """Return whose key signed a REST request. Raises `ApiError` for what is wrong with it."""
        head = call.headers
        for name, code in (("KEY", "50103"), ("PASSPHRASE", "50104"), ("SIGN", "50106"), ("TIMESTAMP", "50107")):
            if not head.get(f"OK-ACCESS-{name}"):
                raise ApiError(401, code, f'Request header "OK-ACCESS-{name}" can\'t be empty.')
        held = self._book.find(head["OK-ACCESS-KEY"])
        if held is None:
            raise ApiError(401, "50111", "Invalid OK-ACCESS-KEY")
        moment = head["OK-ACCESS-TIMESTAMP"]
        try:
            sent_ms = int(datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp() * 1000)
        except ValueError:
            raise ApiError(401, "50112", "Invalid OK-ACCESS-TIMESTAMP") from None
        if abs(server_ms - sent_ms) > WINDOW_MS:
            raise ApiError(401, "50102", "Timestamp request expired")
        if not hmac.compare_digest(head["OK-ACCESS-PASSPHRASE"], held.passphrase):
            raise ApiError(401, "50105", 'Request header "OK-ACCESS-PASSPHRASE" incorrect.')
        if not hmac.compare_digest(sign(f"{moment}{method}{call.signed_text}", held.secret), head["OK-ACCESS-SIGN"]):
            raise ApiError(401, "50113", "Invalid Sign")
        return held

    def logged_in(self, row: Row, server_ms: int) -> ApiKey:
        """Return whose key logs a socket in."""
        held = self._book.find(str(row.get("apiKey", "")))
        if held is None:
            raise ApiError(400, "60005", "Invalid apiKey")
        moment = str(row.get("timestamp", ""))
        if not moment.replace(".", "", 1).isdigit():
            raise ApiError(400, "60004", "Invalid timestamp")
        if abs(server_ms - int(float(moment) * 1000)) > WINDOW_MS:
            raise ApiError(400, "60006", "Timestamp request expired")
        if not hmac.compare_digest(str(row.get("passphrase", "")), held.passphrase):
            raise ApiError(400, "60024", "Wrong passphrase")
        if not hmac.compare_digest(sign(f"{moment}{LOGIN_TEXT}", held.secret), str(row.get("sign", ""))):
            raise ApiError(400, "60007", "Invalid sign")
        return held
