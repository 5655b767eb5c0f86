"""A socket's conversation: welcome, subscriptions, pings."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import orjson
from aiohttp import WSCloseCode

from exchanges.sim.kucoinfutures.contracts import symbol_of
from exchanges.sim.kucoinfutures.streams import BOOKS, CANDLES, INTERVALS, ORDERS, PRIVATE, TICKER, TOUCH, TRADES
from exchanges.sim.kucoinfutures.venue import KucoinVenue
from exchanges.sim.server.listeners import Session

MESSAGES_MAX, WINDOW_S = 100, 10.0
PUBLIC = (TOUCH, TICKER, TRADES, *BOOKS)


class Talk:
    """Answers one client. A topic may name several symbols; each is then listened to by itself."""

    def __init__(self, venue: KucoinVenue, session: Session) -> None:
        self._venue = venue
        self._session = session
        self._connection = session.connection
        self._heard: deque[float] = deque(maxlen=MESSAGES_MAX)

    def welcome(self, connect_id: str) -> None:
        self._push({"id": connect_id, "type": "welcome"})

    async def hear(self, text: str) -> None:
        if not await self._is_patient():
            return
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict):
            self._refuse("", 400, "message is not a JSON object")
            return
        told = str(message.get("id", ""))
        match message.get("type"):
            case "ping":
                self._push({"id": told, "type": "pong", "timestamp": self._venue.server_ms() * 1000})
            case "subscribe":
                self._subscribe(told, message)
            case "unsubscribe":
                self._session.topics.difference_update(_split(str(message.get("topic", ""))))
                self._acknowledge(told, message)
            case other:
                self._refuse(told, 415, f"type {other} is not supported")

    async def _is_patient(self) -> bool:
        now = asyncio.get_running_loop().time()
        if len(self._heard) == MESSAGES_MAX and now - self._heard[0] < WINDOW_S:
            await self._connection.close(WSCloseCode.POLICY_VIOLATION, b"too many requests")
            return False
        self._heard.append(now)
        return True

    def _subscribe(self, told: str, message: dict[str, Any]) -> None:
        topics = _split(str(message.get("topic", "")))
        for topic in topics:
            if not self._is_known(topic):
                self._refuse(told, 404, f"topic {topic} is not found")
                return
            if topic.partition(":")[0] in PRIVATE and not self._session.account:
                self._refuse(told, 403, f"topic {topic} is private")
                return
        self._session.topics.update(topics)
        self._acknowledge(told, message)
        for topic in topics:
            self._venue.market.greet(self._session, topic)

    def _is_known(self, topic: str) -> bool:
        channel, _, about = topic.partition(":")
        name, _, word = about.partition("_")
        is_listed = symbol_of(name) in self._venue.instruments()
        if channel in PRIVATE:
            return not about or (channel == ORDERS and is_listed)
        return is_listed and ((channel == CANDLES and word in INTERVALS) or (channel in PUBLIC and not word))

    def _acknowledge(self, told: str, message: dict[str, Any]) -> None:
        if message.get("response"):
            self._push({"id": told, "type": "ack"})

    def _refuse(self, told: str, code: int, words: str) -> None:
        self._push({"id": told, "type": "error", "code": code, "data": words})

    def _push(self, message: dict[str, Any]) -> None:
        self._connection.push(orjson.dumps(message))


def _split(topic: str) -> list[str]:
    channel, mark, names = topic.partition(":")
    return [f"{channel}:{name}" for name in names.split(",")] if mark else [channel]
