"""What a client would have read some time ago: for reads that lag behind the stream."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import TypeVar

from exchanges.sim.orders import OrderView
from exchanges.sim.venue_events import AccountEvent, OrderEvent
from exchanges.sim.views import AccountView, PositionView

ORDERS_MAX = 5000
ACCOUNTS_MAX = 5000

T = TypeVar("T")


class PastViews:
    """Versions of orders and accounts as the events told them; the oldest orders are forgotten first."""

    def __init__(self) -> None:
        self._orders: OrderedDict[tuple[str, int], list[tuple[int, OrderView]]] = OrderedDict()
        self._accounts: dict[str, list[tuple[int, AccountView]]] = {}

    def record_order(self, event: OrderEvent, now_ms: int) -> None:
        versions = self._orders.setdefault((event.account, event.order.order_id), [])
        versions.append((now_ms, event.order))
        while len(self._orders) > ORDERS_MAX:
            self._orders.popitem(last=False)

    def record_account(self, event: AccountEvent, view: AccountView, now_ms: int) -> None:
        versions = self._accounts.setdefault(event.account, [])
        versions.append((now_ms, view))
        del versions[:-ACCOUNTS_MAX]

    def order_at(self, current: OrderView, then_ms: int) -> OrderView | None:
        """Return the order as it stood then; None where it was not there yet."""
        versions = self._orders.get((current.account, current.order_id))
        if not versions:
            return current
        return _last_before(versions, then_ms)

    def open_orders_at(self, account: str, symbol: str | None, then_ms: int) -> list[OrderView]:
        stood = (_last_before(versions, then_ms) for (owner, _), versions in self._orders.items() if owner == account)
        return [view for view in stood if view and view.status.is_open and symbol in (None, view.symbol)]

    def account_at(self, current: AccountView, then_ms: int) -> AccountView:
        versions = self._accounts.get(current.account, [])
        return _last_before(versions, then_ms) or current

    def positions_at(self, account: AccountView, then_ms: int, wanted: Iterable[PositionView]) -> list[PositionView]:
        then = {held.symbol: held for held in self.account_at(account, then_ms).positions}
        return [then.get(held.symbol, held) for held in wanted]


def _last_before(versions: list[tuple[int, T]], then_ms: int) -> T | None:
    found: T | None = None
    for at_ms, view in versions:
        if at_ms > then_ms:
            break
        found = view
    return found
