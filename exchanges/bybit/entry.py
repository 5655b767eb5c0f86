"""Orders: placing, cancelling, and what became of them, which this venue's acknowledgements do not tell."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from exchanges import wire
from exchanges.bybit import requests, wire_orders, wire_stops
from exchanges.bybit.calls import Calls
from exchanges.bybit.codes import CODES, ORDER_ABSENT
from exchanges.bybit.history import History, order_rows
from exchanges.bybit.requests import CATEGORY
from exchanges.bybit.tongue import refusal_of_item, result_of
from exchanges.bybit.weights import ONE
from exchanges.cost import Cost
from exchanges.errors import BadReply, OutcomeUnknown, Refusal, VenueError, VenueRefused
from exchanges.outcome import Effect, judge
from exchanges.session.answers import Answer, certain, failed, stop_accepted
from grid.instrument import Instrument
from grid.order import OrderReport, OrderRequest, TimeInForce
from grid.stop import StopReport
from risk.veto import Approved, ApprovedStop

PLACE_BATCH_MAX = 20
OPEN_MAX = 50


class Entry:
    """Everything about single orders. An acknowledged order is `NEW`; its stream tells the rest.

    An immediate order, and one that was cancelled, is read after its acknowledgement.
    """

    def __init__(
        self,
        calls: Calls,
        history: History,
        instruments: Callable[[], wire.Instruments],
        pay: Callable[[Cost], Awaitable[None]],
        window_ms: int,
    ) -> None:
        self._calls = calls
        self._history = history
        self._instruments = instruments
        self._pay = pay
        self._window_ms = window_ms

    def place(self, request: OrderRequest, instrument: Instrument) -> Awaitable[OrderReport]:
        """Send one order, once: written to the socket before this returns, where that is up."""
        body = requests.place(request, instrument)
        try:
            answer = self._calls.order("order.create", body, request.recv_window_ms)
        except VenueError as failure:
            return failed(failure)
        return self._placed(answer, request)

    async def place_batch(self, orders: Sequence[tuple[Approved, Instrument]]) -> list[Answer]:
        """Send several orders: side by side over the socket, or twenty at a time over REST."""
        if self._calls.is_socket_up:
            sent = [self.place(order.request, instrument) for order, instrument in orders]
            return await asyncio.gather(*sent, return_exceptions=True)
        answers: list[Answer] = []
        for start in range(0, len(orders), PLACE_BATCH_MAX):
            answers.extend(await self._batch(orders[start : start + PLACE_BATCH_MAX]))
        return answers

    async def cancel(self, symbol: str, client_id: str) -> OrderReport:
        """Cancel by client id and read what became of it.

        "Unknown order" may mean filled, cancelled or not yet there: ask for the order. So it is where the cancel was
        taken and the order could not be read.
        """
        body = requests.named(symbol, client_id=client_id)
        ack = await self._calls.order("order.cancel", body, self._window_ms)
        try:
            return await self.find(symbol, client_id, str(ack.get("orderId", "")))
        except VenueError as failure:
            words = f"{client_id}: the cancel was taken, the order could not be read"
            raise OutcomeUnknown(f"{words}: {failure}") from None

    async def find(self, symbol: str, client_id: str, order_id: str = "") -> OrderReport:
        """Return the order by either id, over REST: another way than the one that may have failed."""
        row = await self._row(symbol, client_id, order_id)
        return wire_orders.report(row, self._instruments())

    async def open_orders(self, symbol: str | None) -> list[OrderReport]:
        """Return the open orders of the account or of one symbol; conditional ones are no part of it."""
        pages = await self._open(symbol, "Order")
        return [
            wire_orders.report(row, self._instruments())
            for page in pages
            for row in order_rows(page)
            if not wire_stops.is_waiting(row)
        ]

    async def place_stop(self, stop: ApprovedStop, instrument: Instrument) -> StopReport:
        """Send one conditional order that closes the position, once, over REST."""
        request = stop.request
        reply = await self._calls.write("order/create", requests.stop(request, instrument), request.recv_window_ms)
        where = "order.create"
        return certain(
            lambda: stop_accepted(result_of(reply, where), request, where, id_key="orderLinkId", algo_key="orderId"),
            CODES,
        )

    async def cancel_stop(self, symbol: str, client_id: str) -> None:
        """Cancel by client id. "Unknown order" may mean triggered, cancelled or not yet there: ask for the stop."""
        await self._calls.write("order/cancel", requests.named(symbol, client_id=client_id))

    async def stop(self, symbol: str, client_id: str) -> StopReport:
        """Return a conditional order by our own id."""
        row = await self._row(symbol, client_id, "")
        if not wire_stops.is_stop(row):
            raise VenueRefused(str(ORDER_ABSENT), f"{client_id} is no conditional order", Refusal.UNKNOWN_ORDER)
        return wire_stops.report(row, self._instruments())

    async def open_stops(self) -> list[StopReport]:
        """Return every conditional order of the account that waits."""
        pages = await self._open(None, "StopOrder")
        rows = [row for page in pages for row in order_rows(page) if wire_stops.is_waiting(row)]
        return [wire_stops.report(row, self._instruments()) for row in rows]

    async def _placed(self, answer: Awaitable[Any], request: OrderRequest) -> OrderReport:
        ack = await answer
        placed = certain(lambda: wire_orders.acknowledged(wire.mapping(ack, "order.create"), request), CODES)
        if request.time_in_force is not TimeInForce.IOC:
            return placed
        return await self._ended(placed)

    async def _ended(self, placed: OrderReport) -> OrderReport:
        """Return an immediate order as it ended; as it was accepted where the venue cannot tell that yet."""
        await self._pay(ONE)
        try:
            return await self.find(placed.symbol, placed.client_id, placed.order_id)
        except VenueError:
            return placed

    async def _batch(self, orders: Sequence[tuple[Approved, Instrument]]) -> list[Answer]:
        """Send one REST batch; a failure of the whole is the answer to each of its orders."""
        bodies = [requests.place(order.request, instrument) for order, instrument in orders]
        window_ms = min(order.request.recv_window_ms for order, _ in orders)
        try:
            reply = await self._calls.write("order/create-batch", requests.batch(bodies), window_ms)
            rows = wire.sequence(result_of(reply, "create-batch").get("list"), "create-batch.list")
            told = wire.mapping(reply.get("retExtInfo"), "create-batch.retExtInfo")
            outcomes = wire.sequence(told.get("list"), "create-batch.retExtInfo.list")
            if not len(rows) == len(outcomes) == len(orders):
                raise BadReply(f"create-batch: {len(rows)} answers to {len(orders)} orders")
        except VenueError as failure:
            return [judge(failure, Effect.WRITE, CODES) for _ in orders]
        answers = [
            _answer(row, outcome, order.request, reply.get("time"))
            for row, outcome, (order, _) in zip(rows, outcomes, orders, strict=True)
        ]
        return list(
            await asyncio.gather(
                *(self._settled(answer, o.request) for answer, (o, _) in zip(answers, orders, strict=True))
            )
        )

    async def _settled(self, answer: Answer, request: OrderRequest) -> Answer:
        is_immediate = request.time_in_force is TimeInForce.IOC
        return await self._ended(answer) if is_immediate and isinstance(answer, OrderReport) else answer

    async def _row(self, symbol: str, client_id: str, order_id: str) -> wire.Row:
        """Return an order's row: from the recent ones, or else from the history."""
        query = requests.named(symbol, client_id=client_id, order_id=order_id)
        for path in ("order/realtime", "order/history"):
            rows = order_rows(await self._calls.read(path, query))
            if len(rows) > 1:
                raise BadReply(f"{path}: {len(rows)} orders of one id")
            if rows:
                _check_name(rows[0], client_id, order_id)
                return rows[0]
        raise VenueRefused(str(ORDER_ABSENT), f"no order {client_id or order_id}", Refusal.UNKNOWN_ORDER)

    async def _open(self, symbol: str | None, kind: str) -> list[wire.Row]:
        which = {"symbol": symbol} if symbol is not None else {"settleCoin": "USDT"}
        query: dict[str, str | int] = {"category": CATEGORY, **which, "orderFilter": kind, "limit": OPEN_MAX}
        return await self._history.pages("order/realtime", query)


def _check_name(row: wire.Row, client_id: str, order_id: str) -> None:
    told, wanted = (row.get("orderId"), order_id) if order_id else (row.get("orderLinkId"), client_id)
    if told != wanted:
        raise BadReply(f"order: asked about {wanted}, answered {wire.shown(told)}")


def _answer(row: Any, outcome: Any, request: OrderRequest, time_ms: Any) -> Answer:
    refused = refusal_of_item(outcome)
    if refused is not None:
        return judge(refused, Effect.WRITE, CODES)
    try:
        return certain(
            lambda: wire_orders.acknowledged({**wire.mapping(row, "create-batch"), "time": time_ms}, request),
            CODES,
        )
    except VenueError as error:
        return error
