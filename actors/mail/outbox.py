"""What an actor needs of the world around it, as seams: a way to post, to be woken, and to show numbers.

Live, `actors/runtime` fills them with Ray; a back-test and the simulation fill them with a queue and a virtual clock.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from actors.mail.messages import Message


class Outbox(Protocol):
    """Posting to other actors by name."""

    def post(self, receiver: str, message: Message) -> None:
        """Send one way: kept until acknowledged, in order for each receiver. Never waits, never raises."""
        ...


class Waker(Protocol):
    """An actor's alarm clock."""

    def wake_in(self, delay_ms: int) -> None:
        """Have the actor's `tick` called once, through its mailbox, so far from now; a newer call replaces an older."""
        ...


class Gauges(Protocol):
    """Numbers for people to watch; names are declared in `actors/runtime/metric_names.py`."""

    def set(self, name: str, value: float | Decimal, **tags: str) -> None:
        """Show the present value."""
        ...

    def count(self, name: str, by: int = 1, **tags: str) -> None:
        """Add to a counter."""
        ...

    def observe(self, name: str, value: float, **tags: str) -> None:
        """Add one measurement to a histogram."""
        ...


class NoGauges:
    """Shows nothing: tests, back-test, simulation."""

    def set(self, name: str, value: float | Decimal, **tags: str) -> None:
        """Do nothing."""

    def count(self, name: str, by: int = 1, **tags: str) -> None:
        """Do nothing."""

    def observe(self, name: str, value: float, **tags: str) -> None:
        """Do nothing."""
