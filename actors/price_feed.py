"""The one price source of its symbols."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from actors.actor_names import SlotLayout
from actors.clock import Clock
from actors.ending import end_process
from actors.loop_thread import LoopThread
from actors.mail.mailbox import Mailbox
from actors.mail.messages import Alarms, Envelope, Message, PriceWanted, Receipt, SetupWanted, SymbolGone, SymbolSetup
from actors.mail.outbox import Gauges, NoGauges, Outbox
from actors.structured_log import log_of
from actors.symbol_feed import FeedPhase, FeedSnapshot, SymbolFeed
from exchanges.errors import VenueError
from exchanges.port import MarketVenue, StreamDown, StreamUp
from grid.order import Quote

TICK_S = 0.2
RETRY_S = 1.0


class PriceFeed:
    """Turns quotes into window differences for the slots concerned, and says how fresh its prices are.

    Owns no truth: a new feed asks the gateway for its levels, subscribes again and announces itself as a whole. The
    sockets live in the feed's own loop thread; methods hand over and return, queries answer from a snapshot.
    """

    def __init__(
        self,
        *,
        name: str,
        gateway: str,
        layouts: Sequence[SlotLayout],
        market: Callable[[], MarketVenue],
        outbox: Outbox,
        clock: Clock,
        push_interval_ms: int = 50,
        gauges: Gauges | None = None,
        end: Callable[[], None] = end_process,
    ) -> None:
        self._name = name
        self._gateway = gateway
        self._market = market
        self._outbox = outbox
        self._clock = clock
        self._push_interval_s = push_interval_ms / 1000
        self._gauges = gauges or NoGauges()
        self._mailbox = Mailbox()
        self._loop = LoopThread(name, self._main, end=end)
        self._feeds = {layout.symbol: SymbolFeed(layout=layout, gateway=gateway, outbox=outbox) for layout in layouts}
        self._asked_ms: dict[str, int] = {}
        self._calls: set[asyncio.Task[None]] = set()
        self._reading: asyncio.Future[None] | None = None
        self._published: Mapping[str, FeedSnapshot] = {}
        self._is_push_due = False
        self._stream_reason = "not subscribed yet"

    def start(self) -> None:
        """Begin; returns at once."""
        self._loop.start()

    def stop(self) -> bool:
        """End the streams and the loop; returns whether they ended in time."""
        return self._loop.stop()

    def receive(self, envelope: Envelope) -> Receipt:
        """Take a message of another actor."""
        if not self._loop.hand_over(self._take, envelope):
            return Receipt(is_busy=True)
        return Receipt()

    def snapshot(self) -> dict[str, Any]:
        """Return what observers see: each symbol, the inner queue, how messages came."""
        mono_ms = self._mono_ms()
        return {
            "name": self._name,
            "symbols": dict(self._published) or {s: feed.snapshot(mono_ms) for s, feed in self._feeds.items()},
            "stream": self._stream_reason,
            "inner_queue": self._loop.depth,
            "arrivals": self._mailbox.counts,
        }

    def _take(self, envelope: Envelope) -> None:
        # The loop's own thread keeps the mailbox: a message refused as busy was never noted.
        arrival = self._mailbox.accept(envelope)
        if arrival.needs_whole and envelope.sender == self._gateway:
            self._asked_ms.clear()
            self._ask(everything=True)
        if arrival.is_fresh:
            self._handle(envelope.message)

    def _handle(self, message: Message) -> None:
        match message:
            case SymbolSetup() if (feed := self._feeds.get(message.generation.symbol)) is not None:
                feed.on_setup(message, self._mono_ms(), self._clock.now_ms())
            case SymbolGone():
                self.drop(message.symbol)
            case Alarms() if (feed := self._feeds.get(message.symbol)) is not None:
                feed.on_alarms(message)
            case PriceWanted() if (feed := self._feeds.get(message.symbol)) is not None:
                feed.on_price_wanted(message)
            case _:
                return  # standings and other symbols' words are none of a feed's business
        self._push_soon()

    def drop(self, symbol: str) -> bool:
        """Serve a symbol no more; the others' streams are subscribed anew without it."""
        return self._loop.hand_over(self._drop, symbol)

    def _drop(self, symbol: str) -> None:
        if self._feeds.pop(symbol, None) is not None and self._reading is not None:
            self._reading.cancel()

    async def _main(self) -> None:
        venue = self._market()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(venue))
                group.create_task(self._watch(venue))
        finally:
            for task in self._calls:
                task.cancel()
            await venue.close()

    async def _listen(self, venue: MarketVenue) -> None:
        while True:
            self._reading = asyncio.ensure_future(self._read(venue))
            try:
                await self._reading
                self._stream_reason = "stream ended"
            except VenueError as error:
                self._stream_reason = str(error)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    self._reading.cancel()
                    raise
                log_of(self._name).warning("quotes_lost", reason="the stream is connected anew: mute, or fewer symbols")
                continue
            log_of(self._name).warning("quotes_lost", reason=self._stream_reason)
            await asyncio.sleep(RETRY_S)

    async def _read(self, venue: MarketVenue) -> None:
        if not self._feeds:
            self._stream_reason = "no symbol is left"
            await asyncio.Event().wait()  # until this actor is dismissed
        quotes = venue.quotes(list(self._feeds))
        async with aclosing(quotes) as events:
            async for event in events:
                match event:
                    case Quote():
                        self._feeds[event.symbol].on_quote(event, self._mono_ms(), self._clock.now_ms())
                        self._push_soon()
                    case StreamUp():
                        self._stream_reason = "up"
                        self._gauges.count("gridmesh_stream_connects", stream=event.name)
                        self._begin(self._seed(venue, self._feeds[event.name.rpartition("/")[2]]))
                    case StreamDown():
                        self._stream_reason = event.reason
                        log_of(self._name).warning("stream_down", stream=event.name, reason=event.reason)

    async def _watch(self, venue: MarketVenue) -> None:
        while True:
            self._ask()
            for feed in self._feeds.values():
                if feed.on_time(self._mono_ms()):
                    self._begin(self._probe(venue, feed))
                if feed.takes_restream(self._mono_ms()) and self._reading is not None:
                    self._reading.cancel()
            self._push()
            self._show(venue)
            await asyncio.sleep(TICK_S)

    def _begin(self, call: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(call)
        self._calls.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._calls.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error  # in the loop, which ends the process

    async def _seed(self, venue: MarketVenue, feed: SymbolFeed) -> None:
        """Fetch the price behind a stream that came up, until it is here or the stream has told a newer one."""
        quotes_before = feed.quotes
        while feed.quotes == quotes_before:
            try:
                quote = await venue.quote(feed.symbol)
            except VenueError as error:
                log_of(self._name).warning("first_quote_failed", symbol=feed.symbol, reason=str(error))
                await asyncio.sleep(RETRY_S)
                continue
            feed.on_seed(quote, quotes_before, self._mono_ms(), self._clock.now_ms())
            self._push_soon()
            return

    async def _probe(self, venue: MarketVenue, feed: SymbolFeed) -> None:
        try:
            found: Quote | None = await venue.quote(feed.symbol)
            failure = ""
        except VenueError as error:
            found, failure = None, str(error)
        feed.on_probe(found, failure, self._mono_ms(), self._clock.now_ms())
        self._push_soon()

    def _ask(self, *, everything: bool = False) -> None:
        now_ms = self._mono_ms()
        for symbol, feed in self._feeds.items():
            asked_ms = self._asked_ms.get(symbol)
            if not everything and feed.phase is not FeedPhase.RESTORING:
                continue
            if asked_ms is None or now_ms - asked_ms >= RETRY_S * 1000:
                self._asked_ms[symbol] = now_ms
                self._outbox.post(self._gateway, SetupWanted(receiver=self._name, symbol=symbol))

    def _push_soon(self) -> None:
        if not self._is_push_due:
            self._is_push_due = True
            asyncio.get_running_loop().call_later(self._push_interval_s, self._push)

    def _push(self) -> None:
        self._is_push_due = False
        mono_ms = self._mono_ms()
        self._published = {symbol: feed.snapshot(mono_ms) for symbol, feed in self._feeds.items()}

    def _show(self, venue: MarketVenue) -> None:
        self._gauges.set("gridmesh_heartbeat_s", self._clock.now_ms() // 1000, actor=self._name)
        for stream, age_s in venue.ages().items():
            self._gauges.set("gridmesh_stream_age_ms", age_s * 1000, stream=stream)
        self._gauges.set("gridmesh_inner_queue", self._loop.depth, actor=self._name)
        for symbol, seen in self._published.items():
            self._gauges.set("gridmesh_quote_age_ms", seen.quote_age_ms or 0, symbol=symbol)
            self._gauges.set("gridmesh_price_is_fresh", seen.phase is FeedPhase.FRESH, symbol=symbol)

    def _mono_ms(self) -> int:
        return self._clock.monotonic_ns() // 1_000_000
