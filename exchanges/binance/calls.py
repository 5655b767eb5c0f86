"""How a call reaches the venue: orders over the socket or, while it is down, over REST; the rest over REST."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from exchanges import wire
from exchanges.binance import requests
from exchanges.binance.rest import PRIVATE, PUBLIC, RestClient
from exchanges.binance.settings import Endpoints
from exchanges.binance.tongue import BinanceHttp, BinanceOrders
from exchanges.outcome import Effect
from exchanges.port import UsedQuota
from exchanges.session.calls import VenueCalls
from exchanges.session.request_socket import NotConnected
from exchanges.session.settings import AdapterSettings


class Calls(VenueCalls):
    """Every request of the private half."""

    def __init__(self, settings: AdapterSettings, on_quota: Callable[[UsedQuota], None]) -> None:
        self.endpoints = Endpoints.of(settings)
        super().__init__(
            settings,
            self.endpoints.policy(),
            http=BinanceHttp(),
            orders_url=self.endpoints.orders,
            orders=BinanceOrders(),
            on_quota=on_quota,
        )
        self._rest = RestClient(self.credentials, self.endpoints.rest, self._http, self.venue_now_ms)

    def fence_by(self, fence: Callable[[], None]) -> None:
        """Have `fence` raise where nothing may be written, over the socket or REST."""
        super().fence_by(fence)
        self._rest.fence = fence

    def addresses(self) -> dict[str, str]:
        """Return every REST address that a call could go to."""
        return self._rest.addresses()

    async def public(self, path: str) -> Any:
        """Read without a signature."""
        return await self._rest.call(
            PUBLIC, "GET", path, {}, effect=Effect.READ, timeout_s=self._settings.read_timeout_s
        )

    async def read(self, path: str, params: dict[str, Any], section: str = PRIVATE) -> Any:
        """Read with a signature. Never `OutcomeUnknown`."""
        return await self._signed(section, "GET", path, params, Effect.READ, self._settings.read_timeout_s)

    async def write(self, method: str, path: str, params: dict[str, Any]) -> Any:
        """Change something over REST; sent once."""
        return await self._signed(PRIVATE, method, path, params, Effect.WRITE, self._settings.order_timeout_s)

    async def listen_key(self, method: str) -> str:
        """Create (POST) or renew (PUT) the account's listen key. Both may be repeated freely: they are reads to us."""
        timeout_s = self._settings.read_timeout_s
        reply = await self._rest.call(PRIVATE, method, "listenKey", {}, effect=Effect.READ, timeout_s=timeout_s)
        return wire.text(wire.mapping(reply, "listenKey"), "listenKey", "listenKey")

    def order(self, ws_method: str, rest_method: str, params: requests.Params) -> Awaitable[Any]:
        """Place or cancel one order: written to the socket before this returns, or over REST while it is down."""
        self._raise_bug()
        signed = requests.signed(params, self.credentials, self.venue_now_ms())
        self._fence()
        try:
            answer = self._entry.send(ws_method, signed, Effect.WRITE, self._settings.order_timeout_s)
        except NotConnected:
            return self.write(rest_method, "order", dict(params))
        return self._minding_clock(answer)

    async def _read_venue_ms(self) -> int:
        reply = wire.mapping(await self.public("time"), "time")
        return wire.integer(reply, "serverTime", "time")

    async def _signed(
        self, section: str, method: str, path: str, params: dict[str, Any], effect: Effect, timeout_s: float
    ) -> Any:
        whole = {**params, "recvWindow": params.get("recvWindow", self._settings.recv_window_ms)}
        return await self._minding_clock(
            self._rest.call(section, method, path, whole, effect=effect, timeout_s=timeout_s)
        )
