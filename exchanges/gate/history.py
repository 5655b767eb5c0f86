"""Reading the account's past to its end: trades, orders and ledger rows, newest first by the venue, by offset."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from exchanges import wire
from exchanges.cost import Cost
from exchanges.errors import BadReply
from exchanges.gate import wire_account, wire_orders
from exchanges.gate.contracts import Contracts, contract_name
from exchanges.gate.weights import ONE
from exchanges.port import Income
from grid.order import Fill, OrderReport

PAGE = 100
LEDGER_PAGE = 1000
PAGES_MAX = 10_000

Read = Callable[[str, dict[str, str | int]], Awaitable[Any]]


class History:
    """Pages through what the venue keeps. The caller has paid for the first page of each; `pay` is for the others.

    What is written while we page moves the rest on by one: it comes twice, and nothing is left out.
    """

    def __init__(self, read: Read, contracts: Callable[[], Contracts], pay: Callable[[Cost], Awaitable[None]]) -> None:
        self._read = read
        self._contracts = contracts
        self._pay = pay

    async def fills(self, symbol: str, since_ms: int) -> list[Fill]:
        """Return every fill from `since_ms` on, in time order."""
        query: dict[str, str | int] = {"contract": contract_name(symbol), "from": since_ms // 1000}
        return self._fills(await self._pages("my_trades_timerange", query, PAGE), since_ms)

    async def fills_of_order(self, symbol: str, order_id: str, since_ms: int) -> list[Fill]:
        """Return every fill of one order, in time order."""
        query: dict[str, str | int] = {"contract": contract_name(symbol), "order": order_id}
        return self._fills(await self._pages("my_trades", query, PAGE), since_ms)

    async def orders(self, symbol: str, since_ms: int) -> list[OrderReport]:
        """Return every order made from `since_ms` on that the venue still tells, open ones too, oldest first."""
        name = contract_name(symbol)
        ended = await self._pages("orders_timerange", {"contract": name, "from": since_ms // 1000}, PAGE)
        await self._pay(ONE)
        resting = await self._pages("orders", {"contract": name, "status": "open"}, PAGE)
        rows = [*resting, *ended]  # one that ended in between is told by the second reading too: the end counts
        found = {report.order_id: report for report in wire_orders.reports(rows, self._contracts())}
        return sorted(found.values(), key=lambda report: int(report.order_id))

    async def open_orders(self, symbol: str | None) -> list[OrderReport]:
        """Return the open orders of the account, or of one symbol."""
        query: dict[str, str | int] = {"status": "open"}
        if symbol is not None:
            query = {"contract": contract_name(symbol), **query}
        rows = await self._pages("orders", query, PAGE)
        found = {report.order_id: report for report in wire_orders.reports(rows, self._contracts())}
        return list(found.values())

    async def income(self, asset: str, since_ms: int) -> list[Income]:
        """Return every ledger row from `since_ms` on, in time order."""
        rows = await self._pages("account_book", {"from": since_ms // 1000}, LEDGER_PAGE)
        found = {(row.kind, row.transaction_id, row.symbol): row for row in wire_account.income(rows, asset)}
        return sorted((row for row in found.values() if row.venue_ms >= since_ms), key=lambda row: row.venue_ms)

    def _fills(self, rows: list[Any], since_ms: int) -> list[Fill]:
        read = [wire_orders.trade(wire.mapping(row, "my_trades"), self._contracts()) for row in rows]
        found = {fill.key: fill for fill in read if fill.venue_ms >= since_ms}
        return sorted(found.values(), key=lambda fill: (fill.venue_ms, int(fill.trade_id)))

    async def _pages(self, path: str, query: dict[str, str | int], limit: int) -> list[Any]:
        rows: list[Any] = []
        for number in range(PAGES_MAX):
            if number:
                await self._pay(ONE)
            page = wire.sequence(await self._read(path, {**query, "limit": limit, "offset": len(rows)}), path)
            rows.extend(page)
            if len(page) < limit:
                return rows
        raise BadReply(f"{path}: {PAGES_MAX} full pages")
