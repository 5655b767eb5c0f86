"""How the venue says no: a code in the body, under an HTTP status that says little; and the engine's refusals in it."""

from __future__ import annotations

from exchanges.sim.refusal import Reason, Refused


class ApiError(Exception):
    """A refusal as OKX words it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message

    def body(self) -> dict[str, object]:
        return {"code": self.code, "msg": self.message, "data": []}


_CODES: dict[Reason, tuple[str, str]] = {
    Reason.SYMBOL_UNKNOWN: ("51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist."),
    Reason.SYMBOL_CLOSED: ("51028", "Contract under delivery."),
    Reason.SYMBOL_NOT_OPENING: ("51022", "Contract suspended."),
    Reason.MARGIN: ("51008", "Order failed. Insufficient USDT margin in account"),
    Reason.LEVERAGE_POSITION_MAX: ("51004", "Order failed. The position would exceed the limit of its leverage."),
    Reason.LEVERAGE_MARGIN: ("59108", "Low leverage and insufficient margin, please adjust the leverage."),
    Reason.LEVERAGE_INVALID: ("59102", "Leverage exceeds the maximum leverage. Please lower the leverage."),
    Reason.LEVERAGE_ISOLATED: ("59105", "Leverage can't be lowered with an isolated position."),
    Reason.REDUCE_ONLY: ("51169", "Order failed because you don't have any positions in this direction to reduce."),
    Reason.REDUCE_ONLY_MARGIN: ("51112", "Close order size exceeds your available size."),
    Reason.OPEN_ORDERS_MAX: ("51025", "Order count exceeds the limit."),
    Reason.CLIENT_ID_DUPLICATE: ("51016", "Client order ID already exists."),
    Reason.CLIENT_ID_INVALID: ("51000", "Parameter clOrdId error"),
    Reason.PRICE_OVER_CAP: ("51137", "The highest price limit for buy orders is {}."),
    Reason.PRICE_UNDER_FLOOR: ("51138", "The lowest price limit for sell orders is {}."),
    Reason.BEST_PRICE_PERCENT: ("51006", "Order price is not within the price limit."),
    Reason.PRICE_OVER_MAX: ("51116", "Order price exceeds the limit."),
    Reason.PRICE_UNDER_MIN: ("51122", "Order price should be higher than the min price."),
    Reason.PRICE_OFF_TICK: ("51006", "Order price is no multiple of the tick size."),
    Reason.CLOSE_POSITION_EXISTS: ("51000", "Parameter closeFraction error"),
    Reason.WOULD_TRIGGER: ("51280", "SL trigger price can not be higher than the last price"),
    Reason.POSITION_SIDE_MISMATCH: ("51000", "Parameter posSide error"),
    Reason.PRICE_ZERO: ("51000", "Parameter px error"),
    Reason.PRECISION: ("51121", "Order quantity must be a multiple of the lot size."),
    Reason.QUANTITY_OFF_STEP: ("51121", "Order quantity must be a multiple of the lot size."),
    Reason.QUANTITY_ZERO: ("51000", "Parameter sz error"),
    Reason.QUANTITY_UNDER_MIN: ("51120", "Order quantity is less than the minimum, please try again."),
    Reason.QUANTITY_OVER_MAX: ("51202", "Order amount exceeds the max amount."),
    Reason.NOTIONAL_UNDER_MIN: ("51020", "Your order should meet or exceed the minimum order amount."),
    Reason.FILL_OR_KILL: ("51021", "The order can't be filled at once."),
    Reason.ORDER_ABSENT: ("51603", "Order does not exist"),
    Reason.ORDER_UNKNOWN: ("51400", "Cancellation failed as the order has been filled, canceled or does not exist."),
}


def refusal(refused: Refused) -> ApiError:
    """Return the engine's refusal in this venue's words."""
    code, words = _CODES.get(refused.reason, ("51000", refused.message))
    return ApiError(200, code, words.format(refused.message) if "{}" in words else words)
