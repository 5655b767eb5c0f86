"""Gate's error labels in our words. Source: the venue's page of labels; `exchanges.outcome` reads them."""

from __future__ import annotations

from exchanges.errors import Refusal
from exchanges.outcome import CodeTable

CONTRACT_NOT_FOUND = "CONTRACT_NOT_FOUND"
ORDER_NOT_FOUND = "ORDER_NOT_FOUND"

_REFUSED: dict[Refusal, tuple[str, ...]] = {
    Refusal.POST_ONLY_WOULD_TAKE: ("ORDER_POC_IMMEDIATE", "POC_FILL_IMMEDIATELY"),
    Refusal.REDUCE_ONLY_CONFLICT: ("INCREASE_POSITION", "REDUCE_EXCEEDED", "POSITION_EMPTY", "POSITION_IN_CLOSE"),
    Refusal.MARGIN: (
        *("INSUFFICIENT_AVAILABLE", "BALANCE_NOT_ENOUGH", "MARGIN_BALANCE_NOT_ENOUGH", "FUTURES_BALANCE_NOT_ENOUGH"),
        *("LIQUIDATE_IMMEDIATELY", "PRICE_OVER_LIQUIDATION", "PRICE_OVER_BANKRUPT", "RISK_LIMIT_EXCEEDED"),
    ),
    Refusal.DUPLICATE_ID: ("REPEATED_CREATION",),
    # finished, cancelled, or never there: what became of it only a reading tells
    Refusal.UNKNOWN_ORDER: (
        *(ORDER_NOT_FOUND, "CLIENT_ID_NOT_FOUND", "ORDER_FINISHED", "ORDER_CLOSED", "ORDER_CANCELLED"),
    ),
    # INVALID_PARAM_VALUE names any wrong parameter, a size under the minimum among them
    Refusal.FILTER: (
        *("PRICE_TOO_DEVIATED", "PRICE_THRESHOLD_EXCEEDED", "SIZE_TOO_LARGE", "SIZE_TOO_SMALL", "INVALID_PRECISION"),
        "INVALID_PARAM_VALUE",
    ),
    Refusal.TOO_MANY_ORDERS: ("TOO_MANY_ORDERS",),
    Refusal.CLOCK: ("REQUEST_EXPIRED",),
    Refusal.TRADING_RESTRICTED: (
        *("ACCOUNT_LOCKED", "SUB_ACCOUNT_LOCKED", "TRADE_RESTRICTED", "POSITION_IN_LIQUIDATION"),
    ),
    Refusal.CREDENTIALS: (
        *("INVALID_KEY", "INVALID_CREDENTIALS", "INVALID_SIGNATURE", "AUTHENTICATION_FAILED", "IP_FORBIDDEN"),
        *("MISSING_REQUIRED_HEADER", "READ_ONLY", "FORBIDDEN", "USER_NOT_FOUND"),
    ),
    Refusal.SYMBOL_CLOSED: (CONTRACT_NOT_FOUND, "CONTRACT_IN_DELISTING", "CONTRACT_NO_COUNTER"),
    Refusal.POSITION_MODE: ("POSITION_DUAL_MODE",),
    Refusal.WOULD_TRIGGER: ("AUTO_TRIGGER_PRICE_LESS_LAST", "AUTO_TRIGGER_PRICE_GREATE_LAST"),
    Refusal.OTHER: (
        *("INVALID_PROTOCOL", "INVALID_ARGUMENT", "INVALID_REQUEST_BODY", "MISSING_REQUIRED_PARAM", "BAD_REQUEST"),
        *("INVALID_CONTENT_TYPE", "NOT_ACCEPTABLE", "METHOD_NOT_ALLOWED", "NOT_FOUND", "NO_CHANGE", "ORDER_FOK"),
        *("LEVERAGE_TOO_HIGH", "LEVERAGE_TOO_LOW", "RISK_LIMIT_TOO_HIGH", "RISK_LIMIT_TOO_LOW", "POSITION_HOLDING"),
        *("RISK_LIMIT_NOT_MULTIPLE", "POSITION_CROSS_MARGIN", "ORDER_NOT_OWNED"),
    ),
}

CODES = CodeTable(
    refused={code: refusal for refusal, codes in _REFUSED.items() for code in codes},
    # the venue documents no failure after which an order surely was not taken
    not_done={},
    unknown=frozenset({"INTERNAL", "SERVER_ERROR", "TOO_BUSY", "ORDER_PENDING"}),
    rate=frozenset({"TOO_MANY_REQUESTS", "TOO_FAST"}),
    not_done_words="",
)
