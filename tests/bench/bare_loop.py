"""The practical limit: sockets, window, slots, desk and journal in one loop of one process, and nothing between them.

`python -m tests.bench.bare_loop CONFIG` trades until standard input closes. Market and order stream are read by
websockets and orjson directly, every decision is made by the product's own objects, every record is committed to the
same journal before an order leaves by the same order entry. There is no Ray, no thread, no mailbox and no limiter.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
from websockets.asyncio.client import connect

from actors.clock import SystemClock
from actors.gateway.caller import VenueCaller
from actors.gateway.grids import Grid, desk_settings, desk_symbol
from actors.gateway.keeper import DeskKeeper, read_book
from actors.gateway.start import Facts, first_records, grids
from actors.gateway.starter import Starter
from actors.journal.writer import Journal
from actors.mail.desk_mail import desk_events
from actors.mail.messages import Intents
from actors.settings.account import Settings, load_settings
from actors.settings.credentials import load_credentials
from actors.structured_log import log_of
from actors.venues import market_venue, trading_venue
from exchanges.binance import wire_orders
from exchanges.binance.trading import BinanceTrading
from exchanges.desk.commands import Broadcast, Command, Send, Tell
from exchanges.desk.events import (
    Accepted,
    AccountRead,
    Event,
    GoSaid,
    MarkSeen,
    PlaceAnswered,
    ReferenceSeen,
    StatesWanted,
    StreamSaid,
    StreamState,
    Ticked,
)
from exchanges.errands import Work
from exchanges.errors import VenueRefused
from exchanges.port import MarketVenue
from exchanges.throttle import Throttle, ThrottleRule
from grid.intent import Standing, Told
from grid.ladder import Ladder
from grid.order import OrderReport
from grid.records import from_body
from grid.slot_group import Requests, SlotGroup
from grid.window import Window, WindowChange
from risk.lease import Go

WORD_S = 0.5
TICK_S = 0.1
ACCOUNT_S = 10.0


class BareSymbol:
    """Window and slots of one symbol."""

    def __init__(self, grid: Grid) -> None:
        ladder: Ladder = grid.ladder
        self.instrument = grid.instrument
        self.window = Window(ladder, grid.policy)
        modulus = grid.policy.buy_window + grid.policy.entry_slack
        self.slots = SlotGroup(
            ladder=ladder,
            policy=grid.policy,
            instrument=grid.instrument,
            remainders=frozenset(range(modulus)),
            modulus=modulus,
        )


class BareLoop:
    """Everything, called directly."""

    def __init__(self, settings: Settings, facts: Facts, due: list[Grid], journal: Journal, venue: Any) -> None:
        self._clock = SystemClock()
        self._venue: BinanceTrading = venue
        self._symbols = {grid.settings.symbol: BareSymbol(grid) for grid in due}
        self._instruments = {name: one.instrument for name, one in self._symbols.items()}
        self._told: deque[Told | Standing] = deque()
        self._is_draining = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._go = 0
        book = read_book(journal, from_body)
        self._keeper = DeskKeeper(
            book=book,
            journal=journal,
            settings=desk_settings(settings, journal.journal_id),
            symbols={grid.settings.symbol: desk_symbol(grid) for grid in due},
            clock=self._clock,
            venue_ahead_ms=self._venue.clock_offset_ms,
            on_work=self._on_work,
            on_word=self._on_word,
        )
        self._caller = VenueCaller(
            venue=venue,
            throttle=Throttle(facts.rules.rate_windows, ThrottleRule()),
            clock=self._clock,
            on_event=self.on_event,
            release=self._keeper.release,
        )
        self._keeper.begin(journal.raise_owner_epoch(), first_records(due, facts, book))

    def on_event(self, event: Event) -> None:
        """Have the desk decide, then the slots that it told something."""
        self._keeper.handle(event)
        if self._is_draining:
            return
        self._is_draining = True
        while self._told:
            word, now_ms = self._told.popleft(), self._clock.now_ms()
            if isinstance(word, Told):
                self._ask(word.state.key.symbol, self._symbols[word.state.key.symbol].slots.on_told(word, now_ms))
            else:
                self._ask(word.symbol, self._symbols[word.symbol].slots.on_standing(word, now_ms))
        self._is_draining = False

    def on_quote(self, raw: str | bytes) -> None:
        """Take a frame of the public stream."""
        row = orjson.loads(raw)["data"]
        self.on_price(row["s"], self._symbols[row["s"]].instrument.ticks_floor(Decimal(row["b"])))

    def on_price(self, name: str, price: int) -> None:
        """Take the best bid in ticks."""
        symbol = self._symbols[name]
        change = symbol.window.on_price(price, self._clock.now_ms())
        if change.levels:
            self._ask(name, symbol.slots.on_window(change, self._clock.now_ms()))

    def on_private(self, raw: str | bytes) -> None:
        """Take a frame of the account's stream."""
        message = orjson.loads(raw)
        if message.get("e") == "ORDER_TRADE_UPDATE":
            self.on_event(StreamSaid(update=wire_orders.update(message, self._instruments)))

    def on_time(self) -> None:
        """Say what time alone brings."""
        self._go += 1
        self.on_event(GoSaid(go=Go(number=self._go, incarnation=0)))
        self.on_event(Ticked())
        for name, symbol in self._symbols.items():
            self._ask(name, symbol.slots.on_time(self._clock.now_ms()))

    def tell_references(self) -> None:
        """Say the prices, as feeds do once a second."""
        for name, symbol in self._symbols.items():
            if (view := symbol.window.view) is not None:
                self.on_event(ReferenceSeen(symbol=name, reference=view.price, is_fresh=True))

    def _ask(self, name: str, requests: Requests) -> None:
        for event in desk_events(Intents(intents=requests.intents)) or ():
            self.on_event(event)
        if requests.unknown_levels:
            self.on_event(StatesWanted(keys=requests.unknown_levels))
        symbol = self._symbols[name]
        for alarm in requests.alarms:
            if symbol.window.set_alarm(alarm) and (view := symbol.window.view) is not None:
                rung = WindowChange(view=view, rung=(alarm.level,))
                self._ask(name, symbol.slots.on_window(rung, self._clock.now_ms()))

    def _on_word(self, command: Command) -> None:
        if isinstance(command, Tell):
            self._told.append(command.told)
        elif isinstance(command, Broadcast):
            self._told.append(command.standing)

    def _on_work(self, work: Work) -> None:
        if not isinstance(work, Send):
            self._caller.submit(work)
        elif (approved := self._keeper.release(work.client_id)) is not None:
            task = asyncio.get_running_loop().create_task(self._place(work.client_id, self._venue.place(approved)))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    async def _place(self, client_id: str, call: Any) -> None:
        try:
            report: OrderReport = await call
        except VenueRefused as refused:
            raise SystemExit(f"the venue refused {client_id}: {refused}") from refused
        self.on_event(PlaceAnswered(client_id=client_id, outcome=Accepted(report=report)))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            os._exit(1)


async def trade(config: Path) -> None:
    """Start as the gateway does, then trade until standard input closes."""
    settings = load_settings(config)
    venue, market = trading_venue(settings, load_credentials(settings.venue)), market_venue(settings)
    journal = Journal.open(settings.journal_path)
    starter = Starter(settings, venue, market, SystemClock(), log_of("bare"), lambda what: None)
    facts = await starter.facts()
    due = grids(settings, facts, read_book(journal, from_body))
    complaints = await starter.complaints(facts, due, read_book(journal, from_body), journal.journal_id)
    if complaints:
        raise SystemExit("; ".join(complaints))
    bare = BareLoop(settings, facts, due, journal, venue)
    assert isinstance(venue, BinanceTrading)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(
        sys.stdin.fileno(), lambda: ended.set() if not os.read(sys.stdin.fileno(), 4096) else None
    )
    names = "/".join(f"{symbol.symbol.lower()}@bookTicker" for symbol in settings.symbols)
    jobs = [
        asyncio.create_task(_listen_private(venue, bare)),
        asyncio.create_task(_listen(f"{settings.venue.ws_url}/public/stream?streams={names}", bare)),
        asyncio.create_task(_marks(market, [symbol.symbol for symbol in settings.symbols], bare)),
        asyncio.create_task(_accounts(venue, bare)),
        asyncio.create_task(_pass_time(bare)),
    ]
    for name, quote in facts.quotes.items():
        bare.on_price(name, quote.bid)  # a stream tells nothing before the price moves
    print(orjson.dumps({"pid": os.getpid()}).decode(), flush=True)
    over = asyncio.create_task(ended.wait())
    done, _ = await asyncio.wait([over, *jobs], return_when=asyncio.FIRST_COMPLETED)
    if over not in done:
        await done.pop()
    os._exit(0)


async def _listen(url: str, bare: BareLoop) -> None:
    async with connect(url, proxy=None, compression=None) as socket:
        while True:
            bare.on_quote(await socket.recv(decode=False))


async def _listen_private(venue: BinanceTrading, bare: BareLoop) -> None:
    key = await venue._calls.listen_key("POST")
    async with connect(f"{venue._calls.endpoints.private}?listenKey={key}", proxy=None, compression=None) as socket:
        bare.on_event(StreamState(is_up=True))
        while True:
            bare.on_private(await socket.recv(decode=False))


async def _accounts(venue: BinanceTrading, bare: BareLoop) -> None:
    clock = SystemClock()
    while True:
        begun_ms = clock.monotonic_ns() // 1_000_000
        account, positions = await venue.account(), await venue.positions()
        bare.on_event(AccountRead(begun_ms=begun_ms, account=account, positions=tuple(positions)))
        await asyncio.sleep(ACCOUNT_S)


async def _marks(market: MarketVenue, symbols: list[str], bare: BareLoop) -> None:
    async for event in market.marks(symbols):
        if isinstance(event, tuple):
            bare.on_event(MarkSeen(symbol=event[0], price=event[1]))


async def _pass_time(bare: BareLoop) -> None:
    since_s: float = WORD_S
    while True:
        bare.on_time()
        since_s += TICK_S
        if since_s >= WORD_S:
            since_s = 0.0
            bare.tell_references()
        await asyncio.sleep(TICK_S)


if __name__ == "__main__":
    asyncio.run(trade(Path(sys.argv[1])))
