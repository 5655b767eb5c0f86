"""Who is calling: HMAC-SHA512 over a request's parts, or over a channel's name, with its second."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from exchanges.sim.gate.errors import ApiError, expired
from exchanges.sim.server.keys import ApiKey, KeyBook

GAP_MAX_S = 60
SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")


def rest_signer(
    book: KeyBook, headers: Mapping[str, str], method: str, path: str, query: str, body: str, server_ms: int
) -> ApiKey:
    """Return the key that signed a REST request."""
    if "KEY" not in headers or "SIGN" not in headers or "Timestamp" not in headers:
        raise ApiError(401, "MISSING_REQUIRED_HEADER", "Missing required header: KEY, Timestamp, SIGN")
    digest = hashlib.sha512(body.encode()).hexdigest()
    payload = f"{method}\n{path}\n{unquote(query)}\n{digest}\n{headers['Timestamp']}"
    return _signer(book, headers["KEY"], headers["SIGN"], payload, headers["Timestamp"], server_ms)


def channel_signer(book: KeyBook, message: Mapping[str, Any], server_ms: int) -> ApiKey:
    """Return the key that signed a subscription."""
    auth, seconds = message.get("auth"), message.get("time")
    if not isinstance(auth, dict):
        raise ApiError(401, "MISSING_REQUIRED_HEADER", "auth is missing")
    payload = f"channel={message.get('channel')}&event={message.get('event')}&time={seconds}"
    return _signer(book, str(auth.get("KEY")), str(auth.get("SIGN")), payload, str(seconds), server_ms)


def login_signer(book: KeyBook, channel: str, payload: Mapping[str, Any], server_ms: int) -> ApiKey:
    """Return the key that signed a login. A client may sign the empty parameters, or those that it sends."""
    seconds, signature = str(payload.get("timestamp")), str(payload.get("signature"))
    signed = f"api\n{channel}\n{'{}' if payload.get('req_param') == {} else ''}\n{seconds}"
    return _signer(book, str(payload.get("api_key")), signature, signed, seconds, server_ms)


def _signer(book: KeyBook, name: str, signature: str, payload: str, seconds: str, server_ms: int) -> ApiKey:
    key = book.find(name)
    if key is None:
        raise ApiError(401, "INVALID_KEY", "Invalid key provided")
    expected = hmac.new(key.secret.encode(), payload.encode(), hashlib.sha512).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise ApiError(401, "INVALID_SIGNATURE", "Signature mismatch")
    check_second(seconds, server_ms)
    return key


def check_second(seconds: str, server_ms: int) -> None:
    """Refuse a request whose second, with or without a fraction, is more than a minute away."""
    if not SECONDS.fullmatch(seconds) or abs(server_ms - Decimal(seconds) * 1000) > GAP_MAX_S * 1000:
        raise expired()
