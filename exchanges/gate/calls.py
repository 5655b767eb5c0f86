"""How a call reaches the venue: orders over the socket or, while it is down, over REST; the rest over REST."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from exchanges import wire
from exchanges.gate import requests
from exchanges.gate.settings import PREFIX, Endpoints
from exchanges.gate.tongue import ORDER_CANCEL, ORDER_PLACE, GateHttp, GateOrders
from exchanges.outcome import Effect
from exchanges.port import UsedQuota
from exchanges.session.calls import VenueCalls
from exchanges.session.request_socket import NotConnected
from exchanges.session.settings import AdapterSettings, required

FUTURES = "futures/usdt"
CLOCK = "spot/time"
"""The one clock that the venue publishes."""

Query = Mapping[str, str | int]


class Calls(VenueCalls):
    """Every request of the private half.

    An order carries its expiry; other writes carry their second, which the venue takes for a minute.
    """

    def __init__(self, settings: AdapterSettings, on_quota: Callable[[UsedQuota], None]) -> None:
        self.endpoints = Endpoints.of(settings)
        super().__init__(
            settings,
            self.endpoints.policy(),
            http=GateHttp(),
            orders_url=self.endpoints.socket,
            orders=GateOrders(required(settings.credentials), self.venue_now_ms),
            on_quota=on_quota,
        )
        self._placing = GateHttp(counts_orders=True)

    async def public(self, path: str, query: Query | None = None) -> Any:
        """Read of the futures without a signature."""
        return await self._public(f"{FUTURES}/{path}", query)

    async def read(self, path: str, query: Query | None = None) -> Any:
        """Read of the account's futures. Never `OutcomeUnknown`."""
        return await self._signed("GET", path, query, None, Effect.READ)

    async def write(
        self, method: str, path: str, query: Query | None = None, body: requests.SentBody = None, window_ms: int = 0
    ) -> Any:
        """Change something over REST, once; with a window it is refused by the venue where it arrives later."""
        return await self._signed(method, path, query, body, Effect.WRITE, window_ms=window_ms)

    def place(self, body: requests.Body, window_ms: int) -> Awaitable[Any]:
        """Place one order: written to the socket before this returns, or over REST while it is down."""
        return self._order(ORDER_PLACE, body, window_ms, lambda: self._place_by_rest(body, window_ms))

    def cancel(self, client_id: str, window_ms: int) -> Awaitable[Any]:
        """Cancel one order, likewise."""
        name = requests.text(client_id)

        def by_rest() -> Awaitable[Any]:
            return self.write("DELETE", f"orders/{quote(name)}", window_ms=window_ms)

        return self._order(ORDER_CANCEL, {"order_id": name}, window_ms, by_rest)

    async def _read_venue_ms(self) -> int:
        reply = wire.mapping(await self._public(CLOCK), "time")
        return wire.integer(reply, "server_time", "time")

    def _order(
        self, channel: str, body: requests.Body, window_ms: int, by_rest: Callable[[], Awaitable[Any]]
    ) -> Awaitable[Any]:
        self._raise_bug()
        now_ms = self.venue_now_ms()
        head = {requests.EXPIRES.lower(): str(now_ms + window_ms), requests.SIZES.lower(): "1"}
        payload = {"req_param": body, "req_header": head}
        self._fence()
        try:
            params = {"time": now_ms // 1000, "payload": payload}
            answer = self._entry.send(channel, params, Effect.WRITE, self._settings.order_timeout_s)
        except NotConnected:
            return by_rest()
        return self._minding_clock(answer)

    def _place_by_rest(self, body: requests.Body, window_ms: int) -> Awaitable[Any]:
        return self._signed("POST", "orders", None, body, Effect.WRITE, window_ms=window_ms, tongue=self._placing)

    async def _public(self, path: str, query: Query | None = None) -> Any:
        url = f"{self.endpoints.rest}{PREFIX}/{path}" + (f"?{urlencode(query)}" if query else "")
        timeout_s = self._settings.read_timeout_s
        return await self._http.send(
            "GET", url, effect=Effect.READ, timeout_s=timeout_s, headers=requests.PLAIN_HEADERS
        )

    async def _signed(
        self,
        method: str,
        path: str,
        query: Query | None,
        body: requests.SentBody,
        effect: Effect,
        *,
        window_ms: int = 0,
        tongue: GateHttp | None = None,
    ) -> Any:
        settings = self._settings
        whole, asked, payload = f"{PREFIX}/{FUTURES}/{path}", urlencode(query or {}), requests.encoded(body)
        now_ms = self.venue_now_ms()
        headers = requests.headers(method, whole, asked, payload, self.credentials, now_ms)
        if window_ms:
            headers[requests.EXPIRES] = str(now_ms + window_ms)
        is_write = effect is Effect.WRITE
        if is_write:
            self._fence()
        return await self._minding_clock(
            self._http.send(
                method,
                f"{self.endpoints.rest}{whole}" + (f"?{asked}" if asked else ""),
                effect=effect,
                timeout_s=settings.order_timeout_s if is_write else settings.read_timeout_s,
                headers=headers,
                body=payload or None,
                tongue=tongue,
            )
        )
