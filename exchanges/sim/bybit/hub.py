"""The stream sockets of the venue and what each listens to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from exchanges.sim.server.connection import Connection
from exchanges.sim.server.core import VenueCore
from exchanges.sim.server.faults import Subject


@dataclass(eq=False, slots=True, kw_only=True)
class Session:
    """A socket. `account` is empty until it has logged in; public ones never do."""

    connection: Connection
    is_private: bool
    account: str = ""
    topics: set[str] = field(default_factory=set)


class Hub:
    """Sends what happens to those who listen."""

    def __init__(self, venue: VenueCore) -> None:
        self._venue = venue
        self._sessions: dict[Session, None] = {}

    def join(self, session: Session) -> None:
        self._sessions[session] = None

    def leave(self, session: Session) -> None:
        self._sessions.pop(session, None)

    def connections(self, path: str = "") -> list[Connection]:
        return [held.connection for held in self._sessions if held.connection.path.startswith(path)]

    def wanted(self) -> set[str]:
        """Return the public topics that somebody listens to now."""
        return {topic for held in self._sessions if not held.is_private for topic in held.topics}

    def publish(self, topic: str, message: dict[str, Any], *, only: Session | None = None) -> None:
        """Send an event of a public topic to its listeners, or to one of them."""
        listeners = [held for held in self._sessions if topic in held.topics and not held.is_private]
        frame = orjson.dumps(message)
        for session in listeners if only is None else [only]:
            subject = Subject(stream=topic, symbol=topic.rpartition(".")[2], path=session.connection.path)
            self._venue.send(session.connection, frame, subject)

    def publish_private(
        self, topic: str, account: str, rows: list[dict[str, Any]], *, sent_ms: int, symbol: str, client_id: str = ""
    ) -> None:
        """Send rows of a topic to the account's sockets that listen to it, under either of its names."""
        for session in list(self._sessions):
            if session.account != account:
                continue
            for name in (topic, f"{topic}.linear"):
                if name not in session.topics:
                    continue
                message = {"id": f"{account}-{sent_ms}", "topic": name, "creationTime": sent_ms, "data": rows}
                subject = Subject(
                    stream=topic, symbol=symbol, account=account, path=session.connection.path, client_id=client_id
                )
                self._venue.send(session.connection, orjson.dumps(message), subject)

    def cut_account(self, account: str) -> None:
        """End the private sockets of an account."""
        for session in list(self._sessions):
            if session.is_private and session.account == account:
                session.connection.cut()
