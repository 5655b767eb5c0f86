"""Where things can go wrong between actors and at the venue, as a seam: nothing does in a back-test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from actors.mail.messages import Message
from exchanges.desk.events import NotSent, Refused
from grid.order import OrderUpdate
from grid.stop import StopReport


class CallKind(Enum):
    """Calls to the venue."""

    PLACE = "place"
    CANCEL = "cancel"
    LOOK_UP = "look_up"
    OPEN_ORDERS = "open_orders"
    TRADES = "trades"
    POSITIONS = "positions"
    INCOME = "income"
    ACCOUNT = "account"
    QUOTE = "quote"
    RULES = "rules"
    LEASE = "lease"
    """A claim on the account at the lease store."""


class CrashPoint(Enum):
    """Where in carrying out one event's effects a gateway dies."""

    BEFORE_COMMIT = "before_commit"
    AFTER_COMMIT = "after_commit"
    AFTER_FIRST_COMMAND = "after_first_command"


class StallPoint(Enum):
    """Where an owner of the account is stopped for a while, beside any place between two events."""

    AFTER_COMMIT = "after_commit"
    """Its intents are in the journal, nothing is written yet."""
    AT_WIRE = "at_wire"
    """The fence has let a request through, which is not written yet."""
    ASKING = "asking"
    """The answer to its claim is on the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFate:
    """What happens to one call, beside the latency of every call.

    `matching_delay_ms` passes at the venue between receipt and effect. `hidden_ms`: an accepted order is shown by no
    query for so long. `is_empty`: a reading is answered with nothing. `lag_ms`: a reading shows the past.
    """

    request_delay_ms: int = 0
    reply_delay_ms: int = 0
    matching_delay_ms: int = 0
    hidden_ms: int = 0
    lag_ms: int = 0
    is_request_lost: bool = False
    is_reply_lost: bool = False
    is_empty: bool = False
    answer: Refused | NotSent | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of a message or stream event. `is_in_turn`: whatever follows it on its way waits behind it."""

    more_ms: int = 0
    is_in_turn: bool = True


NO_FATE = CallFate()
ONCE = (Copy(),)


class Mishaps(Protocol):
    """Decides, one opportunity at a time. No copy at all means that a message is lost."""

    def message(self, sender: str, receiver: str, message: Message) -> Sequence[Copy]:
        """Return the copies of a message between actors."""
        ...

    def update(self, update: OrderUpdate | StopReport) -> Sequence[Copy]:
        """Return the copies of an event of the private stream."""
        ...

    def call(self, kind: CallKind, symbol: str, closing: bool) -> CallFate:
        """Return the fate of a call; `closing` is told for placements only."""
        ...

    def crash(self, commands: int) -> CrashPoint | None:
        """Return where the gateway dies while it carries out an event with so many commands, None where it lives."""
        ...

    def stall(self, point: StallPoint) -> int:
        """Return for how many ms the owner of the account stops here; 0: it goes on."""
        ...


class Calm:
    """Nothing goes wrong."""

    def message(self, sender: str, receiver: str, message: Message) -> Sequence[Copy]:
        """Deliver once."""
        return ONCE

    def update(self, update: OrderUpdate | StopReport) -> Sequence[Copy]:
        """Deliver once."""
        return ONCE

    def call(self, kind: CallKind, symbol: str, closing: bool) -> CallFate:
        """Let it pass."""
        return NO_FATE

    def crash(self, commands: int) -> CrashPoint | None:
        """Let it live."""
        return None

    def stall(self, point: StallPoint) -> int:
        """Let it go on."""
        return 0
