"""Public market data as JSON, for answers and for streams."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from exchanges.sim.instrument import SimInstrument
from exchanges.sim.server.text import money, plain, quantity_text
from exchanges.sim.venue_events import PrintEvent, PublishedBook
from exchanges.sim.views import DepthRow, Kline, PremiumIndex

Json = dict[str, Any]
PERPETUAL = 1
"""`st` of the market streams: the kind of symbol."""


def _price(instrument: SimInstrument, ticks: int) -> str:
    return plain(instrument.price(ticks))


def book_ticker_event(instrument: SimInstrument, book: PublishedBook, *, sent_ms: int) -> Json:
    return {
        "e": "bookTicker",
        "u": book.update_id,
        "E": sent_ms,
        "T": book.time_ms,
        "s": book.symbol,
        "ps": book.symbol,
        "b": _price(instrument, book.bid),
        "B": quantity_text(instrument, book.bid_quantity),
        "a": _price(instrument, book.ask),
        "A": quantity_text(instrument, book.ask_quantity),
        "st": PERPETUAL,
    }


def book_ticker(instrument: SimInstrument, book: PublishedBook) -> Json:
    return {
        "symbol": book.symbol,
        "bidPrice": _price(instrument, book.bid),
        "bidQty": quantity_text(instrument, book.bid_quantity),
        "askPrice": _price(instrument, book.ask),
        "askQty": quantity_text(instrument, book.ask_quantity),
        "time": book.time_ms,
        "lastUpdateId": book.update_id,
    }


def levels(instrument: SimInstrument, rows: Sequence[DepthRow]) -> list[list[str]]:
    return [[_price(instrument, row.price), quantity_text(instrument, row.quantity)] for row in rows]


def depth(
    instrument: SimInstrument, bids: Sequence[DepthRow], asks: Sequence[DepthRow], book: PublishedBook, *, sent_ms: int
) -> Json:
    return {
        "lastUpdateId": book.update_id,
        "E": sent_ms,
        "T": book.time_ms,
        "bids": levels(instrument, bids),
        "asks": levels(instrument, asks),
    }


def depth_event(
    instrument: SimInstrument,
    bids: Sequence[DepthRow],
    asks: Sequence[DepthRow],
    book: PublishedBook,
    *,
    first_id: int,
    previous_id: int,
    sent_ms: int,
) -> Json:
    return {
        "e": "depthUpdate",
        "E": sent_ms,
        "T": book.time_ms,
        "s": book.symbol,
        "ps": book.symbol,
        "U": first_id,
        "u": book.update_id,
        "pu": previous_id,
        "b": levels(instrument, bids),
        "a": levels(instrument, asks),
        "st": PERPETUAL,
    }


def trade_row(instrument: SimInstrument, trade: PrintEvent) -> Json:
    price, quantity = instrument.price(trade.price), instrument.quantity(trade.quantity)
    return {
        "id": trade.trade_id,
        "price": plain(price),
        "qty": plain(quantity),
        "quoteQty": plain(price * quantity),
        "time": trade.time_ms,
        "isBuyerMaker": trade.buyer_is_maker,
        "isRPITrade": False,
    }


def aggregate_trade_row(instrument: SimInstrument, trade: PrintEvent) -> Json:
    """Every print is an aggregate of its own: its three ids are the same."""
    quantity = quantity_text(instrument, trade.quantity)
    return {
        "a": trade.trade_id,
        "p": _price(instrument, trade.price),
        "q": quantity,
        "nq": quantity,
        "f": trade.trade_id,
        "l": trade.trade_id,
        "T": trade.time_ms,
        "m": trade.buyer_is_maker,
    }


def aggregate_trade_event(instrument: SimInstrument, trade: PrintEvent, *, sent_ms: int) -> Json:
    return {
        "e": "aggTrade",
        "E": sent_ms,
        "s": trade.symbol,
        **aggregate_trade_row(instrument, trade),
        "st": PERPETUAL,
    }


def trade_event(instrument: SimInstrument, trade: PrintEvent, *, sent_ms: int) -> Json:
    return {
        "e": "trade",
        "E": sent_ms,
        "T": trade.time_ms,
        "s": trade.symbol,
        "t": trade.trade_id,
        "p": _price(instrument, trade.price),
        "q": quantity_text(instrument, trade.quantity),
        "X": "MARKET",
        "m": trade.buyer_is_maker,
    }


def kline_row(instrument: SimInstrument, kline: Kline) -> list[Any]:
    return [
        kline.open_ms,
        _price(instrument, kline.open),
        _price(instrument, kline.high),
        _price(instrument, kline.low),
        _price(instrument, kline.close),
        quantity_text(instrument, kline.volume),
        kline.close_ms,
        plain(kline.quote_volume),
        kline.trades,
        quantity_text(instrument, kline.taker_buy_volume),
        plain(kline.taker_buy_quote_volume),
        "0",
    ]


def kline_event(instrument: SimInstrument, kline: Kline, interval: str, *, is_closed: bool, sent_ms: int) -> Json:
    return {
        "e": "kline",
        "E": sent_ms,
        "s": kline.symbol,
        "k": {
            "t": kline.open_ms,
            "T": kline.close_ms,
            "s": kline.symbol,
            "i": interval,
            "f": kline.first_trade_id,
            "L": kline.last_trade_id,
            "o": _price(instrument, kline.open),
            "c": _price(instrument, kline.close),
            "h": _price(instrument, kline.high),
            "l": _price(instrument, kline.low),
            "v": quantity_text(instrument, kline.volume),
            "n": kline.trades,
            "x": is_closed,
            "q": plain(kline.quote_volume),
            "V": quantity_text(instrument, kline.taker_buy_volume),
            "Q": plain(kline.taker_buy_quote_volume),
            "B": "0",
        },
    }


def mark_price_event(index: PremiumIndex, *, sent_ms: int) -> Json:
    return {
        "e": "markPriceUpdate",
        "E": sent_ms,
        "s": index.symbol,
        "p": money(index.mark_price),
        "ap": money(index.mark_price),
        "i": money(index.index_price),
        "P": money(index.mark_price),
        "r": money(index.funding_rate),
        "T": index.next_funding_ms,
        "st": PERPETUAL,
    }


def premium_index(index: PremiumIndex) -> Json:
    return {
        "symbol": index.symbol,
        "markPrice": money(index.mark_price),
        "indexPrice": money(index.index_price),
        "estimatedSettlePrice": money(index.index_price),
        "lastFundingRate": money(index.funding_rate),
        "interestRate": "0.00010000",
        "nextFundingTime": index.next_funding_ms,
        "time": index.time_ms,
    }


def day_ticker(instrument: SimInstrument, minutes: Sequence[Kline], last: PrintEvent | None) -> Json:
    """Return 24hrTicker's figures from the minutes of the last day."""
    day = _Day(instrument, minutes)
    return {
        "symbol": instrument.symbol,
        "priceChange": plain(day.change),
        "priceChangePercent": day.change_percent,
        "weightedAvgPrice": plain(day.weighted),
        "lastPrice": plain(day.close),
        "lastQty": quantity_text(instrument, last.quantity if last else 0),
        "openPrice": plain(day.open),
        "highPrice": plain(day.high),
        "lowPrice": plain(day.low),
        "volume": plain(day.volume),
        "quoteVolume": plain(day.quote_volume),
        "openTime": minutes[0].open_ms if minutes else 0,
        "closeTime": minutes[-1].close_ms if minutes else 0,
        "firstId": minutes[0].first_trade_id if minutes else 0,
        "lastId": minutes[-1].last_trade_id if minutes else 0,
        "count": sum(kline.trades for kline in minutes),
    }


class _Day:
    def __init__(self, instrument: SimInstrument, minutes: Sequence[Kline]) -> None:
        self.open = instrument.price(minutes[0].open if minutes else 0)
        self.close = instrument.price(minutes[-1].close if minutes else 0)
        self.high = instrument.price(max((kline.high for kline in minutes), default=0))
        self.low = instrument.price(min((kline.low for kline in minutes), default=0))
        self.volume = instrument.quantity(sum(kline.volume for kline in minutes))
        self.quote_volume = sum((kline.quote_volume for kline in minutes), Decimal(0))
        self.change = self.close - self.open
        percent = self.change / self.open * 100 if self.open else Decimal(0)
        self.change_percent = plain(percent.quantize(Decimal("0.001")))
        average = self.quote_volume / self.volume if self.volume else self.close
        self.weighted = average.quantize(instrument.tick)


def ticker_event(ticker: Json, *, sent_ms: int) -> Json:
    letters = {
        "p": "priceChange", "P": "priceChangePercent", "w": "weightedAvgPrice", "c": "lastPrice", "Q": "lastQty",
        "o": "openPrice", "h": "highPrice", "l": "lowPrice", "v": "volume", "q": "quoteVolume", "O": "openTime",
        "C": "closeTime", "F": "firstId", "L": "lastId", "n": "count",
    }  # fmt: skip
    body = {letter: ticker[name] for letter, name in letters.items()}
    symbol = ticker["symbol"]
    return {"e": "24hrTicker", "E": sent_ms, "s": symbol, **body, "ps": symbol, "st": PERPETUAL}


def mini_ticker_event(ticker: Json, *, sent_ms: int) -> Json:
    letters = {"c": "lastPrice", "o": "openPrice", "h": "highPrice", "l": "lowPrice", "v": "volume", "q": "quoteVolume"}
    body = {letter: ticker[name] for letter, name in letters.items()}
    symbol = ticker["symbol"]
    return {"e": "24hrMiniTicker", "E": sent_ms, "s": symbol, **body, "ps": symbol, "st": PERPETUAL}


def contract_event(instrument: SimInstrument, *, sent_ms: int) -> Json:
    return {
        "e": "contractInfo",
        "E": sent_ms,
        "s": instrument.symbol,
        "ps": instrument.raw.get("pair", instrument.symbol),
        "ct": instrument.raw.get("contractType", "PERPETUAL"),
        "dt": instrument.raw.get("deliveryDate", 0),
        "ot": instrument.raw.get("onboardDate", 0),
        "cs": instrument.status,
        "st": PERPETUAL,
    }


def force_order_event(payload: Json, *, sent_ms: int) -> Json:
    """Return the public liquidation event of a private ORDER_TRADE_UPDATE body."""
    kept = ("s", "S", "o", "f", "q", "p", "ap", "X", "l", "z", "T")
    body = {letter: payload[letter] for letter in kept}
    return {"e": "forceOrder", "E": sent_ms, "o": {**body, "o": "LIMIT", "f": "IOC"}}
