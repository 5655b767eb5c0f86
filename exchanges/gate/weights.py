"""What calls cost at Gate: orders and cancels of the account by themselves, reads by the narrowest limit of any read.

The venue limits each address of its interface by itself: 100 new orders and 200 cancels a second, 200 readings in ten
seconds of any one thing. All reads share one window here, so that each of these bounds is kept.
"""

from __future__ import annotations

from exchanges.cost import CallCosts, Cost
from exchanges.port import RateWindow

ONE = Cost(weight=1)
"""A page of anything, one position, the clock."""
ORDERS_LIMIT = 100
CANCELS_LIMIT = 200
SECOND_MS = 1000

COSTS = CallCosts(
    place=Cost(orders=1),
    cancel=Cost(cancels=1),
    order=ONE,
    open_orders=ONE,
    positions=ONE,
    fills=ONE,
    account=ONE,
    income=ONE,
    rules=ONE,
    quote=ONE,
    terms=Cost(weight=2),
    countdown=ONE,
)

RATE_WINDOWS = (
    RateWindow(kind="orders", interval_ms=SECOND_MS, limit=ORDERS_LIMIT),
    RateWindow(kind="cancels", interval_ms=SECOND_MS, limit=CANCELS_LIMIT),
    RateWindow(kind="weight", interval_ms=10 * SECOND_MS, limit=200),
)
