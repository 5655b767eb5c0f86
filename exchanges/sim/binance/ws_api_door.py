"""The WebSocket API: requests by frame, signed one by one or within a logged-on session."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import orjson

from exchanges.sim.binance.call import Call, Door
from exchanges.sim.binance.endpoint import Effect, Endpoint, Security
from exchanges.sim.binance.errors import ApiError
from exchanges.sim.binance.interface import WEBSOCKET
from exchanges.sim.binance.pipeline import Pipeline
from exchanges.sim.binance.signing import websocket_params, websocket_payload
from exchanges.sim.binance.venue import Venue
from exchanges.sim.server.connection import Connection
from exchanges.sim.server.faults import FaultKind
from exchanges.sim.server.road import Delivery, Reply

PATH = "/ws-fapi/v1"
CONNECT_WEIGHT = 5
IN_FLIGHT_MAX = 1000


@dataclass(slots=True)
class _Session:
    connected_ms: int
    returns_limits: bool
    api_key: str = ""
    account: str = ""
    authorized_ms: int = 0

    def rendered(self, server_ms: int) -> dict[str, Any]:
        return {
            "apiKey": self.api_key or None,
            "authorizedSince": self.authorized_ms or None,
            "connectedSince": self.connected_ms,
            "returnRateLimits": self.returns_limits,
            "serverTime": server_ms,
        }


class WebSocketApi:
    """One client's conversation. Requests are acted upon as they arrive; replies may overtake each other."""

    def __init__(
        self, venue: Venue, pipeline: Pipeline, connection: Connection, *, returns_limits: bool = True
    ) -> None:
        self._venue = venue
        self._pipeline = pipeline
        self._connection = connection
        self._session = _Session(connected_ms=venue.server_ms(), returns_limits=returns_limits)
        self._in_flight: set[asyncio.Task[None]] = set()
        self._own = {held.action: held for held in self._session_endpoints()}

    async def receive(self, text: str) -> None:
        if len(self._in_flight) >= IN_FLIGHT_MAX:
            self._connection.cut()
            return
        task = asyncio.create_task(self._handle(text))
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    async def stop(self) -> None:
        for task in self._in_flight:
            task.cancel()
        await asyncio.gather(*self._in_flight, return_exceptions=True)

    async def _handle(self, text: str) -> None:
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict) or not isinstance(message.get("method"), str):
            self._refuse(None, ApiError(400, -1135, "Invalid JSON Request"))
            return
        method = message["method"].lstrip("/")
        endpoint = self._own.get(method) or WEBSOCKET.get(method)
        if endpoint is None:
            self._refuse(message.get("id"), ApiError(400, -1130, f"Unknown method '{method}'"))
            return
        params = message.get("params") or {}
        if not isinstance(params, dict):
            self._refuse(message.get("id"), ApiError(400, -1135, "Invalid JSON Request"))
            return
        call = self._call(endpoint, params)
        signer = self._session.account if self._session.account and not call.api_key else ""
        reply = await self._pipeline.answer(endpoint, call, signer=signer)
        account = signer or self._account_of(call)
        self._deliver(message.get("id"), endpoint, call, reply, account)

    def _call(self, endpoint: Endpoint, raw: dict[str, Any]) -> Call:
        params = websocket_params(raw)
        return Call(
            door=Door.WEBSOCKET,
            action=endpoint.action,
            path=PATH,
            params=params,
            peer=self._connection.peer,
            received_ms=self._venue.now_ms(),
            api_key=params.get("apiKey", ""),
            payload=websocket_payload(params),
        )

    def _account_of(self, call: Call) -> str:
        try:
            return self._venue.keys.holder(call.api_key).account
        except ApiError:
            return ""

    def _refuse(self, request_id: Any, error: ApiError) -> None:
        self._connection.push(orjson.dumps({"id": request_id, "status": error.status, "error": error.body()}))

    def _deliver(self, request_id: Any, endpoint: Endpoint, call: Call, reply: Reply, account: str) -> None:
        if reply.delivery is Delivery.HANG or self._is_spoiled(call.by(account)):
            return
        if reply.delivery is Delivery.CLOSE or reply.raw is not None:
            self._connection.cut()
            return
        frame = orjson.dumps(self._message(request_id, endpoint, call, reply, account))
        if reply.delivery is Delivery.TRUNCATED:
            frame = frame[: len(frame) // 2]
        self._connection.push(frame)

    def _is_spoiled(self, call: Call) -> bool:
        """Let a fault end or deafen the socket where the reply would go out."""
        subject, now_ms = self._venue.subject(call), self._venue.now_ms()
        if self._venue.plan.strike(FaultKind.FORCED_CUT, subject, now_ms):
            self._connection.cut()
        elif self._venue.plan.strike(FaultKind.HALF_OPEN, subject, now_ms):
            self._connection.go_half_open()
        else:
            return False
        return True

    def _message(self, request_id: Any, endpoint: Endpoint, call: Call, reply: Reply, account: str) -> dict[str, Any]:
        is_fine = reply.status == 200
        message = {
            "id": request_id,
            "status": reply.status,
            ("result" if is_fine else "error"): _with_retry(reply, self._venue.server_ms()),
        }
        if call.optional("returnRateLimits", str(self._session.returns_limits)).lower() == "true":
            message["rateLimits"] = self._venue.limits.report(
                call.peer, account, self._venue.now_ms(), with_orders=endpoint.orders_10s > 0
            )
        return message

    def _session_endpoints(self) -> tuple[Endpoint, ...]:
        return (
            Endpoint(
                action="session.logon", method="WS", path=PATH, handler=self._log_on, effect=Effect.SETTING, weight=2
            ),
            Endpoint(
                action="session.status", method="WS", path=PATH, handler=self._status, security=Security.NONE, weight=2
            ),
            Endpoint(
                action="session.logout", method="WS", path=PATH, handler=self._log_out, security=Security.NONE,
                weight=2,
            ),
        )  # fmt: skip

    def _log_on(self, venue: Venue, call: Call) -> Any:
        key = venue.keys.holder(call.api_key)
        if not key.may_log_on:
            raise ApiError(400, -4056, "Invalid api key type: session.logon takes Ed25519 keys only.")
        self._session.api_key, self._session.account = key.key, key.account
        self._session.authorized_ms = venue.server_ms()
        return self._session.rendered(venue.server_ms())

    def _status(self, venue: Venue, call: Call) -> Any:
        return self._session.rendered(venue.server_ms())

    def _log_out(self, venue: Venue, call: Call) -> Any:
        self._session.api_key = self._session.account = ""
        self._session.authorized_ms = 0
        return self._session.rendered(venue.server_ms())


def _with_retry(reply: Reply, server_ms: int) -> Any:
    """Say until when to wait in a reply refused for its rate: frames have no headers."""
    wait_s = reply.headers.get("Retry-After")
    if wait_s is None or not isinstance(reply.payload, dict):
        return reply.payload
    return {**reply.payload, "data": {"serverTime": server_ms, "retryAfter": server_ms + int(wait_s) * 1000}}
