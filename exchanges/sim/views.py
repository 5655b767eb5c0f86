"""What a client may read of its account and of the market. Decimals are in quote currency unless a word says steps."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum


class MarginType(Enum):
    """How a position is margined. The venue writes `cross` on its stream and `CROSSED` in its settings."""

    CROSSED = "CROSSED"
    ISOLATED = "ISOLATED"


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionView:
    """One symbol of one account in one-way mode, flat ones included. `quantity` in steps, negative when short.

    `realised` is what the position closed since the account opened (`cr`). `liquidation_price` is 0 where none exists.
    """

    account: str
    symbol: str
    quantity: int
    entry_price: Decimal
    break_even_price: Decimal
    mark_price: Decimal
    notional: Decimal
    unrealised: Decimal
    realised: Decimal
    liquidation_price: Decimal
    leverage: int
    margin_type: MarginType
    isolated_wallet: Decimal
    isolated_margin: Decimal
    position_initial_margin: Decimal
    order_initial_margin: Decimal
    maintenance_margin: Decimal
    bids_notional: Decimal
    asks_notional: Decimal
    notional_max: Decimal
    updated_ms: int

    @property
    def initial_margin(self) -> Decimal:
        """Return the margin held for the position and its open orders."""
        return self.position_initial_margin + self.order_initial_margin


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetView:
    """One asset of an account."""

    asset: str
    wallet: Decimal
    cross_wallet: Decimal
    unrealised: Decimal
    cross_unrealised: Decimal
    maintenance_margin: Decimal
    position_initial_margin: Decimal
    order_initial_margin: Decimal
    available: Decimal
    updated_ms: int

    @property
    def margin_balance(self) -> Decimal:
        """Return wallet plus unrealised profit."""
        return self.wallet + self.unrealised

    @property
    def initial_margin(self) -> Decimal:
        """Return the margin held for positions and open orders."""
        return self.position_initial_margin + self.order_initial_margin


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """The whole account: totals are `assets[0]`, the margin asset; positions in the order of the venue's symbols."""

    account: str
    time_ms: int
    hedge_mode: bool
    fee_asset: str
    assets: tuple[AssetView, ...]
    positions: tuple[PositionView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Income:
    """One row of the account's ledger. `kind`: TRANSFER, REALIZED_PNL, COMMISSION, FUNDING_FEE, INSURANCE_CLEAR.

    `tran_id` is unique within a kind. `trade_id` is 0 where no trade caused it.
    """

    kind: str
    symbol: str
    asset: str
    amount: Decimal
    time_ms: int
    tran_id: int
    trade_id: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kline:
    """One candle; prices in ticks, volumes in steps, quote volumes in quote currency."""

    symbol: str
    open_ms: int
    close_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    quote_volume: Decimal
    trades: int
    taker_buy_volume: int
    taker_buy_quote_volume: Decimal
    first_trade_id: int
    last_trade_id: int
    is_closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PremiumIndex:
    """Mark, index and funding of a symbol. Prices are 0 until the tape has told one."""

    symbol: str
    time_ms: int
    mark_price: Decimal
    index_price: Decimal
    funding_rate: Decimal
    next_funding_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingRow:
    """One settlement of a symbol, for the public history."""

    symbol: str
    time_ms: int
    rate: Decimal
    mark_price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthRow:
    """One level of the published book: price in ticks, quantity in steps."""

    price: int
    quantity: int
