"""What the configuration says about one symbol's grid."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

ENTRY_SLACK = 1
MIN_REST_MS = 5_000
PRICE_AGE_MS = 5_000
RETRY_FIRST_MS = 250
RETRY_LAST_MS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GridPolicy:
    """Rules 5, 6, 9 to 12, 15 and 16 of one symbol. `amount` in quote currency; fees as fractions of notional.

    `sell_window` None: exits rest wherever their target is, as many as the order cap allows.
    """

    symbol: str
    amount: Decimal
    buy_window: int
    sell_window: int | None
    max_lots: int
    maker_fee: Decimal
    entry_slack: int = ENTRY_SLACK
    min_rest_ms: int = MIN_REST_MS
    price_age_ms: int = PRICE_AGE_MS
    exit_taker: bool = False
    level_count: int | None = None
    """A bounded grid buys at levels 0 to this less one, and nowhere else. None: the window slides with the price."""

    def has(self, level: int) -> bool:
        """Whether the grid may ever buy at the level."""
        return self.level_count is None or 0 <= level < self.level_count

    def nearest(self, ceiling: int) -> int:
        """Return c of a bounded grid: with the price beyond its end, the window stays at its last level."""
        return ceiling if self.level_count is None else min(ceiling, self.level_count - 1)
