"""Who calls: key, passphrase, time and signature of a request, and of a socket's login."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from exchanges.sim.bitget.errors import ApiError, bad_key
from exchanges.sim.server.keys import ApiKey, KeyBook

VALID_MS = 30_000


def signer(book: KeyBook, headers: Mapping[str, str], signed: str, now_ms: int) -> ApiKey:
    """Return the key by which a request is signed; `signed` is method, path, query and body as they came."""
    key = _holder(book, headers.get("ACCESS-KEY", ""), headers.get("ACCESS-PASSPHRASE", ""))
    timestamp = headers.get("ACCESS-TIMESTAMP", "")
    if not timestamp.isdecimal():
        raise ApiError("40005", "Invalid ACCESS_TIMESTAMP")
    _check_signature(key, timestamp + signed, headers.get("ACCESS-SIGN", ""))
    if abs(now_ms - int(timestamp)) > VALID_MS:
        raise ApiError("40008", "Request timestamp expired")
    return key


def login(book: KeyBook, arguments: Any, now_ms: int) -> ApiKey:
    """Return the key by which a socket logs in; its time is in seconds."""
    row = arguments[0] if isinstance(arguments, list) and arguments and isinstance(arguments[0], dict) else {}
    told = {name: str(row.get(name, "")) for name in ("apiKey", "passphrase", "timestamp", "sign")}
    try:
        key = _holder(book, told["apiKey"], told["passphrase"])
        _check_signature(key, f"{told['timestamp']}GET/user/verify", told["sign"])
    except ApiError as error:
        raise ApiError("30005", error.message) from None
    if not told["timestamp"].isdecimal() or abs(now_ms - int(told["timestamp"]) * 1000) > VALID_MS:
        raise ApiError("30008", "timestamp request expired")
    return key


def _holder(book: KeyBook, api_key: str, passphrase: str) -> ApiKey:
    key = book.find(api_key)
    if key is None:
        raise bad_key()
    if not hmac.compare_digest(key.passphrase.encode(), passphrase.encode()):
        raise ApiError("40012", "apikey/password is incorrect")
    return key


def _check_signature(key: ApiKey, payload: str, told: str) -> None:
    made = base64.b64encode(hmac.new(key.secret.encode(), payload.encode(), hashlib.sha256).digest())
    if not hmac.compare_digest(made, told.encode()):
        raise ApiError("40009", "sign signature error")
