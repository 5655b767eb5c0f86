"""What the order desk is given once: bounds, limits and the grids that it serves."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from grid.instrument import Instrument
from grid.opening import OpeningRule
from grid.policy import GridPolicy
from risk.breakers import BreakerRules
from risk.stop_rule import StopRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakers:
    """What ends entries of a symbol, or of the account. `sells`: a stop-loss or take-profit sells the lots too."""

    rules: BreakerRules
    sells: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSettings:
    """Bounds in milliseconds, money in quote currency.

    An order is known to be absent only from a look-up begun at sending + `recv_window_ms` + `clock_bound_ms` +
    `margin_ms` or later: before that the venue may still take it.
    """

    journal: str
    notional_max: Decimal
    orders_max: int = 200
    recv_window_ms: int = 2_000
    clock_bound_ms: int = 500
    margin_ms: int = 500
    echo_ms: int = 2_000
    go_expiry_ms: int = 3_000
    go_hold_ms: int = 10_000
    price_age_ms: int = 5_000
    mark_age_ms: int = 10_000
    mark_band: Decimal = Decimal("0.1")
    margin_pause_ms: int = 30_000
    flatten_slippage: Decimal = Decimal("0.005")
    daily_loss: Decimal | None = None
    breakers: Breakers | None = None
    unexplained_max: Decimal | None = None
    """Equity that the book does not explain, beyond which people are warned."""

    @property
    def absent_after_ms(self) -> int:
        """Return how long after sending an order may still appear."""
        return self.recv_window_ms + self.clock_bound_ms + self.margin_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSymbol:
    """One grid of the account."""

    policy: GridPolicy
    instrument: Instrument
    breakers: Breakers | None = None
    countdown_ms: int = 0
    """The venue's countdown cancel; 0: none."""
    stop: StopRule | None = None
    """Where its exchange-side stop lies; None: it has none."""
    trigger: Decimal | None = None
    """The mark price at which it begins; None: at once."""
    opening: OpeningRule | None = None
    """What it buys at its creation; None: nothing."""
    sides: tuple[tuple[int, GridPolicy], ...] = ()
    """Of a neutral grid: the policy of each of its two ladders, by generation; `policy` is that of the present one."""

    @property
    def symbol(self) -> str:
        """Return the symbol's name at the venue."""
        return self.policy.symbol
