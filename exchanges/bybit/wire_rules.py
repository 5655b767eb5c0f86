"""The venue's list of contracts to instruments."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from exchanges import wire
from exchanges.errors import BadReply
from grid.instrument import Instrument

WHERE = "instruments-info"
QUOTE = "USDT"
PERPETUAL = "LinearPerpetual"
UNIT_MIN = Decimal("1e-12")
"""No venue has a finer tick or step; with this, every price and quantity has an exact number of them."""
BAND = Decimal("0.01")
"""The narrowest price band that the venue states of any contract, for one of which it states none."""
ORDERS_MAX = 500
"""Open orders that an account may have on a contract; the list of contracts does not tell it."""


def instruments(result: wire.Row, only: Collection[str] | None = None) -> wire.Instruments:
    """Return the perpetuals in USDT of one page, by symbol; all of them, or `only` those that are asked for."""
    found: wire.Instruments = {}
    for value in wire.sequence(result.get("list"), f"{WHERE}.list"):
        row = wire.mapping(value, WHERE)
        symbol = wire.text(row, "symbol", WHERE)
        is_ours = row.get("contractType") == PERPETUAL and row.get("settleCoin") == row.get("quoteCoin") == QUOTE
        if is_ours and (only is None or symbol in only):
            found[symbol] = instrument(row)
    return found


def next_page(result: wire.Row) -> str:
    """Return the cursor of the next page, empty at the end."""
    cursor = result.get("nextPageCursor") or ""
    if not isinstance(cursor, str):
        raise BadReply(f"nextPageCursor: expected text, got {wire.shown(cursor)}")
    return cursor


def instrument(row: wire.Row) -> Instrument:
    """Return one contract's rules. Quantities are in the base currency: a contract is one unit of it."""
    symbol = wire.text(row, "symbol", WHERE)
    price = wire.mapping(row.get("priceFilter"), f"{symbol}.priceFilter")
    lot = wire.mapping(row.get("lotSizeFilter"), f"{symbol}.lotSizeFilter")
    tick, step = _unit(price, "tickSize", symbol), _unit(lot, "qtyStep", symbol)
    band = _band(row, symbol)
    return Instrument(
        symbol=symbol,
        base=wire.text(row, "baseCoin", symbol),
        quote=QUOTE,
        tick=tick,
        step=step,
        price_min=_at_least_one(wire.decimal(price, "minPrice", symbol), tick),
        price_max=int(wire.decimal(price, "maxPrice", symbol) // tick),
        quantity_min=_at_least_one(wire.decimal(lot, "minOrderQty", symbol), step),
        quantity_max=int(wire.decimal(lot, "maxOrderQty", symbol) // step),
        notional_min=wire.decimal(lot, "minNotionalValue", symbol),
        # the documents do not say that closing orders are exempt
        closing_exempt=False,
        percent_up=1 + band,
        percent_down=1 - band,
        orders_max=ORDERS_MAX,
        trading=wire.text(row, "status", symbol) == "Trading",
    )


def _band(row: wire.Row, symbol: str) -> Decimal:
    """Return how far from mark a price is surely allowed: the narrower of the venue's two ratios."""
    if "riskParameters" not in row:
        return BAND
    told = wire.mapping(row["riskParameters"], f"{symbol}.riskParameters")
    ratio = wire.decimal(told, "priceLimitRatioX", symbol)
    if not 0 < ratio < 1:
        raise BadReply(f"{symbol}.priceLimitRatioX: expected a part of the price, got {ratio}")
    return ratio


def _at_least_one(smallest: Decimal, unit: Decimal) -> int:
    return max(1, wire.parts(smallest, unit))


def _unit(row: wire.Row, key: str, symbol: str) -> Decimal:
    unit = wire.decimal(row, key, symbol)
    if unit < UNIT_MIN:
        raise BadReply(f"{symbol}.{key}: expected at least {UNIT_MIN:f}, got {unit}")
    return unit
