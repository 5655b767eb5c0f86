"""Public market data as JSON, for answers and for topics. Sizes are contracts, amounts text."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal
from typing import Any

from exchanges.sim.hashkey.contracts import Contract
from exchanges.sim.server.text import plain
from exchanges.sim.venue_events import PrintEvent, PublishedBook
from exchanges.sim.views import DepthRow, Kline

Json = dict[str, Any]
STATUSES = {"TRADING": "TRADING", "PENDING_TRADING": "PRE_TRADING"}
EXCHANGE = 301


def contract(held: Contract) -> Json:
    """Return a contract's rules: sizes in base currency here, and nowhere else."""
    instrument = held.instrument
    return {
        "filters": [
            {
                "minPrice": held.price(instrument.price_min),
                "maxPrice": held.price(instrument.price_max),
                "tickSize": plain(instrument.tick),
                "filterType": "PRICE_FILTER",
            },
            {
                "minQty": plain(instrument.quantity(instrument.quantity_min)),
                "maxQty": plain(instrument.quantity(instrument.quantity_max)),
                "stepSize": plain(instrument.step),
                "marketOrderMinQty": "0",
                "marketOrderMaxQty": "0",
                "filterType": "LOT_SIZE",
            },
            {"minNotional": "0", "filterType": "MIN_NOTIONAL"},
        ],
        "exchangeId": str(EXCHANGE),
        "symbol": held.name,
        "symbolName": held.name,
        "status": STATUSES.get(instrument.status, "HALT"),
        "baseAsset": held.name,
        "baseAssetPrecision": plain(instrument.step),
        "quoteAsset": instrument.quote,
        "quoteAssetPrecision": plain(instrument.tick),
        "icebergAllowed": False,
        "inverse": False,
        "index": instrument.quote,
        "marginToken": instrument.quote,
        "marginPrecision": "0.0001",
        "contractMultiplier": plain(held.multiplier),
        "underlying": instrument.base,
        "riskLimits": [
            {
                "riskLimitId": str(200_000_000 + row.number),
                "quantity": plain(row.notional_cap),
                "initialMargin": plain((Decimal(1) / row.leverage_max).quantize(Decimal("0.000001"), ROUND_DOWN)),
                "maintMargin": plain(row.rate),
                "isWhite": False,
            }
            for row in instrument.brackets
        ],
    }


def ticker(held: Contract, day: Sequence[Kline], last: int, book: PublishedBook, *, sent_ms: int) -> Json:
    """Return the day of a contract, with the best prices."""
    return {**streamed_ticker(held, day, last, sent_ms=sent_ms), "b": held.price(book.bid), "a": held.price(book.ask)}


def streamed_ticker(held: Contract, day: Sequence[Kline], last: int, *, sent_ms: int) -> Json:
    """Return the day of a contract as its topic tells it: without the best prices."""
    opened = day[0].open if day else last
    return {
        "t": sent_ms,
        "s": held.name,
        "c": held.price(last),
        "h": held.price(max((row.high for row in day), default=last)),
        "l": held.price(min((row.low for row in day), default=last)),
        "o": held.price(opened),
        "v": str(sum(row.volume for row in day)),
        "qv": plain(sum((row.quote_volume for row in day), Decimal(0))),
        "m": plain((Decimal(last - opened) / (opened or 1)).quantize(Decimal("0.0001"))),
        "e": EXCHANGE,
    }


def trade(held: Contract, event: PrintEvent) -> Json:
    """Return a trade of a reply: it has no id."""
    return {
        "t": event.time_ms,
        "p": held.price(event.price),
        "q": str(event.quantity),
        "ibm": event.buyer_is_maker,
    }


def streamed_trade(held: Contract, event: PrintEvent) -> Json:
    return {
        "v": str(event.trade_id),
        "t": event.time_ms,
        "p": held.price(event.price),
        "q": str(event.quantity),
        "m": event.buyer_is_maker,
    }


def depth(held: Contract, bids: Sequence[DepthRow], asks: Sequence[DepthRow], *, sent_ms: int) -> Json:
    return {
        "t": sent_ms,
        "b": [[held.price(row.price), str(row.quantity)] for row in bids],
        "a": [[held.price(row.price), str(row.quantity)] for row in asks],
    }


def candle(held: Contract, row: Kline) -> list[Any]:
    prices = [held.price(ticks) for ticks in (row.open, row.high, row.low, row.close)]
    taken = [str(row.taker_buy_volume), plain(row.taker_buy_quote_volume)]
    return [row.open_ms, *prices, str(row.volume), 0, plain(row.quote_volume), row.trades, *taken]


def streamed_candle(held: Contract, row: Kline) -> Json:
    return {
        "t": row.open_ms,
        "s": held.name,
        "sn": held.name,
        "c": held.price(row.close),
        "h": held.price(row.high),
        "l": held.price(row.low),
        "o": held.price(row.open),
        "v": str(row.volume),
    }
