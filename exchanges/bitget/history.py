"""Reading the account's past to its end: lists that come newest first, page by page, within spans of time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from exchanges import wire
from exchanges.bitget import wire_account, wire_orders
from exchanges.bitget.weights import ONE
from exchanges.cost import Cost
from exchanges.errors import BadReply
from exchanges.port import Income
from grid.order import Fill, OrderReport

PAGE = 100
PAGES_MAX = 1000
DAY_MS = 24 * 3600 * 1000
SPAN_MS = 7 * DAY_MS
"""Within what each of the lists allows."""
KEPT_MS = 90 * DAY_MS
"""The venue tells nothing that is older."""

Read = Callable[[str, dict[str, Any]], Awaitable[Any]]


class History:
    """Pages through lists. The caller has paid for the first page of each; `pay` is waited for before a further one."""

    def __init__(
        self, read: Read, instruments: Callable[[], wire.Instruments], pay: Callable[[Cost], Awaitable[None]]
    ) -> None:
        self._read = read
        self._instruments = instruments
        self._pay = pay

    async def fills(self, symbol: str, since_ms: int, now_ms: int, order_id: str = "") -> list[Fill]:
        """Return every fill from `since_ms` on (of one order, where named), in order of time."""
        if order_id:
            rows = await self._of_order({"symbol": symbol, "orderId": order_id}, since_ms, now_ms)
        else:
            rows = await self._spans("order/fills", {"symbol": symbol}, "fillList", since_ms, now_ms)
        found = {fill.key: fill for fill in (wire_orders.trade(row, self._instruments()) for row in rows)}
        return sorted(found.values(), key=lambda fill: (fill.venue_ms, len(fill.trade_id), fill.trade_id))

    async def orders(self, symbol: str, since_ms: int, now_ms: int) -> list[OrderReport]:
        """Return every order made from `since_ms` on, oldest first: the open ones first, so that none slips through."""
        rows = await self.open_orders(symbol)
        await self._pay(ONE)
        rows += await self._spans("order/orders-history", {"symbol": symbol}, "entrustedList", since_ms, now_ms)
        made = [row for row in rows if wire.integer(row, "cTime", "orders") >= since_ms]
        found = {report.order_id: report for report in wire_orders.reports(made, self._instruments())}
        return sorted(found.values(), key=lambda report: (len(report.order_id), report.order_id))

    async def open_orders(self, symbol: str | None) -> list[wire.Row]:
        """Return the rows of the open orders, of one symbol or of all."""
        return await self.pages("order/orders-pending", {"symbol": symbol} if symbol else {}, "entrustedList")

    async def income(self, since_ms: int, now_ms: int) -> list[Income]:
        """Return every ledger row from `since_ms` on, in order of time."""
        rows = await self._spans("account/bill", {}, "bills", since_ms, now_ms)
        found = {(part.kind, part.transaction_id): part for row in rows for part in wire_account.income(row)}
        return sorted(found.values(), key=lambda part: part.venue_ms)

    async def pages(self, path: str, query: dict[str, Any], key: str) -> list[wire.Row]:
        """Return the rows of a list, newest first, to its end; a list that goes on for ever raises."""
        found: list[wire.Row] = []
        asked = {**query, "limit": PAGE}
        for number in range(PAGES_MAX):
            if number:
                await self._pay(ONE)
            data = wire.mapping(await self._read(path, asked), path)
            rows = data.get(key) or []  # the venue writes null where there is none
            page = [wire.mapping(row, path) for row in wire.sequence(rows, f"{path}.{key}")]
            found += page
            if len(page) < PAGE:
                return found
            end_id = wire.text(data, "endId", path)
            if end_id == asked.get("idLessThan"):
                raise BadReply(f"{path}: a page repeats the one before it")
            asked["idLessThan"] = end_id
        raise BadReply(f"{path}: more than {PAGES_MAX} pages")

    async def _of_order(self, query: dict[str, Any], since_ms: int, now_ms: int) -> list[wire.Row]:
        """Return the fills of one order: the latest span first, since an order is rarely old, until none is before."""
        found: list[wire.Row] = []
        start_ms, end_ms = now_ms - SPAN_MS // 2, now_ms + SPAN_MS // 2 - 1
        oldest_ms = max(since_ms, now_ms - KEPT_MS)
        while True:
            span = {"startTime": max(start_ms, oldest_ms), "endTime": end_ms}
            rows = await self.pages("order/fills", {**query, **span}, "fillList")
            found += rows
            if start_ms <= oldest_ms or (found and not rows):
                return found
            start_ms, end_ms = start_ms - SPAN_MS, start_ms - 1
            await self._pay(ONE)

    async def _spans(self, path: str, query: dict[str, Any], key: str, since_ms: int, now_ms: int) -> list[wire.Row]:
        found: list[wire.Row] = []
        start_ms = max(since_ms, now_ms - KEPT_MS)
        while True:
            end_ms = start_ms + SPAN_MS - 1
            is_last = end_ms >= now_ms
            # the last span is left open: what happens while we read belongs to it, and clocks differ
            span = {"startTime": start_ms, "endTime": end_ms}
            found += await self.pages(path, {**query, **span}, key)
            if is_last:
                return found
            start_ms = end_ms + 1
            await self._pay(ONE)
