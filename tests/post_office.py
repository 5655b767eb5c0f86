"""An outbox that keeps what is posted, and a waker that remembers the appointment: the world of one actor in a test."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from actors.mail.messages import Envelope, Message

M = TypeVar("M")
LOOK_S = 0.05


class PostOffice:
    """Collects messages by receiver; may be read from another thread than the one that posts."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, Message]] = []
        self._news = threading.Condition()

    def post(self, receiver: str, message: Message) -> None:
        """Keep the message."""
        with self._news:
            self.posted.append((receiver, message))
            self._news.notify_all()

    def to(self, receiver: str, kind: type[M]) -> list[M]:
        """Return the messages of a kind to a receiver, oldest first."""
        return [message for name, message in self.posted if name == receiver and isinstance(message, kind)]

    def clear(self) -> None:
        """Forget everything."""
        self.posted.clear()

    def wait_for(self, condition: Callable[[], bool], timeout_s: float = 60.0) -> bool:
        """Wait until the condition holds, looked at after each post and now and then; returns whether it came true."""
        deadline = time.monotonic() + timeout_s
        with self._news:
            while not condition():
                if (left_s := deadline - time.monotonic()) <= 0:
                    return False
                self._news.wait(min(LOOK_S, left_s))
        return True


class Appointments:
    """A waker that only remembers."""

    def __init__(self) -> None:
        self.delays: list[int] = []

    def wake_in(self, delay_ms: int) -> None:
        """Note the delay."""
        self.delays.append(delay_ms)


class Letters:
    """Numbers messages as a courier would."""

    def __init__(self, sender: str, incarnation: str = "1") -> None:
        self._sender = sender
        self._incarnation = incarnation
        self._sequence = 0

    def __call__(self, message: Message, *, skip: int = 0) -> Envelope:
        """Return the next envelope; `skip` so many numbers before it, as if lost."""
        self._sequence += 1 + skip
        return Envelope(sender=self._sender, incarnation=self._incarnation, sequence=self._sequence, message=message)
