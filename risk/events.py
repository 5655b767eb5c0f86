"""What the supervisor takes in and gives out."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from grid.holds import Hold, HoldCause
from risk.candle import Candle
from risk.lease import Go


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinSeeded:
    """The answer of a REST query for candles; `venue_ms` is the venue's time when it was asked."""

    symbol: str
    candles: tuple[Candle, ...]
    venue_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleBatch:
    """Candles of one moment, judged together: what one of them says is not mixed with what another said before."""

    candles: tuple[Candle, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinStreamUp:
    """A coin's candle stream is confirmed."""

    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinStreamDown:
    """A coin's candle stream is lost."""

    symbol: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """The clock moved; due at least once a second, since staleness, recovery and renewal hang on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityRead:
    """Wallet plus unrealised profit of the account, in the quote asset."""

    equity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CashMoved:
    """A deposit (positive) or withdrawal: no profit, no loss."""

    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueErrors:
    """So many refusals or unreachable calls since the last such event."""

    count: int


class OperatorWord(Enum):
    """What an operator says."""

    HALT = "halt"
    RESUME = "resume"
    """Lifts the operator's own hold, and no other."""
    CLEAR_STOP_LOSS = "clear_stop_loss"
    """Lifts a stop-loss or drawdown hold and starts its measure anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorSaid:
    """An operator's word with the reason given."""

    word: OperatorWord
    reason: str


SupervisorEvent = (
    Candle
    | CandleBatch
    | CoinSeeded
    | CoinStreamUp
    | CoinStreamDown
    | Tick
    | EquityRead
    | CashMoved
    | VenueErrors
    | OperatorSaid
)


Evidence = tuple[tuple[str, str], ...]
"""(coin, figures) for each watched coin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPlaced:
    """A hold is in force from now on. Also repeated at each renewal while it lasts, so that a lost one is made good."""

    hold: Hold
    evidence: Evidence = ()
    is_repeat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldLifted:
    """The supervisor's own hold of this cause ends; holds of other causes are none of its business."""

    cause: HoldCause
    symbol: str
    reason: str
    evidence: Evidence = ()


SupervisorOutput = HoldPlaced | HoldLifted | Go
