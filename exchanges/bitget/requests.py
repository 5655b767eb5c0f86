"""What goes over the wire: bodies, number formats, signatures and the login of a socket. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import orjson

from exchanges.session.settings import Credentials
from grid.instrument import Instrument
from grid.order import OrderRequest, Side, TimeInForce

PRODUCT, MARGIN_COIN = "USDT-FUTURES", "USDT"
FORCES = {TimeInForce.POST_ONLY: "post_only", TimeInForce.GTC: "gtc", TimeInForce.IOC: "ioc"}
SIDES = {Side.BUY: "buy", Side.SELL: "sell"}
SECOND_MS = 1000

Body = dict[str, Any]


def plain(number: Decimal) -> str:
    """Return the shortest plain notation: 59990.10 is 59990.1, never 5.99901E+4."""
    digits = format(number, "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def terms(request: OrderRequest, instrument: Instrument) -> Body:
    """Return what one order says, for one-way mode: under hedge mode the venue refuses an order without a trade side.

    Closing orders are reduce-only. An immediate closing order gives way rather than our own resting bids.
    """
    body: Body = {
        "orderType": "limit",
        "price": plain(instrument.price(request.price)),
        "force": FORCES[request.time_in_force],
        "size": plain(instrument.quantity(request.quantity)),
        "clientOid": request.client_id,
        "side": SIDES[request.side],
    }
    if request.closing:
        body["reduceOnly"] = "YES"
        if request.time_in_force is TimeInForce.IOC:
            body["stpMode"] = "cancel_taker"
    return body


def place(order: Body, symbol: str, margin_mode: str) -> Body:
    """Return the body of a new order over REST."""
    return {"symbol": symbol, "productType": PRODUCT, "marginMode": margin_mode, "marginCoin": MARGIN_COIN, **order}


def batch(orders: Sequence[Body], symbol: str, margin_mode: str) -> Body:
    """Return the body of several new orders of one symbol."""
    return place({"orderList": list(orders)}, symbol, margin_mode)


def named(symbol: str, *, client_id: str = "", order_id: str = "") -> Body:
    """Return what names one order: the venue's id where that is known, ours otherwise."""
    name = {"orderId": order_id} if order_id else {"clientOid": client_id}
    return {"symbol": symbol, "productType": PRODUCT, **name}


def encoded(body: Mapping[str, Any]) -> str:
    """Return a body as it is sent and signed."""
    return orjson.dumps(body).decode()


def query_of(query: Mapping[str, Any]) -> str:
    """Return a query as it is sent and signed: by name."""
    return urlencode(sorted(query.items()))


def headers(credentials: Credentials, timestamp_ms: int, method: str, target: str, body: str = "") -> dict[str, str]:
    """Return the headers of a signed request; `target` is path and query, exactly as sent."""
    return {
        "ACCESS-KEY": credentials.api_key,
        "ACCESS-SIGN": signature(f"{timestamp_ms}{method}{target}{body}", credentials),
        "ACCESS-TIMESTAMP": str(timestamp_ms),
        "ACCESS-PASSPHRASE": credentials.passphrase,
        "Content-Type": "application/json",
        "locale": "en-US",
    }


def login(credentials: Credentials, venue_now_ms: int) -> bytes:
    """Return the frame by which a socket is given to the account."""
    timestamp = str(venue_now_ms // SECOND_MS)
    told = {
        "apiKey": credentials.api_key,
        "passphrase": credentials.passphrase,
        "timestamp": timestamp,
        "sign": signature(f"{timestamp}GET/user/verify", credentials),
    }
    return orjson.dumps({"op": "login", "args": [told]})


def signature(payload: str, credentials: Credentials) -> str:
    """Return the HMAC-SHA256 of the payload in base 64."""
    made = hmac.new(credentials.api_secret.encode(), payload.encode(), hashlib.sha256)
    return base64.b64encode(made.digest()).decode()
