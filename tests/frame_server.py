"""A server that says recorded public frames of Binance USD-M, one when it is told to, over real sockets."""

from __future__ import annotations

import asyncio
import json
import lzma
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from aiohttp import WSMsgType, web

from exchanges.sim.binance import render_market as render
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.market import BookTop, MarketEvent, Trade
from exchanges.sim.venue_events import PrintEvent, PublishedBook
from grid.order import Side


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a combined stream, as a recorder writes it down."""

    stream: str
    data: dict[str, Any]

    @property
    def is_quote(self) -> bool:
        return self.stream.endswith("@bookTicker")

    @property
    def is_mark(self) -> bool:
        return "@markPrice" in self.stream


def frames_of(events: Iterable[MarketEvent], instruments: dict[str, SimInstrument]) -> Iterator[Frame]:
    """Return recorded quotes and trades as the frames that the venue would have sent."""
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
            yield Frame(f"{event.symbol.lower()}@bookTicker", told)
        elif isinstance(event, Trade):
            trade = PrintEvent(
                symbol=event.symbol,
                time_ms=event.time_ms,
                trade_id=number,
                price=event.price,
                quantity=event.quantity,
                buyer_is_maker=event.aggressor is Side.SELL,
            )
            yield Frame(
                f"{event.symbol.lower()}@aggTrade", render.aggregate_trade_event(held, trade, sent_ms=event.time_ms)
            )


def with_marks(frames: Iterable[Frame], *, every: int = 10) -> Iterator[Frame]:
    """Return the frames with the mark prices that a venue tells besides, which no tape of ticks has."""
    for number, frame in enumerate(frames):
        yield frame
        if frame.is_quote and number % every == 0:
            told = frame.data
            mark = {
                "e": "markPriceUpdate",
                "E": told["T"],
                "s": told["s"],
                "p": told["b"],
                "i": told["b"],
                "r": "0.0001",
            }
            yield Frame(f"{told['s'].lower()}@markPrice@1s", {**mark, "P": told["b"], "T": told["T"] + 3_600_000})


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
    path.write_text("".join(json.dumps({"stream": one.stream, "data": one.data}) + "\n" for one in frames))


def read_frames(path: Path) -> list[Frame]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [Frame(row["stream"], row["data"]) for row in rows]


def read_session(path: Path, symbol: str) -> list[Frame]:
    """Return the frames of a symbol that a paper account lives by, from a recorder's log: `TIME: {frame}` a line."""
    found: list[Frame] = []
    with lzma.open(path, "rt") as file:
        for line in file:
            _, _, text = line.partition(": ")
            row = json.loads(text) if text.startswith("{") else {}
            name, _, kind = str(row.get("stream", "")).partition("@")
            if name != symbol.lower():
                continue
            if kind.startswith("markPrice"):
                found.append(Frame(f"{name}@markPrice@1s", row["data"]))
            elif kind in ("bookTicker", "aggTrade"):
                found.append(Frame(row["stream"], row["data"]))
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
                found.append(Frame(row["stream"], told))
            elif told.get("e") == "trade" and told["X"] == "MARKET":
                _add_trade(found, told)
    return found


def _add_trade(found: list[Frame], told: dict[str, Any]) -> None:
    last = found[-1].data if found and found[-1].data["e"] == "aggTrade" else {}
    if all(last.get(key) == told[key] for key in ("T", "p", "m")):
        found[-1] = Frame(found[-1].stream, {**last, "q": str(Decimal(last["q"]) + Decimal(told["q"])), "l": told["t"]})
        return
    ids = {"a": told["t"], "f": told["t"], "l": told["t"]}
    own = {key: told[key] for key in ("E", "T", "s", "p", "q", "m")}
    found.append(Frame(f"{told['s'].lower()}@aggTrade", {"e": "aggTrade", **own, **ids}))


def listed_as(model: SimInstrument, symbol: str, *, tick: str, step: str) -> SimInstrument:
    """Return a symbol with the filters of another but for its units."""
    units = {"PRICE_FILTER": {"tickSize": tick, "minPrice": tick}, "LOT_SIZE": {"stepSize": step, "minQty": step}}
    units["MARKET_LOT_SIZE"] = units["LOT_SIZE"]
    filters = [{**entry, **units.get(entry["filterType"], {})} for entry in model.raw["filters"]]
    base = symbol.removesuffix(model.raw["quoteAsset"])
    raw = {**model.raw, "symbol": symbol, "pair": symbol, "baseAsset": base, "filters": filters}
    return SimInstrument.from_exchange_info({**raw, "pricePrecision": 8, "quantityPrecision": 8})


class FrameServer:
    """Runs in a thread of its own. REST tells the rules, and the best prices as the frames told them last."""

    def __init__(self, instruments: Sequence[SimInstrument], frames: Sequence[Frame]) -> None:
        self._instruments = instruments
        self._marks = {frame.stream: frame for frame in reversed(frames) if frame.is_mark}
        self._best = {frame.data["s"]: frame.data for frame in reversed(frames) if frame.is_quote}
        self._listeners: dict[web.WebSocketResponse, set[str]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="frame server", daemon=True)
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def rest_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def begin(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)

    def end(self) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def send(self, frame: Frame) -> int:
        """Say a frame to whoever has asked for its stream; return how many those are."""
        return asyncio.run_coroutine_threadsafe(self._send(frame), self._loop).result(10)

    def listeners(self, stream: str) -> int:
        return sum(stream in names for names in list(self._listeners.values()))

    async def _send(self, frame: Frame) -> int:
        if frame.is_quote:
            self._best[frame.data["s"]] = frame.data
        text = json.dumps({"stream": frame.stream, "data": frame.data})
        hearing = [socket for socket, names in self._listeners.items() if frame.stream in names]
        for socket in hearing:
            await socket.send_str(text)
        return len(hearing)

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_get("/fapi/v1/exchangeInfo", self._rules)
        app.router.add_get("/fapi/v1/ticker/bookTicker", self._ticker)
        app.router.add_get("/{root}/stream", self._streams)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _stop(self) -> None:
        for socket in list(self._listeners):
            await socket.close()
        assert self._runner is not None
        await self._runner.cleanup()

    async def _rules(self, request: web.Request) -> web.Response:
        return web.json_response({"symbols": [dict(one.raw) for one in self._instruments], "rateLimits": []})

    async def _ticker(self, request: web.Request) -> web.Response:
        best = self._best[request.query["symbol"]]
        told = {"bidPrice": best["b"], "bidQty": best["B"], "askPrice": best["a"], "askQty": best["A"]}
        return web.json_response({"symbol": best["s"], **told, "time": best["T"], "lastUpdateId": best["u"]})

    async def _streams(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._listeners[socket] = set()
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    continue
                asked = json.loads(message.data)
                await socket.send_json({"result": None, "id": asked["id"]})
                self._listeners[socket].update(asked["params"])
                for name in asked["params"]:
                    if (mark := self._marks.get(name)) is not None:  # which the venue says every second
                        await socket.send_json({"stream": name, "data": mark.data})
        finally:
            self._listeners.pop(socket, None)
        return socket


@contextmanager
def serving(instruments: Sequence[SimInstrument], frames: Sequence[Frame]) -> Iterator[FrameServer]:
    server = FrameServer(instruments, frames)
    server.begin()
    try:
        yield server
    finally:
        server.end()
