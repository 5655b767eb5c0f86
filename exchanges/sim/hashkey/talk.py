"""A public socket's conversation: topics of one symbol each, pings."""

from __future__ import annotations

from typing import Any

import orjson

from exchanges.sim.hashkey.contracts import symbol_of
from exchanges.sim.hashkey.streams import TOPICS
from exchanges.sim.hashkey.venue import HashkeyVenue
from exchanges.sim.server.listeners import Session


class Talk:
    """Answers one client. A subscription is answered by its data alone."""

    def __init__(self, venue: HashkeyVenue, session: Session) -> None:
        self._venue = venue
        self._session = session

    async def hear(self, text: str) -> None:
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict):
            self._push({"code": "-10002", "desc": "Invalid message"})
        elif "ping" in message:
            self._push({"pong": self._venue.server_ms()})
        elif not self._session.account:
            self._subscribe(message)

    def _subscribe(self, message: dict[str, Any]) -> None:
        channel, name = str(message.get("topic", "")), str(message.get("symbol", ""))
        if channel not in TOPICS or symbol_of(name) not in self._venue.instruments():
            self._push({"code": "-10003", "desc": "Invalid topic"})
            return
        topic = f"{channel}:{name}"
        if message.get("event") == "sub":
            self._session.topics.add(topic)
            self._venue.market.greet(self._session, topic)
        else:
            self._session.topics.discard(topic)

    def _push(self, message: dict[str, Any]) -> None:
        self._session.connection.push(orjson.dumps(message))
