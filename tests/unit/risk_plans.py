"""Plans of a start for the tests of the pre-start checks."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from grid.instrument import Instrument
from grid.ladder import GridSide, Ladder, Spacing
from grid.policy import GridPolicy
from risk.plan import AccountPlan, SymbolPlan, Tier

TIERS = (
    Tier(
        notional_floor=Decimal(0),
        notional_cap=Decimal(50_000),
        rate=Decimal("0.004"),
        deduction=Decimal(0),
        leverage_max=125,
    ),
    Tier(
        notional_floor=Decimal(50_000),
        notional_cap=Decimal(500_000),
        rate=Decimal("0.005"),
        deduction=Decimal(50),
        leverage_max=100,
    ),
    Tier(
        notional_floor=Decimal(500_000),
        notional_cap=Decimal(1_000_000),
        rate=Decimal("0.01"),
        deduction=Decimal(2550),
        leverage_max=50,
    ),
)
RICH = AccountPlan(
    wallet=Decimal(100_000),
    unrealised=Decimal(0),
    is_one_way=True,
    is_multi_asset=False,
    can_trade=True,
    max_leverage=10,
    required_positions=100,
    max_notional=Decimal(1_000_000),
)
ETH = Instrument(
    symbol="ETHUSDT",
    base="ETH",
    quote="USDT",
    tick=Decimal("0.01"),
    step=Decimal("0.001"),
    price_min=3986,
    price_max=30_000_000,
    quantity_min=1,
    quantity_max=10_000_000,
    notional_min=Decimal(20),
)


def eth(
    *,
    amount: str = "300",
    interval: int = 200,
    max_lots: int = 20,
    leverage: int = 5,
    anchor: int = 300_000,
    side: GridSide = GridSide.LONG,
) -> SymbolPlan:
    """ETHUSDT at 3000 with a grid of 2 USDT, unless said otherwise."""
    return SymbolPlan(
        instrument=ETH,
        policy=GridPolicy(
            symbol="ETHUSDT",
            amount=Decimal(amount),
            buy_window=5,
            sell_window=5,
            max_lots=max_lots,
            maker_fee=Decimal("0.0002"),
        ),
        ladder=Ladder(
            symbol="ETHUSDT",
            generation=1,
            side=side,
            spacing=Spacing.ARITHMETIC,
            anchor=anchor,
            interval=interval,
        ),
        reference=anchor,
        leverage=leverage,
        is_isolated=False,
        taker_fee=Decimal("0.0005"),
        tiers=TIERS,
    )


def btc(*, amount: str, reference: int) -> SymbolPlan:
    """BTCUSDT with step 0.001 and a minimum of 100, a grid of 100 USDT."""
    plan = eth(amount=amount, interval=1000, anchor=reference)
    instrument = replace(ETH, symbol="BTCUSDT", base="BTC", tick=Decimal("0.1"), notional_min=Decimal(100))
    return replace(
        plan,
        instrument=instrument,
        policy=replace(plan.policy, symbol="BTCUSDT"),
        ladder=replace(plan.ladder, symbol="BTCUSDT"),
    )
