"""Who listens to what: frames go from here to every socket that asked, through the faults."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from exchanges.sim.server.connection import Connection
from exchanges.sim.server.core import VenueCore
from exchanges.sim.server.faults import Subject

IDLE_S = 30.0
Topic = tuple[str, str]
"""A channel, and the instrument or the kind of instruments."""
UPGRADE = {
    "event": "notice",
    "code": "64008",
    "msg": "The connection will soon be closed for a service upgrade. Please reconnect.",
    "connId": "a4d3ae55",
}


@dataclass(eq=False, slots=True, kw_only=True)
class Session:
    """A socket on one of the three paths. `heard_at` is when anything last went over it, either way."""

    connection: Connection
    is_private: bool
    is_business: bool
    account: str = ""
    heard_at: float = 0.0
    topics: dict[Topic, dict[str, str]] = field(default_factory=dict)
    """Each with the argument by which it was asked for."""

    def push(self, payload: Any) -> None:
        self.touch()
        self.connection.push(orjson.dumps(payload))

    def touch(self) -> None:
        self.heard_at = asyncio.get_running_loop().time()


class Hub:
    """The sockets of the venue."""

    def __init__(self, venue: VenueCore) -> None:
        self._venue = venue
        self._sessions: dict[Session, None] = {}

    def join(self, session: Session) -> None:
        session.touch()
        self._sessions[session] = None

    def leave(self, session: Session) -> None:
        self._sessions.pop(session, None)

    def connections(self, path: str = "") -> list[Connection]:
        return [held.connection for held in self._sessions if held.connection.path.startswith(path)]

    def wanted(self, channel: str) -> list[str]:
        """Return the instruments of a channel that somebody listens to now."""
        return list(dict.fromkeys(key for held in self._sessions for name, key in held.topics if name == channel))

    def channels(self, start: str) -> list[str]:
        """Return the channels whose name begins so and that somebody listens to now."""
        return list(dict.fromkeys(name for held in self._sessions for name, _ in held.topics if name.startswith(start)))

    def publish(
        self,
        topic: Topic,
        rows: Sequence[Any],
        *,
        symbol: str,
        account: str = "",
        client_id: str = "",
        only: Session | None = None,
    ) -> None:
        """Send rows to those who asked for the topic; of an account's to its own sockets only."""
        channel, _ = topic
        for session in list(self._sessions):
            argument = session.topics.get(topic)
            if argument is None or (account and session.account != account) or only not in (None, session):
                continue
            told = {name: value for name, value in argument.items() if name != "extraParams"}
            if account:
                told["uid"] = "10000000000000001"
            subject = Subject(
                stream=channel, symbol=symbol, account=account, path=session.connection.path, client_id=client_id
            )
            session.touch()
            self._venue.send(session.connection, orjson.dumps({"arg": told, "data": list(rows)}), subject)

    def upgrade(self, account: str) -> None:
        """Tell an account's sockets that they will be closed, and close those that listen to something."""
        for session in list(self._sessions):
            if session.account == account and session.topics:
                session.push(UPGRADE)
                session.topics.clear()

    def sweep(self) -> None:
        """Cut sockets over which nothing went for half a minute."""
        now = asyncio.get_running_loop().time()
        for session in list(self._sessions):
            if now - session.heard_at > IDLE_S:
                session.connection.cut()
