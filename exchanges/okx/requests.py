"""What is sent to OKX: signatures, orders and the names of things. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from exchanges import wire
from exchanges.okx.contracts import Contract
from exchanges.session.settings import Credentials
from grid.order import OrderRequest, TimeInForce
from grid.stop import StopRequest

AT_MARKET = "-1"
LOGIN_PATH = "/users/self/verify"
ORDER_TYPES = {TimeInForce.POST_ONLY: "post_only", TimeInForce.GTC: "limit", TimeInForce.IOC: "ioc"}


def plain(number: Decimal) -> str:
    """Return the shortest plain notation: 59990.10 is 59990.1, never 5.99901E+4."""
    digits = format(number, "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def place(request: OrderRequest, contract: Contract, margin_mode: str) -> wire.Row:
    """Return a new order for one-way mode, named as REST does.

    Closing orders are reduce-only. An immediate closing order cancels itself rather than our own resting bids, where
    the account's own rule would cancel those.
    """
    row: dict[str, Any] = {
        "instId": contract.inst_id,
        "side": request.side.value.lower(),
        "ordType": ORDER_TYPES[request.time_in_force],
        "sz": plain(contract.contracts(request.quantity)),
        "tdMode": margin_mode,
        "px": plain(contract.instrument.price(request.price)),
        "clOrdId": request.client_id,
    }
    if request.closing:
        row["reduceOnly"] = True
        if request.time_in_force is TimeInForce.IOC:
            row["stpMode"] = "cancel_taker"
    return row


def by_client_id(client_id: str, contract: Contract) -> wire.Row:
    """Return what names one order by our own id."""
    return {"instId": contract.inst_id, "clOrdId": client_id}


def stop(request: StopRequest, contract: Contract, margin_mode: str) -> wire.Row:
    """Return a conditional order that closes the whole position at market; hedge mode refuses its side."""
    return {
        "instId": contract.inst_id,
        "tdMode": margin_mode,
        "side": request.side.value.lower(),
        "posSide": "net",
        "ordType": "conditional",
        "closeFraction": "1",
        "reduceOnly": True,
        "slTriggerPx": plain(contract.instrument.price(request.trigger)),
        "slTriggerPxType": request.working_type.value,
        "slOrdPx": AT_MARKET,
        "algoClOrdId": request.client_id,
    }


def by_algo_id(client_id: str, contract: Contract) -> wire.Row:
    """Return what names one conditional order by our own id."""
    return {"instId": contract.inst_id, "algoClOrdId": client_id}


def for_socket(row: Mapping[str, Any], contract: Contract) -> wire.Row:
    """Return a row as the order socket wants it: there the instrument goes by its number."""
    if contract.code is None:
        return dict(row)
    return {"instIdCode": contract.code, **{name: value for name, value in row.items() if name != "instId"}}


def timestamp(venue_ms: int) -> str:
    """Return a time as the headers of a request state it."""
    moment = datetime.fromtimestamp(venue_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{venue_ms % 1000:03d}Z"


def signature(payload: str, credentials: Credentials) -> str:
    """Return the HMAC-SHA256 of the payload in base 64."""
    return base64.b64encode(
        hmac.new(credentials.api_secret.encode(), payload.encode(), hashlib.sha256).digest()
    ).decode()


def headers(method: str, path: str, body: str, credentials: Credentials, venue_ms: int) -> dict[str, str]:
    """Return the headers that sign a request; `path` with its query."""
    moment = timestamp(venue_ms)
    named = {
        "OK-ACCESS-KEY": credentials.api_key,
        "OK-ACCESS-PASSPHRASE": credentials.passphrase,
        "OK-ACCESS-TIMESTAMP": moment,
        "OK-ACCESS-SIGN": signature(f"{moment}{method}{path}{body}", credentials),
    }
    return {**named, "Content-Type": "application/json"} if method == "POST" else named


def login(credentials: Credentials, venue_ms: int) -> bytes:
    """Return the frame that logs a socket in."""
    moment = str(venue_ms // 1000)
    named = {
        "apiKey": credentials.api_key,
        "passphrase": credentials.passphrase,
        "timestamp": moment,
        "sign": signature(f"{moment}GET{LOGIN_PATH}", credentials),
    }
    return orjson.dumps({"op": "login", "args": [named]})
