"""The day's loss limit, as the gateway asks it before each entry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyLoss:
    """Equity of a UTC day against its first reading; a value that the journal keeps.

    Tripped once `opening` - equity reaches `limit`, and for the rest of that day, even if equity comes back. Before
    the first reading entries are refused. `limit` None: no limit.
    """

    limit: Decimal | None
    day: int = -1
    opening: Decimal = Decimal(0)
    tripped_at: Decimal | None = None
    """Equity at the reading that tripped it."""

    def read(self, equity: Decimal, *, wall_ms: int) -> DailyLoss:
        """Return the state after a reading of equity at a wall-clock time; a new day starts anew."""
        day = wall_ms // DAY_MS
        if day > self.day:
            return DailyLoss(limit=self.limit, day=day, opening=equity)
        if self.limit is None or self.tripped_at is not None or self.opening - equity < self.limit:
            return self
        return replace(self, tripped_at=equity)

    def cash_moved(self, amount: Decimal) -> DailyLoss:
        """Return the state after a deposit (positive) or withdrawal, which is neither profit nor loss."""
        tripped_at = None if self.tripped_at is None else self.tripped_at + amount
        return replace(self, opening=self.opening + amount, tripped_at=tripped_at)

    def refusal(self) -> str:
        """Return why entries are refused, or nothing where they are not."""
        if self.limit is None:
            return ""
        if self.day < 0:
            return "daily loss unknown: no equity reading yet"
        if self.tripped_at is None:
            return ""
        loss = self.opening - self.tripped_at
        return f"daily loss {loss} reached the limit of {self.limit}; entries are off for this UTC day"
