"""Three actors that do nothing but pass a message on: what two hops cost with the product's courier and mailbox."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from actors.loop_thread import LoopThread
from actors.mail.mailbox import Mailbox
from actors.mail.messages import Envelope, Intents, Receipt
from actors.mail.outbox import Outbox
from grid.intent import PlaceIntent
from grid.order import Purpose, TimeInForce
from grid.slot import SlotKey
from grid.window import MarketView, WindowChange

if TYPE_CHECKING:
    from actors.runtime.hosted import Surroundings

FEED, SLOT, GATEWAY = "hop/feed", "hop/slot", "hop/gateway"


class HopFeed:
    """Posts window changes from its own loop's thread, as a feed does."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._loop = LoopThread(FEED, self._main)
        self._sending: asyncio.Task[None] | None = None
        self._left = 0

    def start(self) -> None:
        self._loop.start()

    def receive(self, envelope: Envelope) -> Receipt:
        return Receipt()

    def begin(self, count: int, spacing_ms: float) -> bool:
        """Begin to post so many, one each `spacing_ms`."""
        self._left = count
        return self._loop.hand_over(self._begin, count, spacing_ms)

    def snapshot(self) -> dict[str, Any]:
        return {"left": self._left}

    async def _main(self) -> None:
        await asyncio.Event().wait()

    def _begin(self, count: int, spacing_ms: float) -> None:
        self._sending = asyncio.get_running_loop().create_task(self._send(count, spacing_ms))

    async def _send(self, count: int, spacing_ms: float) -> None:
        for number in range(count):
            view = MarketView(
                symbol="", generation=0, price=1, top=number, floor=number, version=number, at_ms=time.monotonic_ns()
            )
            self._outbox.post(SLOT, WindowChange(view=view, entered=(number,)))
            self._left -= 1
            await asyncio.sleep(spacing_ms / 1000)


class HopSlot:
    """Answers each window change with an intent, as a slot does."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._mailbox = Mailbox()

    def start(self) -> None:
        pass

    def receive(self, envelope: Envelope) -> Receipt:
        if self._mailbox.accept(envelope).is_fresh and isinstance(envelope.message, WindowChange):
            view = envelope.message.view
            intent = PlaceIntent(
                key=SlotKey(symbol="HOPUSDT", generation=0, level=view.top),
                basis_version=0,
                purpose=Purpose.ENTRY,
                price=1,
                quantity=1,
                target=2,
                time_in_force=TimeInForce.POST_ONLY,
                reference=view.at_ms,
                halt_epoch=0,
            )
            self._outbox.post(GATEWAY, Intents(intents=(intent,)))
        return Receipt()

    def snapshot(self) -> dict[str, Any]:
        return {}


class HopGateway:
    """Notes when an intent has come into its loop, as the gateway takes it."""

    def __init__(self) -> None:
        self._mailbox = Mailbox()
        self._loop = LoopThread(GATEWAY, self._main)
        self._spans: list[int] = []

    def start(self) -> None:
        self._loop.start()

    def receive(self, envelope: Envelope) -> Receipt:
        return Receipt(is_busy=not self._loop.hand_over(self._take, envelope))

    def take_spans(self) -> list[int]:
        """Return the nanoseconds that each took, and forget them."""
        found, self._spans = self._spans, []
        return found

    def snapshot(self) -> dict[str, Any]:
        return {}

    async def _main(self) -> None:
        await asyncio.Event().wait()

    def _take(self, envelope: Envelope) -> None:
        if self._mailbox.accept(envelope).is_fresh and isinstance(envelope.message, Intents):
            for intent in envelope.message.intents:
                self._spans.append(time.monotonic_ns() - (intent.reference or 0))


def feed(around: Surroundings) -> HopFeed:
    """Build the feed."""
    return HopFeed(around.courier)


def slot(around: Surroundings) -> HopSlot:
    """Build the slot."""
    return HopSlot(around.courier)


def gateway(around: Surroundings) -> HopGateway:
    """Build the gateway."""
    return HopGateway()
