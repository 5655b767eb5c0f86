"""Public market data as JSON, for answers and for streams."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from exchanges.sim.instrument import SimInstrument
from exchanges.sim.server.text import plain, quantity_text
from exchanges.sim.venue_events import PrintEvent, PublishedBook
from exchanges.sim.views import DepthRow, Kline, PremiumIndex

Json = dict[str, Any]
STATUSES = {"TRADING": "Trading", "SETTLING": "Delivering", "PENDING_TRADING": "PreLaunch"}


def instrument_row(held: SimInstrument) -> Json:
    highest = held.brackets[0].leverage_max
    return {
        "symbol": held.symbol,
        "contractType": "LinearPerpetual",
        "status": STATUSES.get(held.status, "Closed"),
        "baseCoin": held.base,
        "quoteCoin": held.quote,
        "launchTime": str(held.raw.get("onboardDate", 0)),
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(held.price_precision),
        "leverageFilter": {"minLeverage": "1", "maxLeverage": f"{highest}.00", "leverageStep": "0.01"},
        "priceFilter": {
            "minPrice": plain(held.price(held.price_min)),
            "maxPrice": plain(held.price(held.price_max)),
            "tickSize": plain(held.tick),
        },
        "lotSizeFilter": {
            "maxOrderQty": plain(held.quantity(held.quantity_max)),
            "minOrderQty": plain(held.quantity(held.quantity_min)),
            "qtyStep": plain(held.step),
            "postOnlyMaxOrderQty": plain(held.quantity(held.quantity_max)),
            "maxMktOrderQty": plain(held.quantity(held.market_quantity_max)),
            "minNotionalValue": plain(held.notional_min),
        },
        "unifiedMarginTrade": True,
        "fundingInterval": 480,
        "settleCoin": held.quote,
        "copyTrading": "none",
        "upperFundingRate": "0.005",
        "lowerFundingRate": "-0.005",
        "isPreListing": False,
        "preListingInfo": None,
        "riskParameters": {
            "priceLimitRatioX": plain(held.percent_up - 1),
            "priceLimitRatioY": plain(2 * (held.percent_up - 1)),
        },
        "displayName": "",
    }


def levels(held: SimInstrument, rows: Sequence[DepthRow]) -> list[list[str]]:
    return [[plain(held.price(row.price)), quantity_text(held, row.quantity)] for row in rows]


def touch(held: SimInstrument, book: PublishedBook) -> Json:
    """Return the book of one level."""
    bids = [[plain(held.price(book.bid)), quantity_text(held, book.bid_quantity)]] if book.bid_quantity else []
    asks = [[plain(held.price(book.ask)), quantity_text(held, book.ask_quantity)]] if book.ask_quantity else []
    return {"s": held.symbol, "b": bids, "a": asks, "u": book.update_id, "seq": book.update_id}


def ticker(held: SimInstrument, premium: PremiumIndex, book: PublishedBook, last: int, day: Sequence[Kline]) -> Json:
    price = plain(held.price(last))
    opening = held.price(day[0].open) if day else held.price(last)
    change = (held.price(last) - opening) / opening if opening else Decimal(0)
    return {
        "symbol": held.symbol,
        "tickDirection": "ZeroPlusTick",
        "price24hPcnt": plain(round(change, 6)),
        "lastPrice": price,
        "prevPrice24h": plain(opening),
        "highPrice24h": plain(held.price(max((row.high for row in day), default=last))),
        "lowPrice24h": plain(held.price(min((row.low for row in day), default=last))),
        "prevPrice1h": price,
        "markPrice": plain(premium.mark_price),
        "indexPrice": plain(premium.index_price or premium.mark_price),
        "openInterest": "0",
        "openInterestValue": "0",
        "turnover24h": plain(sum((row.quote_volume for row in day), Decimal(0))),
        "volume24h": quantity_text(held, sum(row.volume for row in day)),
        "nextFundingTime": str(premium.next_funding_ms),
        "fundingRate": plain(premium.funding_rate),
        "bid1Price": plain(held.price(book.bid)),
        "bid1Size": quantity_text(held, book.bid_quantity),
        "ask1Price": plain(held.price(book.ask)),
        "ask1Size": quantity_text(held, book.ask_quantity),
    }


def kline_row(held: SimInstrument, row: Kline) -> list[str]:
    prices = [plain(held.price(ticks)) for ticks in (row.open, row.high, row.low, row.close)]
    return [str(row.open_ms), *prices, quantity_text(held, row.volume), plain(row.quote_volume)]


def kline_event(held: SimInstrument, row: Kline, word: str, *, is_closed: bool, sent_ms: int) -> Json:
    return {
        "start": row.open_ms,
        "end": row.close_ms,
        "interval": word,
        "open": plain(held.price(row.open)),
        "close": plain(held.price(row.close)),
        "high": plain(held.price(row.high)),
        "low": plain(held.price(row.low)),
        "volume": quantity_text(held, row.volume),
        "turnover": plain(row.quote_volume),
        "confirm": is_closed,
        "timestamp": sent_ms,
    }


def print_event(held: SimInstrument, event: PrintEvent) -> Json:
    return {
        "T": event.time_ms,
        "s": event.symbol,
        "S": "Sell" if event.buyer_is_maker else "Buy",
        "v": quantity_text(held, event.quantity),
        "p": plain(held.price(event.price)),
        "L": "ZeroPlusTick",
        "i": str(event.trade_id),
        "BT": False,
    }
