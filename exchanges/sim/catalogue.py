"""Symbols the venue has without a file: exchangeInfo entries in the venue's own shape, for demo and tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from exchanges.sim.instrument import SimInstrument


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What differs between symbols; the rest of an exchangeInfo entry is the same for all of these."""

    base: str
    tick: str
    price_min: str
    price_max: str
    price_precision: int
    step: str
    quantity_max: str
    quantity_precision: int
    notional_min: str
    onboard_ms: int


ENTRIES = (
    Entry(
        base="BTC",
        tick="0.10",
        price_min="261.10",
        price_max="809484",
        price_precision=2,
        step="0.001",
        quantity_max="1000",
        quantity_precision=3,
        notional_min="100",
        onboard_ms=1_569_398_400_000,
    ),
    Entry(
        base="ETH",
        tick="0.01",
        price_min="39.86",
        price_max="306177",
        price_precision=2,
        step="0.001",
        quantity_max="10000",
        quantity_precision=3,
        notional_min="20",
        onboard_ms=1_569_398_400_000,
    ),
    Entry(
        base="SOL",
        tick="0.0100",
        price_min="0.4200",
        price_max="6857",
        price_precision=4,
        step="0.01",
        quantity_max="1000000",
        quantity_precision=2,
        notional_min="5",
        onboard_ms=1_569_398_400_000,
    ),
    Entry(
        base="XRP",
        tick="0.0001",
        price_min="0.0143",
        price_max="100000",
        price_precision=4,
        step="0.1",
        quantity_max="10000000",
        quantity_precision=1,
        notional_min="5",
        onboard_ms=1_569_398_400_000,
    ),
    Entry(
        base="BNB",
        tick="0.010",
        price_min="6.600",
        price_max="100000",
        price_precision=3,
        step="0.01",
        quantity_max="100000",
        quantity_precision=2,
        notional_min="5",
        onboard_ms=1_569_398_400_000,
    ),
    Entry(
        base="DOGE",
        tick="0.000010",
        price_min="0.002440",
        price_max="30",
        price_precision=6,
        step="1",
        quantity_max="50000000",
        quantity_precision=0,
        notional_min="5",
        onboard_ms=1_569_398_400_000,
    ),
    Entry(
        base="ADA",
        tick="0.00010",
        price_min="0.01740",
        price_max="100000",
        price_precision=5,
        step="1",
        quantity_max="2000000",
        quantity_precision=0,
        notional_min="5",
        onboard_ms=1_569_398_400_000,
    ),
)


def exchange_info_entry(entry: Entry) -> dict[str, Any]:
    """Return a symbol as the venue's exchangeInfo lists it."""
    symbol = f"{entry.base}USDT"
    lot = {"minQty": entry.step, "maxQty": entry.quantity_max, "stepSize": entry.step}
    return {
        "symbol": symbol,
        "pair": symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": 4_133_404_800_000,
        "onboardDate": entry.onboard_ms,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": entry.base,
        "quoteAsset": "USDT",
        "marginAsset": "USDT",
        "pricePrecision": entry.price_precision,
        "quantityPrecision": entry.quantity_precision,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10000,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": entry.price_min,
                "maxPrice": entry.price_max,
                "tickSize": entry.tick,
            },
            {"filterType": "LOT_SIZE", **lot},
            {"filterType": "MARKET_LOT_SIZE", **lot},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
            {"filterType": "MIN_NOTIONAL", "notional": entry.notional_min},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": "1.0500",
                "multiplierDown": "0.9500",
                "multiplierDecimal": "4",
            },
            {"filterType": "POSITION_RISK_CONTROL", "positionControlSide": "NONE"},
        ],
        "orderTypes": [
            "LIMIT",
            "MARKET",
            "STOP",
            "STOP_MARKET",
            "TAKE_PROFIT",
            "TAKE_PROFIT_MARKET",
            "TRAILING_STOP_MARKET",
        ],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
        "permissionSets": ["GRID", "COPY"],
    }


def demo_instruments() -> list[SimInstrument]:
    """Return every symbol of the catalogue."""
    return [SimInstrument.from_exchange_info(exchange_info_entry(entry)) for entry in ENTRIES]


def demo_instrument(symbol: str) -> SimInstrument:
    """Return one symbol of the catalogue; raises `KeyError`, naming it, where there is none."""
    for instrument in demo_instruments():
        if instrument.symbol == symbol:
            return instrument
    raise KeyError(f"no symbol {symbol} in the catalogue")
