"""How a call reaches the venue: orders over the private socket or, while it is down, over REST; the rest over REST."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from websockets.asyncio.client import ClientConnection

from exchanges import wire
from exchanges.errors import BadReply, VenueError
from exchanges.okx import requests, wire_rules
from exchanges.okx.codes import CODES
from exchanges.okx.contracts import Contract
from exchanges.okx.rest import Body, RestClient
from exchanges.okx.settings import Endpoints
from exchanges.okx.tongue import OkxHttp, OkxOrders, item_refusal, log_in
from exchanges.outcome import Effect, judge
from exchanges.port import UsedQuota
from exchanges.session.calls import VenueCalls
from exchanges.session.request_socket import NotConnected
from exchanges.session.settings import AdapterSettings

PATHS = {"order": "trade/order", "cancel-order": "trade/cancel-order"}
"""What is asked over the socket, and where the same is asked over REST."""


class Calls(VenueCalls):
    """Every request of the private half."""

    def __init__(self, settings: AdapterSettings, on_quota: Callable[[UsedQuota], None]) -> None:
        self.endpoints = Endpoints.of(settings)
        super().__init__(
            settings,
            self.endpoints.policy(),
            http=OkxHttp(),
            orders_url=self.endpoints.private,
            orders=OkxOrders(self.log_in),
            on_quota=on_quota,
        )
        self._rest = RestClient(
            self.credentials, self.endpoints.rest, self._http, self.venue_now_ms, is_demo=self.endpoints.is_demo
        )
        self._public = RestClient(
            None, self.endpoints.rest, self._http, self.venue_now_ms, is_demo=self.endpoints.is_demo
        )

    def fence_by(self, fence: Callable[[], None]) -> None:
        """Have `fence` raise where nothing may be written, over the socket or REST."""
        super().fence_by(fence)
        self._rest.fence = fence

    async def log_in(self, connection: ClientConnection) -> None:
        """Log a socket in, with venue time; a refusal of the time has it measured for the next attempt."""
        await self._minding_clock(log_in(connection, requests.login(self.credentials, self.venue_now_ms())))

    async def public(self, path: str, **query: str | int) -> Any:
        """Read without a signature."""
        return await self._public.get(path, query, self._settings.read_timeout_s)

    async def read(self, path: str, query: Mapping[str, str | int] | None = None) -> Any:
        """Read with a signature. Never `OutcomeUnknown`."""
        return await self._minding_clock(self._rest.get(path, query or {}, self._settings.read_timeout_s))

    async def write(self, path: str, body: Body, *, good_for_ms: int | None = None) -> Any:
        """Change something over REST; sent once. The reply's items are still to be judged."""
        return await self._minding_clock(
            self._rest.post(path, body, self._settings.order_timeout_s, good_for_ms=good_for_ms)
        )

    def order(
        self, op: str, row: wire.Row, contract: Contract, *, good_for_ms: int | None = None
    ) -> Awaitable[wire.Row]:
        """Place or cancel one order: written to the socket before this returns, or over REST while it is down."""
        self._raise_bug()
        params: wire.Row = {"args": [requests.for_socket(row, contract)]}
        if good_for_ms is not None:
            params["expTime"] = str(self.venue_now_ms() + good_for_ms)
        self._fence()
        try:
            answer = self._entry.send(op, params, Effect.WRITE, self._settings.order_timeout_s)
        except NotConnected:
            answer = self.write(PATHS[op], row, good_for_ms=good_for_ms)
        return self._minding_clock(self._only(answer))

    async def done(self, answer: Awaitable[Any], count: int) -> Sequence[wire.Row | VenueError]:
        """Return each item of a list of operations, or the error that the venue gives for it."""
        items = _items(await answer, count)
        return [row if (refused := item_refusal(row)) is None else judge(refused, Effect.WRITE, CODES) for row in items]

    async def _read_venue_ms(self) -> int:
        return wire.integer(wire_rules.only_row(await self.public("public/time"), "time"), "ts", "time")

    async def _only(self, answer: Awaitable[Any]) -> wire.Row:
        (item,) = await self.done(answer, 1)
        if isinstance(item, VenueError):
            raise item
        return item


def _items(reply: Any, count: int) -> list[wire.Row]:
    """Return the items of a reply; one that has not as many as were asked for leaves their outcome unknown."""
    try:
        items = wire_rules.rows(reply, "items")
        if len(items) != count:
            raise BadReply(f"items: asked for {count}, answered {len(items)}")
        for row in items:
            wire.text(row, "sCode", "items")
    except BadReply as failure:
        raise judge(failure, Effect.WRITE, CODES) from None
    return items
