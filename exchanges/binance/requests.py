"""What goes over the wire: order parameters, number formats and the HMAC of a WebSocket request. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from decimal import Decimal

from exchanges.session.settings import Credentials
from grid.instrument import Instrument
from grid.order import OrderRequest, TimeInForce
from grid.stop import StopRequest, WorkingType

TIMES_IN_FORCE = {TimeInForce.POST_ONLY: "GTX", TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC"}

WORKING_TYPES = {WorkingType.MARK: "MARK_PRICE", WorkingType.LAST: "CONTRACT_PRICE"}

Params = dict[str, str | int]


def plain(number: Decimal) -> str:
    """Return the shortest plain notation: 59990.10 is 59990.1, never 5.99901E+4."""
    digits = format(number, "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def place(request: OrderRequest, instrument: Instrument) -> Params:
    """Return the parameters of a new order, for one-way mode.

    The reply is asked for after matching (RESULT), so that an immediate order answers with its end. Closing orders are
    reduce-only. An immediate closing order expires itself rather than our own resting bids (self-trade rule of the
    venue: by default the resting one expires).
    """
    params: Params = {
        "symbol": request.symbol,
        "side": request.side.value,
        "newClientOrderId": request.client_id,
        "newOrderRespType": "RESULT",
        "type": "LIMIT",
        "quantity": plain(instrument.quantity(request.quantity)),
        "price": plain(instrument.price(request.price)),
        "timeInForce": TIMES_IN_FORCE[request.time_in_force],
    }
    if request.closing:
        params["reduceOnly"] = "true"
        if request.time_in_force is TimeInForce.IOC:
            params["selfTradePreventionMode"] = "EXPIRE_TAKER"
    params["recvWindow"] = request.recv_window_ms
    return params


def without_window(params: Params) -> Params:
    """Return an order's parameters as an item of a batch: the batch carries the time window."""
    return {name: value for name, value in params.items() if name != "recvWindow"}


def stop(request: StopRequest, instrument: Instrument) -> Params:
    """Return the parameters of a conditional order at market that closes the position, for one-way mode."""
    return {
        "algoType": "CONDITIONAL",
        "symbol": request.symbol,
        "side": request.side.value,
        "type": "STOP_MARKET",
        "triggerPrice": plain(instrument.price(request.trigger)),
        "workingType": WORKING_TYPES[request.working_type],
        "closePosition": "true",
        "clientAlgoId": request.client_id,
        "recvWindow": request.recv_window_ms,
    }


def by_client_id(symbol: str, client_id: str, recv_window_ms: int) -> Params:
    """Return the parameters that name one order by our own id."""
    return {"symbol": symbol, "origClientOrderId": client_id, "recvWindow": recv_window_ms}


def by_order_id(symbol: str, order_id: str, recv_window_ms: int) -> Params:
    """Return the parameters that name one order by the venue's id."""
    return {"symbol": symbol, "orderId": order_id, "recvWindow": recv_window_ms}


def signed(params: Mapping[str, str | int], credentials: Credentials, timestamp_ms: int) -> Params:
    """Return the parameters of a WebSocket request with key, time and signature (over the names in order)."""
    whole: Params = {**params, "apiKey": credentials.api_key, "timestamp": timestamp_ms}
    payload = "&".join(f"{name}={whole[name]}" for name in sorted(whole))
    whole["signature"] = signature(payload, credentials)
    return whole


def signature(payload: str, credentials: Credentials) -> str:
    """Return the HMAC-SHA256 of the payload in hex."""
    return hmac.new(credentials.api_secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
