"""Orders: placing, cancelling, and what became of them, which this venue's acknowledgements do not tell."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from exchanges import wire
from exchanges.bitget import requests, wire_orders
from exchanges.bitget.calls import Calls
from exchanges.bitget.codes import CODES
from exchanges.bitget.tongue import CANCEL, PLACE, refusal_of_item
from exchanges.bitget.weights import ONE
from exchanges.cost import Cost
from exchanges.errors import BadReply, OutcomeUnknown, VenueError
from exchanges.outcome import Effect, judge
from exchanges.session.answers import Answer, certain, failed
from grid.instrument import Instrument
from grid.order import OrderReport, OrderRequest, TimeInForce

PLACE_BATCH_MAX = 50


class Entry:
    """Everything about single orders. An acknowledged order is `NEW`; its stream tells the rest.

    An immediate order, one that the venue acknowledged without its id, and one that was cancelled, is read afterwards.
    """

    def __init__(
        self,
        calls: Calls,
        instruments: Callable[[], wire.Instruments],
        pay: Callable[[Cost], Awaitable[None]],
    ) -> None:
        self._calls = calls
        self._instruments = instruments
        self._pay = pay

    def place(self, request: OrderRequest, instrument: Instrument, margin_mode: str) -> Awaitable[OrderReport]:
        """Send one order, once: written to the socket before this returns, where that is up."""
        order = requests.terms(request, instrument)
        params = {**order, "marginCoin": requests.MARGIN_COIN, "marginMode": margin_mode}
        body = requests.place(order, request.symbol, margin_mode)
        try:
            answer = self._calls.order(PLACE, request.symbol, params, body)
        except VenueError as failure:
            return failed(failure)
        return self._placed(answer, request)

    async def place_batch(self, orders: Sequence[tuple[OrderRequest, Instrument, str]]) -> list[Answer]:
        """Send several orders: side by side over the socket; over REST fifty of one symbol and margin mode at a time.

        The answer at index k belongs to order k.
        """
        if self._calls.is_socket_up:
            sent = [self.place(*order) for order in orders]
            return await asyncio.gather(*sent, return_exceptions=True)
        groups: dict[tuple[str, str], list[int]] = {}
        for index, (request, _, margin_mode) in enumerate(orders):
            groups.setdefault((request.symbol, margin_mode), []).append(index)
        answers: dict[int, Answer] = {}
        for (symbol, margin_mode), indices in groups.items():
            for start in range(0, len(indices), PLACE_BATCH_MAX):
                chunk = indices[start : start + PLACE_BATCH_MAX]
                told = await self._batch(symbol, margin_mode, [orders[index][:2] for index in chunk])
                answers.update(zip(chunk, told, strict=True))
        return [answers[index] for index in range(len(orders))]

    async def cancel(self, symbol: str, client_id: str) -> OrderReport:
        """Cancel by client id and read what became of it.

        "Unknown order" may mean filled, cancelled or not yet there: ask for the order. So it is where the cancel was
        taken and the order could not be read.
        """
        body = requests.named(symbol, client_id=client_id)
        ack = await self._calls.order(CANCEL, symbol, {"clientOid": client_id}, body)
        order_id = ack.get("orderId") if isinstance(ack, dict) else None
        try:
            return await self.find(symbol, client_id, order_id if isinstance(order_id, str) else "")
        except VenueError as failure:
            words = f"{client_id}: the cancel was taken, the order could not be read"
            raise OutcomeUnknown(f"{words}: {failure}") from None

    async def find(self, symbol: str, client_id: str, order_id: str = "") -> OrderReport:
        """Return the order by either id, over REST: another way than the one that may have failed."""
        row = wire.mapping(
            await self._calls.futures(
                "order/detail", {"symbol": symbol, **_name(client_id=client_id, order_id=order_id)}
            ),
            "order",
        )
        told, wanted = (row.get("orderId"), order_id) if order_id else (row.get("clientOid"), client_id)
        if told != wanted:
            raise BadReply(f"order: asked about {wanted}, answered {wire.shown(told)}")
        return wire_orders.report(row, self._instruments())

    async def _placed(self, answer: Awaitable[Any], request: OrderRequest) -> OrderReport:
        ack = await answer
        return await self._settled(certain(lambda: wire_orders.acknowledged(ack, request), CODES), request)

    async def _settled(self, placed: OrderReport, request: OrderRequest) -> OrderReport:
        """Return an immediate order as it ended; as it was accepted where the venue cannot tell that yet."""
        if request.time_in_force is not TimeInForce.IOC and placed.order_id:
            return placed
        await self._pay(ONE)
        try:
            return await self.find(placed.symbol, placed.client_id, placed.order_id)
        except VenueError as failure:
            if placed.order_id:
                return placed
            words = f"{placed.client_id}: acknowledged without an id, the order could not be read"
            raise OutcomeUnknown(f"{words}: {failure}") from None

    async def _batch(
        self, symbol: str, margin_mode: str, orders: Sequence[tuple[OrderRequest, Instrument]]
    ) -> list[Answer]:
        """Send one REST batch; a failure of the whole is the answer to each of its orders."""
        rows = [requests.terms(request, instrument) for request, instrument in orders]
        try:
            data = await self._calls.write("order/batch-place-order", requests.batch(rows, symbol, margin_mode))
            taken, failed = _by_client_id(data, "successList"), _by_client_id(data, "failureList")
        except VenueError as failure:
            return [judge(failure, Effect.WRITE, CODES) for _ in orders]
        found = [self._answer(request, taken, failed) for request, _ in orders]
        return list(await asyncio.gather(*found, return_exceptions=True))

    async def _answer(self, request: OrderRequest, taken: dict[str, wire.Row], failed: dict[str, wire.Row]) -> Answer:
        refused = refusal_of_item(failed.get(request.client_id))
        if refused is not None:
            raise judge(refused, Effect.WRITE, CODES)
        if request.client_id not in taken:
            raise OutcomeUnknown(f"batch-place-order: no answer to {request.client_id}")
        ack = taken[request.client_id]
        return await self._settled(certain(lambda: wire_orders.acknowledged(ack, request), CODES), request)


def _name(*, client_id: str, order_id: str) -> dict[str, str]:
    return {"orderId": order_id} if order_id else {"clientOid": client_id}


def _by_client_id(data: Any, key: str) -> dict[str, wire.Row]:
    where = f"batch-place-order.{key}"
    rows = [wire.mapping(row, where) for row in wire.sequence(wire.mapping(data, where).get(key), where)]
    return {wire.text(row, "clientOid", where): row for row in rows}
