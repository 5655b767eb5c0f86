"""The exchange-side stop: a conditional order at market for the whole position, which the venue keeps apart."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from exchanges import wire
from exchanges.cost import Cost
from exchanges.errors import Refusal, VenueError, VenueRefused
from exchanges.okx import requests, wire_stops
from exchanges.okx.calls import Calls
from exchanges.okx.codes import CODES, ORDER_ABSENT
from exchanges.okx.contracts import Contract, Contracts
from exchanges.okx.weights import ALGO_READ
from exchanges.okx.wire_rules import rows
from exchanges.session.answers import certain, stop_accepted
from grid.stop import StopReport, StopRequest


class ConditionalOrders:
    """Everything about conditional orders, over REST. Their ids are ours, the orders they become carry none."""

    def __init__(
        self, calls: Calls, contracts: Callable[[], Contracts], pay: Callable[[Cost], Awaitable[None]]
    ) -> None:
        self._calls = calls
        self._contracts = contracts
        self._pay = pay

    async def place(self, request: StopRequest, contract: Contract, margin_mode: str) -> StopReport:
        """Send one, once. The venue bounds no conditional order in time: one that arrives late is found in the list."""
        row = await self._only("trade/order-algo", requests.stop(request, contract, margin_mode))
        return certain(
            lambda: stop_accepted(row, request, "order-algo", id_key="algoClOrdId", algo_key="algoId"), CODES
        )

    async def cancel(self, client_id: str, contract: Contract) -> None:
        """Cancel by client id. "Unknown order" may mean triggered, cancelled or not yet there: ask for it."""
        await self._only("trade/cancel-algos", [requests.by_algo_id(client_id, contract)])

    async def find(self, client_id: str) -> StopReport:
        """Return one by our own id, whether it waits or not."""
        await self._pay(ALGO_READ)
        reply = await self._calls.read("trade/order-algo", {"algoClOrdId": client_id})
        found = rows(reply, "order-algo")
        if not found:
            raise VenueRefused(ORDER_ABSENT, f"no conditional order {client_id}", Refusal.UNKNOWN_ORDER)
        return wire_stops.report(found[0], self._contracts())

    async def waiting(self) -> list[StopReport]:
        """Return all that wait, of any kind and anybody's."""
        found: list[StopReport] = []
        for kind in wire_stops.KINDS:
            await self._pay(ALGO_READ)
            reply = await self._calls.read("trade/orders-algo-pending", {"ordType": kind, "instType": "SWAP"})
            found += wire_stops.reports(reply, self._contracts())
        return found

    async def order_id(self, client_id: str) -> str:
        """Return the order that one became, by which alone that is known. Raises `VenueRefused` before."""
        order_id = (await self.find(client_id)).order_id
        if not order_id:
            raise VenueRefused(ORDER_ABSENT, f"{client_id} has not become an order", Refusal.UNKNOWN_ORDER)
        return order_id

    async def _only(self, path: str, body: wire.Row | list[wire.Row]) -> wire.Row:
        (item,) = await self._calls.done(self._calls.write(path, body), 1)
        if isinstance(item, VenueError):
            raise item
        return item
