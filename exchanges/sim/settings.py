"""How the engine behaves where the real venue leaves a choice to whoever models it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from exchanges.sim.views import MarginType


class ThroughFill(Enum):
    """How much of a resting order a print beyond its price fills."""

    WHOLE = "whole"
    """All of it: for the print to happen, everything at our price was taken first."""
    TRADED = "traded"
    """At most what was traded: for orders large against the market."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FillModel:
    """When a resting order fills. Prices are never better than its limit; the time of a fill is that of its cause."""

    name: str
    through: ThroughFill = ThroughFill.WHOLE
    cancels_shrink_queue: bool = False
    """Others' cancels are taken to be ahead of us: the queue is never longer than what is shown now."""
    crossing_quote_fills: bool = False
    """A quote of the others at or beyond our price fills us, up to its size, without a print."""
    hidden_level_is_empty: bool = False
    """A level away from the best price is taken to hold nobody; else as much as the best price shows."""


PESSIMISTIC = FillModel(name="pessimistic")
OPTIMISTIC = FillModel(
    name="optimistic", cancels_shrink_queue=True, crossing_quote_fills=True, hidden_level_is_empty=True
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthModel:
    """What a taker finds beyond the best price, where a tape shows only that.

    The best level holds what the tape shows. Level n beyond lies n * `spacing_ticks` away and holds the best level's
    size times `growth_percent` ** n, `levels` in all; after them the book is empty. What we took stays taken until the
    best price changes or `refill_ms` pass. A tape without quotes has a book of `size_without_quotes` notional one tick
    around the last trade.
    """

    levels: int = 20
    spacing_ticks: int = 1
    growth_percent: int = 100
    refill_ms: int = 1000
    size_without_quotes: Decimal = Decimal(50_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """Everything the engine can be told. `publish` adds the public events (book, prints) to what calls return."""

    fills: FillModel = PESSIMISTIC
    depth: DepthModel = field(default_factory=DepthModel)
    publish: bool = False
    mark_every_ms: int = 1000
    """Without marks on the tape, mark = median(bid, ask, last), read this often."""
    funding_every_ms: int = 0
    """Settle funding by itself at multiples of this (8 h = 28_800_000); 0: only `Funding` events of the tape do."""
    funding_rate: Decimal = Decimal("0.0001")
    orders_max: int = 200
    """Open orders a symbol and account, where the symbol's filter allows more."""
    margin_call_percent: int = 80
    order_retention_ms: int = 3 * 86_400_000
    """A cancelled or expired order without a fill is forgotten by queries so long after its creation."""
    history_max: int = 200_000
    """Closed orders, fills and income rows kept for each account; the oldest go first."""
    kline_history_max: int = 10_000
    """Closed candles kept for each symbol and base interval."""
    reduce_only_strict: bool = True
    """Refuse a reduce-only limit that, with those already resting, exceeds the position (-2022); else the worst priced
    of them are ended at once, until the others fit."""
    post_only_cancels: bool = False
    """Accept a post-only order that would take and cancel it at once, where else it is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSpec:
    """One account at opening. Fees None: the symbol's own. With `fee_asset` BNB fees are paid in it at 10 % off,
    valued at BNBUSDT's mark or `bnb_price`, while its balance lasts."""

    account: str
    deposit: Decimal
    asset: str = "USDT"
    fee_asset: str = "USDT"
    bnb_deposit: Decimal = Decimal(0)
    bnb_price: Decimal = Decimal(600)
    maker_fee: Decimal | None = None
    taker_fee: Decimal | None = None
    hedge_mode: bool = False
    leverage: int = 20
    margin_type: MarginType = MarginType.CROSSED
