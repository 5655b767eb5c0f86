"""Refusals as Bybit words them: a return code under HTTP 200, with few exceptions."""

from __future__ import annotations

from exchanges.sim.refusal import Reason, Refused

PARAMETER = 10001
ORDER_ABSENT = 110001
NOT_UNIQUE = 110072

_CODES: dict[Reason, tuple[int, str]] = {
    Reason.CLIENT_ID_DUPLICATE: (NOT_UNIQUE, "OrderLinkedID is duplicate"),
    Reason.ORDER_UNKNOWN: (ORDER_ABSENT, "order not exists or too late to cancel"),
    Reason.ORDER_ABSENT: (ORDER_ABSENT, "order not exists or too late to replace"),
    Reason.MARGIN: (110007, "ab not enough for new order"),
    Reason.REDUCE_ONLY: (110017, "current position is zero, cannot fix reduce-only order qty"),
    Reason.REDUCE_ONLY_MARGIN: (110017, "Reduce-only rule not satisfied"),
    Reason.OPEN_ORDERS_MAX: (110020, "Cannot have more than 500 active orders"),
    Reason.ALGO_ORDERS_MAX: (110009, "The number of stop orders exceeds maximum limit allowed"),
    Reason.CLOSE_POSITION_EXISTS: (110009, "The number of stop orders exceeds maximum limit allowed"),
    Reason.LEVERAGE_POSITION_MAX: (110016, "The requested quantity of contracts exceeds risk limit"),
    Reason.LEVERAGE_MARGIN: (110012, "Available balance not enough"),
    Reason.LEVERAGE_INVALID: (110013, "Cannot set leverage due to risk limit level"),
    Reason.PRICE_OVER_CAP: (110003, "Order price is out of permissible range"),
    Reason.PRICE_UNDER_FLOOR: (110003, "Order price is out of permissible range"),
    Reason.BEST_PRICE_PERCENT: (110003, "Order price is out of permissible range"),
    Reason.NOTIONAL_UNDER_MIN: (110094, "Order notional value below the lower limit"),
    Reason.WOULD_TRIGGER: (110093, "expect Falling, but trigger_price[x] >= current[y]"),
    Reason.SYMBOL_NOT_OPENING: (110074, "This contract is not live"),
    Reason.SYMBOL_CLOSED: (110074, "This contract is not live"),
    Reason.QUANTITATIVE_RULE: (110023, "This contract only supports position closing via reduceOnly orders"),
    Reason.POSITION_SIDE_MISMATCH: (PARAMETER, "position idx not match position mode"),
    Reason.SYMBOL_UNKNOWN: (PARAMETER, "params error: symbol invalid"),
    Reason.POSITION_MODE_SAME: (110025, "Position mode is not modified"),
    Reason.POSITION_MODE_OPEN_ORDERS: (110028, "Open orders exist, so you cannot change position mode"),
    Reason.POSITION_MODE_POSITION: (110024, "You have an existing position, so position mode cannot be switched"),
}


class ApiError(Exception):
    """A refusal with its code; `status` is that of the HTTP reply."""

    def __init__(self, code: int, message: str, *, status: int = 200) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def refused(refusal: Refused) -> ApiError:
    """Return the venue's words for what its engine refuses; what has none of its own is a wrong parameter."""
    return ApiError(*_CODES.get(refusal.reason, (PARAMETER, f"params error: {refusal.message}")))


def parameter(name: str) -> ApiError:
    return ApiError(PARAMETER, f"params error: {name} invalid")


def bad_key() -> ApiError:
    return ApiError(10003, "API key is invalid.", status=401)


def bad_signature() -> ApiError:
    return ApiError(10004, "error sign! please check your signature generation algorithm.")


def bad_time() -> ApiError:
    return ApiError(10002, "invalid request, please check your server timestamp or recv_window param.")


def too_many_visits() -> ApiError:
    return ApiError(10006, "Too many visits. Exceeded the API Rate Limit.")


def shut_out() -> ApiError:
    """What an address over its limit gets: it is to be silent for ten minutes."""
    return ApiError(10018, "access too frequent", status=403)
