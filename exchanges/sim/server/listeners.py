"""The sockets of a venue that speaks in topics, and what each listens to."""

from __future__ import annotations

from dataclasses import dataclass, field

from exchanges.sim.server.connection import Connection
from exchanges.sim.server.core import VenueCore
from exchanges.sim.server.faults import Subject


@dataclass(eq=False, slots=True, kw_only=True)
class Session:
    """A socket. `account` is empty where nobody has said who listens."""

    connection: Connection
    account: str = ""
    topics: set[str] = field(default_factory=set)


class Listeners:
    """Sends frames to those who listen."""

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
        """Return every topic that somebody listens to now."""
        return {topic for held in self._sessions for topic in held.topics}

    def of_account(self, account: str) -> list[Session]:
        return [held for held in self._sessions if held.account == account]

    def publish(self, topic: str, frame: bytes, *, symbol: str = "", only: Session | None = None) -> None:
        """Send a frame of a public topic to its listeners, or to one of them."""
        listeners = [held for held in self._sessions if topic in held.topics] if only is None else [only]
        for session in listeners:
            subject = Subject(stream=topic, symbol=symbol, path=session.connection.path)
            self._venue.send(session.connection, frame, subject)

    def publish_private(
        self, topic: str, account: str, frame: bytes, *, stream: str, symbol: str = "", client_id: str = ""
    ) -> None:
        """Send a frame to the account's sockets that listen to the topic; `stream` is its name to the faults."""
        for session in self.of_account(account):
            if topic in session.topics:
                subject = Subject(
                    stream=stream, symbol=symbol, account=account, path=session.connection.path, client_id=client_id
                )
                self._venue.send(session.connection, frame, subject)
