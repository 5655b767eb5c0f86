"""Reading the account's past to its end: windows of a week at most, pages by cursor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from exchanges import wire
from exchanges.bybit import wire_account, wire_orders, wire_stops
from exchanges.bybit.requests import CATEGORY
from exchanges.bybit.weights import ONE
from exchanges.bybit.wire_rules import next_page
from exchanges.cost import Cost
from exchanges.errors import BadReply
from exchanges.port import Income
from grid.order import Fill, OrderReport

WEEK_MS = 7 * 24 * 3600 * 1000
TRADES_MAX, ORDERS_MAX, LEDGER_MAX, RECENT_CLOSED = 100, 50, 50, 1
PAGES_MAX = 10_000

Query = dict[str, str | int]
Read = Callable[[str, Query], Awaitable[wire.Row]]
Pay = Callable[[Cost], Awaitable[None]]
Row = TypeVar("Row")


class History:
    """Pages through trades, orders and the ledger. `read` gets a path and its query and answers with the result.

    The caller has paid for the first page of each; `pay` is waited for before every further one.
    """

    def __init__(self, read: Read, instruments: Callable[[], wire.Instruments], pay: Pay) -> None:
        self._read = read
        self._pay = pay
        self._instruments = instruments

    async def fills(self, symbol: str, since_ms: int, now_ms: int) -> list[Fill]:
        """Return every fill from `since_ms` on, in order of time."""
        return await self._fills({"symbol": symbol}, since_ms, now_ms)

    async def fills_of_order(self, symbol: str, order_id: str) -> list[Fill]:
        """Return every fill of one order, in order of time; an order's id is not bound to a week."""
        query: Query = {"category": CATEGORY, "symbol": symbol, "orderId": order_id, "limit": TRADES_MAX}
        pages = await self.pages("execution/list", query)
        return _in_order([fill for page in pages for fill in wire_orders.trades(page, self._instruments())])

    async def orders(self, symbol: str, since_ms: int, now_ms: int) -> list[OrderReport]:
        """Return every order made from `since_ms` on that the venue still tells, oldest first.

        The list of what ended lags; what is open or ended just now is told by another list, which wins.
        """
        found: dict[str, OrderReport] = {}
        for start_ms, end_ms in _weeks(since_ms, now_ms):
            query: Query = {"symbol": symbol, "startTime": start_ms, "endTime": end_ms}
            found.update(await self._orders("order/history", query))
        recent: tuple[Query, ...] = ({"symbol": symbol}, {"symbol": symbol, "openOnly": RECENT_CLOSED})
        for query in recent:
            await self._pay(ONE)
            found.update(await self._orders("order/realtime", query, since_ms))
        return sorted(found.values(), key=lambda order: (order.venue_ms, order.order_id))

    async def income(self, quote_asset: str, since_ms: int, now_ms: int) -> list[Income]:
        """Return every ledger row from `since_ms` on, in order of time."""
        found: dict[tuple[str, str, str, str], Income] = {}
        for index, (start_ms, end_ms) in enumerate(_weeks(since_ms, now_ms)):
            if index:
                await self._pay(ONE)
            query: Query = {
                "accountType": "UNIFIED",
                "currency": quote_asset,
                "startTime": start_ms,
                "endTime": end_ms,
                "limit": LEDGER_MAX,
            }
            for page in await self.pages("account/transaction-log", query):
                for row in wire_account.income(page):
                    # a row written while we page moves the others one place on: they come twice
                    found[row.kind, row.transaction_id, row.symbol, row.asset] = row
        return sorted(found.values(), key=lambda row: row.venue_ms)

    async def pages(self, path: str, query: Query) -> list[wire.Row]:
        """Return every page of a list; raises `BadReply` where a cursor leads back to itself."""
        found = [await self._read(path, query)]
        seen: set[str] = set()
        while (cursor := next_page(found[-1])) and wire.sequence(found[-1].get("list"), path):
            if cursor in seen or len(found) >= PAGES_MAX:
                raise BadReply(f"{path}: the cursor of a page comes again")
            seen.add(cursor)
            await self._pay(ONE)
            found.append(await self._read(path, {**query, "cursor": cursor}))
        return found

    async def _fills(self, query: Query, since_ms: int, now_ms: int) -> list[Fill]:
        found: list[Fill] = []
        for index, (start_ms, end_ms) in enumerate(_weeks(since_ms, now_ms)):
            if index:
                await self._pay(ONE)
            asked: Query = {
                "category": CATEGORY,
                **query,
                "startTime": start_ms,
                "endTime": end_ms,
                "limit": TRADES_MAX,
            }
            for page in await self.pages("execution/list", asked):
                found.extend(wire_orders.trades(page, self._instruments()))
        return _in_order(found)

    async def _orders(self, path: str, query: Query, since_ms: int = 0) -> dict[str, OrderReport]:
        asked: Query = {"category": CATEGORY, **query, "limit": ORDERS_MAX}
        found: dict[str, OrderReport] = {}
        for page in await self.pages(path, asked):
            for row in order_rows(page):
                if not wire_stops.is_waiting(row) and wire.integer(row, "createdTime", path) >= since_ms:
                    read = wire_orders.report(row, self._instruments())
                    found[read.order_id] = read
        return found


def order_rows(page: wire.Row) -> list[wire.Row]:
    """Return the rows of a page of orders."""
    return [wire.mapping(value, "order") for value in wire.sequence(page.get("list"), "order.list")]


def _weeks(since_ms: int, now_ms: int) -> list[tuple[int, int]]:
    """Return the windows from a moment to now, oldest first; the last one reaches a little beyond."""
    found: list[tuple[int, int]] = []
    start_ms = max(since_ms, 1)
    while not found or start_ms <= now_ms:
        end_ms = start_ms + WEEK_MS - 1
        found.append((start_ms, end_ms))
        start_ms = end_ms + 1
    return found


def _in_order(fills: list[Fill]) -> list[Fill]:
    """Return the fills once each, oldest first. The venue lists the newest first, and so those of one millisecond."""
    whole = list({fill.key: fill for fill in reversed(fills)}.values())
    return sorted(whole, key=lambda fill: fill.venue_ms)
