"""Exchange information to instruments and rate windows."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from exchanges import wire
from exchanges.errors import BadReply
from exchanges.port import RateWindow, VenueRules
from grid.instrument import Instrument

INTERVALS_MS = {"SECOND": 1000, "MINUTE": 60_000, "HOUR": 3_600_000, "DAY": 86_400_000}
UNIT_MIN = Decimal("1e-12")
"""No venue has a finer tick or step; with this, every price and quantity has an exact number of them."""
KINDS = {"REQUEST_WEIGHT": "weight", "ORDERS": "orders"}


def venue_rules(message: Any, recv_window_ms: int) -> VenueRules:
    """Return instruments and limits of the whole venue."""
    body = wire.mapping(message, "exchangeInfo")
    windows = tuple(
        window
        for row in wire.sequence(body.get("rateLimits"), "exchangeInfo.rateLimits")
        if (window := rate_window(wire.mapping(row, "rateLimits"))) is not None
    )
    if not windows:
        raise BadReply("exchangeInfo.rateLimits: no window")
    return VenueRules(instruments=instruments(body), rate_windows=windows, recv_window_ms=recv_window_ms)


def instruments(message: Any, only: Collection[str] | None = None) -> wire.Instruments:
    """Return the instruments by symbol; all of them, or `only` those that are asked for.

    A symbol that is not yet listed has a tick of 0: it is left out until it has rules.
    """
    body = wire.mapping(message, "exchangeInfo")
    found: wire.Instruments = {}
    for value in wire.sequence(body.get("symbols"), "exchangeInfo.symbols"):
        row = wire.mapping(value, "exchangeInfo.symbols")
        symbol = wire.text(row, "symbol", "exchangeInfo.symbols")
        if (only is None or symbol in only) and not _is_unlisted(row, symbol):
            found[symbol] = instrument(row)
    return found


def instrument(row: wire.Row) -> Instrument:
    """Return one symbol's rules."""
    symbol = wire.text(row, "symbol", "symbols")
    filters = _filters(row, symbol)
    price, lot = _filter(filters, "PRICE_FILTER", symbol), _filter(filters, "LOT_SIZE", symbol)
    tick, step = _unit(price, "tickSize", symbol), _unit(lot, "stepSize", symbol)
    band = filters.get("PERCENT_PRICE", {})
    return Instrument(
        symbol=symbol,
        base=wire.text(row, "baseAsset", symbol),
        quote=wire.text(row, "quoteAsset", symbol),
        tick=tick,
        step=step,
        price_min=_at_least_one(wire.decimal(price, "minPrice", symbol), tick),
        price_max=int(wire.decimal(price, "maxPrice", symbol) // tick),
        quantity_min=_at_least_one(wire.decimal(lot, "minQty", symbol), step),
        quantity_max=int(wire.decimal(lot, "maxQty", symbol) // step),
        notional_min=wire.decimal(_filter(filters, "MIN_NOTIONAL", symbol), "notional", symbol),
        percent_up=wire.decimal(band, "multiplierUp", symbol),
        percent_down=wire.decimal(band, "multiplierDown", symbol),
        orders_max=wire.integer(_filter(filters, "MAX_NUM_ORDERS", symbol), "limit", symbol),
        trading=wire.text(row, "status", symbol) == "TRADING",
    )


def rate_window(row: wire.Row) -> RateWindow | None:
    """Return a window of the limits; None for a kind that we don't spend (raw requests)."""
    kind = KINDS.get(wire.text(row, "rateLimitType", "rateLimits"))
    if kind is None:
        return None
    interval = wire.text(row, "interval", "rateLimits")
    if interval not in INTERVALS_MS:
        raise BadReply(f"rateLimits.interval: unknown interval {interval}")
    interval_ms = INTERVALS_MS[interval] * wire.count(row, "intervalNum", "rateLimits")
    return RateWindow(kind=kind, interval_ms=interval_ms, limit=wire.count(row, "limit", "rateLimits"))


def _at_least_one(smallest: Decimal, unit: Decimal) -> int:
    """Return the smallest allowed value in units. Some listed symbols state 0, which no order may have."""
    return max(1, wire.parts(smallest, unit))


def _is_unlisted(row: wire.Row, symbol: str) -> bool:
    price = _filter(_filters(row, symbol), "PRICE_FILTER", symbol)
    return wire.decimal(price, "tickSize", symbol) == 0 and wire.text(row, "status", symbol) != "TRADING"


def _filters(row: wire.Row, symbol: str) -> dict[str, wire.Row]:
    rows = [wire.mapping(value, symbol) for value in wire.sequence(row.get("filters"), f"{symbol}.filters")]
    return {wire.text(entry, "filterType", symbol): entry for entry in rows}


def _filter(filters: dict[str, wire.Row], kind: str, symbol: str) -> wire.Row:
    if kind not in filters:
        raise BadReply(f"{symbol}.filters: {kind} missing")
    return filters[kind]


def _unit(row: wire.Row, key: str, symbol: str) -> Decimal:
    unit = wire.decimal(row, key, symbol)
    if unit < UNIT_MIN:
        raise BadReply(f"{symbol}.{key}: expected at least {UNIT_MIN:f}, got {unit}")
    return unit
