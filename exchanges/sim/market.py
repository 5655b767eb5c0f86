"""What the market does, as a tape tells it. Prices are ticks, quantities steps, times venue milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from grid.order import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One print between others. `aggressor` is who took: SELL hits bids, BUY lifts asks."""

    symbol: str
    time_ms: int
    price: int
    quantity: int
    aggressor: Side
    trade_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BookTop:
    """Best bid and ask of the others; our orders are not in it. A quantity of 0 means the side is empty."""

    symbol: str
    time_ms: int
    bid: int
    bid_quantity: int
    ask: int
    ask_quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Candle:
    """A closed candle. It is met at its close: `time_ms` is the last millisecond of the interval.

    `volume` in steps. `quote_volume` and `taker_buy_quote_volume` in quote currency; 0 where the tape has none.
    `history` marks warm-up: it fills the kline store, and moves nothing but the last price before the first trade.
    """

    symbol: str
    open_ms: int
    interval_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    quote_volume: Decimal = Decimal(0)
    trades: int = 0
    taker_buy_volume: int = 0
    taker_buy_quote_volume: Decimal = Decimal(0)
    history: bool = False

    @property
    def time_ms(self) -> int:
        """Return the last millisecond of the candle."""
        return self.open_ms + self.interval_ms - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The venue's mark price, apart from the last trade. From the first one on, only these move the symbol's mark."""

    symbol: str
    time_ms: int
    price: Decimal
    index: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Funding:
    """Settle funding now: each long pays `rate` times its notional at mark; a negative rate pays the longs."""

    symbol: str
    time_ms: int
    rate: Decimal


MarketEvent: TypeAlias = Trade | BookTop | Candle | Mark | Funding
