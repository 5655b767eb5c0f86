"""Whose request it is: the signature over time, key, window and payload; and the login of a socket."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from exchanges.sim.bybit.errors import ApiError, bad_key, bad_signature, bad_time
from exchanges.sim.server.keys import ApiKey, KeyBook

AHEAD_MAX_MS = 1000
WINDOW_DEFAULT_MS = 5000


def signer(book: KeyBook, headers: Mapping[str, str], payload: str, server_ms: int) -> ApiKey:
    """Return the key that signed a request of REST. Raises `ApiError` where key, time or signature is wrong."""
    key = book.find(headers.get("X-BAPI-API-KEY", ""))
    if key is None:
        raise bad_key()
    timestamp, window = headers.get("X-BAPI-TIMESTAMP", ""), headers.get("X-BAPI-RECV-WINDOW", "")
    told = f"{timestamp}{key.key}{window}{payload}"
    if not _is_signed(key, told, headers.get("X-BAPI-SIGN", "")):
        raise bad_signature()
    check_time(timestamp, window, server_ms)
    return key


def check_time(timestamp: str, window: str, server_ms: int) -> None:
    """Refuse a request whose time stamp is outside its window now."""
    if not timestamp.isdecimal() or (window and not window.isdecimal()):
        raise bad_time()
    window_ms = int(window) if window else WINDOW_DEFAULT_MS
    if not server_ms - window_ms <= int(timestamp) < server_ms + AHEAD_MAX_MS:
        raise bad_time()


def login(book: KeyBook, arguments: Any, server_ms: int) -> ApiKey:
    """Return the key that a socket is logged in with: [key, time at which the login ends, signature]."""
    if not isinstance(arguments, list) or len(arguments) != 3:
        raise ApiError(10001, "Params Error")
    key = book.find(str(arguments[0]))
    if key is None:
        raise bad_key()
    expires = str(arguments[1])
    if not expires.isdecimal() or int(expires) <= server_ms:
        raise ApiError(10004, "Request expired")
    if not _is_signed(key, f"GET/realtime{expires}", str(arguments[2])):
        raise bad_signature()
    return key


def _is_signed(key: ApiKey, told: str, signature: str) -> bool:
    expected = hmac.new(key.secret.encode(), told.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.lower().encode("utf-8", "replace"))
