"""What the order desk is told. Every event comes with an `Instant`; the desk reads no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from exchanges.desk.settings import DeskSymbol
from exchanges.errors import Refusal
from exchanges.port import Account, Income, Position
from grid.account_records import SymbolJoined
from grid.holds import HoldCause
from grid.instrument import Instrument
from grid.intent import Intent
from grid.order import Fill, OrderReport, OrderUpdate
from grid.records import Record
from grid.slot import SlotKey
from grid.stop import StopReport
from risk.lease import Go


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """Now, three times: our wall clock in ms since the epoch, monotonic in ms, and the venue's clock.

    Ages are measured on the monotonic clock. What the venue stamps (trades, ledger rows) is compared with venue time.
    """

    wall_ms: int
    mono_ms: int
    venue_ahead_ms: int = 0
    """The venue's clock minus our wall clock."""

    @property
    def venue_ms(self) -> int:
        """Return the venue's time."""
        return self.wall_ms + self.venue_ahead_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The venue's answer to a placement or cancel: the order as it then was."""

    report: OrderReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The venue said no; nothing happened."""

    refusal: Refusal
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """Nothing happened; `retry_after_ms` is the venue's or the connection's wish."""

    reason: str
    retry_after_ms: int = 1000
    is_ours: bool = False
    """It never left our own line: no word of the venue's state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """It may have happened."""

    reason: str


Outcome = Accepted | Refused | NotSent | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAccepted:
    """The venue's answer about a conditional order: as it then was."""

    report: StopReport


StopOutcome = StopAccepted | Refused | NotSent | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A slot asks."""

    intent: Intent


@dataclass(frozen=True, slots=True, kw_only=True)
class StatesWanted:
    """A slot actor asks what the book knows of these slots."""

    keys: tuple[SlotKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceAnswered:
    """A placement came to an end on the wire."""

    client_id: str
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAnswered:
    """A cancel came to an end on the wire."""

    client_id: str
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRead:
    """An order was looked up, in a call begun at `begun_ms` (monotonic).

    By client id; by symbol and the venue's id where `order_id` is given.
    """

    client_id: str
    begun_ms: int
    outcome: Outcome
    symbol: str = ""
    order_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAnswered:
    """The placement of an exchange-side stop came to an end on the wire."""

    symbol: str
    client_id: str
    outcome: StopOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class StopCancelAnswered:
    """Its cancel came to an end on the wire; `is_done`: the venue said yes."""

    symbol: str
    client_id: str
    is_done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRead:
    """An exchange-side stop was looked up by client id, in a call begun at `begun_ms` (monotonic)."""

    symbol: str
    client_id: str
    begun_ms: int
    outcome: StopOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class StopsRead:
    """All conditional orders of the account that wait; None where the reading failed."""

    begun_ms: int
    reports: tuple[StopReport, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopSaid:
    """The private stream told of a conditional order."""

    report: StopReport


StopEvent = StopAnswered | StopCancelAnswered | StopRead | StopsRead | StopSaid


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSaid:
    """The private stream delivered an order event."""

    update: OrderUpdate


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamState:
    """The private stream came up (confirmed) or went down."""

    is_up: bool
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrdersRead:
    """All open orders of the account; None where the reading failed."""

    begun_ms: int
    reports: tuple[OrderReport, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TradesRead:
    """The fills of a symbol, or of one order, from `since_ms` on (venue time); None where the reading failed."""

    symbol: str
    since_ms: int
    begun_ms: int
    fills: tuple[Fill, ...] | None
    order_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionsRead:
    """All positions of the account; None where the reading failed."""

    begun_ms: int
    positions: tuple[Position, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRead:
    """The account, and then all positions, in readings begun at `begun_ms` (monotonic); None where one failed."""

    begun_ms: int
    account: Account | None
    positions: tuple[Position, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RateSeen:
    """What one unit of an asset is worth in the quote asset."""

    asset: str
    rate: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomeRead:
    """Rows of the venue's ledger."""

    rows: tuple[Income, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesRead:
    """The venue's rules, read anew; `changes` says by symbol, in words, what nobody can trade through."""

    instruments: Mapping[str, Instrument]
    changes: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkSeen:
    """A mark price arrived."""

    symbol: str
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceSeen:
    """A feed's oriented reference price, or that it is stale."""

    symbol: str
    reference: int | None
    is_fresh: bool
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoSaid:
    """The risk supervisor renewed its lease."""

    go: Go


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldAsked:
    """Somebody puts or lifts a hold of its own cause."""

    cause: HoldCause
    symbol: str
    is_put: bool
    reason: str


class ClosingMode(Enum):
    """How to end: see rule 23 of the trading rules."""

    KEEP = "keep"
    LEAVE_EXITS = "leave_exits"
    FLATTEN = "flatten"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseAsked:
    """End trading; the fence is taken at once."""

    mode: ClosingMode


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolAdded:
    """A symbol has passed its checks and is traded from here on. `records`: what its book begins with."""

    symbol: DeskSymbol
    joined: SymbolJoined
    records: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveAsked:
    """End one symbol while the others trade on; `run` and `ladder` are journalled as they come."""

    symbol: str
    mode: ClosingMode
    run: str
    ladder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileDue:
    """Read orders, trades and positions, in this order, and compare."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticked:
    """Time passed; sent a few times a second."""


Event = (
    Asked
    | StatesWanted
    | PlaceAnswered
    | CancelAnswered
    | OrderRead
    | StopEvent
    | StreamSaid
    | StreamState
    | OpenOrdersRead
    | TradesRead
    | PositionsRead
    | AccountRead
    | RateSeen
    | IncomeRead
    | RulesRead
    | MarkSeen
    | ReferenceSeen
    | GoSaid
    | HoldAsked
    | CloseAsked
    | SymbolAdded
    | RemoveAsked
    | ReconcileDue
    | Ticked
)
