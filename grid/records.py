"""Journal records: everything that changes the book, in the order in which it happened. The book is their sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from grid.account_records import (
    BreakerSet,
    DayOpened,
    EquityBaseline,
    IncomeBooked,
    PeakSet,
    RateSet,
    SymbolJoined,
    SymbolLeft,
)
from grid.codec import Undecodable, decode, encode
from grid.holds import Hold, HoldCause
from grid.kind_records import OpeningSet, SideTurned, TriggerSet
from grid.ladder import GridSide, Ladder, Spacing
from grid.lot import Lot
from grid.order import Fill, OrderStatus, Purpose, Side
from grid.reasons import Reason
from grid.slot import Signal, SlotKey
from grid.stop import StopSignal


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationStarted:
    """A ladder begins: first start, or a changed interval, spacing or anchor. Older lots keep their targets."""

    symbol: str
    generation: int
    side: GridSide
    spacing: Spacing
    anchor: int
    interval: int
    ratio: Decimal
    tick: Decimal
    step: Decimal

    def ladder(self) -> Ladder:
        """Return the levels of the generation."""
        return Ladder(
            symbol=self.symbol,
            generation=self.generation,
            side=self.side,
            spacing=self.spacing,
            anchor=self.anchor,
            interval=self.interval,
            ratio=self.ratio,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerRaised:
    """A gateway took over under a higher owner epoch."""

    owner_epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderIntended:
    """An order is about to be sent. Committed before the first byte leaves. `key` None: owned by the symbol's desk."""

    client_id: str
    symbol: str
    key: SlotKey | None
    purpose: Purpose
    side: Side
    price: int
    quantity: int
    target: int
    at_ms: int
    attach: bool = True
    """False: a stray of ours that the venue showed and the book did not know; its slot keeps its own order."""
    closes: tuple[SlotKey, ...] = ()
    """The slots whose lots an order of the symbol's desk sells, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMarked:
    """Something short of its end happened to an order, or it never lived: see `Signal`."""

    client_id: str
    symbol: str
    signal: Signal
    order_id: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEnded:
    """An order is terminal; `filled` is the venue's cumulative quantity. `by_venue`: an exit that we did not cancel."""

    client_id: str
    symbol: str
    order_id: str
    status: OrderStatus
    filled: int
    by_venue: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FillBooked:
    """A trade of the account. `client_id` empty: not ours, it changes what is foreign or reduces lots (rule 21)."""

    fill: Fill
    client_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotCleared:
    """A blocked slot was compared with the venue and may act again."""

    key: SlotKey


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPut:
    """A hold began; the halt epoch rises."""

    hold: Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldLifted:
    """A hold ended by its own rule; the halt epoch rises."""

    cause: HoldCause
    symbol: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignSet:
    """The part of the position that is not ours was established by a confirmed reading, in signed steps."""

    symbol: str
    quantity: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignNamed:
    """Whose order made a foreign trade that a reading told without a client id; empty: the venue cannot tell."""

    symbol: str
    order_id: str
    client_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LotSet:
    """A slot's lot was given by the user (`adopt`) or mended by a confirmed reading; None takes it away."""

    key: SlotKey
    lot: Lot | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingBooked:
    """One funding payment, shared by lots and foreign by quantity held; positive where we received."""

    symbol: str
    transaction_id: str
    amount: Decimal
    asset: str
    venue_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TradesCompleted:
    """Every trade of the symbol up to this venue time was read and booked; older ones are not booked any more."""

    symbol: str
    venue_ms: int
    is_exact: bool = False
    """Up to this very moment, as a position that was read says it; else a little before it is looked at again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopIntended:
    """A symbol's exchange-side stop is about to be sent. Committed before the first byte leaves."""

    symbol: str
    client_id: str
    side: Side
    trigger: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StopMarked:
    """Something happened to the symbol's stop: see `StopSignal`. `order_id` is the order that it became."""

    symbol: str
    client_id: str
    signal: StopSignal
    algo_id: str = ""
    order_id: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Something worth counting that changes no order: a latecomer, a repair, a taker exit."""

    symbol: str
    what: str
    reason: Reason | None = None


Record = (
    GenerationStarted
    | OwnerRaised
    | OrderIntended
    | OrderMarked
    | OrderEnded
    | FillBooked
    | SlotCleared
    | HoldPut
    | HoldLifted
    | ForeignSet
    | ForeignNamed
    | LotSet
    | FundingBooked
    | TradesCompleted
    | StopIntended
    | StopMarked
    | TriggerSet
    | OpeningSet
    | SideTurned
    | Counted
    | BreakerSet
    | DayOpened
    | PeakSet
    | EquityBaseline
    | IncomeBooked
    | RateSet
    | SymbolJoined
    | SymbolLeft
)

KINDS: dict[str, type[Any]] = {
    "generation": GenerationStarted,
    "owner": OwnerRaised,
    "intent": OrderIntended,
    "mark": OrderMarked,
    "end": OrderEnded,
    "fill": FillBooked,
    "cleared": SlotCleared,
    "hold": HoldPut,
    "lift": HoldLifted,
    "foreign": ForeignSet,
    "named": ForeignNamed,
    "lot": LotSet,
    "funding": FundingBooked,
    "trades": TradesCompleted,
    "stop": StopIntended,
    "stopped": StopMarked,
    "trigger": TriggerSet,
    "opening": OpeningSet,
    "turned": SideTurned,
    "count": Counted,
    "breaker": BreakerSet,
    "day": DayOpened,
    "peak": PeakSet,
    "baseline": EquityBaseline,
    "income": IncomeBooked,
    "rate": RateSet,
    "joined": SymbolJoined,
    "left": SymbolLeft,
}
_NAMES = {kind: name for name, kind in KINDS.items()}


def to_body(record: Record) -> tuple[str, str, dict[str, Any]]:
    """Return (kind, symbol, body) as the journal stores it; symbol is empty for the account's own records."""
    return _NAMES[type(record)], symbol_of(record), encode(record)


def from_body(kind: str, body: Mapping[str, Any]) -> Record:
    """Return the record of a journal row; raises `Undecodable` for a kind or field that this version does not know."""
    known = KINDS.get(kind)
    if known is None:
        raise Undecodable(f"unknown record kind {kind!r}")
    record: Record = decode(known, body)
    return record


def symbol_of(record: Record) -> str:
    """Return the symbol that the record is about; empty for the account's own records."""
    match record:
        case OwnerRaised() | DayOpened() | PeakSet() | EquityBaseline() | RateSet():
            return ""
        case FillBooked(fill=fill):
            return fill.symbol
        case SlotCleared(key=key) | LotSet(key=key):
            return key.symbol
        case HoldPut(hold=hold):
            return hold.symbol
        case _:
            return record.symbol
