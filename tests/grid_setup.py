"""The grid of the specification's example: anchor 3000.00, interval 2, three levels each way, amount 30."""

from __future__ import annotations

from decimal import Decimal

from actors.mail.messages import SymbolSetup
from grid.instrument import Instrument
from grid.ladder import GridSide, Spacing
from grid.policy import GridPolicy
from grid.records import GenerationStarted

INSTRUMENT = Instrument(
    symbol="ETHUSDT",
    base="ETH",
    quote="USDT",
    tick=Decimal("0.01"),
    step=Decimal("0.001"),
    price_min=3986,
    price_max=30_656_000,
    quantity_min=1,
    quantity_max=10_000_000,
    notional_min=Decimal(20),
)


def example_setup(*, side: GridSide = GridSide.LONG, generation: int = 1, price_age_ms: int = 5_000) -> SymbolSetup:
    """Return the example's setup; prices are in ticks of 0.01, so 3000.00 is 300000 and the interval 200."""
    return SymbolSetup(
        generation=GenerationStarted(
            symbol="ETHUSDT",
            generation=generation,
            side=side,
            spacing=Spacing.ARITHMETIC,
            anchor=300_000,
            interval=200,
            ratio=Decimal(1),
            tick=INSTRUMENT.tick,
            step=INSTRUMENT.step,
        ),
        policy=GridPolicy(
            symbol="ETHUSDT",
            amount=Decimal(30),
            buy_window=3,
            sell_window=3,
            max_lots=50,
            maker_fee=Decimal("0.0002"),
            price_age_ms=price_age_ms,
        ),
        instrument=INSTRUMENT,
    )
