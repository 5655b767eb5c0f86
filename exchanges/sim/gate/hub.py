"""Who listens to what on the one socket address: frames go to every session that asked, through the faults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from exchanges.sim.server.connection import Connection
from exchanges.sim.server.core import VenueCore
from exchanges.sim.server.faults import Subject

ALL = "!all"


@dataclass(eq=False, slots=True, kw_only=True)
class Session:
    """A socket: what it subscribed to by channel, whose account channels it hears, and who logged in on it."""

    connection: Connection
    wanted: dict[str, set[str]] = field(default_factory=dict)
    heard: dict[str, set[str]] = field(default_factory=dict)
    """Accounts by channel."""
    account: str = ""

    def wants(self, channel: str, about: str) -> bool:
        names = self.wanted.get(channel, set())
        return about in names or ALL in names


class Hub:
    """The sessions of the venue."""

    def __init__(self, venue: VenueCore) -> None:
        self._venue = venue
        self.sessions: dict[Session, None] = {}

    def join(self, session: Session) -> None:
        self.sessions[session] = None

    def leave(self, session: Session) -> None:
        self.sessions.pop(session, None)

    def wanted(self, channel: str) -> list[str]:
        """Return what somebody wants of a channel now."""
        return sorted({about for session in self.sessions for about in session.wanted.get(channel, ())})

    def publish(self, channel: str, about: str, result: Any, *, symbol: str) -> None:
        listeners = [session for session in self.sessions if session.wants(channel, about)]
        if not listeners:
            return
        frame = self._frame(channel, result)
        for session in listeners:
            subject = Subject(stream=channel, symbol=symbol, path=session.connection.path)
            self._venue.send(session.connection, frame, subject)

    def publish_private(self, channel: str, account: str, result: Any, *, symbol: str, client_id: str = "") -> None:
        frame = b""
        for session in list(self.sessions):
            if account not in session.heard.get(channel, ()):
                continue
            frame = frame or self._frame(channel, result)
            subject = Subject(
                stream=channel, symbol=symbol, account=account, path=session.connection.path, client_id=client_id
            )
            self._venue.send(session.connection, frame, subject)

    def cut_account(self, account: str) -> None:
        """Cut every socket that hears the account."""
        for session in list(self.sessions):
            if any(account in accounts for accounts in session.heard.values()):
                session.connection.cut()

    def connections(self, path: str = "") -> list[Connection]:
        return [held.connection for held in self.sessions if held.connection.path.startswith(path)]

    def _frame(self, channel: str, result: Any) -> bytes:
        sent_ms = self._venue.server_ms()
        head = {"time": sent_ms // 1000, "time_ms": sent_ms, "channel": channel, "event": "update"}
        return orjson.dumps({**head, "result": result})
