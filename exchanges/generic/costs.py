"""What calls cost: ccxt knows one pace for each exchange, so every request weighs the same and all share a window."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import Any

from exchanges.cost import CallCosts, Cost
from exchanges.port import RateWindow

ONE = Cost(weight=1)
COSTS = CallCosts(
    place=Cost(orders=1, weight=1),
    cancel=Cost(weight=3),  # reading afterwards what became of it counts too
    order=Cost(weight=2),
    open_orders=ONE,
    positions=Cost(weight=3),
    fills=ONE,
    account=Cost(weight=3),
    income=Cost(weight=2),
    rules=ONE,
    quote=ONE,
    terms=Cost(weight=2),
    countdown=ONE,
)
REQUESTS_MIN = 30
"""A window holds at least so many requests: what is kept for cancels and exits has to fit into it."""


def windows(made: Any) -> tuple[RateWindow, ...]:
    """Return the exchange's limits: ccxt tells how many ms lie between two requests."""
    apart_ms = max(1, int(Decimal(str(made.rateLimit or 1000)).to_integral_value(rounding=ROUND_CEILING)))
    interval_ms = max(1000, REQUESTS_MIN * apart_ms)
    limit = interval_ms // apart_ms
    return (
        RateWindow(kind="orders", interval_ms=interval_ms, limit=limit),
        RateWindow(kind="weight", interval_ms=interval_ms, limit=limit),
    )
