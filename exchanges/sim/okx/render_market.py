"""Public market data as the venue writes it, for answers and for streams."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exchanges.sim.okx.contracts import Swap
from exchanges.sim.server.text import plain
from exchanges.sim.venue_events import PrintEvent, PublishedBook
from exchanges.sim.views import DepthRow, Kline
from grid.order import Side

if TYPE_CHECKING:
    from exchanges.sim.okx.venue import OkxVenue

Json = dict[str, Any]
INTERVALS = {
    "1s": "1s",
    "1m": "1m",
    "3m": "3m",
    "5m": "5m",
    "15m": "15m",
    "30m": "30m",
    "1H": "1h",
    "2H": "2h",
    "4H": "4h",
    "6Hutc": "6h",
    "12Hutc": "12h",
    "1Dutc": "1d",
}
STATES = {"TRADING": "live", "SETTLING": "suspend"}


def instrument(swap: Swap) -> Json:
    held = swap.instrument
    most = swap.size(held.quantity_max)
    return {
        "instType": "SWAP",
        "instId": swap.inst_id,
        "instIdCode": swap.code,
        "instFamily": swap.family,
        "uly": swap.family,
        "category": "1",
        "groupId": "1",
        "baseCcy": "",
        "quoteCcy": "",
        "settleCcy": held.quote,
        "ctType": "linear",
        "ctVal": plain(swap.value.normalize() + 0),
        "ctMult": "1",
        "ctValCcy": held.base,
        "tickSz": plain(held.tick),
        "lotSz": plain(swap.lot),
        "minSz": swap.size(held.quantity_min),
        "maxLmtSz": most,
        "maxMktSz": swap.size(held.market_quantity_max),
        "lever": str(max(bracket.leverage_max for bracket in held.brackets)),
        "state": STATES.get(held.status, "suspend"),
        "listTime": str(held.raw.get("onboardDate", 0)),
        "expTime": "",
        "ruleType": "normal",
        "alias": "",
        "stk": "",
        "optType": "",
    }


def levels(swap: Swap, rows: Sequence[DepthRow]) -> list[list[str]]:
    return [[swap.price(row.price), swap.size(row.quantity), "0", "1"] for row in rows]


def book(swap: Swap, bids: Sequence[DepthRow], asks: Sequence[DepthRow], published: PublishedBook) -> Json:
    return {
        "asks": levels(swap, asks),
        "bids": levels(swap, bids),
        "ts": str(published.time_ms),
        "seqId": published.update_id,
    }


def best(swap: Swap, published: PublishedBook) -> Json:
    """Return the best level of each side; a side that is empty has none."""
    bids = [DepthRow(price=published.bid, quantity=published.bid_quantity)] if published.bid_quantity else []
    asks = [DepthRow(price=published.ask, quantity=published.ask_quantity)] if published.ask_quantity else []
    return book(swap, bids, asks, published)


def candle(swap: Swap, kline: Kline, *, is_closed: bool | None = None) -> list[str]:
    closed = kline.is_closed if is_closed is None else is_closed
    return [
        str(kline.open_ms),
        *(swap.price(price) for price in (kline.open, kline.high, kline.low, kline.close)),
        swap.size(kline.volume),
        plain(swap.instrument.quantity(kline.volume)),
        plain(kline.quote_volume),
        "1" if closed else "0",
    ]


def mark(venue: OkxVenue, swap: Swap) -> Json:
    index = venue.engine.read.premium_index(swap.symbol)
    return {
        "instType": "SWAP",
        "instId": swap.inst_id,
        "markPx": plain(index.mark_price),
        "ts": str(venue.server_ms()),
    }


def ticker(venue: OkxVenue, swap: Swap) -> Json:
    published, last = venue.engine.read.book(swap.symbol), swap.price(venue.engine.read.last_price(swap.symbol))
    return {
        "instType": "SWAP",
        "instId": swap.inst_id,
        "last": last,
        "lastSz": "0",
        "askPx": swap.price(published.ask),
        "askSz": swap.size(published.ask_quantity),
        "bidPx": swap.price(published.bid),
        "bidSz": swap.size(published.bid_quantity),
        "open24h": last,
        "high24h": last,
        "low24h": last,
        "volCcy24h": "0",
        "vol24h": "0",
        "sodUtc0": last,
        "sodUtc8": last,
        "ts": str(venue.server_ms()),
    }


def trade(swap: Swap, event: PrintEvent) -> Json:
    side = Side.SELL if event.buyer_is_maker else Side.BUY
    return {
        "instId": swap.inst_id,
        "tradeId": str(event.trade_id),
        "px": swap.price(event.price),
        "sz": swap.size(event.quantity),
        "side": side.value.lower(),
        "ts": str(event.time_ms),
        "count": "1",
    }


def tiers(venue: OkxVenue, swap: Swap) -> list[Json]:
    """Return the brackets, their notionals counted in contracts at the present mark price."""
    price = venue.engine.read.premium_index(swap.symbol).mark_price
    rows: list[Json] = []
    floor = "0"
    for bracket in swap.instrument.brackets:
        size = plain(bracket.notional_cap / (swap.value * price) // swap.lot * swap.lot) if price else "0"
        rows.append(
            {
                "instFamily": swap.family,
                "instId": "",
                "uly": swap.family,
                "tier": str(bracket.number),
                "minSz": floor,
                "maxSz": size,
                "mmr": plain(bracket.rate),
                "imr": plain(round(Decimal(1) / bracket.leverage_max, 6)),
                "maxLever": str(bracket.leverage_max),
                "optMgnFactor": "0",
                "quoteMaxLoan": "",
                "baseMaxLoan": "",
            }
        )
        floor = size
    return rows


def funding(venue: OkxVenue, swap: Swap) -> Json:
    index = venue.engine.read.premium_index(swap.symbol)
    return {
        "instType": "SWAP",
        "instId": swap.inst_id,
        "fundingRate": plain(index.funding_rate),
        "nextFundingRate": "",
        "fundingTime": str(index.next_funding_ms),
        "nextFundingTime": str(index.next_funding_ms + 28_800_000),
        "method": "current_period",
        "ts": str(venue.server_ms()),
    }
