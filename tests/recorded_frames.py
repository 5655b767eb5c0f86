"""Public frames of venues as recorders wrote them down, in the order and the words in which we listen to them."""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from random import Random
from typing import Any

from exchanges.sim.binance import render_market as render
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.market import BookTop, MarketEvent, Trade
from exchanges.sim.venue_events import PrintEvent, PublishedBook
from grid.order import Side

QUOTE, TRADE, MARK = "quote", "trade", "mark"
KINDS = {"bookTicker": QUOTE, "aggTrade": TRADE, "markPrice@1s": MARK}
"""What the streams of Binance USD-M that we listen to tell."""
FUNDING_MS = 8 * 3600 * 1000
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: what it tells, of which symbol of ours, on which stream of the venue, and its whole text as JSON."""

    kind: str
    symbol: str
    stream: str
    message: Row

    @property
    def data(self) -> Row:
        found: Row = self.message["data"]
        return found


def binance_frame(stream: str, data: Row) -> Frame:
    """Return a frame of a combined stream of Binance USD-M."""
    name, _, kind = stream.partition("@")
    return Frame(KINDS[kind], name.upper(), stream, {"stream": stream, "data": data})


def frames_of(events: Iterable[MarketEvent], instruments: dict[str, SimInstrument]) -> Iterator[Frame]:
    """Return recorded quotes and trades as the frames that Binance USD-M would have sent."""
    for number, event in enumerate(events, 1):
        held = instruments[event.symbol]
        if isinstance(event, BookTop):
            book = PublishedBook(
                symbol=event.symbol,
                time_ms=event.time_ms,
                update_id=number,
                bid=event.bid,
                bid_quantity=event.bid_quantity,
                ask=event.ask,
                ask_quantity=event.ask_quantity,
            )
            told = render.book_ticker_event(held, book, sent_ms=event.time_ms)
            yield binance_frame(f"{event.symbol.lower()}@bookTicker", told)
        elif isinstance(event, Trade):
            trade = PrintEvent(
                symbol=event.symbol,
                time_ms=event.time_ms,
                trade_id=number,
                price=event.price,
                quantity=event.quantity,
                buyer_is_maker=event.aggressor is Side.SELL,
            )
            told = render.aggregate_trade_event(held, trade, sent_ms=event.time_ms)
            yield binance_frame(f"{event.symbol.lower()}@aggTrade", told)


def binance_mark(frame: Frame) -> Frame:
    """Return a mark price at the bid of a quote, as Binance USD-M tells one."""
    told = frame.data
    price, funding_ms = told["b"], told["T"] // FUNDING_MS * FUNDING_MS + FUNDING_MS
    mark = {"e": "markPriceUpdate", "E": told["T"], "s": told["s"], "p": price, "i": price, "P": price}
    return binance_frame(f"{told['s'].lower()}@markPrice@1s", {**mark, "r": "0.0001", "T": funding_ms})


def gate_mark(frame: Frame) -> Frame:
    """Return a mark price at the bid of a quote, as Gate tells one."""
    told, channel = frame.message["result"], "futures.tickers"
    row = {"contract": told["s"], "mark_price": told["b"], "index_price": told["b"], "funding_rate": "0.0001"}
    head = {"time": told["t"] // 1000, "time_ms": told["t"], "channel": channel, "event": "update"}
    return Frame(MARK, frame.symbol, f"{channel}:{told['s']}", {**head, "result": [row]})


def okx_mark(frame: Frame) -> Frame:
    """Return a mark price at the bid of a quote, as OKX tells one."""
    [told], listed = frame.message["data"], frame.message["arg"]["instId"]
    row = {"instType": "SWAP", "instId": listed, "markPx": told["bids"][0][0], "ts": told["ts"]}
    return _okx_frame(MARK, frame.symbol, "mark-price", listed, [row])


def with_marks(
    frames: Iterable[Frame], mark: Callable[[Frame], Frame] = binance_mark, *, every: int = 10
) -> Iterator[Frame]:
    """Return the frames with the mark prices that a venue tells besides, which no recording has."""
    quotes = 0
    for frame in frames:
        yield frame
        if frame.kind == QUOTE:
            if quotes % every == 0:
                yield mark(frame)
            quotes += 1


def walk(held: SimInstrument, *, seed: int, count: int, start_ms: int, price: int, stride: int) -> list[MarketEvent]:
    """Return a small generated tape: a price that wanders and comes back, with trades on both sides of it."""
    chance, bid, now_ms = Random(seed), price, start_ms
    events: list[MarketEvent] = []
    for _ in range(count):
        now_ms += chance.randrange(20, 200)
        bid += chance.randint(-stride, stride) + (price - bid) // 20
        size = chance.randrange(50, 800)
        events.append(
            BookTop(
                symbol=held.symbol, time_ms=now_ms, bid=bid, bid_quantity=size, ask=bid + 1, ask_quantity=900 - size
            )
        )
        if chance.random() < 0.6:
            side = chance.choice(list(Side))
            events.append(
                Trade(
                    symbol=held.symbol,
                    time_ms=now_ms + chance.randrange(5),
                    price=bid if side is Side.SELL else bid + 1,
                    quantity=chance.randrange(1, 1500),
                    aggressor=side,
                )
            )
            now_ms = events[-1].time_ms
    return events


def write_frames(path: Path, frames: Iterable[Frame]) -> None:
    path.write_text("".join(json.dumps(one.message) + "\n" for one in frames))


def read_frames(path: Path) -> list[Frame]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [binance_frame(row["stream"], row["data"]) for row in rows]


def read_session(path: Path, symbol: str) -> list[Frame]:
    """Return what of a recorder's log of Binance USD-M a paper account on a symbol lives by."""
    found: list[Frame] = []
    for row in _rows(path):
        name, _, kind = str(row.get("stream", "")).partition("@")
        if name == symbol.lower() and (kind in KINDS or kind.startswith("markPrice")):
            found.append(binance_frame(f"{name}@{'markPrice@1s' if kind.startswith('mark') else kind}", row["data"]))
    return found


def read_raw(path: Path) -> list[Frame]:
    """Return a recording of single trades and best prices (`NANOSECONDS {frame}` a line) as the streams we listen to.

    Trades of one moment, price and side are one, as the venue sums them up; a quote that moves no price is left out.
    """
    found: list[Frame] = []
    best: tuple[str, str] | None = None
    with lzma.open(path, "rt") as file:
        for line in file:
            row = json.loads(line.partition(" ")[2])
            told = row.get("data", {})
            if told.get("e") == "bookTicker" and (told["b"], told["a"]) != best:
                best = told["b"], told["a"]
                found.append(binance_frame(row["stream"], told))
            elif told.get("e") == "trade" and told["X"] == "MARKET":
                _add_trade(found, told)
    return found


def _add_trade(found: list[Frame], told: Row) -> None:
    last = found[-1].data if found and found[-1].kind == TRADE else {}
    if all(last.get(key) == told[key] for key in ("T", "p", "m")):
        summed = {**last, "q": str(Decimal(last["q"]) + Decimal(told["q"])), "l": told["t"]}
        found[-1] = binance_frame(found[-1].stream, summed)
        return
    ids = {"a": told["t"], "f": told["t"], "l": told["t"]}
    own = {key: told[key] for key in ("E", "T", "s", "p", "q", "m")}
    found.append(binance_frame(f"{told['s'].lower()}@aggTrade", {"e": "aggTrade", **own, **ids}))


def read_gate(path: Path, contract: str) -> list[Frame]:
    """Return what a recorder's log of Gate's futures holds of a contract, word for word."""
    found: list[Frame] = []
    kinds = {"futures.book_ticker": QUOTE, "futures.trades": TRADE, "futures.tickers": MARK}
    for row in _rows(path):
        kind, told = kinds.get(row.get("channel", "")), row.get("result")
        first = told[0] if isinstance(told, list) and told else told
        if kind is None or row.get("event") != "update" or not isinstance(first, dict):
            continue
        if first.get("s" if kind == QUOTE else "contract") == contract:
            found.append(Frame(kind, contract.replace("_", ""), f"{row['channel']}:{contract}", row))
    return found


def gate_contracts(path: Path, *names: str) -> list[Row]:
    """Return the rules of contracts as the venue told them on the day."""
    with gzip.open(path, "rt") as file:
        return [row for row in json.load(file) if row["name"] in names]


def read_okx(path: Path, recorded: str, listed: str, *, step: str) -> list[Frame]:
    """Return the trades and best prices of a recorder's log of OKX, told of a swap.

    The log has the whole book in place of its best prices: those are read off it. Sizes are cut to `step`.
    """
    symbol = listed.removesuffix("-SWAP").replace("-", "")
    book: dict[str, dict[Decimal, str]] = {"bids": {}, "asks": {}}
    found: list[Frame] = []
    for row in _rows(path):
        argument, told = row.get("arg", {}), row.get("data")
        if argument.get("instId") != recorded or not told:
            continue
        if argument["channel"] == "trades":
            for one in told:
                size = _cut(one["sz"], step)
                if Decimal(size):
                    data = [{**one, "instId": listed, "sz": size}]
                    found.append(_okx_frame(TRADE, symbol, "trades", listed, data))
        elif argument["channel"] == "books":
            _follow(book, row["action"], told[0])
            best = {
                side: [[str(price), _cut(book[side][price], step), "0", "1"]]
                for side, price in (("asks", min(book["asks"])), ("bids", max(book["bids"])))
            }
            data = [{**best, "ts": told[0]["ts"], "seqId": len(found) + 1}]
            found.append(_okx_frame(QUOTE, symbol, "bbo-tbt", listed, data))
    return found


def _okx_frame(kind: str, symbol: str, channel: str, listed: str, data: list[Row]) -> Frame:
    return Frame(kind, symbol, f"{channel}:{listed}", {"arg": {"channel": channel, "instId": listed}, "data": data})


def _follow(book: dict[str, dict[Decimal, str]], action: str, told: Row) -> None:
    for side, levels in book.items():
        if action == "snapshot":
            levels.clear()
        for price, size, *_ in told[side]:
            levels[Decimal(price)] = size
            if not Decimal(size):
                del levels[Decimal(price)]


def _cut(size: str, step: str) -> str:
    return str(Decimal(size).quantize(Decimal(step), rounding=ROUND_DOWN))


def _rows(path: Path) -> Iterator[Row]:
    """Yield the frames of a recorder's log: `TIME: {frame}` a line, others are what it did."""
    with lzma.open(path, "rt") as file:
        for line in file:
            text = line.partition(": ")[2]
            if text.startswith("{") and "://" not in line.partition(": ")[0]:
                yield json.loads(text)


def listed_as(model: SimInstrument, symbol: str, *, tick: str, step: str) -> SimInstrument:
    """Return a symbol with the filters of another but for its units."""
    units = {"PRICE_FILTER": {"tickSize": tick, "minPrice": tick}, "LOT_SIZE": {"stepSize": step, "minQty": step}}
    units["MARKET_LOT_SIZE"] = units["LOT_SIZE"]
    filters = [{**entry, **units.get(entry["filterType"], {})} for entry in model.raw["filters"]]
    base = symbol.removesuffix(model.raw["quoteAsset"])
    raw = {**model.raw, "symbol": symbol, "pair": symbol, "baseAsset": base, "filters": filters}
    return SimInstrument.from_exchange_info({**raw, "pricePrecision": 8, "quantityPrecision": 8})
