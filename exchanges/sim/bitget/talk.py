"""A socket's conversation: login, subscriptions, pings, and on a private one orders too."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import orjson
from aiohttp import WSCloseCode

from exchanges.sim.bitget import private_streams
from exchanges.sim.bitget.call import PRODUCT, Call, Door, Endpoint
from exchanges.sim.bitget.errors import ApiError
from exchanges.sim.bitget.hub import Session
from exchanges.sim.bitget.market_streams import is_public
from exchanges.sim.bitget.pipeline import Pipeline
from exchanges.sim.bitget.rest_door import BY_ACTION
from exchanges.sim.bitget.signing import login
from exchanges.sim.bitget.venue import BitgetVenue
from exchanges.sim.server.faults import FaultKind, Subject
from exchanges.sim.server.keys import ApiKey
from exchanges.sim.server.road import Delivery, Reply

IN_FLIGHT_MAX = 1000
MESSAGES_PER_SECOND_MAX = 10
OPERATIONS = {"place-order": BY_ACTION["order.place"], "cancel-order": BY_ACTION["order.cancel"]}


class Talk:
    """One client's conversation. Orders are acted upon as they arrive; replies may overtake each other."""

    def __init__(self, venue: BitgetVenue, pipeline: Pipeline, session: Session) -> None:
        self._venue = venue
        self._pipeline = pipeline
        self._session = session
        self._connection = session.connection
        self._key: ApiKey | None = None
        self._heard: deque[float] = deque(maxlen=MESSAGES_PER_SECOND_MAX)
        self._in_flight: set[asyncio.Task[None]] = set()

    async def hear(self, text: str) -> None:
        if text == "ping":
            self._connection.push(b"pong")
            return
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict):
            self._refuse(ApiError("30003", "Invalid JSON"))
        elif message.get("op") == "trade" and self._session.is_private:
            self._start(message)
        elif await self._is_patient():
            self._answer(message)

    async def stop(self) -> None:
        for task in self._in_flight:
            task.cancel()
        await asyncio.gather(*self._in_flight, return_exceptions=True)

    async def _is_patient(self) -> bool:
        """Count a request other than an order; a client that talks too fast is cut off."""
        now = asyncio.get_running_loop().time()
        if len(self._heard) == MESSAGES_PER_SECOND_MAX and now - self._heard[0] < 1.0:
            await self._connection.close(WSCloseCode.POLICY_VIOLATION, b"Too many requests")
            return False
        self._heard.append(now)
        return True

    def _answer(self, message: dict[str, Any]) -> None:
        match message.get("op"):
            case "login" if self._session.is_private:
                self._log_in(message.get("args"))
            case "subscribe" | "unsubscribe" as op:
                self._change(op, message.get("args"))
            case other:
                self._refuse(ApiError("30003", f"Invalid op: {other}"))

    def _log_in(self, arguments: Any) -> None:
        subject = Subject(endpoints=("login",), path=self._connection.path)
        try:
            if self._venue.strike(FaultKind.LOGIN_REFUSED, subject):
                raise ApiError("30005", "error")
            self._key = login(self._venue.book, arguments, self._venue.server_ms())
        except ApiError as error:
            self._refuse(error)
            return
        self._session.account = self._key.account
        self._connection.push(orjson.dumps({"event": "login", "code": "0", "msg": ""}))

    def _change(self, op: str, arguments: Any) -> None:
        for arg in arguments if isinstance(arguments, list) else []:
            row = arg if isinstance(arg, dict) else {}
            topic = (str(row.get("channel", "")), str(row.get("instId", "")))
            error = self._wrong(row, topic)
            if error is not None:
                self._refuse(error, row)
                continue
            if op == "unsubscribe":
                self._session.topics.discard(topic)
            else:
                self._session.topics.add(topic)
            self._connection.push(orjson.dumps({"event": op, "arg": row}))
            if op == "subscribe":
                self._greet(topic)

    def _wrong(self, row: dict[str, Any], topic: tuple[str, str]) -> ApiError | None:
        channel, symbol = topic
        if self._session.is_private and not self._session.account:
            return ApiError("30004", "User not logged in")
        is_known = channel in private_streams.CHANNELS if self._session.is_private else is_public(topic)
        is_ours = symbol in self._venue.instruments() or (self._session.is_private and symbol == "default")
        if row.get("instType") != PRODUCT or not is_known or not is_ours:
            return ApiError("30001", f"instType:{row.get('instType')},channel:{channel},instId:{symbol} doesn't exist")
        return None

    def _greet(self, topic: tuple[str, str]) -> None:
        if not self._session.is_private:
            self._venue.market.greet(self._session, topic)
        elif topic[0] == "positions":
            rows = self._venue.private.positions(self._session.account)
            self._venue.hub.publish_private("positions", self._session.account, rows)

    def _start(self, message: dict[str, Any]) -> None:
        if len(self._in_flight) >= IN_FLIGHT_MAX:
            self._connection.cut()
            return
        task = asyncio.create_task(self._trade(message))
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    async def _trade(self, message: dict[str, Any]) -> None:
        rows = message.get("args")
        row = rows[0] if isinstance(rows, list) and len(rows) == 1 and isinstance(rows[0], dict) else {}
        endpoint, params = OPERATIONS.get(str(row.get("channel"))), row.get("params")
        if endpoint is None or not isinstance(params, dict) or not isinstance(row.get("id"), str):
            self._refuse(ApiError("30003", "Invalid trade request"), row)
            return
        call = self._call(endpoint, {**params, "symbol": row.get("instId"), "productType": row.get("instType")})

        def authenticate() -> ApiKey:
            if self._key is None:
                raise ApiError("30004", "User not logged in")
            return self._key

        reply = await self._pipeline.answer(endpoint, call, authenticate)
        self._deliver(row, call, reply)

    def _call(self, endpoint: Endpoint, params: dict[str, Any]) -> Call:
        return Call(
            door=Door.WEBSOCKET,
            action=endpoint.action,
            path=self._connection.path,
            params=params,
            peer=self._connection.peer,
            received_ms=self._venue.now_ms(),
        )

    def _deliver(self, row: dict[str, Any], call: Call, reply: Reply) -> None:
        if reply.delivery is Delivery.HANG or self._is_spoiled(call.by(self._session.account)):
            return
        if reply.delivery is Delivery.CLOSE or reply.raw is not None:
            self._connection.cut()
            return
        told, is_fine = reply.payload, reply.status == 200
        arg = {**row, "params": told["data"] if is_fine else row["params"]}
        frame = orjson.dumps(
            {
                "event": "trade" if is_fine else "error",
                "arg": [arg],
                "code": int(told["code"]),
                "msg": "Success" if is_fine else told["msg"],
                "ts": told["requestTime"],
            }
        )
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

    def _refuse(self, error: ApiError, arg: dict[str, Any] | None = None) -> None:
        told = {"event": "error", "code": error.code, "msg": error.message}
        self._connection.push(orjson.dumps({**told, "arg": arg} if arg else told))
