"""The receiving side of at-least-once delivery: doubles are dropped, gaps and reversals are seen."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import Enum

from actors.mail.messages import Envelope

HOLES_MAX = 256
FORMER_MAX = 16
CLOCK_STEP_MS = 10_000
"""A life counts as older than a known one if it began so much earlier: less may be a clock that was set."""
HEARD_AGAIN = 3
"""A life that was taken for a former one is the present one after all where so many words of it come in a row."""


class Arrival(Enum):
    """How an envelope came."""

    IN_ORDER = "in_order"
    FIRST = "first"
    """The first of its sender in this life of the receiver."""
    REBORN = "reborn"
    """The first of another life of a sender that was known before: what the former one still held is lost."""
    GAP = "gap"
    """Something before it has not come (yet)."""
    LATE = "late"
    """It fills a hole: overtaken, not lost."""
    DOUBLE = "double"
    DEAD = "dead"
    """From a former life of its sender."""

    @property
    def is_fresh(self) -> bool:
        """Whether the message is to be handled."""
        return self not in (Arrival.DOUBLE, Arrival.DEAD)

    @property
    def needs_whole(self) -> bool:
        """Whether the receiver should ask the sender for the whole again."""
        return self in (Arrival.GAP, Arrival.REBORN)


@dataclass(slots=True)
class _Correspondent:
    incarnation: str
    newest: int
    holes: OrderedDict[int, None] = field(default_factory=OrderedDict)
    former: OrderedDict[str, None] = field(default_factory=OrderedDict)
    caller: str = ""
    """The former life that spoke last, and how many of its words came since the present one spoke."""
    calls: int = 0

    def calls_again(self, incarnation: str) -> bool:
        """Note a word of a former life; return whether it goes on speaking, and the present one does not."""
        self.calls = self.calls + 1 if incarnation == self.caller else 1
        self.caller = incarnation
        return self.calls >= HEARD_AGAIN


class Mailbox:
    """Numbers seen from each sender. Memory is bounded: `HOLES_MAX` holes and `FORMER_MAX` dead lives a sender.

    Whoever goes on speaking is heard in the end, unless its life is older beyond doubt: a late word of a dead life may
    be taken for the first of a new one, and would make the receiver deaf to the living for ever.
    """

    def __init__(self) -> None:
        self._known: dict[str, _Correspondent] = {}
        self._counts: dict[Arrival, int] = dict.fromkeys(Arrival, 0)

    @property
    def counts(self) -> dict[str, int]:
        """Return how many envelopes came in each way."""
        return {arrival.value: count for arrival, count in self._counts.items()}

    def accept(self, envelope: Envelope) -> Arrival:
        """Take note of an envelope and say how it came. Call it only where the message will be handled if fresh."""
        arrival = self._judge(envelope)
        self._counts[arrival] += 1
        return arrival

    def _judge(self, envelope: Envelope) -> Arrival:
        known = self._known.get(envelope.sender)
        if known is None:
            self._meet(envelope, OrderedDict())
            return Arrival.FIRST
        if envelope.incarnation != known.incarnation:
            if _began_before(envelope.incarnation, known.incarnation):
                return Arrival.DEAD
            if envelope.incarnation in known.former:
                return self._reconsider(known, envelope)
            self._meet(envelope, _with(known.former, known.incarnation))
            return Arrival.REBORN
        known.calls = 0
        return self._place(known, envelope.sequence)

    def _reconsider(self, known: _Correspondent, envelope: Envelope) -> Arrival:
        if not known.calls_again(envelope.incarnation):
            return Arrival.DEAD
        del known.former[envelope.incarnation]
        former = _with(known.former, known.incarnation)
        # What it said before was handled or thrown away, and is not kept for us any more: no hole is left for it.
        self._known[envelope.sender] = _Correspondent(envelope.incarnation, envelope.sequence, former=former)
        return Arrival.REBORN

    def _meet(self, envelope: Envelope, former: OrderedDict[str, None]) -> None:
        # What the sender sent before we knew it may still come again: it keeps what we have not acknowledged.
        earlier = range(max(1, envelope.sequence - HOLES_MAX), envelope.sequence)
        self._known[envelope.sender] = _Correspondent(
            envelope.incarnation, envelope.sequence, OrderedDict.fromkeys(earlier), former
        )

    @staticmethod
    def _place(known: _Correspondent, sequence: int) -> Arrival:
        if sequence == known.newest + 1:
            known.newest = sequence
            return Arrival.IN_ORDER
        if sequence > known.newest:
            missing = range(max(known.newest + 1, sequence - HOLES_MAX), sequence)
            known.holes.update(dict.fromkeys(missing))
            while len(known.holes) > HOLES_MAX:
                known.holes.popitem(last=False)
            known.newest = sequence
            return Arrival.GAP
        if sequence in known.holes:
            del known.holes[sequence]
            return Arrival.LATE
        return Arrival.DOUBLE


def _with(former: OrderedDict[str, None], incarnation: str) -> OrderedDict[str, None]:
    former[incarnation] = None
    if len(former) > FORMER_MAX:
        former.popitem(last=False)
    return former


def _began_before(incarnation: str, known: str) -> bool:
    """Whether it is a former life that we never heard of: one that was cut off, replaced, and is back.

    A receiver that is younger than its sender's replacement knows only that one; taking the former for the newer would
    silence the living.
    """
    return int(incarnation.partition(".")[0]) < int(known.partition(".")[0]) - CLOCK_STEP_MS
