"""Holds: the named reasons for which no new entry may leave (rule 20)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class HoldCause(Enum):
    """Who holds; each is lifted only by its own rule."""

    OPERATOR = "operator"
    RISK = "risk"
    PRICE = "price"
    ORDER_STREAM = "order_stream"
    RECONCILE = "reconcile"
    MARGIN = "margin"
    STOP_LOSS = "stop_loss"
    LEASE = "lease"
    VENUE_RULE = "venue_rule"
    TRIGGER = "trigger"
    TURN = "turn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One hold in force. `symbol` empty means the whole account."""

    cause: HoldCause
    symbol: str
    reason: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class HoldSet:
    """All holds in force; a value, so that a change is a new set. At most one hold for each (cause, symbol)."""

    holds: tuple[Hold, ...] = ()

    def with_hold(self, hold: Hold) -> HoldSet:
        """Return the set with the hold in it; the first of its (cause, symbol) stays."""
        if self.find(hold.cause, hold.symbol) is not None:
            return self
        return HoldSet((*self.holds, hold))

    def without(self, cause: HoldCause, symbol: str) -> HoldSet:
        """Return the set without the hold of exactly this cause and scope."""
        kept = tuple(h for h in self.holds if (h.cause, h.symbol) != (cause, symbol))
        return self if len(kept) == len(self.holds) else HoldSet(kept)

    def find(self, cause: HoldCause, symbol: str) -> Hold | None:
        """Return the hold of exactly this cause and scope."""
        return next((h for h in self.holds if (h.cause, h.symbol) == (cause, symbol)), None)

    def against(self, symbol: str) -> tuple[Hold, ...]:
        """Return the holds that stop entries of the symbol: its own and the account's."""
        return tuple(h for h in self.holds if h.symbol in ("", symbol))
