"""The actor of one price level, of a few, or of several symbols' whole ladders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from actors.actor_names import SlotLayout
from actors.clock import Clock
from actors.mail.mailbox import Mailbox
from actors.mail.messages import Envelope, Message, Receipt, SymbolGone, SymbolSetup, Tellings
from actors.mail.outbox import Outbox, Waker
from actors.symbol_slots import SymbolSlots
from grid.intent import Standing
from grid.slot_machine import Explanation
from grid.window import WindowChange

WAKE_SOONEST_MS = 20


class GridSlot:
    """Serves the levels i with i mod M in its share, each by its own machine; of several symbols, all levels of each.

    Owns no truth: the book is the gateway's and the price the feed's. A new one is RESTORING until the gateway has told
    it levels and rules; what it forgets, or never hears, only delays it until the next message or reconcile period.
    Wholly synchronous: its mailbox is the lock of its slots.
    """

    def __init__(
        self,
        *,
        layouts: Sequence[SlotLayout],
        index: int,
        gateway: str,
        feed: str,
        outbox: Outbox,
        waker: Waker,
        clock: Clock,
        reconcile_ms: int = 10_000,
        first_reconcile_ms: int | None = None,
    ) -> None:
        self._name = layouts[0].name(index)
        self._gateway = gateway
        self._feed = feed
        self._waker = waker
        self._clock = clock
        self._mailbox = Mailbox()
        self._appointed_ms: int | None = None
        first_ms = reconcile_ms if first_reconcile_ms is None else first_reconcile_ms
        self._symbols = {
            layout.symbol: SymbolSlots(
                name=self._name,
                layout=layout,
                index=index,
                gateway=gateway,
                feed=feed,
                outbox=outbox,
                reconcile_ms=reconcile_ms,
                # One after another: all ladders looked at in one go would keep a crossing waiting.
                first_reconcile_ms=first_ms * number // len(layouts),
            )
            for number, layout in enumerate(layouts, start=1)
        }

    def start(self) -> None:
        """Begin: ask for levels, rules and the book's state of our slots."""
        self._wake()

    def receive(self, envelope: Envelope) -> Receipt:
        """Take a message of another actor; handled before this returns."""
        arrival = self._mailbox.accept(envelope)
        if arrival.is_fresh:
            self._handle(envelope.message)
        if arrival.needs_whole:
            self._ask_whole(envelope.sender)
        self._wake_next()
        return Receipt()

    def tick(self) -> None:
        """Look at the time; called through the mailbox when the waker rings."""
        self._appointed_ms = None
        self._wake()

    def drop(self, symbol: str) -> bool:
        """Serve a symbol no more; always taken."""
        self._symbols.pop(symbol, None)
        return True

    def explain(self, symbol: str = "") -> list[Explanation]:
        """Return why each level of the symbol, or of every one, has or lacks an order; empty while restoring."""
        return [
            explanation
            for name, slots in self._symbols.items()
            if symbol in ("", name)
            for explanation in slots.explain()
        ]

    def snapshot(self) -> dict[str, Any]:
        """Return what observers see: each symbol, how messages came."""
        waits_for = [what for slots in self._symbols.values() if (what := slots.waits_for)]
        return {
            "name": self._name,
            "symbols": {symbol: slots.snapshot() for symbol, slots in self._symbols.items()},
            "phase": "restoring" if waits_for else "serving",
            "waits_for": ", ".join(waits_for),
            "intents": sum(slots.intents for slots in self._symbols.values()),
            "arrivals": self._mailbox.counts,
        }

    def _handle(self, message: Message) -> None:
        now_ms = self._clock.now_ms()
        match message:
            case WindowChange() if (slots := self._symbols.get(message.view.symbol)) is not None:
                slots.on_window(message, now_ms)
            case Tellings():
                for told in message.told:
                    if (slots := self._symbols.get(told.state.key.symbol)) is not None:
                        slots.on_told(told, now_ms)
            case Standing() if (slots := self._symbols.get(message.symbol)) is not None:
                slots.on_standing(message, now_ms)
            case SymbolSetup() if (slots := self._symbols.get(message.generation.symbol)) is not None:
                slots.on_setup(message, now_ms)
            case SymbolGone():
                self.drop(message.symbol)
            case _:
                pass

    def _wake(self) -> None:
        now_ms = self._clock.now_ms()
        for slots in self._symbols.values():
            if now_ms >= slots.wakes_at_ms:
                slots.on_time(now_ms)
        self._wake_next()

    def _wake_next(self) -> None:
        at_ms = min((slots.wakes_at_ms for slots in self._symbols.values()), default=None)
        if at_ms is not None and at_ms != self._appointed_ms:
            self._appointed_ms = at_ms
            self._waker.wake_in(max(at_ms - self._clock.now_ms(), WAKE_SOONEST_MS))

    def _ask_whole(self, sender: str) -> None:
        for slots in self._symbols.values():
            if sender == self._gateway:
                slots.ask_setup(self._clock.now_ms())
            elif sender == self._feed:
                slots.want_price()
