"""What one stream client has asked for, and the SUBSCRIBE conversation with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from exchanges.sim.binance.stream_names import Root, StreamName, parse_stream
from exchanges.sim.server.connection import Connection

STREAMS_MAX = 1024


@dataclass(eq=False, slots=True, kw_only=True)
class StreamSession:
    """A socket on one of the roots. `listen_keys` are names that aren't streams; only the private root heeds them."""

    connection: Connection
    root: Root
    is_combined: bool
    streams: dict[str, StreamName] = field(default_factory=dict)
    listen_keys: dict[str, frozenset[str]] = field(default_factory=dict)
    """Key to the event types wanted; an empty set means all."""

    def listens_to(self, key: str, event: str) -> bool:
        wanted = self.listen_keys.get(key)
        return wanted is not None and (not wanted or event in wanted)

    def names(self) -> list[str]:
        return [*self.streams, *self.listen_keys]

    def add(self, name: str, events: frozenset[str] = frozenset()) -> bool:
        """Take a name up. Unknown names are accepted and stay silent, as at the venue."""
        if len(self.streams) + len(self.listen_keys) >= STREAMS_MAX:
            return False
        stream = parse_stream(name)
        if stream is not None:
            self.streams[name] = stream
        else:
            self.listen_keys[name] = events
        return True

    def drop(self, name: str) -> None:
        self.streams.pop(name, None)
        self.listen_keys.pop(name, None)


def converse(session: StreamSession, text: str, changed: Callable[[StreamSession], None]) -> None:
    """Answer one request of a stream client; `changed` is told when its streams have changed."""
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        _refuse(session, None, 3, "Invalid JSON: expected value at line 1 column 1")
        return
    if not isinstance(message, dict) or not isinstance(message.get("method"), str):
        _refuse(session, None, 2, "Invalid request: missing field `method`")
        return
    reply_id = message.get("id")
    params = message.get("params")
    match message["method"]:
        case "SUBSCRIBE" | "UNSUBSCRIBE" as method:
            _change(session, method, params, reply_id)
            changed(session)
        case "LIST_SUBSCRIPTIONS":
            _send(session, {"result": session.names(), "id": reply_id})
        case "SET_PROPERTY" if isinstance(params, list) and len(params) == 2 and params[0] == "combined":
            session.is_combined = bool(params[1])
            _send(session, {"result": None, "id": reply_id})
        case "GET_PROPERTY":
            _send(session, {"result": session.is_combined, "id": reply_id})
        case unknown:
            _refuse(session, reply_id, 2, f"Invalid request: unknown variant `{unknown}`")


def _change(session: StreamSession, method: str, params: Any, reply_id: Any) -> None:
    if not isinstance(params, list) or not all(isinstance(name, str) for name in params):
        _refuse(session, reply_id, 2, "Invalid request: request parameters must be an array of strings")
        return
    for name in params:
        if method == "UNSUBSCRIBE":
            session.drop(name)
        elif not session.add(name):
            _refuse(session, reply_id, 2, "Invalid request: too many streams")
            return
    _send(session, {"result": None, "id": reply_id})


def _refuse(session: StreamSession, reply_id: Any, code: int, message: str) -> None:
    _send(session, {"error": {"code": code, "msg": message}, "id": reply_id})


def _send(session: StreamSession, reply: dict[str, Any]) -> None:
    session.connection.push(orjson.dumps(reply))
