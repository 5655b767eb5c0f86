"""Frames for the WebSocket API, signed as the venue wants them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any

from exchanges.sim.server.options import DEMO_KEY, DEMO_SECRET

Sign = Callable[[str], str]


def with_hmac(payload: str, secret: str = DEMO_SECRET) -> str:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def with_ed25519(private: Any) -> Sign:
    return lambda payload: base64.b64encode(private.sign(payload.encode())).decode()


def frame(
    method: str, params: dict[str, Any], *, api_key: str = DEMO_KEY, sign: Sign | None = with_hmac, number: Any = 1
) -> dict[str, Any]:
    """Return a request; without `sign` it has neither key nor signature, as inside a logged-on session."""
    full = {**params, "timestamp": time.time_ns() // 1_000_000}
    if sign is not None:
        full["apiKey"] = api_key
        payload = "&".join(f"{name}={full[name]}" for name in sorted(full))
        full["signature"] = sign(payload)
    return {"id": number, "method": method, "params": full}


def order_frame(client_id: str, **changes: Any) -> dict[str, Any]:
    order = {
        "symbol": "ETHUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTX",
        "quantity": "0.01",
        "price": "2900",
        "newClientOrderId": client_id,
    }
    return frame("order.place", {**order, **changes})
