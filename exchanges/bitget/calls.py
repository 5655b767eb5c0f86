"""How a call reaches the venue: orders over the socket or, while it is down, over REST; the rest over REST."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from exchanges import wire
from exchanges.bitget import requests
from exchanges.bitget.codes import NO_SOCKET_RIGHT
from exchanges.bitget.settings import Endpoints
from exchanges.bitget.tongue import CANCEL, PLACE, BitgetHttp, BitgetOrders, data_of
from exchanges.errors import VenueRefused
from exchanges.outcome import Effect
from exchanges.port import UsedQuota
from exchanges.session.calls import VenueCalls
from exchanges.session.request_socket import NotConnected
from exchanges.session.settings import AdapterSettings, required

DEMO = {"PAPTRADING": "1"}
PATHS = {PLACE: "order/place-order", CANCEL: "order/cancel-order"}


class Calls(VenueCalls):
    """Every request of the private half."""

    def __init__(self, settings: AdapterSettings, on_quota: Callable[[UsedQuota], None]) -> None:
        self.endpoints = Endpoints.of(settings)
        credentials, life = required(settings.credentials), f"{settings.random.getrandbits(64):016x}"
        super().__init__(
            settings,
            self.endpoints.policy(),
            http=BitgetHttp(),
            orders_url=self.endpoints.private,
            orders=BitgetOrders(credentials, self.venue_now_ms, life),
            on_quota=on_quota,
        )
        self._may_use_socket = True

    @property
    def is_socket_up(self) -> bool:
        """Whether orders go over the socket now; not where the venue has denied the right to that."""
        return self._may_use_socket and super().is_socket_up

    async def public(self, path: str, query: Mapping[str, Any]) -> Any:
        """Read without a signature; the data without its envelope."""
        target = _target(path, query)
        timeout_s = self._settings.read_timeout_s
        reply = await self._http.send(
            "GET", self.endpoints.rest + target, effect=Effect.READ, timeout_s=timeout_s, headers=self._demo() or None
        )
        return data_of(reply, path)

    async def read(self, path: str, query: Mapping[str, Any]) -> Any:
        """Read with a signature; the data without its envelope. Never `OutcomeUnknown`."""
        return data_of(await self._signed("GET", _target(path, query), "", Effect.READ), path)

    async def futures(self, path: str, query: Mapping[str, Any]) -> Any:
        """Read of the futures account."""
        return await self.read(f"/api/v2/mix/{path}", {**query, "productType": requests.PRODUCT})

    async def write(self, path: str, body: requests.Body) -> Any:
        """Change something over REST, once; the data of the reply, which may still be unreadable."""
        reply = await self._signed("POST", f"/api/v2/mix/{path}", requests.encoded(body), Effect.WRITE)
        return reply.get("data") if isinstance(reply, dict) else None

    def order(self, channel: str, symbol: str, params: requests.Body, body: requests.Body) -> Awaitable[Any]:
        """Place or cancel one order: written to the socket before this returns, or over REST while it is down.

        `params` is what the socket is told, `body` what REST is.
        """
        self._raise_bug()
        path = PATHS[channel]
        if not self._may_use_socket:
            return self.write(path, body)
        self._fence()
        told = {"instId": symbol, "params": params}
        try:
            answer = self._entry.send(channel, told, Effect.WRITE, self._settings.order_timeout_s)
        except NotConnected:
            return self.write(path, body)
        return self._by_socket(answer, path, body)

    async def _read_venue_ms(self) -> int:
        told = wire.mapping(await self.public("/api/v2/public/time", {}), "time")
        return wire.integer(told, "serverTime", "time")

    async def _by_socket(self, answer: Awaitable[Any], path: str, body: requests.Body) -> Any:
        try:
            return await answer
        except VenueRefused as refusal:
            if refusal.code not in NO_SOCKET_RIGHT:
                await self._mind_clock(refusal)
                raise
            # refused for the way it came, so nothing happened, and nothing would on that way later
            self._may_use_socket = False
        return await self.write(path, body)

    async def _signed(self, method: str, target: str, body: str, effect: Effect) -> Any:
        settings = self._settings
        headers = requests.headers(self.credentials, self.venue_now_ms(), method, target, body)
        is_write = effect is Effect.WRITE
        if is_write:
            self._fence()
        return await self._minding_clock(
            self._http.send(
                method,
                self.endpoints.rest + target,
                effect=effect,
                timeout_s=settings.order_timeout_s if is_write else settings.read_timeout_s,
                headers={**headers, **self._demo()},
                body=body or None,
            )
        )

    def _demo(self) -> dict[str, str]:
        return DEMO if self._settings.is_testnet else {}


def _target(path: str, query: Mapping[str, Any]) -> str:
    return f"{path}?{requests.query_of(query)}" if query else path
