"""The venue's refusals: one exception, carrying what goes over the wire."""

from __future__ import annotations

from enum import Enum


class Reason(Enum):
    """Each refusal the engine knows: the venue's code and its words. `{}` is filled in by the caller."""

    PARAMETER_MISSING = (-1102, "Mandatory parameter '{}' was not sent, was empty/null, or malformed.")
    PARAMETER_NOT_REQUIRED = (-1106, "Parameter '{}' sent when not required.")
    PRECISION = (-1111, "Precision is over the maximum defined for this asset.")
    TIME_IN_FORCE_INVALID = (-1115, "Invalid timeInForce.")
    INTERVAL_INVALID = (-1120, "Invalid interval.")
    SYMBOL_UNKNOWN = (-1121, "Invalid symbol.")
    PARAMETER_INVALID = (-1130, "Data sent for parameter '{}' is not valid.")
    ORDER_UNKNOWN = (-2011, "Unknown order sent.")
    ORDER_ABSENT = (-2013, "Order does not exist.")
    MARGIN = (-2019, "Margin is insufficient.")
    UNABLE_TO_FILL = (-2020, "Unable to fill.")
    WOULD_TRIGGER = (-2021, "Order would immediately trigger.")
    REDUCE_ONLY = (-2022, "ReduceOnly Order is rejected.")
    OPEN_ORDERS_MAX = (-2025, "Reach max open order limit.")
    LEVERAGE_POSITION_MAX = (-2027, "Exceeded the maximum allowable position at current leverage.")
    LEVERAGE_MARGIN = (-2028, "Leverage is smaller than permitted: insufficient margin balance.")
    PRICE_ZERO = (-4001, "Price less than 0.")
    PRICE_OVER_MAX = (-4002, "Price greater than max price.")
    QUANTITY_ZERO = (-4003, "Quantity less than or equal to zero.")
    QUANTITY_UNDER_MIN = (-4004, "Quantity less than min quantity.")
    QUANTITY_OVER_MAX = (-4005, "Quantity greater than max quantity.")
    PRICE_UNDER_MIN = (-4013, "Price less than min price.")
    PRICE_OFF_TICK = (-4014, "Price not increased by tick size.")
    CLIENT_ID_INVALID = (-4015, "Client order id is not valid.")
    PRICE_OVER_CAP = (-4016, "Limit price can't be higher than {}.")
    QUANTITY_OFF_STEP = (-4023, "Quantity not increased by step size.")
    PRICE_UNDER_FLOOR = (-4024, "Limit price can't be lower than {}.")
    LEVERAGE_INVALID = (-4028, "Leverage {} is not valid")
    ALGO_ORDERS_MAX = (-4045, "Reach max stop order limit.")
    MARGIN_TYPE_SAME = (-4046, "No need to change margin type.")
    MARGIN_TYPE_OPEN_ORDERS = (-4047, "Margin type cannot be changed if there exists open orders.")
    MARGIN_TYPE_POSITION = (-4048, "Margin type cannot be changed if there exists position.")
    POSITION_MODE_SAME = (-4059, "No need to change position side.")
    POSITION_SIDE_MISMATCH = (-4061, "Order's position side does not match user's setting.")
    POSITION_MODE_OPEN_ORDERS = (-4067, "Position side cannot be changed if there exists open orders.")
    POSITION_MODE_POSITION = (-4068, "Position side cannot be changed if there exists position.")
    CLIENT_ID_DUPLICATE = (-4116, "ClientOrderId is duplicated.")
    REDUCE_ONLY_MARGIN = (-4118, "ReduceOnly Order Failed. Please check your existing position and open orders")
    ALGO_ENDPOINT = (
        -4120,
        "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
    )
    CLOSE_POSITION_EXISTS = (
        -4130,
        "An open stop or take profit order with GTE and closePosition in the direction is existing.",
    )
    BEST_PRICE_PERCENT = (-4131, "The counterparty's best price does not meet the PERCENT_PRICE filter limit.")
    CLOSE_POSITION_QUANTITY = (-4137, "Quantity must be zero with closePosition equals true")
    SYMBOL_NOT_OPENING = (-4140, "Invalid symbol status for opening position")
    SYMBOL_CLOSED = (-4141, "Symbol is closed.")
    LEVERAGE_ISOLATED = (-4161, "Leverage reduction is not supported in Isolated Margin Mode with open positions")
    NOTIONAL_UNDER_MIN = (-4164, "Order's notional must be no smaller than {} (unless you choose reduce only)")
    QUANTITATIVE_RULE = (
        -4400,
        "Futures Trading Quantitative Rules violated, only reduceOnly order is allowed, please try again later.",
    )
    FILL_OR_KILL = (
        -5021,
        "Due to the order could not be filled immediately, the FOK order has been rejected. "
        "The order will not be recorded in the order history",
    )
    POST_ONLY = (
        -5022,
        "Due to the order could not be executed as maker, the Post Only order will be rejected. "
        "The order will not be recorded in the order history",
    )
    MODIFY_SYMBOL = (-5024, "Symbol is not in trading status. Order amendment is not permitted.")
    LIMIT_ONLY = (-5025, "Only limit order is supported.")
    MODIFY_MAX = (-5026, "Exceed maximum modify order limit.")
    MODIFY_SAME = (-5027, "No need to modify the order.")
    MODIFY_NOTIONAL = (-5029, "Order's notional must be no smaller than {}")
    GOOD_TILL_DATE = (
        -5040,
        "The goodTillDate timestamp must be greater than the current time plus 600 seconds "
        "and smaller than 253402300799000 (UTC 9999-12-31 23:59:59)",
    )

    @property
    def code(self) -> int:
        """Return the venue's number."""
        return self.value[0]


class Refused(Exception):
    """The venue said no, and nothing changed. `reason` for programs; `code`, `message`, `http_status` for the wire."""

    def __init__(self, reason: Reason, *words: object) -> None:
        self.reason = reason
        self.code: int = reason.value[0]
        self.message: str = reason.value[1].format(*words)
        self.http_status = 400
        super().__init__(f"{self.code} {self.message}")
