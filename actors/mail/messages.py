"""What actors tell each other. Every message is a value that may be lost, doubled or overtaken without harm.

One way only: no trading actor waits for another's reply. A sender keeps a message until it is acknowledged and sends it
again; a receiver drops doubles by (sender, incarnation, sequence) and asks for the whole after a gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from grid.holds import HoldCause
from grid.instrument import Instrument
from grid.intent import Intent, Standing, Told
from grid.policy import GridPolicy
from grid.records import GenerationStarted
from grid.slot import SlotKey
from grid.window import Alarm, WindowChange
from risk.lease import Go


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolSetup:
    """What feed and slots of a symbol need before they serve: its levels and rules. From the gateway's book."""

    generation: GenerationStarted
    policy: GridPolicy
    instrument: Instrument
    older: tuple[GenerationStarted, ...] = ()
    """The others: older ones, whose lots are still explained by their own levels, and a neutral grid's other side."""
    turn: int = 0
    """How often a neutral grid has turned around: a setup of an earlier turn that comes late is not taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupWanted:
    """A feed or slot has (re)started, or lost its place: it asks the gateway for setup, standing and all its slots."""

    receiver: str
    symbol: str
    remainders: tuple[int, ...] = ()
    modulus: int = 0
    """0: a feed, which has no slots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolGone:
    """The gateway's answer to who asks for a symbol that is not traded any more."""

    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotsWanted:
    """A slot actor does not know the book's state of these levels."""

    receiver: str
    keys: tuple[SlotKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotsKnown:
    """What a slot actor holds to be so, told once a reconcile period; answered only where the book says otherwise."""

    receiver: str
    symbol: str
    remainders: tuple[int, ...]
    modulus: int
    halt_epoch: int
    versions: tuple[tuple[SlotKey, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intents:
    """What a slot actor asks of the order desk. `quoted_ms`: when the quote came that made it ask, for the metrics."""

    intents: tuple[Intent, ...]
    quoted_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tellings:
    """The book's word about some slots."""

    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceWanted:
    """A slot actor asks the feed for the present price; answered by a `WindowChange` that names all its open levels."""

    receiver: str
    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """Bands outside which a level wants to be told the price."""

    symbol: str
    alarms: tuple[Alarm, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedWord:
    """A feed tells the gateway its price, at most once a second, and at once when it goes stale or fresh again.

    `reference` is the oriented reference price; `is_fresh` False puts the hold `price` on the symbol.
    """

    symbol: str
    reference: int | None
    is_fresh: bool
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldWord:
    """Somebody puts or lifts a hold of its own cause."""

    cause: HoldCause
    symbol: str
    is_put: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountWord:
    """The gateway tells the supervisor how the account stands. The newest replaces all before it.

    `cash_moved` (deposits less withdrawals) and `venue_errors` are totals of the gateway's present life: a receiver
    takes differences within one incarnation. `peak` is the highest equity that the journal knows.
    """

    equity: Decimal | None
    peak: Decimal | None
    cash_moved: Decimal
    venue_errors: int
    is_drawn_down: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWords:
    """What an actor's process dies of, told to the coordinator. Sent once: a kill leaves no time for any."""

    why: str


Message = (
    SymbolSetup
    | SetupWanted
    | SymbolGone
    | SlotsWanted
    | SlotsKnown
    | Intents
    | Tellings
    | Standing
    | WindowChange
    | PriceWanted
    | Alarms
    | FeedWord
    | Go
    | HoldWord
    | AccountWord
    | LastWords
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A message with its place in the sender's order to this receiver. A restarted sender has a new incarnation."""

    sender: str
    incarnation: str
    sequence: int
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A receiver's acknowledgement. `is_busy`: its inner queue is full; send again later."""

    is_busy: bool = False
