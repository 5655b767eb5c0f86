"""Who listens to what: frames go from here to every session that asked, through the faults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from exchanges.sim.binance.sessions import StreamSession
from exchanges.sim.binance.stream_names import Root, StreamName, Topic
from exchanges.sim.server.connection import Connection
from exchanges.sim.server.core import VenueCore
from exchanges.sim.server.faults import Subject


class Hub:
    """The stream sessions of the venue, indexed by stream name.

    With `legacy_is_retired` a session on the old root gets public topics only: subscribing succeeds there and
    nothing of the market or of the account ever comes.
    """

    def __init__(self, venue: VenueCore, *, legacy_is_retired: bool) -> None:
        self._venue = venue
        self._legacy_is_retired = legacy_is_retired
        self._sessions: dict[StreamSession, None] = {}
        self._by_stream: dict[str, dict[StreamSession, None]] = {}
        self._streams: dict[str, StreamName] = {}

    def join(self, session: StreamSession) -> None:
        self._sessions[session] = None
        self.refresh(session)

    def leave(self, session: StreamSession) -> None:
        self._sessions.pop(session, None)
        session.streams.clear()
        session.listen_keys.clear()
        self.refresh(session)

    def refresh(self, session: StreamSession) -> None:
        """Bring the index up to date after the session's streams have changed."""
        for name in [name for name, listeners in self._by_stream.items() if session in listeners]:
            if name not in session.streams:
                del self._by_stream[name][session]
                if not self._by_stream[name]:
                    del self._by_stream[name], self._streams[name]
        for name, stream in session.streams.items():
            if self._serves(session, stream.topic):
                self._by_stream.setdefault(name, {})[session] = None
                self._streams[name] = stream

    def wanted(self, topic: Topic) -> list[StreamName]:
        """Return the streams of a topic that somebody listens to now."""
        return [stream for stream in self._streams.values() if stream.topic is topic]

    def has_listener(self, name: str) -> bool:
        return name in self._by_stream

    def publish(self, stream: StreamName, payload: Mapping[str, Any] | list[Any], *, symbol: str) -> None:
        listeners = self._by_stream.get(stream.name)
        if not listeners:
            return
        bare = orjson.dumps(payload)
        wrapped = _wrapped(stream.name, bare)
        for session in list(listeners):
            subject = Subject(stream=stream.name, symbol=symbol, path=session.connection.path)
            self._venue.send(session.connection, wrapped if session.is_combined else bare, subject)

    def publish_private(
        self, key: str, account: str, payload: Mapping[str, Any], *, symbol: str = "", client_id: str = ""
    ) -> None:
        """Send an event of an account to every connection that holds its listen key."""
        event = str(payload["e"])
        bare: bytes | None = None
        for session in list(self._sessions):
            if not self._is_private(session) or not session.listens_to(key, event):
                continue
            bare = bare or orjson.dumps(payload)
            subject = Subject(
                stream=event, symbol=symbol, account=account, path=session.connection.path, client_id=client_id
            )
            self._venue.send(session.connection, _wrapped(key, bare) if session.is_combined else bare, subject)

    def connections(self, path: str = "") -> list[Connection]:
        return [held.connection for held in self._sessions if held.connection.path.startswith(path)]

    def forget_key(self, key: str) -> None:
        """Send nothing more under a key that is no longer valid; its sockets stay open."""
        for session in self._sessions:
            session.listen_keys.pop(key, None)

    def _serves(self, session: StreamSession, topic: Topic) -> bool:
        if session.root is Root.LEGACY:
            return not self._legacy_is_retired or topic.root is Root.PUBLIC
        return session.root is topic.root

    def _is_private(self, session: StreamSession) -> bool:
        return session.root is Root.PRIVATE or (session.root is Root.LEGACY and not self._legacy_is_retired)


def _wrapped(name: str, bare: bytes) -> bytes:
    return b'{"stream":"' + name.encode() + b'","data":' + bare + b"}"
