"""Who is calling: API keys, signatures (HMAC-SHA256 or Ed25519) and the time window of a request.

The signed text of a REST request is its query string followed by its body, both without the signature; that of a
WebSocket request is its parameters sorted by name.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from exchanges.sim.binance.call import Call
from exchanges.sim.binance.errors import (
    ahead_of_server,
    bad_api_key,
    bad_api_key_format,
    bad_signature,
    missing_parameter,
    outside_recv_window,
)
from exchanges.sim.server.keys import KEY_LENGTH_MIN, ApiKey, KeyBook

AHEAD_MAX_MS = 1000
RECV_WINDOW_DEFAULT_MS = 5000
RECV_WINDOW_MAX_MS = 60_000


class KeyRing:
    """Finds the key of a request, and judges its signature."""

    def __init__(self, book: KeyBook) -> None:
        self._book = book

    def holder(self, api_key: str) -> ApiKey:
        if not api_key or len(api_key) < KEY_LENGTH_MIN or not api_key.isascii():
            raise bad_api_key_format()
        found = self._book.find(api_key)
        if found is None:
            raise bad_api_key()
        return found

    def signer(self, call: Call) -> ApiKey:
        """Return the key that signed the call. Raises the venue's refusal where key or signature is wrong."""
        key = self.holder(call.api_key)
        signature = call.params.get("signature", "")
        if not signature:
            raise missing_parameter("signature")
        if not is_signed_by(key, call.payload, signature):
            raise bad_signature()
        return key


def is_signed_by(key: ApiKey, payload: str, signature: str) -> bool:
    if key.public_key_pem:
        return _is_ed25519_signature(key.public_key_pem, payload, signature)
    expected = hmac.new(key.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.lower().encode())


def _is_ed25519_signature(pem: str, payload: str, signature: str) -> bool:
    public_key = load_pem_public_key(pem.encode())
    assert isinstance(public_key, Ed25519PublicKey)
    try:
        public_key.verify(base64.b64decode(signature, validate=True), payload.encode())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def rest_payload(query: str, body: str) -> str:
    return _without_signature(query) + _without_signature(body)


def _without_signature(text: str) -> str:
    return "&".join(part for part in text.split("&") if part and not part.startswith("signature="))


def rest_params(query: str, body: str) -> dict[str, str]:
    """Return the parameters of both places; the query's win, as the venue's own rule says."""
    merged = dict(parse_qsl(body, keep_blank_values=True))
    merged.update(parse_qsl(query, keep_blank_values=True))
    return merged


def websocket_params(params: Mapping[str, object]) -> dict[str, str]:
    return {name: _as_text(value) for name, value in params.items() if value is not None}


def websocket_payload(params: Mapping[str, str]) -> str:
    return "&".join(f"{name}={params[name]}" for name in sorted(params) if name != "signature")


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def check_time(call: Call, now_ms: int) -> None:
    """Refuse a request whose timestamp is outside its window at `now_ms` (receipt, or matching where switched on)."""
    timestamp_ms = call.whole("timestamp")
    window_ms = call.optional_whole("recvWindow")
    if window_ms is None:
        window_ms = RECV_WINDOW_DEFAULT_MS
    if timestamp_ms >= now_ms + AHEAD_MAX_MS:
        raise ahead_of_server()
    if now_ms - timestamp_ms > min(window_ms, RECV_WINDOW_MAX_MS):
        raise outside_recv_window()
