"""The lists of the account's orders: open ones, conditional ones, and those that ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from exchanges import wire
from exchanges.cost import Cost
from exchanges.errors import BadReply
from exchanges.generic import wire_orders
from exchanges.generic.calls import Calls
from exchanges.generic.contracts import Contract, Contracts
from exchanges.generic.costs import ONE
from exchanges.generic.history import History


class OrderLists:
    """Reads whole lists, or raises: a list that may be cut is no reading."""

    def __init__(
        self,
        calls: Calls,
        history: History,
        contracts: Callable[[], Contracts],
        symbols: Sequence[str],
        pay: Callable[[Cost], Awaitable[None]],
        *,
        by_symbol: bool,
    ) -> None:
        self._calls = calls
        self._history = history
        self._contracts = contracts
        self._symbols = symbols
        self._pay = pay
        self._by_symbol = by_symbol

    async def opened(self, symbol: str | None) -> list[wire.Row]:
        """Return the open orders of the account or of one symbol, conditional ones not among them."""
        return [row for row in await self._rows(symbol) if not wire_orders.is_conditional(row)]

    async def waiting(self) -> list[wire.Row]:
        """Return the conditional orders of the account that ccxt can list here."""
        rows = await self._rows(None)
        if self._calls.feature("fetchOpenOrders").get("trigger"):
            await self._pay(ONE)
            rows += await self._rows(None, {"trigger": True})
        unique = {str(row.get("id")): row for row in rows if wire_orders.is_conditional(row)}
        return list(unique.values())

    async def every(self, contract: Contract, since_ms: int) -> list[wire.Row]:
        """Return open and ended orders, the ended ones read last: one that ends meanwhile is in both."""
        opened = [row for row in await self.opened(contract.symbol) if wire_orders.made_ms(row) >= since_ms]
        found = {str(row.get("id")): row for row in opened}
        await self._pay(ONE)
        found.update({str(row.get("id")): row for row in await self._history.ended_orders(contract, since_ms)})
        return [row for row in found.values() if not wire_orders.is_conditional(row)]

    async def _rows(self, symbol: str | None, params: dict[str, Any] | None = None) -> list[wire.Row]:
        told = self._calls.feature("fetchOpenOrders")
        if symbol is None and (self._by_symbol or told.get("symbolRequired")):
            return [row for one in self._symbols for row in await self._rows(one, params)]
        known = self._contracts()
        unified = known.of_symbol(symbol).unified if symbol is not None else None
        limit = int(told["limit"]) if told.get("limit") else None
        reply = await self._calls.read("fetch_open_orders", unified, None, limit, dict(params or {}))
        found = wire_orders.rows(reply, "open orders")
        if limit is not None and len(found) >= limit:
            raise BadReply(f"open orders: {len(found)} in one answer, and ccxt reads no more")
        return [row for row in found if row.get("symbol") in known.by_unified]
