"""Refusals as Bitget words them: a code under HTTP 400."""

from __future__ import annotations

from exchanges.sim.refusal import Reason, Refused

DUPLICATE = "40786"
ORDER_ABSENT = "40109"
CANCEL_ABSENT = "40768"
PARAMETER = "40017"

_CODES: dict[Reason, tuple[str, str]] = {
    Reason.CLIENT_ID_DUPLICATE: (DUPLICATE, "Duplicate clientOid"),
    Reason.ORDER_UNKNOWN: (CANCEL_ABSENT, "Order does not exist"),
    Reason.ORDER_ABSENT: (ORDER_ABSENT, "The data of the order cannot be found, please confirm the order number"),
    Reason.MARGIN: ("40762", "The order amount exceeds the balance"),
    Reason.REDUCE_ONLY: ("22002", "No position to close"),
    Reason.REDUCE_ONLY_MARGIN: ("22002", "No position to close"),
    Reason.OPEN_ORDERS_MAX: ("43005", "Exceed the maximum number of orders"),
    Reason.LEVERAGE_POSITION_MAX: ("45025", "The position size cannot exceed the max. position at this leverage"),
    Reason.LEVERAGE_MARGIN: ("40712", "Insufficient margin"),
    Reason.LEVERAGE_INVALID: ("25223", "Exceeds Max. leverage"),
    Reason.PRICE_OVER_CAP: ("22006", "limit price > risk price"),
    Reason.PRICE_UNDER_FLOOR: ("22007", "limit price < risk price"),
    Reason.PRICE_OVER_MAX: ("22006", "limit price > risk price"),
    Reason.PRICE_UNDER_MIN: ("22007", "limit price < risk price"),
    Reason.BEST_PRICE_PERCENT: ("22008", "market price > risk price"),
    Reason.PRICE_OFF_TICK: ("45115", "The price you enter should be a multiple of the tick"),
    Reason.QUANTITY_OFF_STEP: ("40808", "Parameter verification exception size checkBDScale error"),
    Reason.PRECISION: ("40808", "Parameter verification exception checkBDScale error"),
    Reason.QUANTITY_UNDER_MIN: ("45111", "less than the minimum order quantity"),
    Reason.QUANTITY_ZERO: ("45111", "less than the minimum order quantity"),
    Reason.QUANTITY_OVER_MAX: ("45112", "more than the maximum order quantity"),
    Reason.NOTIONAL_UNDER_MIN: ("45110", "less than the minimum amount"),
    Reason.SYMBOL_NOT_OPENING: ("45119", "This symbol does not support position opening operation"),
    Reason.SYMBOL_CLOSED: ("41113", "symbol is offline"),
    Reason.SYMBOL_UNKNOWN: ("40034", "Parameter symbol does not exist"),
    Reason.QUANTITATIVE_RULE: ("45119", "This symbol does not support position opening operation"),
    Reason.POSITION_SIDE_MISMATCH: (
        "40774",
        "The order type for unilateral position must also be the unilateral position type.",
    ),
    Reason.MARGIN_TYPE_OPEN_ORDERS: ("45117", "Currently holding positions or orders, the margin mode is fixed"),
    Reason.MARGIN_TYPE_POSITION: ("45117", "Currently holding positions or orders, the margin mode is fixed"),
}


class ApiError(Exception):
    """A refusal with its code; `status` is that of the HTTP reply."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def refused(refusal: Refused) -> ApiError:
    """Return the venue's words for what its engine refuses; what has none of its own is a wrong parameter."""
    return ApiError(*_CODES.get(refusal.reason, (PARAMETER, f"Parameter verification failed: {refusal.message}")))


def missing(name: str) -> ApiError:
    return ApiError("40019", f"Parameter {name} cannot be empty")


def parameter(name: str) -> ApiError:
    return ApiError("40020", f"Parameter {name} error")


def bad_key() -> ApiError:
    return ApiError("40006", "Invalid ACCESS_KEY")


def too_many_requests() -> ApiError:
    return ApiError("429", "Too Many Requests", status=429)
