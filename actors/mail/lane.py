"""One receiver's queue at its sender: numbered, kept until acknowledged, sent again in order after a failure.

A pure machine with the clock as an argument, so that the simulation loses and doubles messages through the very same
rules. At most `IN_FLIGHT_MAX` envelopes are under way; after a failure one at a time until the receiver answers.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass

from actors.mail.conflation import conflation_key, merged
from actors.mail.messages import Envelope, Message

WAITING_MAX = 1_000
IN_FLIGHT_MAX = 64
PAUSE_FIRST_MS = 50
PAUSE_LAST_MS = 1_000
ANSWER_DUE_MS = 10_000
"""No answer for so long: the outcome is unknown, and the envelope goes out again."""


@dataclass(slots=True)
class _Flight:
    envelope: Envelope
    attempt: int
    sent_ms: int


class Lane:
    """Messages from one sender to one receiver. Times are milliseconds of a monotonic clock."""

    def __init__(self, sender: str, incarnation: str) -> None:
        self._sender = sender
        self._incarnation = incarnation
        self._sequence = 0
        self._waiting: OrderedDict[Hashable, Message] = OrderedDict()
        self._again: deque[Envelope] = deque()
        self._flying: OrderedDict[int, _Flight] = OrderedDict()
        self._attempts = 0
        self._failures = 0
        self._open_ms = 0
        self.resends = 0
        self.dropped = 0

    @property
    def unacknowledged(self) -> int:
        """Return how many messages are kept: waiting, under way, and to be sent again."""
        return len(self._waiting) + len(self._again) + len(self._flying)

    @property
    def is_pressed(self) -> bool:
        """Whether something is kept that was not sent, or has to be sent again."""
        return bool(self._waiting or self._again)

    def post(self, message: Message) -> None:
        """Keep a message; what waits and is made needless by it is merged into it, at the end of the queue.

        In the older one's place it would overtake what was posted between: a word on holds the set-up that it follows,
        which the receiver cannot use before.
        """
        key = conflation_key(message)
        older = self._waiting.pop(key, None)
        if older is not None:
            self._waiting[key] = merged(older, message)
            return
        if len(self._waiting) >= WAITING_MAX:
            self._waiting.popitem(last=False)
            self.dropped += 1
            self._sequence += 1  # the receiver sees the gap and asks for the whole
        self._waiting[key] = message

    def take(self, now_ms: int) -> list[tuple[int, Envelope]]:
        """Return what is to be sent now, in order, each with the number of its attempt for the answer."""
        if now_ms < self._open_ms:
            return []
        allowed = 1 if self._failures else IN_FLIGHT_MAX
        found: list[tuple[int, Envelope]] = []
        while len(self._flying) < allowed and (self._again or self._waiting):
            found.append(self._launch(now_ms))
        return found

    def acknowledged(self, sequence: int, attempt: int) -> None:
        """The receiver has it, whichever attempt it was: the lane is open again."""
        flight = self._flying.get(sequence)
        if flight is not None:
            del self._flying[sequence]
        else:
            self._again = deque(e for e in self._again if e.sequence != sequence)
        self._failures, self._open_ms = 0, 0

    def failed(self, sequence: int, attempt: int, now_ms: int) -> bool:
        """It may not have arrived, or the receiver is busy: pause, then all that is under way goes again, in order.

        Returns whether this counted; late news of an attempt that was given up does not.
        """
        flight = self._flying.get(sequence)
        if flight is None or flight.attempt != attempt:
            return False
        self._again = deque(sorted([f.envelope for f in self._flying.values()] + list(self._again), key=_number))
        self.resends += len(self._flying)
        self._flying.clear()
        pause_ms = min(PAUSE_FIRST_MS << min(self._failures, 10), PAUSE_LAST_MS)
        self._failures += 1
        self._open_ms = now_ms + pause_ms
        return True

    def give_up_late(self, now_ms: int) -> bool:
        """Treat the oldest envelope under way as failed where its answer is overdue; returns whether it was."""
        oldest = next(iter(self._flying.values()), None)
        if oldest is None or now_ms - oldest.sent_ms < ANSWER_DUE_MS:
            return False
        return self.failed(oldest.envelope.sequence, oldest.attempt, now_ms)

    def due_ms(self) -> int | None:
        """Return when `take` or `give_up_late` has something to do, None if only news can change that."""
        if self._flying:
            return next(iter(self._flying.values())).sent_ms + ANSWER_DUE_MS
        return self._open_ms if self._again or self._waiting else None

    def _launch(self, now_ms: int) -> tuple[int, Envelope]:
        if self._again:
            envelope = self._again.popleft()
        else:
            _, message = self._waiting.popitem(last=False)
            self._sequence += 1
            envelope = Envelope(
                sender=self._sender, incarnation=self._incarnation, sequence=self._sequence, message=message
            )
        self._attempts += 1
        self._flying[envelope.sequence] = _Flight(envelope, self._attempts, now_ms)
        return self._attempts, envelope


def _number(envelope: Envelope) -> int:
    return envelope.sequence
