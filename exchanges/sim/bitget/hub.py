"""The sockets of the venue and what each listens to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from exchanges.sim.server.connection import Connection
from exchanges.sim.server.core import VenueCore
from exchanges.sim.server.faults import Subject

PRODUCT = "USDT-FUTURES"
Topic = tuple[str, str]
"""Channel and instrument."""


@dataclass(eq=False, slots=True, kw_only=True)
class Session:
    """A socket. `account` is empty until it has logged in; public ones never do."""

    connection: Connection
    is_private: bool
    account: str = ""
    topics: set[Topic] = field(default_factory=set)


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

    def wanted(self) -> set[Topic]:
        """Return the public topics that somebody listens to now."""
        return {topic for held in self._sessions if not held.is_private for topic in held.topics}

    def publish(self, topic: Topic, action: str, rows: list[Any], *, only: Session | None = None) -> None:
        """Send an event of a public topic to its listeners, or to one of them."""
        channel, symbol = topic
        frame = self._frame(channel, symbol, action, rows)
        listeners = [held for held in self._sessions if not held.is_private and topic in held.topics]
        for session in listeners if only is None else [only]:
            subject = Subject(stream=channel, symbol=symbol, path=session.connection.path)
            self._venue.send(session.connection, frame, subject)

    def publish_private(
        self, channel: str, account: str, rows: list[Any], *, symbol: str = "", client_id: str = ""
    ) -> None:
        """Send rows of a channel to the account's sockets that listen to it, for all symbols or for this one."""
        self._venue.private_sent[channel] += 1
        for session in list(self._sessions):
            if session.account != account:
                continue
            for wanted in sorted(session.topics):
                if wanted[0] != channel or wanted[1] not in ("default", symbol):
                    continue
                subject = Subject(
                    stream=channel, symbol=symbol, account=account, path=session.connection.path, client_id=client_id
                )
                self._venue.send(session.connection, self._frame(channel, wanted[1], "snapshot", rows), subject)

    def cut_account(self, account: str) -> None:
        """End the private sockets of an account."""
        for session in list(self._sessions):
            if session.is_private and session.account == account:
                session.connection.cut()

    def _frame(self, channel: str, symbol: str, action: str, rows: list[Any]) -> bytes:
        arg = {"instType": PRODUCT, "channel": channel, "instId": symbol}
        return orjson.dumps({"action": action, "arg": arg, "data": rows, "ts": self._venue.server_ms()})
