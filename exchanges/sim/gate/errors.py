"""The venue's errors: a status, a label and words."""

from __future__ import annotations

from exchanges.sim.refusal import Reason, Refused

_LABELS = {
    Reason.ORDER_UNKNOWN: "ORDER_NOT_FOUND",
    Reason.ORDER_ABSENT: "ORDER_NOT_FOUND",
    Reason.MARGIN: "INSUFFICIENT_AVAILABLE",
    Reason.LEVERAGE_POSITION_MAX: "RISK_LIMIT_EXCEEDED",
    Reason.LEVERAGE_MARGIN: "LIQUIDATE_IMMEDIATELY",
    Reason.LEVERAGE_INVALID: "LEVERAGE_TOO_HIGH",
    Reason.REDUCE_ONLY: "INCREASE_POSITION",
    Reason.REDUCE_ONLY_MARGIN: "REDUCE_EXCEEDED",
    Reason.OPEN_ORDERS_MAX: "TOO_MANY_ORDERS",
    Reason.SYMBOL_UNKNOWN: "CONTRACT_NOT_FOUND",
    Reason.SYMBOL_CLOSED: "CONTRACT_IN_DELISTING",
    Reason.SYMBOL_NOT_OPENING: "CONTRACT_IN_DELISTING",
    Reason.PRICE_OVER_CAP: "PRICE_TOO_DEVIATED",
    Reason.PRICE_UNDER_FLOOR: "PRICE_TOO_DEVIATED",
    Reason.PRICE_OVER_MAX: "PRICE_TOO_DEVIATED",
    Reason.PRICE_UNDER_MIN: "PRICE_TOO_DEVIATED",
    Reason.QUANTITY_UNDER_MIN: "SIZE_TOO_SMALL",
    Reason.QUANTITY_ZERO: "SIZE_TOO_SMALL",
    Reason.QUANTITY_OVER_MAX: "SIZE_TOO_LARGE",
    Reason.POST_ONLY: "ORDER_POC_IMMEDIATE",
    Reason.FILL_OR_KILL: "ORDER_FOK",
    Reason.CLIENT_ID_DUPLICATE: "REPEATED_CREATION",
    Reason.POSITION_SIDE_MISMATCH: "POSITION_DUAL_MODE",
    Reason.QUANTITATIVE_RULE: "TRADE_RESTRICTED",
}
"""Labels of the engine's refusals; the rest are wrong parameters."""
NOT_FOUND = "ORDER_NOT_FOUND"


class ApiError(Exception):
    """What the venue answers instead of a result. `wait_ms` is how long a limit lasts, where one was met."""

    def __init__(self, status: int, label: str, message: str, *, wait_ms: int = 0) -> None:
        super().__init__(f"{label}: {message}")
        self.status = status
        self.label = label
        self.message = message
        self.wait_ms = wait_ms

    def body(self) -> dict[str, str]:
        return {"label": self.label, "message": self.message}


def refused(refusal: Refused) -> ApiError:
    """Return the engine's refusal in the venue's words."""
    label = _LABELS.get(refusal.reason, "INVALID_PARAM_VALUE")
    return ApiError(404 if label == NOT_FOUND else 400, label, refusal.message)


def wrong_parameter(name: str) -> ApiError:
    return ApiError(400, "INVALID_PARAM_VALUE", f"Invalid request parameter `{name}` value")


def missing_parameter(name: str) -> ApiError:
    return ApiError(400, "MISSING_REQUIRED_PARAM", f"Missing required parameter: {name}")


def order_not_found() -> ApiError:
    return ApiError(404, NOT_FOUND, "Order not found")


def too_many(wait_ms: int) -> ApiError:
    return ApiError(429, "TOO_MANY_REQUESTS", "Request Rate limit Exceeded (311)", wait_ms=wait_ms)


def expired() -> ApiError:
    return ApiError(400, "REQUEST_EXPIRED", "request expired: the time it carries is over")
