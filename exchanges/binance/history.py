"""Reading the account's past to its end: trades by the venue's window and id rules, ledger rows by page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from exchanges import wire
from exchanges.binance import wire_account, wire_orders
from exchanges.binance.weights import INCOME_PAGE, ORDERS_PAGE, TRADES_PAGE
from exchanges.cost import Cost
from exchanges.errors import BadReply
from exchanges.port import Income
from grid.order import Fill, OrderReport

WEEK_MS = 7 * 24 * 3600 * 1000
PAGE = 1000

Read = Callable[[str, dict[str, Any]], Awaitable[Any]]
PageRead = Callable[[dict[str, Any]], Awaitable[Any]]


class History:
    """Pages through trades and income. `read` gets a path and its parameters and answers with the decoded reply.

    The caller has paid for the first page of each; `pay` is waited for before every further one.
    """

    def __init__(
        self, read: Read, instruments: Callable[[], wire.Instruments], pay: Callable[[Cost], Awaitable[None]]
    ) -> None:
        self._read = read
        self._pay = pay
        self._instruments = instruments

    async def fills(self, symbol: str, since_ms: int, now_ms: int) -> list[Fill]:
        """Return every fill from `since_ms` on, in order of trade id.

        A window may span a week at most, and a trade id may not be sent with times: windows find the first page, ids
        lead on from it.
        """
        read = self._paged("userTrades", TRADES_PAGE)
        page = await self._first_page(read, symbol, since_ms, now_ms)
        found = list(page)
        while page:
            page = await self._next_page(read, {"symbol": symbol, "limit": PAGE}, _last_id(found))
            found.extend(page)
            if len(page) < PAGE:
                break
        return _whole(found)

    async def fills_of_order(self, symbol: str, order_id: str) -> list[Fill]:
        """Return every fill of one order, in order of trade id."""
        query: dict[str, Any] = {"symbol": symbol, "orderId": order_id, "limit": PAGE}
        read = self._paged("userTrades", TRADES_PAGE)
        found = page = await self._page(read, query)
        while len(page) == PAGE:
            page = await self._next_page(read, query, _last_id(found))
            found = found + page
        return _whole(found)

    async def orders(self, symbol: str, since_ms: int, now_ms: int) -> list[OrderReport]:
        """Return every order made from `since_ms` on that the venue still tells, oldest first.

        It forgets cancelled orders without a fill after three days, others after ninety.
        """
        found: dict[str, OrderReport] = {}
        read = self._paged("allOrders", ORDERS_PAGE)
        start_ms, span_ms = since_ms, WEEK_MS
        while start_ms <= now_ms:
            query = {"symbol": symbol, "startTime": start_ms, "endTime": start_ms + span_ms - 1, "limit": PAGE}
            page = wire_orders.reports(await read(query), self._instruments())
            if len(page) >= PAGE:
                if span_ms == 1:
                    raise BadReply(f"allOrders: {len(page)} orders in one millisecond")
                span_ms //= 2  # a full page may leave out either end
                continue
            found.update({order.order_id: order for order in page})
            start_ms, span_ms = start_ms + span_ms, WEEK_MS
        return sorted(found.values(), key=lambda order: int(order.order_id))

    async def income(self, since_ms: int) -> list[Income]:
        """Return every ledger row from `since_ms` on, in order of time."""
        found: dict[tuple[str, str, str, str], Income] = {}
        read, number = self._paged("income", INCOME_PAGE), 1
        while True:
            query = {"startTime": since_ms, "page": number, "limit": PAGE}
            rows = wire_account.income(await read(query))
            before = len(found)
            for row in rows:
                # a row written while we page moves the others one place on: they come twice
                found[row.kind, row.transaction_id, row.symbol, row.asset] = row
            if len(rows) < PAGE:
                return sorted(found.values(), key=lambda row: row.venue_ms)
            if len(found) == before:
                raise BadReply(f"income: page {number} repeats the page before it")
            number += 1

    def _paged(self, path: str, cost: Cost) -> PageRead:
        pages = 0

        async def read(query: dict[str, Any]) -> Any:
            nonlocal pages
            pages += 1
            if pages > 1:
                await self._pay(cost)
            return await self._read(path, query)

        return read

    async def _first_page(self, read: PageRead, symbol: str, since_ms: int, now_ms: int) -> list[Fill]:
        """Return the fills of the first window that has any.

        A full page may leave out either end, so the window is halved until its page is not full.
        """
        start_ms, span_ms = since_ms, WEEK_MS
        while True:
            query: dict[str, Any] = {"symbol": symbol, "startTime": start_ms, "limit": PAGE}
            is_last = span_ms == WEEK_MS and start_ms + span_ms > now_ms
            if not is_last:
                query["endTime"] = start_ms + span_ms - 1
            page = await self._page(read, query)
            if len(page) >= PAGE and span_ms > 1:
                span_ms //= 2
            elif page or is_last:
                return page
            else:
                start_ms, span_ms = start_ms + span_ms, WEEK_MS

    async def _next_page(self, read: PageRead, query: dict[str, Any], last_id: int) -> list[Fill]:
        """Return the trades after that one; a page that begins before it would be read for ever."""
        page = await self._page(read, {**query, "fromId": last_id + 1})
        if any(int(fill.trade_id) <= last_id for fill in page):
            raise BadReply(f"userTrades: asked for what follows {last_id}, and told what does not")
        return page

    async def _page(self, read: PageRead, query: dict[str, Any]) -> list[Fill]:
        reply = await read(query)
        rows = [wire.mapping(row, "userTrades") for row in wire.sequence(reply, "userTrades")]
        return [wire_orders.trade(row, self._instruments()) for row in rows]


def _last_id(fills: list[Fill]) -> int:
    return max(int(fill.trade_id) for fill in fills)


def _whole(fills: list[Fill]) -> list[Fill]:
    """Return the fills once each, in order of trade id, which is the symbol's order of trades."""
    return sorted({fill.key: fill for fill in fills}.values(), key=lambda fill: (fill.venue_ms, int(fill.trade_id)))
