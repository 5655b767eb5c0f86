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
STATUSES = {"TRADING": "normal", "PENDING_TRADING": "listed", "SETTLING": "off", "CLOSE": "off"}


def contract(held: SimInstrument) -> Json:
    digits = held.tick.normalize().as_tuple()
    exponent = int(digits.exponent)
    places = max(0, -exponent)
    return {
        "symbol": held.symbol,
        "baseCoin": held.base,
        "quoteCoin": held.quote,
        "buyLimitPriceRatio": plain(held.percent_up - 1),
        "sellLimitPriceRatio": plain(1 - held.percent_down),
        "feeRateUpRatio": "0.005",
        "makerFeeRate": plain(held.maker_fee),
        "takerFeeRate": plain(held.taker_fee),
        "openCostUpRatio": "0.01",
        "supportMarginCoins": ["USDT"],
        "minTradeNum": plain(held.quantity(held.quantity_min)),
        "priceEndStep": plain((held.tick * (Decimal(10) ** places)).quantize(Decimal(1))),
        "volumePlace": str(max(0, -int(held.step.normalize().as_tuple().exponent))),
        "pricePlace": str(places),
        "sizeMultiplier": plain(held.step),
        "symbolType": "perpetual",
        "minTradeUSDT": plain(held.notional_min),
        "maxSymbolOrderNum": str(held.orders_max),
        "maxProductOrderNum": "1000",
        "maxPositionNum": "150",
        "symbolStatus": STATUSES.get(held.status, "maintain"),
        "offTime": "-1",
        "limitOpenTime": "-1",
        "deliveryTime": "",
        "deliveryStartTime": "",
        "deliveryPeriod": "",
        "launchTime": "",
        "fundInterval": "8",
        "minLever": "1",
        "maxLever": str(held.brackets[0].leverage_max),
        "posLimit": "0.05",
        "maintainTime": "",
        "openTime": "",
        "maxMarketOrderQty": plain(held.quantity(held.market_quantity_max)),
        "maxOrderQty": plain(held.quantity(held.quantity_max)),
    }


def tiers(held: SimInstrument) -> list[Json]:
    return [
        {
            "symbol": held.symbol,
            "level": str(row.number),
            "startUnit": plain(row.notional_floor),
            "endUnit": plain(row.notional_cap),
            "leverage": str(row.leverage_max),
            "keepMarginRate": plain(row.rate),
        }
        for row in held.brackets
    ]


def touch(held: SimInstrument, book: PublishedBook, *, sent_ms: int) -> Json:
    """Return the book of one level; a side that holds nothing is an empty list."""
    return {
        "asks": [[_price(held, book.ask), quantity_text(held, book.ask_quantity)]] if book.ask_quantity else [],
        "bids": [[_price(held, book.bid), quantity_text(held, book.bid_quantity)]] if book.bid_quantity else [],
        "checksum": 0,
        "seq": book.update_id,
        "ts": str(sent_ms),
    }


def ticker(
    held: SimInstrument, index: PremiumIndex, book: PublishedBook, last: int, day: Sequence[Kline], *, sent_ms: int
) -> Json:
    first, base, quote = day[0].open if day else last, 0, Decimal(0)
    for row in day:
        base, quote = base + row.volume, quote + row.quote_volume
    change = Decimal(last - first) / first if first else Decimal(0)
    return {
        "lastPr": _price(held, last),
        "bidPr": _price(held, book.bid) if book.bid_quantity else "",
        "askPr": _price(held, book.ask) if book.ask_quantity else "",
        "bidSz": quantity_text(held, book.bid_quantity),
        "askSz": quantity_text(held, book.ask_quantity),
        "open24h": _price(held, first),
        "high24h": _price(held, max((row.high for row in day), default=last)),
        "low24h": _price(held, min((row.low for row in day), default=last)),
        "change24h": plain(change.quantize(Decimal("0.00001"))),
        "fundingRate": plain(index.funding_rate),
        "markPrice": plain(index.mark_price),
        "indexPrice": plain(index.index_price),
        "holdingAmount": "0",
        "baseVolume": quantity_text(held, base),
        "quoteVolume": plain(quote),
        "openUtc": _price(held, first),
        "symbol": held.symbol,
        "ts": str(sent_ms),
    }


def depth(held: SimInstrument, bids: Sequence[DepthRow], asks: Sequence[DepthRow], *, sent_ms: int) -> Json:
    return {
        "asks": [[_price(held, row.price), quantity_text(held, row.quantity)] for row in asks],
        "bids": [[_price(held, row.price), quantity_text(held, row.quantity)] for row in bids],
        "ts": str(sent_ms),
        "scale": plain(held.tick),
        "precision": "scale0",
        "isMaxPrecision": "NO",
    }


def candle(held: SimInstrument, row: Kline) -> list[str]:
    prices = [_price(held, ticks) for ticks in (row.open, row.high, row.low, row.close)]
    return [str(row.open_ms), *prices, quantity_text(held, row.volume), plain(row.quote_volume)]


def public_trade(held: SimInstrument, event: PrintEvent) -> Json:
    return {
        "ts": str(event.time_ms),
        "price": _price(held, event.price),
        "size": quantity_text(held, event.quantity),
        "side": "sell" if event.buyer_is_maker else "buy",
        "tradeId": str(event.trade_id),
    }


def _price(held: SimInstrument, ticks: int) -> str:
    return plain(held.price(ticks))
