"""Order entry over a socket: one login, then requests by frame, each with its time."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import orjson

from exchanges.sim.bybit.call import Call, Door, Endpoint
from exchanges.sim.bybit.errors import ApiError
from exchanges.sim.bybit.order_queries import action_of
from exchanges.sim.bybit.pipeline import Pipeline
from exchanges.sim.bybit.rest_door import BY_ACTION
from exchanges.sim.bybit.signing import check_time, login
from exchanges.sim.bybit.venue import BybitVenue
from exchanges.sim.server.connection import Connection
from exchanges.sim.server.faults import FaultKind
from exchanges.sim.server.keys import ApiKey
from exchanges.sim.server.road import Delivery, Reply

PATH = "/v5/trade"
IN_FLIGHT_MAX = 1000
OPERATIONS = {
    "order.create": BY_ACTION["order.place"],
    "order.amend": BY_ACTION["order.modify"],
    "order.cancel": BY_ACTION["order.cancel"],
    "order.create-batch": BY_ACTION["batch.place"],
    "order.cancel-batch": BY_ACTION["batch.cancel"],
}


class TradeTalk:
    """One client's conversation. Requests are acted upon as they arrive; replies may overtake each other."""

    def __init__(self, venue: BybitVenue, pipeline: Pipeline, connection: Connection) -> None:
        self._venue = venue
        self._pipeline = pipeline
        self._connection = connection
        self._connection_id = secrets.token_hex(8)
        self._key: ApiKey | None = None
        self._numbers: set[str] = set()
        self._in_flight: set[asyncio.Task[None]] = set()

    async def hear(self, text: str) -> None:
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
        if not isinstance(message, dict):
            self._say("", None, ApiError(10001, "Params Error"))
            return
        op, number = str(message.get("op")), message.get("reqId")
        if op == "ping":
            told = {"retCode": 0, "retMsg": "OK", "op": "pong", "data": [str(self._venue.server_ms())]}
            self._connection.push(orjson.dumps({**told, "connId": self._connection_id}))
        elif op == "auth":
            self._log_in(message.get("args"), number)
        elif op in OPERATIONS:
            await self._order(op, number, message)
        else:
            self._say(op, number, ApiError(10404, "op type is not found"))

    def _log_in(self, arguments: Any, number: Any) -> None:
        try:
            self._key = login(self._venue.book, arguments, self._venue.server_ms())
        except ApiError as error:
            self._say("auth", number, error)
            return
        self._connection.push(orjson.dumps({"retCode": 0, "retMsg": "OK", "op": "auth", "connId": self._connection_id}))

    async def _order(self, op: str, number: Any, message: dict[str, Any]) -> None:
        arguments, head = message.get("args"), message.get("header")
        if not isinstance(arguments, list) or len(arguments) != 1 or not isinstance(arguments[0], dict):
            self._say(op, number, ApiError(10001, "Params Error"))
            return
        if number is not None and str(number) in self._numbers:
            self._say(op, number, ApiError(20006, "reqId is duplicated"))
            return
        self._numbers.add(str(number))
        endpoint, head = OPERATIONS[op], head if isinstance(head, dict) else {}
        call = self._call(endpoint, arguments[0])

        def authenticate() -> ApiKey:
            if self._key is None:
                raise ApiError(10007, "User not logged in.")
            timestamp, window = (str(head.get(f"X-BAPI-{name}", "")) for name in ("TIMESTAMP", "RECV-WINDOW"))
            check_time(timestamp, window, self._venue.server_ms())
            return self._key

        reply = await self._pipeline.answer(endpoint, call, authenticate)
        self._deliver(op, number, call, reply)

    def _call(self, endpoint: Endpoint, params: dict[str, Any]) -> Call:
        return Call(
            door=Door.WEBSOCKET,
            action=action_of(endpoint, params),
            path=PATH,
            params=params,
            peer=self._connection.peer,
            received_ms=self._venue.now_ms(),
        )

    def _deliver(self, op: str, number: Any, call: Call, reply: Reply) -> None:
        account = self._key.account if self._key else ""
        if reply.delivery is Delivery.HANG or self._is_spoiled(call.by(account)):
            return
        if reply.delivery is Delivery.CLOSE or reply.raw is not None:
            self._connection.cut()
            return
        frame = orjson.dumps(self._frame(op, number, reply))
        self._connection.push(frame[: len(frame) // 2] if reply.delivery is Delivery.TRUNCATED else frame)

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

    def _frame(self, op: str, number: Any, reply: Reply) -> dict[str, Any]:
        told = reply.payload
        return {
            "reqId": number,
            "retCode": told["retCode"],
            "retMsg": told["retMsg"],
            "op": op,
            "data": told["result"],
            "retExtInfo": told["retExtInfo"],
            "header": {**reply.headers, "Traceid": secrets.token_hex(8), "Timenow": str(told["time"])},
            "connId": self._connection_id,
        }

    def _say(self, op: str, number: Any, error: ApiError) -> None:
        told = {"reqId": number, "retCode": error.code, "retMsg": error.message, "op": op, "data": {}}
        head = {"Timenow": str(self._venue.server_ms())}
        self._connection.push(orjson.dumps({**told, "header": head, "connId": self._connection_id}))
