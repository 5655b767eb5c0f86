"""Reading the account's past to its end: every list comes newest first and is paged backwards by id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from exchanges import wire
from exchanges.cost import Cost
from exchanges.errors import BadReply
from exchanges.okx import wire_account, wire_orders
from exchanges.okx.contracts import Contract, Contracts
from exchanges.okx.weights import BILLS_PAGE, COSTS, ORDERS_PAGE, TRADES_PAGE
from exchanges.okx.wire_rules import PAGE, rows
from exchanges.port import Income
from grid.order import Fill, OrderReport

DAY_MS = 24 * 3600 * 1000
EDGE_MS = 3600 * 1000
RECENT_FILLS_MS = 3 * DAY_MS - EDGE_MS
RECENT_ORDERS_MS = RECENT_BILLS_MS = 7 * DAY_MS - EDGE_MS
"""Younger than this the quick list tells all; what is older stands in the archive of three months."""

Read = Callable[[str, Mapping[str, str | int]], Awaitable[Any]]


class History:
    """Pages through fills, orders and bills. The caller has paid for the first page; `pay` is waited for before each
    further one."""

    def __init__(self, read: Read, contracts: Callable[[], Contracts], pay: Callable[[Cost], Awaitable[None]]) -> None:
        self._read = read
        self._contracts = contracts
        self._pay = pay

    async def fills(self, contract: Contract, since_ms: int, now_ms: int, order_id: str | None = None) -> list[Fill]:
        """Return every fill from `since_ms` on, of one order where that is named, in the order of time."""
        path = "trade/fills" if now_ms - since_ms < RECENT_FILLS_MS else "trade/fills-history"
        query: dict[str, str | int] = {"instType": "SWAP", "instId": contract.inst_id, "begin": since_ms}
        if order_id is not None:
            query["ordId"] = order_id
        read = await self._all(path, query, "billId", TRADES_PAGE)
        found = [wire_orders.trade(row, self._contracts()) for row in read]
        unique = {fill.key: fill for fill in found if fill.venue_ms >= since_ms}
        return sorted(unique.values(), key=lambda fill: (fill.venue_ms, int(fill.trade_id)))

    async def open_orders(self, query: Mapping[str, str | int]) -> list[wire.Row]:
        """Return the rows of every open order."""
        return await self._all("trade/orders-pending", query, "ordId", COSTS.open_orders)

    async def ended_orders(self, contract: Contract, since_ms: int, now_ms: int) -> list[OrderReport]:
        """Return every order made from `since_ms` on that ended. Those without a fill are told for two hours."""
        is_recent = now_ms - since_ms < RECENT_ORDERS_MS
        path = "trade/orders-history" if is_recent else "trade/orders-history-archive"
        query: dict[str, str | int] = {"instType": "SWAP", "instId": contract.inst_id, "begin": since_ms}
        read = await self._all(path, query, "ordId", ORDERS_PAGE)
        made = [row for row in read if wire.integer(row, "cTime", "orders") >= since_ms]
        return [wire_orders.report(row, self._contracts()) for row in made]

    async def income(self, since_ms: int, now_ms: int) -> list[Income]:
        """Return every ledger row from `since_ms` on, in the order of time."""
        path = "account/bills" if now_ms - since_ms < RECENT_BILLS_MS else "account/bills-archive"
        read = await self._all(path, {"begin": since_ms}, "billId", BILLS_PAGE)
        by_id = self._contracts().by_id
        found = [one for row in read for one in wire_account.income(row, by_id) if one.venue_ms >= since_ms]
        return sorted(found, key=lambda row: (row.venue_ms, int(row.transaction_id)))

    async def _all(self, path: str, query: Mapping[str, str | int], cursor: str, cost: Cost) -> list[wire.Row]:
        """Return every row once, whatever is written while we page: new rows come before the first page."""
        found: dict[str, wire.Row] = {}
        after: dict[str, str | int] = {}
        while True:
            page = rows(await self._read(path, {**query, "limit": PAGE, **after}), path)
            before = len(found)
            found.update({wire.text(row, cursor, path): row for row in page})
            if len(page) < PAGE:
                return list(found.values())
            if len(found) == before:
                raise BadReply(f"{path}: a page repeats the page before it")
            after = {"after": wire.text(page[-1], cursor, path)}
            await self._pay(cost)
