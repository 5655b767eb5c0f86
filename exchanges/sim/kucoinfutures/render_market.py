"""Public market data as JSON, for answers and for topics. Sizes are contracts, times of trades nanoseconds."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import orjson

from exchanges.sim.kucoinfutures.contracts import Contract
from exchanges.sim.kucoinfutures.render_orders import NS_IN_MS
from exchanges.sim.server.text import plain
from exchanges.sim.venue_events import PrintEvent, PublishedBook
from exchanges.sim.views import DepthRow, Kline, PremiumIndex

Json = dict[str, Any]
STATUSES = {"TRADING": "Open", "PENDING_TRADING": "Init", "SETTLING": "BeingSettled", "CLOSE": "Closed"}


def bare(value: Decimal) -> orjson.Fragment:
    """Return an amount as this venue tells most of them: a number, not text."""
    return orjson.Fragment(plain(value))


def contract(held: Contract, index: PremiumIndex, last: int, *, now_ms: int) -> Json:
    instrument = held.instrument
    return {
        "symbol": held.name,
        "rootSymbol": instrument.quote,
        "type": "FFWCSX",
        "firstOpenDate": 1_585_555_200_000,
        "expireDate": None,
        "settleDate": None,
        "baseCurrency": held.coin,
        "quoteCurrency": instrument.quote,
        "settleCurrency": instrument.quote,
        "maxOrderQty": instrument.quantity_max,
        "marketMaxOrderQty": instrument.market_quantity_max,
        "maxPrice": bare(instrument.price(instrument.price_max)),
        "lotSize": 1,
        "tickSize": bare(instrument.tick),
        "indexPriceTickSize": bare(instrument.tick),
        "multiplier": bare(held.multiplier),
        "initialMargin": bare(Decimal(1) / instrument.brackets[0].leverage_max),
        "maintainMargin": bare(instrument.brackets[0].rate),
        "maxLeverage": instrument.brackets[0].leverage_max,
        "maxRiskLimit": bare(instrument.brackets[0].notional_cap),
        "makerFeeRate": bare(instrument.maker_fee),
        "takerFeeRate": bare(instrument.taker_fee),
        "isDeleverage": True,
        "isQuanto": True,
        "isInverse": False,
        "markMethod": "FairPrice",
        "fairMethod": "FundingRate",
        "status": STATUSES.get(instrument.status, "Paused"),
        "fundingFeeRate": bare(index.funding_rate),
        "fundingRateGranularity": 28_800_000,
        "nextFundingRateTime": max(0, index.next_funding_ms - now_ms),
        "nextFundingRateDateTime": index.next_funding_ms,
        "markPrice": bare(index.mark_price),
        "indexPrice": bare(index.index_price),
        "lastTradePrice": bare(instrument.price(last)),
        "marketStage": "NORMAL",
        "supportCross": True,
    }


def tiers(held: Contract) -> list[Json]:
    return [
        {
            "symbol": held.name,
            "level": row.number,
            "maxRiskLimit": bare(row.notional_cap),
            "minRiskLimit": bare(row.notional_floor),
            "maxLeverage": row.leverage_max,
            "initialMargin": bare(Decimal(1) / row.leverage_max),
            "maintainMargin": bare(row.rate),
        }
        for row in held.instrument.brackets
    ]


def touch(held: Contract, book: PublishedBook, *, sent_ms: int) -> Json:
    """Return the best prices; a side that holds nothing says so by its size."""
    return {
        "symbol": held.name,
        "sequence": book.update_id,
        "bestBidSize": book.bid_quantity,
        "bestBidPrice": held.price(book.bid),
        "bestAskPrice": held.price(book.ask),
        "bestAskSize": book.ask_quantity,
        "ts": sent_ms * NS_IN_MS,
    }


def ticker(held: Contract, book: PublishedBook, last: PrintEvent | None, *, sent_ms: int) -> Json:
    told = touch(held, book, sent_ms=sent_ms)
    if last is None:
        return {**told, "side": "", "size": 0, "tradeId": "", "price": "0"}
    return {**told, **_print(held, last), "ts": last.time_ms * NS_IN_MS}


def _print(held: Contract, event: PrintEvent) -> Json:
    return {
        "side": "sell" if event.buyer_is_maker else "buy",
        "size": event.quantity,
        "tradeId": str(event.trade_id),
        "price": held.price(event.price),
    }


def trade(held: Contract, event: PrintEvent) -> Json:
    return {
        "symbol": held.name,
        "sequence": event.trade_id,
        **_print(held, event),
        "makerOrderId": "0",
        "takerOrderId": "0",
        "ts": event.time_ms * NS_IN_MS,
    }


def depth(held: Contract, bids: Sequence[DepthRow], asks: Sequence[DepthRow], *, sequence: int, sent_ms: int) -> Json:
    return {
        "symbol": held.name,
        "sequence": sequence,
        "bids": [[bare(held.instrument.price(row.price)), row.quantity] for row in bids],
        "asks": [[bare(held.instrument.price(row.price)), row.quantity] for row in asks],
        "ts": sent_ms * NS_IN_MS,
    }


def candle(held: Contract, row: Kline) -> list[Any]:
    """Return a candle of a reply: time, open, high, low, close, contracts, turnover."""
    prices = [bare(held.instrument.price(ticks)) for ticks in (row.open, row.high, row.low, row.close)]
    return [row.open_ms, *prices, row.volume, bare(row.quote_volume)]


def streamed_candle(held: Contract, row: Kline) -> list[str]:
    """Return a candle of the topic: other units and another order than a reply's."""
    prices = [held.price(ticks) for ticks in (row.open, row.close, row.high, row.low)]
    return [str(row.open_ms // 1000), *prices, plain(row.quote_volume), str(row.volume)]
