"""Refusals as KuCoin words them: a code in the body, under HTTP 200 unless the caller or his haste is at fault."""

from __future__ import annotations

from exchanges.sim.refusal import Reason, Refused
from exchanges.sim.server.request import ApiError, Malformed

SUCCESS = "200000"
PARAMETER = "400100"
_CODES: dict[Reason, tuple[str, str]] = {
    Reason.CLIENT_ID_DUPLICATE: (PARAMETER, "validation.createOrder.clientOidDuplicated"),
    Reason.ORDER_UNKNOWN: ("100004", "The order cannot be canceled."),
    Reason.ORDER_ABSENT: ("100001", "error.getOrder.orderNotExist"),
    Reason.MARGIN: ("300003", "Balance insufficient."),
    Reason.REDUCE_ONLY: ("300009", "No open positions to close."),
    Reason.REDUCE_ONLY_MARGIN: ("300009", "No open positions to close."),
    Reason.OPEN_ORDERS_MAX: ("300000", "The number of active orders cannot exceed the limit."),
    Reason.LEVERAGE_POSITION_MAX: ("300005", "The order would exceed the risk limit."),
    Reason.LEVERAGE_MARGIN: ("300016", "The leverage cannot be lowered: margin is insufficient."),
    Reason.LEVERAGE_INVALID: ("300016", "The leverage cannot be greater than the maximum."),
    Reason.PRICE_OVER_CAP: ("300012", "The order price cannot exceed the price limit."),
    Reason.PRICE_UNDER_FLOOR: ("300012", "The order price cannot be under the price limit."),
    Reason.PRICE_OVER_MAX: ("300011", "Price over the maximum."),
    Reason.PRICE_UNDER_MIN: ("300011", "Price under the minimum."),
    Reason.PRICE_OFF_TICK: ("100001", "price must be a multiple of the tick size"),
    Reason.QUANTITY_OFF_STEP: ("100001", "size must be a multiple of the lot size"),
    Reason.QUANTITY_UNDER_MIN: ("100001", "Quantity parameter cannot be empty or under the minimum."),
    Reason.QUANTITY_ZERO: ("100001", "Quantity parameter cannot be empty or under the minimum."),
    Reason.QUANTITY_OVER_MAX: ("100001", "The quantity is over the maximum."),
    Reason.SYMBOL_UNKNOWN: ("100003", "Contract parameter invalid."),
    Reason.SYMBOL_CLOSED: ("300002", "The contract is not open for trading."),
    Reason.SYMBOL_NOT_OPENING: ("300002", "The contract is not open for trading."),
    Reason.POSITION_SIDE_MISMATCH: (
        "330012",
        "Your order is in One-Way Mode, while your account is set to Hedge Mode.",
    ),
    Reason.MARGIN_TYPE_OPEN_ORDERS: ("330002", "The margin mode cannot be switched with open orders."),
    Reason.MARGIN_TYPE_POSITION: ("330002", "The margin mode cannot be switched with open positions."),
}


def refused(refusal: Refused) -> ApiError:
    """Return the venue's words for what its engine refuses; what has none of its own is a wrong parameter."""
    return ApiError(*_CODES.get(refusal.reason, (PARAMETER, f"Parameter Error. {refusal.message}")))


def malformed(error: Malformed) -> ApiError:
    return ApiError(PARAMETER, f"Parameter Error. {error.name} {'is required' if error.is_missing else 'is invalid'}")


def wrong_margin_mode() -> ApiError:
    return ApiError("330005", "The order's margin mode does not match the selected one. Please switch and try again.")


def too_many() -> ApiError:
    return ApiError("429000", "Too many requests.", status=429)
