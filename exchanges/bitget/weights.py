"""What calls cost at Bitget: new orders and cancels by themselves, reads by the narrowest limit of most of them.

The venue limits each address of its interface by itself and by user: ten a second for orders, cancels and most reads,
five for positions. All reads share one window here, in which a reading of positions counts twice, so that each of
these bounds is kept, and with them the 6,000 requests a minute of an internet address.
"""

from __future__ import annotations

from exchanges.cost import CallCosts, Cost
from exchanges.port import RateWindow

ONE = Cost(weight=1)
POSITIONS = Cost(weight=2)

COSTS = CallCosts(
    place=Cost(orders=1),
    cancel=Cost(cancels=1, weight=1),  # the acknowledgement does not tell the end: the order is read after it
    order=ONE,
    open_orders=ONE,
    positions=POSITIONS,
    fills=ONE,
    account=ONE,
    income=ONE,
    rules=ONE,
    quote=ONE,
    terms=Cost(weight=2),
    countdown=ONE,
)

RATE_WINDOWS = (
    RateWindow(kind="orders", interval_ms=1000, limit=10),
    RateWindow(kind="cancels", interval_ms=1000, limit=10),
    RateWindow(kind="weight", interval_ms=1000, limit=10),
)
