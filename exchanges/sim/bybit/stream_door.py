"""Stream sockets: login, subscriptions, pings."""

from __future__ import annotations

import secrets
from typing import Any

import orjson

from exchanges.sim.bybit.errors import ApiError
from exchanges.sim.bybit.hub import Session
from exchanges.sim.bybit.signing import login
from exchanges.sim.bybit.topics import is_private, is_public
from exchanges.sim.bybit.venue import BybitVenue
from exchanges.sim.server.faults import FaultKind, Subject


class StreamTalk:
    """One client's conversation on a stream socket."""

    def __init__(self, venue: BybitVenue, session: Session) -> None:
        self._venue = venue
        self._session = session
        self._connection_id = secrets.token_hex(8)

    async def hear(self, text: str) -> None:
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict):
            self._say("", None, success=False, words="error:invalid json")
            return
        number = message.get("req_id", "")
        match message.get("op"):
            case "ping":
                self._pong(number)
            case "auth" if self._session.is_private:
                self._log_in(message.get("args"), number)
            case "subscribe" | "unsubscribe" as op:
                self._change(op, message.get("args"), number)
            case other:
                self._say(str(other), number, success=False, words=f"error:unknown op {other}")

    def _pong(self, number: Any) -> None:
        if self._session.is_private:
            told = {"req_id": number, "op": "pong", "args": [str(self._venue.server_ms())]}
            self._session.connection.push(orjson.dumps({**told, "conn_id": self._connection_id}))
        else:
            self._say("ping", number, success=True, words="pong")

    def _log_in(self, arguments: Any, number: Any) -> None:
        subject = Subject(endpoints=("login",), path=self._session.connection.path)
        try:
            if self._venue.strike(FaultKind.LOGIN_REFUSED, subject):
                raise ApiError(10003, "API key is invalid.")
            self._session.account = login(self._venue.book, arguments, self._venue.server_ms()).account
        except ApiError as error:
            self._say("auth", number, success=False, words=error.message)
            return
        self._say("auth", number, success=True, words="")

    def _change(self, op: str, topics: Any, number: Any) -> None:
        session = self._session
        if session.is_private and not session.account:
            self._say(op, number, success=False, words="Request not authorized")
            return
        known = is_private if session.is_private else is_public
        if not isinstance(topics, list) or not all(isinstance(one, str) for one in topics):
            self._say(op, number, success=False, words="error:args")
            return
        wrong = [one for one in topics if not known(one)]
        if wrong:
            self._say(op, number, success=False, words=f"error:handler not found,topic:{wrong[0]}")
            return
        if op == "unsubscribe":
            session.topics.difference_update(topics)
        else:
            session.topics.update(topics)
        self._say(op, number, success=True, words="subscribe" if session.is_private else "")
        if op == "subscribe" and not session.is_private:
            for topic in topics:
                self._venue.market.greet(session, topic)

    def _say(self, op: str, number: Any, *, success: bool, words: str) -> None:
        told = {"success": success, "ret_msg": words, "conn_id": self._connection_id, "req_id": number, "op": op}
        self._session.connection.push(orjson.dumps(told))
