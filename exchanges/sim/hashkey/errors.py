"""Refusals as HashKey words them: a code in the body, under an HTTP status that is none of success."""

from __future__ import annotations

from exchanges.sim.refusal import Reason, Refused
from exchanges.sim.server.request import ApiError, Malformed

SUCCESS = "0000"
BAD_REQUEST, TOO_MANY = 400, 429
_CODES: dict[Reason, tuple[str, str]] = {
    Reason.CLIENT_ID_DUPLICATE: ("-1141", "Duplicate order"),
    Reason.ORDER_UNKNOWN: ("-1143", "Order not found"),
    Reason.ORDER_ABSENT: ("-1143", "Order not found"),
    Reason.MARGIN: ("-2038", "Insufficient margin"),
    Reason.REDUCE_ONLY: ("-2053", "Position not enough"),
    Reason.REDUCE_ONLY_MARGIN: ("-2053", "Position not enough"),
    Reason.OPEN_ORDERS_MAX: ("-2017", "Open orders exceeds the limit of the trading pair"),
    Reason.LEVERAGE_POSITION_MAX: ("-2043", "Maximum allowed leverage reached, please lower your leverage"),
    Reason.LEVERAGE_MARGIN: ("-2004", "Adjust leverage fail"),
    Reason.LEVERAGE_INVALID: ("-2004", "Adjust leverage fail"),
    Reason.LEVERAGE_ISOLATED: (
        "-2031",
        "Leverage reduction is not supported in Isolated Margin Mode with open positions",
    ),
    Reason.PRICE_OVER_CAP: ("-2046", "Price too high, please order again!"),
    Reason.PRICE_UNDER_FLOOR: ("-2045", "Price too low, please order again!"),
    Reason.PRICE_OVER_MAX: ("-1132", "Order price greater than the maximum"),
    Reason.PRICE_UNDER_MIN: ("-1133", "Order price lower than the minimum"),
    Reason.PRICE_OFF_TICK: ("0209", "Invalid price precision"),
    Reason.PRECISION: ("0209", "Invalid price precision"),
    Reason.QUANTITY_UNDER_MIN: ("-1136", "Order quantity lower than the minimum"),
    Reason.QUANTITY_ZERO: ("-1136", "Order quantity lower than the minimum"),
    Reason.QUANTITY_OVER_MAX: ("-1135", "Order quantity greater than the maximum"),
    Reason.SYMBOL_UNKNOWN: ("-100010", "Invalid Symbols!"),
    Reason.SYMBOL_CLOSED: ("-1151", "The trading pair is not open yet"),
    Reason.SYMBOL_NOT_OPENING: ("-1151", "The trading pair is not open yet"),
    Reason.POST_ONLY: ("-1156", "Limit maker order creation failed"),
}


def refused(refusal: Refused) -> ApiError:
    """Return the venue's words for what its engine refuses; what has none of its own is an order not created."""
    code, words = _CODES.get(refusal.reason, ("-1149", f"Order creation failed: {refusal.message}"))
    return ApiError(code, words, status=BAD_REQUEST)


def malformed(error: Malformed) -> ApiError:
    return ApiError("0001", f"Required field '{error.name}' missing or invalid.", status=BAD_REQUEST)


def wrong_side() -> ApiError:
    return ApiError("-1154", "Invalid position side", status=BAD_REQUEST)


def too_many() -> ApiError:
    return ApiError("0003", "Rate limit exceeded", status=TOO_MANY)
