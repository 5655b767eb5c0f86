"""What goes over the wire: order bodies, number formats, and the two signatures (REST, sockets). Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson

from exchanges.gate.contracts import Contract
from exchanges.session.settings import Credentials
from grid.order import OrderRequest, Side, TimeInForce

TEXT_PREFIX = "t-"
"""What the venue wants before a client id of ours."""
TIMES_IN_FORCE = {TimeInForce.POST_ONLY: "poc", TimeInForce.GTC: "gtc", TimeInForce.IOC: "ioc"}
EXPIRES = "X-Gate-Exptime"
SIZES = "X-Gate-Size-Decimal"
LOGIN = "futures.login"

Body = dict[str, Any]
SentBody = Mapping[str, Any] | Sequence[Any] | None


def plain(number: Decimal) -> str:
    """Return the shortest plain notation: 59990.10 is 59990.1, never 5.99901E+4."""
    digits = format(number, "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def text(client_id: str) -> str:
    """Return a client id as the venue keeps it."""
    return TEXT_PREFIX + client_id


def size(contracts: Decimal) -> int | str:
    """Return a size as the venue takes it: a whole number, or its text where the contract has parts."""
    return int(contracts) if contracts == contracts.to_integral_value() else plain(contracts)


def place(request: OrderRequest, contract: Contract) -> Body:
    """Return the body of a new order, for one-way mode: the sign of the size is the side. Closing ones reduce only."""
    sign = 1 if request.side is Side.BUY else -1
    body: Body = {
        "contract": contract.name,
        "size": size(sign * contract.size(request.quantity)),
        "price": plain(contract.instrument.price(request.price)),
    }
    if request.closing:
        body["reduce_only"] = True
    body["tif"] = TIMES_IN_FORCE[request.time_in_force]
    body["text"] = text(request.client_id)
    return body


def encoded(body: SentBody) -> str:
    """Return a body as it is sent and signed; nothing for none."""
    return orjson.dumps(body).decode() if body is not None else ""


def headers(
    method: str, path: str, query: str, payload: str, credentials: Credentials, venue_now_ms: int
) -> dict[str, str]:
    """Return the headers of a signed REST request; `path` with its prefix, `query` as it is sent."""
    seconds = str(venue_now_ms // 1000)
    digest = hashlib.sha512(payload.encode()).hexdigest()
    signed = f"{method}\n{path}\n{query}\n{digest}\n{seconds}"
    return {
        "KEY": credentials.api_key,
        "Timestamp": seconds,
        "SIGN": signature(signed, credentials),
        **PLAIN_HEADERS,
    }


PLAIN_HEADERS = {"Content-Type": "application/json", SIZES: "1"}
"""Sizes as text, with their parts: without it the venue cuts what a contract with parts holds."""


def signature(payload: str, credentials: Credentials) -> str:
    """Return the HMAC-SHA512 of the payload in hex."""
    return hmac.new(credentials.api_secret.encode(), payload.encode(), hashlib.sha512).hexdigest()


def login(credentials: Credentials, venue_now_ms: int, number: str) -> bytes:
    """Return the frame that gives a socket to the account; what it signs holds no parameters."""
    seconds = venue_now_ms // 1000
    payload = {
        "api_key": credentials.api_key,
        "signature": signature(f"api\n{LOGIN}\n\n{seconds}", credentials),
        "timestamp": str(seconds),
        "req_id": number,
    }
    return orjson.dumps({"time": seconds, "channel": LOGIN, "event": "api", "payload": payload})


def subscription(channel: str, payload: Sequence[str], number: int, venue_now_ms: int) -> Body:
    """Return the frame that asks for a channel."""
    seconds = venue_now_ms // 1000
    return {"time": seconds, "id": number, "channel": channel, "event": "subscribe", "payload": list(payload)}


def authorised(frame: Body, credentials: Credentials) -> Body:
    """Return a subscription with the account's signature."""
    signed = f"channel={frame['channel']}&event={frame['event']}&time={frame['time']}"
    auth = {"method": "api_key", "KEY": credentials.api_key, "SIGN": signature(signed, credentials)}
    return {**frame, "auth": auth}
