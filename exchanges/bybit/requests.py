"""What goes over the wire: bodies, number formats and signatures. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson

from exchanges.session.settings import Credentials
from grid.instrument import Instrument
from grid.order import OrderRequest, Side, TimeInForce
from grid.stop import StopRequest, WorkingType

CATEGORY = "linear"
ONE_WAY = 0
TIMES_IN_FORCE = {TimeInForce.POST_ONLY: "PostOnly", TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC"}
SIDES = {Side.BUY: "Buy", Side.SELL: "Sell"}
TRIGGERS = {WorkingType.MARK: "MarkPrice", WorkingType.LAST: "LastPrice"}
RISES, FALLS = 1, 2
LOGIN_VALID_MS = 10_000

Body = dict[str, Any]


def plain(number: Decimal) -> str:
    """Return the shortest plain notation: 59990.10 is 59990.1, never 5.99901E+4."""
    digits = format(number, "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def place(request: OrderRequest, instrument: Instrument) -> Body:
    """Return a new order, for one-way mode: under hedge mode the venue refuses its position index.

    Closing orders are reduce-only. An immediate closing order gives way rather than our own resting bids.
    """
    body: Body = {
        "category": CATEGORY,
        "symbol": request.symbol,
        "side": SIDES[request.side],
        "orderType": "Limit",
        "qty": plain(instrument.quantity(request.quantity)),
        "price": plain(instrument.price(request.price)),
        "timeInForce": TIMES_IN_FORCE[request.time_in_force],
        "orderLinkId": request.client_id,
        "positionIdx": ONE_WAY,
    }
    if request.closing:
        body["reduceOnly"] = True
        if request.time_in_force is TimeInForce.IOC:
            body["smpType"] = "CancelTaker"
    return body


def batch(bodies: list[Body]) -> Body:
    """Return several orders as one request: the category stands once."""
    rows = [{key: value for key, value in body.items() if key != "category"} for body in bodies]
    return {"category": CATEGORY, "request": rows}


def stop(request: StopRequest, instrument: Instrument) -> Body:
    """Return a conditional order at market that closes the whole position: a quantity of 0 that only reduces."""
    return {
        "category": CATEGORY,
        "symbol": request.symbol,
        "side": SIDES[request.side],
        "orderType": "Market",
        "qty": "0",
        "triggerPrice": plain(instrument.price(request.trigger)),
        "triggerDirection": FALLS if request.side is Side.SELL else RISES,
        "triggerBy": TRIGGERS[request.working_type],
        "orderLinkId": request.client_id,
        "positionIdx": ONE_WAY,
        "reduceOnly": True,
        "closeOnTrigger": True,
    }


def named(symbol: str, *, client_id: str = "", order_id: str = "") -> Body:
    """Return what names one order: the venue's id where that is known, ours otherwise."""
    name = {"orderId": order_id} if order_id else {"orderLinkId": client_id}
    return {"category": CATEGORY, "symbol": symbol, **name}


def encoded(body: Mapping[str, Any]) -> str:
    """Return a body as it is sent and signed."""
    return orjson.dumps(body).decode()


def headers(payload: str, credentials: Credentials, timestamp_ms: int, window_ms: int) -> dict[str, str]:
    """Return the headers of a signed request; `payload` is its query or its body, exactly as sent."""
    told = f"{timestamp_ms}{credentials.api_key}{window_ms}{payload}"
    return {
        "Content-Type": "application/json",
        "X-BAPI-API-KEY": credentials.api_key,
        "X-BAPI-TIMESTAMP": str(timestamp_ms),
        "X-BAPI-RECV-WINDOW": str(window_ms),
        "X-BAPI-SIGN": signature(told, credentials),
    }


def login(credentials: Credentials, venue_now_ms: int) -> bytes:
    """Return the frame by which a socket is given to the account."""
    expires_ms = venue_now_ms + LOGIN_VALID_MS
    signed = signature(f"GET/realtime{expires_ms}", credentials)
    return orjson.dumps({"op": "auth", "args": [credentials.api_key, expires_ms, signed]})


def signature(payload: str, credentials: Credentials) -> str:
    """Return the HMAC-SHA256 of the payload in hex."""
    return hmac.new(credentials.api_secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
