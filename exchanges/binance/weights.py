"""What calls cost at Binance USD-M: new orders count in windows of the account, all else as weight of the address."""

from __future__ import annotations

from exchanges.cost import CallCosts, Cost

TRADES_PAGE = Cost(weight=5)
INCOME_PAGE = Cost(weight=30)
ORDERS_PAGE = Cost(weight=5)
FEE_BURN = Cost(weight=30)
LISTEN_KEY = Cost(weight=1)
TIME = Cost(weight=1)
RULES = Cost(weight=1)

COSTS = CallCosts(
    place=Cost(orders=1),
    cancel=Cost(weight=1),
    order=Cost(weight=1),
    open_orders=Cost(weight=40),  # of all symbols; of one it is 1
    positions=Cost(weight=5),
    fills=TRADES_PAGE,
    account=Cost(weight=10),  # balances and modes, 5 each
    income=INCOME_PAGE,
    rules=RULES,
    quote=Cost(weight=2),
    terms=Cost(weight=21),
    countdown=Cost(weight=10),
)
