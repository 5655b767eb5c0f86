"""Contracts to instruments."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges import wire
from exchanges.errors import BadReply
from grid.instrument import Instrument

UNIT_MIN = Decimal("1e-12")
"""No venue has a finer tick or step; with this, every price and quantity has an exact number of them."""
PLACES_MAX = 12
PRICE_MAX = Decimal(10**9)
QUANTITY_MAX = Decimal(10**12)
"""Where the venue states no bound of its own."""
PERPETUAL, NORMAL = "perpetual", "normal"


def instruments(rows: Any) -> wire.Instruments:
    """Return the perpetual contracts by symbol; those with a day of delivery are left out."""
    found: wire.Instruments = {}
    for value in wire.sequence(rows, "contracts"):
        row = wire.mapping(value, "contracts")
        if row.get("symbolType", PERPETUAL) == PERPETUAL:
            read = instrument(row)
            found[read.symbol] = read
    return found


def instrument(row: wire.Row) -> Instrument:
    """Return one contract's rules. Sizes are in coins, so there is nothing to convert.

    Whether a closing order has to reach the smallest notional is not documented, so it is taken to have to.
    """
    symbol = wire.text(row, "symbol", "contracts")
    tick, step = _tick(row, symbol), wire.decimal(row, "sizeMultiplier", symbol)
    if min(tick, step) < UNIT_MIN:
        raise BadReply(f"{symbol}: tick {tick} and step {step} have to be at least {UNIT_MIN:f}")
    return Instrument(
        symbol=symbol,
        base=wire.text(row, "baseCoin", symbol),
        quote=wire.text(row, "quoteCoin", symbol),
        tick=tick,
        step=step,
        price_min=1,
        price_max=int(PRICE_MAX // tick),
        quantity_min=max(1, wire.parts(wire.decimal(row, "minTradeNum", symbol), step)),
        quantity_max=int(_or(row, "maxOrderQty", symbol, QUANTITY_MAX) // step),
        notional_min=_or(row, "minTradeUSDT", symbol, Decimal(0)),
        closing_exempt=False,
        percent_up=1 + wire.decimal(row, "buyLimitPriceRatio", symbol),
        percent_down=max(Decimal(0), 1 - wire.decimal(row, "sellLimitPriceRatio", symbol)),
        orders_max=int(_or(row, "maxSymbolOrderNum", symbol, Decimal(200))),
        trading=wire.text(row, "symbolStatus", symbol) == NORMAL,
    )


def _tick(row: wire.Row, symbol: str) -> Decimal:
    """Return the last place that a price has, times the step in which it moves there."""
    places = wire.integer(row, "pricePlace", symbol)
    if not 0 <= places <= PLACES_MAX:
        raise BadReply(f"{symbol}.pricePlace: expected 0 to {PLACES_MAX}, got {places}")
    return wire.decimal(row, "priceEndStep", symbol).scaleb(-places)


def _or(row: wire.Row, key: str, symbol: str, default: Decimal) -> Decimal:
    return wire.decimal(row, key, symbol) if row.get(key) not in (None, "") else default
