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
    lowest_level: int | None = None
    highest_level: int | None = None
    """A grid with bounds buys from the one to the other and nowhere else. None: the window follows the price freely."""

    def has(self, level: int) -> bool:
        """Whether the grid may ever buy at the level."""
        is_low = self.lowest_level is not None and level < self.lowest_level
        return not is_low and (self.highest_level is None or level <= self.highest_level)

    def nearest(self, ceiling: int) -> int:
        """Return c: with the price beyond the grid's end, the window stays at its last level."""
        return ceiling if self.highest_level is None else min(ceiling, self.highest_level)
