"""How many orders a second the gateway's own path carries with the limiter off, beside plain ccxt at the same venue."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import ccxt.pro as ccxt
from pydantic import SecretStr

from actors.clock import SystemClock
from actors.gateway.caller import VenueCaller
from actors.gateway.grids import desk_settings, desk_symbol
from actors.gateway.keeper import DeskKeeper, read_book
from actors.gateway.start import Facts, first_records, grids
from actors.gateway.starter import Starter
from actors.journal.writer import Journal
from actors.settings.account import Settings, load_settings
from actors.settings.venue import Credentials
from actors.structured_log import log_of
from actors.venues import market_venue, trading_venue
from exchanges.binance.trading import BinanceTrading
from exchanges.desk.commands import Command
from exchanges.desk.events import AccountRead, Asked, Event, GoSaid, MarkSeen, StreamSaid, StreamState
from exchanges.lane import Lane
from exchanges.port import StreamUp
from exchanges.throttle import Throttle, ThrottleRule
from grid.book import Book
from grid.intent import CancelIntent, PlaceIntent
from grid.order import OrderUpdate, Purpose, TimeInForce
from grid.reasons import Reason
from grid.records import from_body
from grid.slot import Phase, SlotKey
from risk.lease import Go
from tests.bench.figures import Figures, table
from tests.bench.market import ANCHOR, INTERVAL, TICKS
from tests.bench.processes import Venue, configuration, venue_of

ORDERS = 100
ROUNDS = 4
PATIENCE_S = 20.0
FREE = ThrottleRule(orders_per_second=Decimal(10_000), burst=10_000)


class OrderPath:
    """Desk, journal, caller and adapter of one symbol, without a limiter worth the name and without slots."""

    def __init__(self, settings: Settings, facts: Facts, journal: Journal, venue: BinanceTrading) -> None:
        clock = SystemClock()
        (grid,) = grids(settings, facts, Book())
        self.name, self._instrument = grid.settings.symbol, grid.instrument
        self._keeper = DeskKeeper(
            book=read_book(journal, from_body),
            journal=journal,
            settings=desk_settings(settings, journal.journal_id),
            symbols={self.name: desk_symbol(grid)},
            clock=clock,
            on_work=lambda work: self._caller.submit(work),
            on_word=self._on_word,
            venue_ahead_ms=lambda: 0,
        )
        self._caller = VenueCaller(
            venue=venue, throttle=Throttle((), FREE), clock=clock, on_event=self.on_event, release=self._keeper.release
        )
        self._keeper.begin(journal.raise_owner_epoch(), first_records([grid], facts, Book()))

    def on_event(self, event: Event) -> None:
        self._keeper.handle(event)

    def allow(self) -> None:
        """Say what the desk needs to hear before it lets an entry go."""
        self.on_event(GoSaid(go=Go(number=time.monotonic_ns(), incarnation=0)))
        self.on_event(MarkSeen(symbol=self.name, price=self._instrument.price(ANCHOR)))

    def place_all(self) -> None:
        """Ask for an entry on each level."""
        desk = self._keeper.desk
        for level in range(-ORDERS, 0):
            key = SlotKey(symbol=self.name, generation=0, level=level)
            price = ANCHOR + level * INTERVAL
            intent = PlaceIntent(
                key=key,
                basis_version=desk.book.symbol(self.name).slot(key).version,
                purpose=Purpose.ENTRY,
                price=price,
                quantity=30,
                target=price + INTERVAL,
                time_in_force=TimeInForce.POST_ONLY,
                reference=ANCHOR,
                halt_epoch=desk.book.halt_epoch,
            )
            self.on_event(Asked(intent=intent))

    def cancel_all(self) -> None:
        """Ask for the cancel of each entry."""
        for order in self._keeper.desk.book.live_orders(self.name):
            if order.key is not None:
                intent = CancelIntent(key=order.key, client_id=order.client_id, reason=Reason.LEFT_WINDOW)
                self.on_event(Asked(intent=intent))

    def count(self, phase: Phase) -> int:
        """Return how many slots are in a phase."""
        return sum(1 for slot in self._keeper.desk.book.symbol(self.name).slots.values() if slot.phase is phase)

    def waiting(self) -> int:
        """Return how much is in the lanes."""
        return sum(self._caller.depths()[lane.name.lower()] for lane in Lane)

    def _on_word(self, command: Command) -> None:
        pass


def measure(figures: Figures) -> None:
    """Place and cancel a hundred orders a few times by each way."""
    rows = []
    with venue_of(1) as venue:
        for way in ("websocket", "rest"):
            rows.append(_put(figures, f"throughput.gateway_{way}", asyncio.run(_ours(venue, way == "rest"))))
            rows.append(_put(figures, f"throughput.ccxt_{way}", asyncio.run(_ccxt(venue, way))))
    columns = (f"{ORDERS} orders at once", "orders/s", "CPU us/order")
    print(table("Order entry with the limiter off; the venue shares the machine", columns, rows), flush=True)


def _put(figures: Figures, name: str, measured: tuple[float, float]) -> tuple[str, float, float]:
    figures.put(f"{name}.orders_per_s", measured[0])
    figures.put(f"{name}.cpu_us_per_order", measured[1])
    return name.removeprefix("throughput."), *measured


async def _ours(venue: Venue, is_rest: bool) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="gmbench") as folder:
        path = configuration(venue, 1, Path(folder), ladder={"max_lots": 150, "buy_window": 100})
        settings = load_settings(path)
        keys = Credentials(api_key=SecretStr(venue.ready["key"]), api_secret=SecretStr(venue.ready["secret"]))
        trading, market = trading_venue(settings, keys), market_venue(settings)
        assert isinstance(trading, BinanceTrading)
        journal = Journal.open(settings.journal_path)
        starter = Starter(settings, trading, market, SystemClock(), log_of("bench"), lambda what: None)
        facts = await starter.facts()
        order_path = OrderPath(settings, facts, journal, trading)
        listening = asyncio.create_task(_listen(trading, order_path))
        order_path.on_event(AccountRead(begun_ms=0, account=await trading.account(), positions=()))
        await _until(lambda: order_path._keeper.desk.is_ready)
        if is_rest:
            await _hang_up(trading)
        try:
            return await _rounds(order_path)
        finally:
            listening.cancel()
            await asyncio.wait([listening])
            await order_path._caller.close()
            await market.close()
            await trading.close()
            journal.close()


async def _rounds(order_path: OrderPath) -> tuple[float, float]:
    wall_s = cpu_s = 0.0
    for number in range(ROUNDS + 1):
        order_path.allow()
        begun, begun_cpu = time.perf_counter(), time.process_time()
        order_path.place_all()
        await _until(lambda: order_path.count(Phase.LOCKED) == ORDERS)
        if number:  # the first one warms up
            wall_s, cpu_s = wall_s + time.perf_counter() - begun, cpu_s + time.process_time() - begun_cpu
        order_path.cancel_all()
        await _until(lambda: order_path.count(Phase.FREE) == ORDERS and not order_path.waiting())
    return ORDERS * ROUNDS / wall_s, cpu_s * 1e6 / (ORDERS * ROUNDS)


async def _listen(trading: BinanceTrading, order_path: OrderPath) -> None:
    async for event in trading.private_events():
        if isinstance(event, OrderUpdate):
            order_path.on_event(StreamSaid(update=event))
        elif isinstance(event, StreamUp):
            order_path.on_event(StreamState(is_up=True))


async def _hang_up(trading: BinanceTrading) -> None:
    """Leave the order socket down, so that orders go over REST."""
    task = trading._calls._entry_task
    assert task is not None
    task.cancel()
    await asyncio.wait([task])
    await trading._calls._entry.down("the bench wants REST")


async def _ccxt(venue: Venue, way: str) -> tuple[float, float]:
    exchange = ccxt.binanceusdm(
        {"apiKey": venue.ready["key"], "secret": venue.ready["secret"], "enableRateLimit": False}
    )
    exchange.urls["api"] = _rewritten(exchange.urls["api"], venue)
    place, cancel = exchange.create_order, exchange.cancel_order
    if way == "websocket":
        place, cancel = exchange.create_order_ws, exchange.cancel_order_ws
    try:
        await exchange.load_markets()
        symbol = next(name for name, row in exchange.markets.items() if row["id"] == venue.coins[0])
        wall_s = cpu_s = 0.0
        for number in range(ROUNDS + 1):
            prices = [(ANCHOR + level * INTERVAL) / TICKS for level in range(-ORDERS, 0)]
            begun, begun_cpu = time.perf_counter(), time.process_time()
            calls = (place(symbol, "limit", "buy", 0.03, price, {"timeInForce": "GTX"}) for price in prices)
            made = await asyncio.gather(*calls)
            if number:
                wall_s, cpu_s = wall_s + time.perf_counter() - begun, cpu_s + time.process_time() - begun_cpu
            await asyncio.gather(*(cancel(order["id"], symbol) for order in made))
        return ORDERS * ROUNDS / wall_s, cpu_s * 1e6 / (ORDERS * ROUNDS)
    finally:
        await exchange.close()


def _rewritten(addresses: Any, venue: Venue) -> Any:
    """Return the tree of addresses with scheme and host replaced: nothing leaves this machine."""
    if isinstance(addresses, dict):
        return {name: _rewritten(value, venue) for name, value in addresses.items()}
    if not isinstance(addresses, str) or "://" not in addresses:
        return addresses
    base: str = venue.ready["ws_url" if addresses.startswith("ws") else "rest_url"]
    return base + urlsplit(addresses).path


async def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > deadline:
            raise RuntimeError(f"it did not come to that within {PATIENCE_S:.0f} s")
        await asyncio.sleep(0.001)
