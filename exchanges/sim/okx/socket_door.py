"""One client's socket: pings, log-in, subscriptions and, where it is private, orders."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson

from exchanges.sim.okx.call import Call, Door, Row
from exchanges.sim.okx.errors import ApiError
from exchanges.sim.okx.hub import Session
from exchanges.sim.okx.pipeline import Pipeline
from exchanges.sim.okx.trade_calls import SOCKET_OPS
from exchanges.sim.okx.venue import OkxVenue
from exchanges.sim.server.faults import FaultKind, Subject
from exchanges.sim.server.road import Delivery, Reply

IN_FLIGHT_MAX = 1000
PUBLIC = ("bbo-tbt", "books5", "tickers", "trades", "mark-price", "instruments", "funding-rate")
PRIVATE = ("orders", "positions", "account")
CONNECTION_ID = "a4d3ae55"


class Conversation:
    """Requests are acted upon as they arrive; answers may overtake each other."""

    def __init__(self, venue: OkxVenue, pipeline: Pipeline, session: Session) -> None:
        self._venue = venue
        self._pipeline = pipeline
        self._session = session
        self._in_flight: set[asyncio.Task[None]] = set()

    async def receive(self, text: str) -> None:
        self._session.touch()
        if text == "ping":
            self._session.connection.push(b"pong")
            return
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict) or not isinstance(message.get("args"), list):
            self._refuse(ApiError(400, "60012", f"Illegal request: {text[:80]}"))
            return
        rows = [row for row in message["args"] if isinstance(row, dict)]
        op = message.get("op")
        if op == "login":
            self._log_in(rows)
        elif op in ("subscribe", "unsubscribe"):
            for row in rows:
                self._subscribe(str(op), row)
        elif op in SOCKET_OPS and self._session.is_private:
            self._begin(str(op), message, rows)
        else:
            self._refuse(ApiError(400, "60012", f"Illegal request: {text[:80]}"))

    async def stop(self) -> None:
        for task in self._in_flight:
            task.cancel()
        await asyncio.gather(*self._in_flight, return_exceptions=True)

    def _log_in(self, rows: list[Row]) -> None:
        session = self._session
        try:
            if not session.is_private and not session.is_business:
                raise ApiError(400, "60008", "The current WebSocket endpoint does not support user login.")
            if self._venue.strike(FaultKind.LOGIN_REFUSED, Subject(endpoints=("login", "ws"))):
                raise ApiError(400, "60009", "Login failed.")
            session.account = self._venue.keys.logged_in(rows[0] if rows else {}, self._venue.server_ms()).account
        except ApiError as error:
            self._refuse(error)
            return
        session.push({"event": "login", "code": "0", "msg": "", "connId": CONNECTION_ID})

    def _subscribe(self, op: str, row: Row) -> None:
        session, channel = self._session, str(row.get("channel", ""))
        key = str(row.get("instId") or row.get("instType") or row.get("ccy") or "")
        if channel in PRIVATE and not session.account:
            self._refuse(ApiError(400, "60011", "Please log in"))
            return
        if not self._serves(channel) or (row.get("instId") and not self._venue.swaps.symbol_of(str(row["instId"]))):
            words = f"Wrong URL or channel:{channel},instId:{row.get('instId', '')} doesn't exist."
            self._refuse(ApiError(400, "60018", words))
            return
        if op == "unsubscribe":
            session.topics.pop((channel, key), None)
        else:
            session.topics[channel, key] = {str(name): str(value) for name, value in row.items()}
        session.push({"event": op, "arg": row, "connId": CONNECTION_ID})
        if op == "subscribe" and channel in PRIVATE:
            self._venue.private.greet(session, channel)
        elif op == "subscribe":
            self._venue.market.greet(session, channel, key)

    def _serves(self, channel: str) -> bool:
        if channel.startswith("candle"):
            return self._session.is_business
        return channel in (PRIVATE if self._session.is_private else PUBLIC)

    def _begin(self, op: str, message: dict[str, Any], rows: list[Row]) -> None:
        if len(self._in_flight) >= IN_FLIGHT_MAX:
            self._session.connection.cut()
            return
        task = asyncio.create_task(self._handle(op, message, rows))
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    async def _handle(self, op: str, message: dict[str, Any], rows: list[Row]) -> None:
        account, number = self._session.account, message.get("id")
        if not account:
            self._answer(op, number, {"code": "60011", "msg": "Please log in", "data": []})
            return
        endpoint, expires = SOCKET_OPS[op], str(message.get("expTime") or "0")
        call = Call(
            door=Door.WEBSOCKET,
            action=endpoint.action,
            path=self._session.connection.path,
            rows=rows,
            peer=self._session.connection.peer,
            received_ms=self._venue.now_ms(),
            expires_ms=int(expires) if expires.isdigit() else 0,
        )
        reply = await self._pipeline.answer(endpoint, call, signer=account)
        self._deliver(op, number, call.by(account), reply)

    def _deliver(self, op: str, number: Any, call: Call, reply: Reply) -> None:
        venue, connection = self._venue, self._session.connection
        subject, now_ms = venue.subject(call), venue.now_ms()
        if reply.delivery is Delivery.HANG:
            return
        is_lost = reply.delivery is Delivery.CLOSE or reply.raw is not None
        if is_lost or venue.plan.strike(FaultKind.FORCED_CUT, subject, now_ms):
            connection.cut()
        elif venue.plan.strike(FaultKind.HALF_OPEN, subject, now_ms):
            connection.go_half_open()
        elif reply.delivery is Delivery.TRUNCATED:
            frame = orjson.dumps({"id": number, "op": op, **reply.payload})
            connection.push(frame[: len(frame) // 2])
        else:
            self._answer(op, number, reply.payload)

    def _answer(self, op: str, number: Any, payload: dict[str, Any]) -> None:
        moment = str(self._venue.server_ms() * 1000)
        self._session.push({"id": number, "op": op, **payload, "inTime": moment, "outTime": moment})

    def _refuse(self, error: ApiError) -> None:
        self._session.push({"event": "error", "code": error.code, "msg": error.message, "connId": CONNECTION_ID})
