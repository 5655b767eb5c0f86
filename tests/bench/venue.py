"""The bench's venue: the simulated one as a process of its own, which plays a script and notes its own times.

Commands come as JSON lines on standard input, each is answered by one line; it ends when the input closes.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from exchanges.sim.market import Mark, MarketEvent
from exchanges.sim.server.options import DEMO_KEY, DEMO_SECRET
from exchanges.sim.server.server import SimVenue
from exchanges.sim.server.wall_clock import wall_clock_ms
from grid.order import Side
from tests.bench.market import INTERVAL, TICKS, book_above, coin, level_price, print_at, venue_options
from tests.bench.wire_times import WireLog, placed, spans, watched

CRASH = 70
"""Levels: more than four in a hundred of the price."""


class BenchVenue(SimVenue):
    """The simulated venue with a log of its wire."""

    def __init__(self, coins: int) -> None:
        self.log = WireLog()
        super().__init__(venue_options(coins, wall_clock_ms(), watched(self.log)))

    def _application(self) -> web.Application:
        application = super()._application()
        application.middlewares.append(self._note)
        return application

    @web.middleware
    async def _note(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == "/fapi/v1/order" and request.method in ("POST", "DELETE"):
            body = await request.read()  # kept by the request: the handler reads it again
            content = f"{request.method} ".encode() + (body or request.rel_url.raw_query_string.encode())
            self.log.read.append((time.monotonic_ns(), request.path, content))
        return await handler(request)


class Player:
    """Moves the market of some coins. Levels only rise here: our own bids hold the published price up."""

    def __init__(self, server: BenchVenue) -> None:
        self._server = server
        self._levels: dict[str, int] = {}
        self._is_held: dict[str, bool] = {}
        self._random = random.Random(1)
        self._noise: asyncio.Task[None] | None = None
        self._volume = 0

    async def climb(self, symbols: Sequence[str], events: int, spacing_ms: float) -> None:
        """Raise one coin after another by a level: the new top level asks for an entry."""
        async for symbol in self._paced(symbols, events, spacing_ms):
            self._rise(symbol)

    async def fills(self, symbols: Sequence[str], events: int, spacing_ms: float) -> None:
        """Buy and sell the top level of one coin after another: an entry's fill, then its exit's."""
        async for symbol in self._paced(symbols, events, spacing_ms):
            level, is_held = self._levels.get(symbol, 0), self._is_held.get(symbol, False)
            self._is_held[symbol] = not is_held
            if is_held:
                self._play(print_at(symbol, level_price(level + 1) + 1, Side.BUY, 0))
            else:
                self._play(print_at(symbol, level_price(level) - 1, Side.SELL, 0))

    def begin_noise(self, symbols: Sequence[str], per_s: float, crossing_each: int = 0, volume: int = 0) -> None:
        """Have each coin's price change so often until told otherwise; one change in so many of each crosses a level.

        With a `volume` so much is traded at each change, where nothing of ours rests.
        """
        spacing_ms = 1000 / per_s / len(symbols)
        self._volume = volume
        self._noise = asyncio.create_task(self._change(symbols, sys.maxsize, spacing_ms, crossing_each))

    async def end_noise(self) -> None:
        if self._noise is not None:
            self._noise.cancel()
            await asyncio.wait([self._noise])
            self._noise = None

    def crash(self, symbols: Sequence[str]) -> dict[str, float]:
        """Let the coins fall by so much that each is anomalous, through every entry; return their prices then."""
        found = {}
        for symbol in symbols:
            level = self._levels[symbol] = self._levels.get(symbol, 0) - CRASH
            price = level_price(level) + INTERVAL // 2
            self._play(print_at(symbol, price, Side.SELL, 0))
            self._play(book_above(symbol, level, 0))
            found[symbol] = price / TICKS
        return found

    def _trade(self, symbol: str, quantity: int) -> None:
        price = level_price(self._levels.get(symbol, 0)) + INTERVAL // 2
        self._play(print_at(symbol, price, Side.BUY, 0, quantity=quantity))

    def _rise(self, symbol: str) -> None:
        level = self._levels[symbol] = self._levels.get(symbol, 0) + 1
        mid = (level_price(level) + INTERVAL // 2) / TICKS
        self._play(
            Mark(symbol=symbol, time_ms=0, price=self._server.venue.instrument(symbol).tick * round(mid * TICKS))
        )
        self._play(book_above(symbol, level, 0))

    def _wiggle(self, symbol: str) -> None:
        offset = self._random.randint(-INTERVAL // 4, INTERVAL // 4)
        self._play(book_above(symbol, self._levels.get(symbol, 0), 0, offset))

    async def _change(self, symbols: Sequence[str], events: int, spacing_ms: float, crossing_each: int) -> None:
        counts = {symbol: number * crossing_each // len(symbols) for number, symbol in enumerate(symbols)}
        async for symbol in self._paced(symbols, events, spacing_ms):
            counts[symbol] += 1
            if crossing_each and counts[symbol] % crossing_each == 0:
                self._rise(symbol)
            else:
                self._wiggle(symbol)
            if self._volume:
                self._trade(symbol, self._volume)

    async def _paced(self, symbols: Sequence[str], events: int, spacing_ms: float) -> Any:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for number in range(events):
            yield symbols[number % len(symbols)]
            await asyncio.sleep(max(0.0, begun + (number + 1) * spacing_ms / 1000 - loop.time()))

    def _play(self, event: MarketEvent) -> None:
        now_ms = self._server.venue.now_ms()
        fields = {name: getattr(event, name) for name in event.__dataclass_fields__}
        self._server.tape.play(type(event)(**{**fields, "time_ms": now_ms}))


async def obey(server: BenchVenue, player: Player, command: dict[str, Any]) -> dict[str, Any]:
    """Carry out one command and return the answer."""
    verb = command.pop("verb")
    match verb:
        case "climb" | "fills":
            await getattr(player, verb)(**command)
        case "begin_noise":
            player.begin_noise(**command)
        case "crash":
            return player.crash(**command)
        case "end_noise":
            await player.end_noise()
        case "clear":
            server.log.clear()
            gc.collect()
        case "spans":
            return asdict(spans(server.log))
        case "first_order":
            orders = (placed(at_ns, content) for at_ns, _, content in server.log.read)
            return {"at_ns": next((order.at_ns for order in orders if order is not None), 0)}
        case "candles":
            rows = [(at_ns, content) for at_ns, path, content in server.log.written if b'"kline"' in content]
            offset_ms = time.time_ns() / 1e6 - time.monotonic_ns() / 1e6
            return {
                "rows": [(at_ns, orjson.loads(content)["data"]["k"]) for at_ns, content in rows],
                "offset_ms": offset_ms,
            }
        case "open_orders":
            resting = server.venue.engine.read.open_orders("main")
            return {"entries": [order.side for order in resting].count(Side.BUY), "all": len(resting)}
        case _:
            raise ValueError(f"no verb {verb}")
    return {}


async def serve(coins: int) -> None:
    """Run until standard input closes."""
    server = BenchVenue(coins)
    await server.start()
    player = Player(server)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    ready = {
        "rest_url": server.rest_url,
        "ws_url": server.ws_url,
        "key": DEMO_KEY,
        "secret": DEMO_SECRET,
        "token": server.venue.control_token,
        "coins": [coin(number) for number in range(coins)],
        "pid": os.getpid(),
    }
    _say(ready)
    try:
        while line := await reader.readline():
            answer = await obey(server, player, orjson.loads(line))
            if (failure := server.failure()) is not None:
                raise failure
            _say(answer)
    finally:
        await player.end_noise()
        await server.stop()


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
