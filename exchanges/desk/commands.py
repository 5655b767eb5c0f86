"""What the order desk wants done.

A driver commits the records first and only then carries out the commands, in order.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from exchanges.lane import Lane
from grid.intent import Standing, Told
from grid.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Put the order in its lane.

    When its turn comes, ask `OrderDesk.release` for permission: it may be gone by then.
    """

    client_id: str
    lane: Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class SendCancel:
    """Cancel by client id, in the quickest lane."""

    symbol: str
    client_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUp:
    """Read one order by client id, or by the venue's own id where that is all that is known."""

    symbol: str
    client_id: str
    order_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendStop:
    """Put a symbol's exchange-side stop in its lane. When its turn comes, ask `OrderDesk.release_stop`."""

    symbol: str
    client_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelStop:
    """Cancel an exchange-side stop by client id, in the quickest lane."""

    symbol: str
    client_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpStop:
    """Read one exchange-side stop by client id."""

    symbol: str
    client_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOpenStops:
    """Read all conditional orders of the account that wait: they are not among the open orders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTrades:
    """Read the symbol's fills since a venue time; those of one order where its id is given."""

    symbol: str
    since_ms: int
    order_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOpenOrders:
    """Read all open orders of the account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPositions:
    """Read all positions of the account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """Tell the slot's actor."""

    told: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast:
    """Tell every actor of the symbol which holds stand."""

    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """A neutral grid works on its other ladder now: its feed and its slots have to be told."""

    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Restream:
    """Drop the private stream and connect anew: it is deaf."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncClock:
    """Measure the clock offset again: the venue refused a time stamp."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRules:
    """Read the venue's rules again: a filter refused."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Worth a log line and, from `warning` on, an alarm. `kind` is a fixed word, `text` a sentence for people."""

    kind: str
    text: str
    level: str = "info"


Command = (
    Send
    | SendCancel
    | LookUp
    | SendStop
    | CancelStop
    | LookUpStop
    | ReadOpenStops
    | ReadTrades
    | ReadOpenOrders
    | ReadPositions
    | Tell
    | Broadcast
    | Turned
    | Restream
    | SyncClock
    | ReadRules
    | Notice
)


@dataclass(slots=True)
class Effects:
    """What one event led to."""

    records: list[Record] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
