"""What calls cost at OKX. Each endpoint has a window of its own, of so many calls in 2 s.

One weight of 60 in 2 s stands for all of them: a call of an endpoint that allows N weighs 60 / N. Whatever the mix,
then, no window of any endpoint can be passed. Orders count in a window of their own.
"""

from __future__ import annotations

from exchanges.cost import CallCosts, Cost

ORDER_READ = Cost(weight=1)
TRADES_PAGE = Cost(weight=6)
ORDERS_PAGE = Cost(weight=2)
BILLS_PAGE = Cost(weight=24)  # the archive allows 5 calls in 2 s
RULES = Cost(weight=3)
ALGO_READ = Cost(weight=3)
TIME = Cost(weight=6)

COSTS = CallCosts(
    place=Cost(orders=1),
    cancel=Cost(weight=1),  # reading afterwards what became of it counts in the window of another endpoint
    order=ORDER_READ,
    open_orders=Cost(weight=1),
    positions=Cost(weight=6),  # beside it leverage and mark prices are read, from endpoints of their own
    fills=TRADES_PAGE,
    account=Cost(weight=12),
    income=BILLS_PAGE,
    rules=RULES,
    quote=Cost(weight=3),
    terms=Cost(weight=24),  # two endpoints that allow 10 calls in 2 s, and one that allows 5
    countdown=Cost(weight=30),
)
