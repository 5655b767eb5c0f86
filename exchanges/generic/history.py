"""Reading the account's past to its end, whichever end of a window a venue cuts off."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from exchanges import wire
from exchanges.cost import Cost
from exchanges.errors import BadReply
from exchanges.generic import wire_account, wire_orders
from exchanges.generic.calls import Calls
from exchanges.generic.contracts import Contract, Contracts
from exchanges.generic.costs import COSTS
from exchanges.port import Income
from grid.order import Fill

DAY_MS = 24 * 3600 * 1000
PAGE_MAX = 100
"""Asked for where ccxt does not say how much one answer holds."""
WINDOW_DAYS = 7
ENDED = (
    ("fetchOrders", "fetch_orders"),
    ("fetchCanceledAndClosedOrders", "fetch_canceled_and_closed_orders"),
    ("fetchClosedOrders", "fetch_closed_orders"),
    ("fetchCanceledOrders", "fetch_canceled_orders"),
)


class History:
    """Pages through fills, orders and funding. The caller has paid for the first page; `pay` is waited for before each
    further one.

    A full page is not trusted to hold either end of its window: the window is halved until its page is not full.
    """

    def __init__(
        self, calls: Calls, contracts: Callable[[], Contracts], pay: Callable[[Cost], Awaitable[None]]
    ) -> None:
        self._calls = calls
        self._contracts = contracts
        self._pay = pay

    async def fills(self, contract: Contract, since_ms: int, order_id: str | None = None) -> list[Fill]:
        """Return every fill from `since_ms` on, of one order where that is named, in the order of time."""
        found: dict[tuple[str, str, str], Fill] = {}
        for row in await self._rows("fetchMyTrades", "fetch_my_trades", contract, since_ms):
            fill = wire_orders.trade(row, self._contracts())
            if fill is None:
                raise BadReply(f"trade.fee: missing of {row.get('id')}")
            if fill.venue_ms >= since_ms and order_id in (None, fill.order_id):
                found[fill.key] = fill
        return sorted(found.values(), key=lambda fill: (fill.venue_ms, len(fill.trade_id), fill.trade_id))

    async def ended_orders(self, contract: Contract, since_ms: int) -> list[wire.Row]:
        """Return every order from `since_ms` on that the venue's lists of the past tell, open ones as it likes."""
        asked = [(ability, method) for ability, method in ENDED if self._calls.has(ability)]
        if asked and asked[0][0] in ("fetchOrders", "fetchCanceledAndClosedOrders"):
            asked = asked[:1]
        found: dict[str, wire.Row] = {}
        for ability, method in asked:
            for row in await self._rows(ability, method, contract, since_ms):
                found[str(row.get("id"))] = row
        return [row for row in found.values() if wire_orders.made_ms(row) >= since_ms]

    async def funding(self, contract: Contract, since_ms: int, quote_asset: str) -> list[Income]:
        """Return every payment of funding from `since_ms` on; none where ccxt cannot read them."""
        if not self._calls.has("fetchFundingHistory"):
            return []
        rows = await self._rows("fetchFundingHistory", "fetch_funding_history", contract, since_ms)
        found = [wire_account.funding(row, self._contracts(), quote_asset) for row in rows]
        return [one for one in found if one.venue_ms >= since_ms]

    async def _rows(self, ability: str, method: str, contract: Contract, since_ms: int) -> list[wire.Row]:
        feature = self._calls.feature(ability)
        limit = int(feature.get("limit") or PAGE_MAX)
        longest_ms = int(min(float(feature.get("untilDays") or WINDOW_DAYS), WINDOW_DAYS) * DAY_MS)
        # venues stamp their rows a little apart from their clocks
        end_ms = self._calls.venue_now_ms() + 60_000
        begin_ms = max(0, since_ms if since_ms > 0 else end_ms - longest_ms)
        found: list[wire.Row] = []
        windows = [(begin, min(begin + longest_ms, end_ms)) for begin in range(begin_ms, end_ms, longest_ms)]
        is_first = True
        while windows:
            begin, end = windows.pop(0)
            if not is_first:
                await self._pay(COSTS.fills)
            is_first = False
            page = await self._page(method, contract, begin, end, limit)
            if len(page) < limit:
                found += page
            elif end - begin <= 1:
                raise BadReply(f"{method}: {len(page)} rows within {end - begin} ms")
            else:
                middle = (begin + end) // 2
                windows[:0] = [(begin, middle), (middle, end)]
        return found

    async def _page(self, method: str, contract: Contract, begin: int, end: int, limit: int) -> list[wire.Row]:
        reply: Any = await self._calls.read(method, contract.unified, begin, limit, {"until": end})
        return wire_orders.rows(reply, method)
