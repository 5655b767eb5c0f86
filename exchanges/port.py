"""The venue port: what the order gateway, the feeds and the supervisor need of any venue.

Every method may raise `VenueError`. For `place` and `cancel` the class of the error decides what happens next:
`VenueRefused` is final, `VenueUnreachable` means that nothing happened, `OutcomeUnknown` has to be resolved by
client id. Reads raise rather than answer with less than the whole: an empty list is the venue's own answer.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from exchanges.cost import CallCosts, Cost
from grid.instrument import Instrument
from grid.order import Fill, OrderReport, OrderUpdate, Quote, Side
from grid.stop import StopReport
from risk.candle import Candle
from risk.veto import Approved, ApprovedStop


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One symbol's position. `quantity` in steps, negative where short; `liquidation` is None where there is none.

    A stream tells less than a reading: there `liquidation` is None, `mark_price` 0 while flat, and `leverage` the last
    one read (0 before the first reading).
    """

    symbol: str
    quantity: int
    entry_price: Decimal
    mark_price: Decimal
    unrealised: Decimal
    liquidation: Decimal | None
    leverage: int
    is_isolated: bool
    venue_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The account as the pre-start checks and the equity tie need it; amounts in the quote asset."""

    wallet: Decimal
    available: Decimal
    unrealised: Decimal
    is_one_way: bool
    is_multi_asset: bool
    can_trade: bool
    pays_fees_in_other_asset: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeRates:
    """What this account pays on a symbol, as fractions of notional."""

    symbol: str
    maker: Decimal
    taker: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceTier:
    """One bracket of the venue's maintenance margin: rate and deduction up to a notional."""

    notional_floor: Decimal
    notional_cap: Decimal
    rate: Decimal
    deduction: Decimal
    leverage_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Income:
    """One row of the venue's ledger. `(kind, transaction_id)` identifies it; `symbol` is empty for transfers."""

    kind: str
    transaction_id: str
    symbol: str
    asset: str
    amount: Decimal
    venue_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConductIndicator:
    """One of the venue's measures of how an account trades; `symbol` is empty for the account as a whole.

    Beyond `trigger` the venue locks opening orders until `recovers_ms` (venue time, None where it does not say).
    """

    symbol: str
    name: str
    value: Decimal
    trigger: Decimal
    is_locked: bool
    recovers_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RateWindow:
    """One window of the venue's limits: at most `limit` units of `kind` in `interval_ms`."""

    kind: str
    """`orders`, `cancels` or `weight`."""
    interval_ms: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedQuota:
    """What the venue's own headers say is used of its windows, by (kind, interval_ms), read at `at_ns` (monotonic)."""

    used: dict[tuple[str, int], int] = field(default_factory=dict)
    at_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueRules:
    """Metadata of a venue: instruments by symbol and its limits."""

    instruments: dict[str, Instrument]
    rate_windows: tuple[RateWindow, ...]
    changes: Mapping[str, str] = field(default_factory=dict)
    """By symbol, in words: what of a new reading nobody can trade through; the old units stay."""
    recv_window_ms: int = 2000
    id_retention_ms: int = 3 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicTrade:
    """One trade of anybody's, in ticks and steps. `aggressor` is who took: a seller hits bids, a buyer lifts asks."""

    symbol: str
    trade_id: str
    price: int
    quantity: int
    aggressor: Side
    venue_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingDue:
    """What the venue would settle next: longs pay `rate` times their notional at mark; below 0 they are paid.

    The rate moves until then; `at_ms` is the venue's time.
    """

    symbol: str
    rate: Decimal
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamUp:
    """A stream is connected and its subscription confirmed; everything before it may be lost."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamDown:
    """A stream is lost, with the reason; it reconnects by itself with back-off and jitter."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationChanged:
    """Leverage, margin or position mode was changed by somebody; `symbol` is empty for the account as a whole."""

    what: str
    symbol: str = ""
    leverage: int | None = None
    """What the symbol's leverage is now, where that was changed."""


PrivateEvent = OrderUpdate | StopReport | Position | StreamUp | StreamDown | ConfigurationChanged
QuoteEvent = Quote | StreamUp | StreamDown
CandleEvent = Candle | StreamUp | StreamDown
TradeEvent = PublicTrade | StreamUp | StreamDown


class MarketVenue(Protocol):
    """The public half: no keys, light to import (ccxt by the generic one alone), held by feeds and the supervisor."""

    async def instrument(self, symbol: str) -> Instrument:
        """Return the symbol's rules; raises `VenueRefused` with `Refusal.SYMBOL_CLOSED` where there is none such."""
        ...

    async def quote(self, symbol: str) -> Quote: ...

    async def funding(self, symbol: str) -> FundingDue:
        """Return the next funding, as the venue publishes it by REST."""
        ...

    async def candles(self, symbol: str, interval: str, limit: int) -> list[Candle]:
        """Return the last candles, oldest first; fewer than `limit` where the venue gives no more in one answer.

        The supervisor asks for a day of minutes, so a limit beyond the venue's own is cut and not refused.
        """
        ...

    def quotes(self, symbols: Sequence[str]) -> AsyncGenerator[QuoteEvent, None]: ...

    def candle_stream(self, symbols: Sequence[str], interval: str) -> AsyncGenerator[CandleEvent, None]: ...

    def marks(self, symbols: Sequence[str]) -> AsyncGenerator[tuple[str, Decimal, int] | StreamUp | StreamDown, None]:
        """Yield (symbol, mark price, venue time in ms) about once a second."""
        ...

    def trades(self, symbols: Sequence[str]) -> AsyncGenerator[TradeEvent, None]:
        """Yield everybody's trades, each once and in the venue's order; a `StreamUp` says that some may be lost."""
        ...

    def ages(self) -> dict[str, float]:
        """Return seconds since each stream last spoke or was confirmed, by our stream name (`quote/ETHUSDT`)."""
        ...

    async def close(self) -> None: ...


class TradingVenue(Protocol):
    """The private half: keys, ccxt for cold calls, order entry over the venue's WebSocket with REST behind it."""

    on_quota: Callable[[UsedQuota], None] | None
    toll: Callable[[Cost], Awaitable[None]] | None
    """Waited for before each request that is no call of ours: further pages, the listen key, the clock, rules."""
    costs: CallCosts

    def fence_by(self, fence: Callable[[], None]) -> None:
        """Ask `fence` before every write: it raises `VenueUnreachable` where nothing may be sent now.

        It is the last step before the wire, and comes after the time stamp that bounds how late a request may arrive.
        """
        ...

    @property
    def orders_by_socket(self) -> bool:
        """Whether an order placed now would go over a socket."""
        ...

    async def connect(self) -> None:
        """Load metadata and measure the clock offset; call once before anything else."""
        ...

    async def rules(self) -> VenueRules: ...

    async def instrument(self, symbol: str) -> Instrument: ...

    def place(self, order: Approved) -> Awaitable[OrderReport]:
        """Send one order, once, and return what gives the report. An adapter may write it before this returns."""
        ...

    async def place_batch(self, orders: Sequence[Approved]) -> list[OrderReport | BaseException]:
        """Place several; the answer at index k belongs to order k. Raises only where nothing is known of any."""
        ...

    async def cancel(self, symbol: str, client_id: str) -> OrderReport: ...

    async def cancel_batch(self, symbol: str, client_ids: Sequence[str]) -> list[OrderReport | BaseException]: ...

    async def order(self, symbol: str, client_id: str, order_id: str = "") -> OrderReport:
        """Return the order of a client id, or of the venue's own where that is given.

        Raises `VenueRefused` with `Refusal.UNKNOWN_ORDER` where the venue knows none.
        """
        ...

    async def open_orders(self, symbol: str | None = None) -> list[OrderReport]: ...

    async def place_stop(self, stop: ApprovedStop) -> StopReport: ...

    async def cancel_stop(self, symbol: str, client_id: str) -> None:
        """Cancel a waiting stop; what became of it only `stop` tells."""
        ...

    async def stop(self, symbol: str, client_id: str) -> StopReport:
        """Return the stop; raises `VenueRefused` with `Refusal.UNKNOWN_ORDER` where the venue knows none."""
        ...

    async def open_stops(self) -> list[StopReport]:
        """Return every conditional order of the account that waits, of any kind and anybody's."""
        ...

    async def account(self) -> Account: ...

    async def positions(self) -> list[Position]:
        """Return every symbol's position, flat ones of configured symbols included."""
        ...

    async def fee_rates(self, symbol: str) -> FeeRates: ...

    async def conduct(self) -> list[ConductIndicator]:
        """Return the venue's indicators of our trading; none while it finds nothing to measure."""
        ...

    async def maintenance_tiers(self, symbol: str) -> list[MaintenanceTier]: ...

    async def fills_since(self, symbol: str, since_ms: int, order_id: str | None = None) -> list[Fill]:
        """Return every fill from `since_ms` on in time order, paged to the end. Fills lack a client id."""
        ...

    async def orders_since(self, symbol: str, since_ms: int) -> list[OrderReport]:
        """Return every order made from `since_ms` on that the venue still tells, ended ones too."""
        ...

    async def income_since(self, since_ms: int) -> list[Income]: ...

    async def set_leverage(self, symbol: str, leverage: int) -> None: ...

    async def set_margin_type(self, symbol: str, margin_type: str) -> None: ...

    async def set_countdown(self, symbol: str, countdown_ms: int) -> None:
        """Have the venue cancel every order on the symbol, anybody's, unless it is set again in time; 0 ends it."""
        ...

    def private_events(self) -> AsyncGenerator[PrivateEvent, None]:
        """Yield the private stream, for ever; `StreamUp` after each (re)connection, `StreamDown` after each loss."""
        ...

    async def measure_clock(self) -> int:
        """Measure venue clock minus ours anew and return it, in ms."""
        ...

    def clock_offset_ms(self) -> int:
        """Return venue clock minus ours at the last measurement."""
        ...

    def ages(self) -> dict[str, float]:
        """Return seconds since the private stream last spoke or was confirmed. Quiet is not stale."""
        ...

    async def close(self) -> None: ...
