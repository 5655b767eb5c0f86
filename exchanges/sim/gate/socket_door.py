"""The one socket: subscriptions to public channels, to an account's, and order entry after a login."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import orjson

from exchanges.sim.gate import market_streams, private_streams
from exchanges.sim.gate.call import Call, Door, Endpoint
from exchanges.sim.gate.errors import ApiError
from exchanges.sim.gate.hub import Session
from exchanges.sim.gate.limits import RESET
from exchanges.sim.gate.pipeline import Pipeline
from exchanges.sim.gate.rest_door import ENDPOINTS
from exchanges.sim.gate.signing import channel_signer, check_second, login_signer
from exchanges.sim.gate.venue import GateVenue
from exchanges.sim.server.faults import FaultKind, Subject
from exchanges.sim.server.road import Delivery, Reply

PATH = "/v4/ws/{settle}"
IN_FLIGHT_MAX = 1000
LOGIN = "futures.login"
_BY_NAME = {(held.action, held.method): held for held in ENDPOINTS}
OPERATIONS = {
    "futures.order_place": _BY_NAME["order.place", "POST"],
    "futures.order_batch_place": _BY_NAME["batch.place", "POST"],
    "futures.order_cancel": _BY_NAME["order.cancel", "DELETE"],
    "futures.order_cancel_cp": _BY_NAME["orders.cancel_all", "DELETE"],
    "futures.order_list": _BY_NAME["orders.open", "GET"],
    "futures.order_status": _BY_NAME["order.status", "GET"],
}
ACKNOWLEDGED = ("futures.order_place", "futures.order_batch_place")


class Talk:
    """One client's conversation. Requests are acted upon as they arrive; replies may overtake each other."""

    def __init__(self, venue: GateVenue, pipeline: Pipeline, session: Session) -> None:
        self._venue = venue
        self._pipeline = pipeline
        self._session = session
        self._connection_id = secrets.token_hex(8)
        self._in_flight: set[asyncio.Task[None]] = set()

    async def hear(self, text: str) -> None:
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict):
            self._say({"channel": "", "event": ""}, error=(1, "invalid argument struct"))
            return
        channel, event = str(message.get("channel")), message.get("event")
        if channel == "futures.ping":
            self._say({"channel": "futures.pong", "event": ""})
        elif event == "api":
            await self._begin(channel, message)
        elif event in ("subscribe", "unsubscribe"):
            self._subscribe(channel, message)
        else:
            self._say(message, error=(2, "unknown event"))

    async def stop(self) -> None:
        for task in self._in_flight:
            task.cancel()
        await asyncio.gather(*self._in_flight, return_exceptions=True)

    def _subscribe(self, channel: str, message: dict[str, Any]) -> None:
        payload = message.get("payload")
        names = [str(name) for name in payload] if isinstance(payload, list) else []
        session, is_on = self._session, message["event"] == "subscribe"
        if channel in private_streams.CHANNELS:
            try:
                self._check_login()
                account = channel_signer(self._venue.book, message, self._venue.server_ms()).account
            except ApiError as error:
                self._say(message, error=(4, orjson.dumps(error.body()).decode()))
                return
            if not names or names[0] != str(self._venue.user(account)):
                self._say(message, error=(2, "invalid user id"))
                return
            accounts = session.heard.setdefault(channel, set())
            accounts.add(account) if is_on else accounts.discard(account)
        elif channel in market_streams.CHANNELS:
            if channel == market_streams.CANDLES:
                names = ["_".join(names[:2])]
            wrong = [name for name in names if name != "!all" and not self._is_known(channel, name)]
            if wrong:
                self._say(message, error=(2, f"unknown contract {wrong[0]}"))
                return
            wanted = session.wanted.setdefault(channel, set())
            wanted.update(names) if is_on else wanted.difference_update(names)
        else:
            self._say(message, error=(2, f"unknown channel {channel}"))
            return
        self._say(message, result={"status": "success"})

    def _check_login(self) -> None:
        subject = Subject(endpoints=("login",), path=self._session.connection.path)
        if self._venue.strike(FaultKind.LOGIN_REFUSED, subject):
            raise ApiError(401, "INVALID_KEY", "Invalid key provided")

    def _is_known(self, channel: str, name: str) -> bool:
        contract = name.partition("_")[2] if channel == market_streams.CANDLES else name
        return contract.replace("_", "") in self._venue.instruments()

    async def _begin(self, channel: str, message: dict[str, Any]) -> None:
        payload = message.get("payload")
        payload = payload if isinstance(payload, dict) else {}
        if channel == LOGIN:
            self._log_in(payload)
            return
        endpoint = OPERATIONS.get(channel)
        if endpoint is None:
            self._refuse(channel, payload, ApiError(400, "INVALID_ARGUMENT", f"unknown channel {channel}"))
            return
        if len(self._in_flight) >= IN_FLIGHT_MAX:
            self._session.connection.cut()
            return
        task = asyncio.create_task(self._request(channel, endpoint, message, payload))
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    def _log_in(self, payload: dict[str, Any]) -> None:
        try:
            self._check_login()
            key = login_signer(self._venue.book, LOGIN, payload, self._venue.server_ms())
        except ApiError as error:
            self._refuse(LOGIN, payload, error)
            return
        self._session.account = key.account
        told = {"api_key": key.key, "uid": str(self._venue.user(key.account))}
        self._push(self._frame(LOGIN, payload, Reply(status=200), {"result": told}))

    async def _request(
        self, channel: str, endpoint: Endpoint, message: dict[str, Any], payload: dict[str, Any]
    ) -> None:
        asked, head = payload.get("req_param"), payload.get("req_header")
        expires = str(head.get("x-gate-exptime", "")) if isinstance(head, dict) else ""
        call = Call(
            door=Door.SOCKET,
            action=endpoint.action,
            path=self._session.connection.path,
            peer=self._session.connection.peer,
            received_ms=self._venue.now_ms(),
            params=asked if isinstance(asked, dict) else {},
            rows=asked if isinstance(asked, list) else [],
            expires_ms=int(expires) if expires.isdecimal() else 0,
            sizes_as_text=isinstance(head, dict) and head.get("x-gate-size-decimal") == "1",
        )

        def authenticate() -> str:
            if not self._session.account:
                raise ApiError(401, "AUTHENTICATION_FAILED", "Not login")
            check_second(str(message.get("time")), self._venue.server_ms())
            return self._session.account

        if channel in ACKNOWLEDGED and self._session.account:
            told = {"result": {"req_id": payload.get("req_id"), "req_header": head, "req_param": asked}}
            self._push({**self._frame(channel, payload, Reply(status=200), told), "ack": True})
        reply = await self._pipeline.answer(endpoint, call, authenticate)
        self._deliver(channel, payload, call, reply)

    def _deliver(self, channel: str, payload: dict[str, Any], call: Call, reply: Reply) -> None:
        if reply.delivery is Delivery.HANG or self._is_spoiled(call.by(self._session.account)):
            return
        if reply.delivery is Delivery.CLOSE or reply.raw is not None:
            self._session.connection.cut()
            return
        is_fine = 200 <= reply.status < 300
        frame = self._frame(channel, payload, reply, {"result" if is_fine else "errs": reply.payload})
        encoded = orjson.dumps(frame)
        is_cut_short = reply.delivery is Delivery.TRUNCATED
        self._session.connection.push(encoded[: len(encoded) // 2] if is_cut_short else encoded)

    def _is_spoiled(self, call: Call) -> bool:
        """Let a fault end or deafen the socket where the reply would go out."""
        subject, now_ms = self._venue.subject(call), self._venue.now_ms()
        if self._venue.plan.strike(FaultKind.FORCED_CUT, subject, now_ms):
            self._session.connection.cut()
        elif self._venue.plan.strike(FaultKind.HALF_OPEN, subject, now_ms):
            self._session.connection.go_half_open()
        else:
            return False
        return True

    def _frame(self, channel: str, payload: dict[str, Any], reply: Reply, told: dict[str, Any]) -> dict[str, Any]:
        server_ms = self._venue.server_ms()
        status = 200 if 200 <= reply.status < 300 else reply.status
        head: dict[str, Any] = {
            "response_time": str(server_ms),
            "status": str(status),
            "channel": channel,
            "event": "api",
            "client_id": f"::1-{self._connection_id}",
            "conn_id": self._connection_id,
        }
        limit, left = (reply.headers.get(f"X-Gate-RateLimit-{name}", "") for name in ("Limit", "Requests-Remain"))
        if limit:
            head["x_gate_ratelimit_limit"] = int(limit)
        if RESET in reply.headers:
            head["x_gate_ratelimit_reset_timestamp"] = max(server_ms, int(reply.headers[RESET]) * 1000)
        if left and left != "0":
            head["x_gate_ratelimit_requests_remain"] = int(left)
        return {"request_id": payload.get("req_id"), "header": head, "data": told}

    def _refuse(self, channel: str, payload: dict[str, Any], error: ApiError) -> None:
        self._push(self._frame(channel, payload, Reply(status=error.status), {"errs": error.body()}))

    def _say(self, message: dict[str, Any], *, result: Any = None, error: tuple[int, str] | None = None) -> None:
        """Answer a subscription or a ping; the client's number comes back where it gave one."""
        server_ms = self._venue.server_ms()
        told: dict[str, Any] = {"time": server_ms // 1000, "time_ms": server_ms}
        if "id" in message:
            told["id"] = message["id"]
        told.update(channel=message.get("channel"), event=message.get("event"), result=result)
        if error is not None:
            told["error"] = {"code": error[0], "message": error[1]}
        self._push(told)

    def _push(self, frame: dict[str, Any]) -> None:
        self._session.connection.push(orjson.dumps(frame))
