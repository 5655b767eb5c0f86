"""How a call reaches the venue: orders over the socket or, while it is down, over REST; the rest over REST."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from exchanges import wire
from exchanges.bybit import requests
from exchanges.bybit.settings import Endpoints
from exchanges.bybit.tongue import COUNTED, BybitHttp, BybitOrders, result_of
from exchanges.outcome import Effect
from exchanges.port import UsedQuota
from exchanges.session.calls import VenueCalls
from exchanges.session.request_socket import NotConnected
from exchanges.session.settings import AdapterSettings, required

ADDRESSES = {
    "order.create": "order/create",
    "order.cancel": "order/cancel",
}


class Calls(VenueCalls):
    """Every request of the private half."""

    def __init__(self, settings: AdapterSettings, on_quota: Callable[[UsedQuota], None]) -> None:
        self.endpoints = Endpoints.of(settings)
        credentials, life = required(settings.credentials), f"{settings.random.getrandbits(64):016x}"
        super().__init__(
            settings,
            self.endpoints.policy(),
            http=BybitHttp(),
            orders_url=self.endpoints.orders,
            orders=BybitOrders(credentials, self.venue_now_ms, life),
            on_quota=on_quota,
        )
        self._counting = {name: BybitHttp(counted) for name, counted in COUNTED.items()}

    async def public(self, path: str, query: Mapping[str, str | int]) -> wire.Row:
        """Read without a signature; the result without its envelope."""
        url = f"{self.endpoints.rest}/v5/{path}" + (f"?{urlencode(query)}" if query else "")
        reply = await self._http.send("GET", url, effect=Effect.READ, timeout_s=self._settings.read_timeout_s)
        return result_of(reply, path)

    async def read(self, path: str, query: Mapping[str, str | int]) -> wire.Row:
        """Read with a signature; the result without its envelope. Never `OutcomeUnknown`."""
        payload = urlencode(query)
        url = f"{self.endpoints.rest}/v5/{path}?{payload}"
        return result_of(await self._signed("GET", url, payload, Effect.READ), path)

    async def write(self, path: str, body: requests.Body, window_ms: int | None = None) -> wire.Row:
        """Change something over REST, once; the whole reply."""
        url, payload = f"{self.endpoints.rest}/v5/{path}", requests.encoded(body)
        return wire.mapping(await self._signed("POST", url, payload, Effect.WRITE, window_ms), path)

    def order(self, name: str, body: requests.Body, window_ms: int) -> Awaitable[wire.Row]:
        """Place or cancel one order: written to the socket before this returns, or over REST while it is down.

        Gives the acknowledgement with the venue's `time`.
        """
        self._raise_bug()
        head = {"X-BAPI-TIMESTAMP": str(self.venue_now_ms()), "X-BAPI-RECV-WINDOW": str(window_ms)}
        self._fence()
        try:
            params = {"header": head, "args": [body]}
            answer = self._entry.send(name, params, Effect.WRITE, self._settings.order_timeout_s)
        except NotConnected:
            return self._order_by_rest(name, body, window_ms)
        return self._minding_clock(answer)

    async def _read_venue_ms(self) -> int:
        result = await self.public("market/time", {})
        return wire.integer(result, "timeNano", "time") // 1_000_000

    async def _order_by_rest(self, name: str, body: requests.Body, window_ms: int) -> wire.Row:
        path = ADDRESSES[name]
        url, payload = f"{self.endpoints.rest}/v5/{path}", requests.encoded(body)
        reply = await self._signed("POST", url, payload, Effect.WRITE, window_ms, self._counting[name])
        whole = wire.mapping(reply, path)
        return {**result_of(whole, path), "time": whole.get("time")}

    async def _signed(
        self,
        method: str,
        url: str,
        payload: str,
        effect: Effect,
        window_ms: int | None = None,
        tongue: BybitHttp | None = None,
    ) -> Any:
        settings = self._settings
        window_ms = settings.recv_window_ms if window_ms is None else window_ms
        headers = requests.headers(payload, self.credentials, self.venue_now_ms(), window_ms)
        is_write = effect is Effect.WRITE
        if is_write:
            self._fence()
        return await self._minding_clock(
            self._http.send(
                method,
                url,
                effect=effect,
                timeout_s=settings.order_timeout_s if is_write else settings.read_timeout_s,
                headers=headers,
                body=payload if method == "POST" else None,
                tongue=tongue,
            )
        )
