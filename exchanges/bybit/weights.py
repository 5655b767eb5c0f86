"""What calls cost at Bybit: placing and cancelling by themselves, reads by the narrowest limit of any read.

The venue limits each address of its interface by itself (10 orders and 10 cancels a second for an account without a
tier, 50 readings a second of orders, positions or trades) and the requests of an internet address (600 in 5 s).
All reads share one window here, so that each of these bounds is kept.
"""

from __future__ import annotations

from exchanges.cost import CallCosts, Cost
from exchanges.port import RateWindow

ONE = Cost(weight=1)
"""A page of anything, one position, the clock."""
ACCOUNT_KEY = Cost(weight=5)
"""The key's rights may be read ten times a second only."""

COSTS = CallCosts(
    place=Cost(orders=1),
    cancel=Cost(cancels=1, weight=1),  # the acknowledgement does not tell the end: the order is read after it
    order=Cost(weight=2),  # the recent ones, then the history
    open_orders=ONE,
    positions=ONE,
    fills=ONE,
    account=Cost(weight=2),  # balances and modes
    income=Cost(weight=2),
    rules=ONE,
    quote=ONE,
    terms=Cost(weight=2),
    countdown=ONE,
)

RATE_WINDOWS = (
    RateWindow(kind="orders", interval_ms=1000, limit=10),
    RateWindow(kind="cancels", interval_ms=1000, limit=10),
    RateWindow(kind="weight", interval_ms=1000, limit=50),
)
