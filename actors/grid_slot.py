"""The actor of one price level, or of a few."""

from __future__ import annotations

from typing import Any

from actors.actor_names import SlotLayout
from actors.clock import Clock
from actors.mail.mailbox import Mailbox
from actors.mail.messages import (
    Alarms,
    Envelope,
    Intents,
    Message,
    PriceWanted,
    Receipt,
    SetupWanted,
    SlotsKnown,
    SlotsWanted,
    SymbolSetup,
    Tellings,
)
from actors.mail.outbox import Outbox, Waker
from grid.intent import Standing
from grid.slot_group import Requests, SlotGroup
from grid.slot_machine import Explanation
from grid.window import WindowChange

ASK_AGAIN_MS = 1_000
WAKE_SOONEST_MS = 20


class GridSlot:
    """Serves the levels i with i mod M in its share, each by its own machine.

    Owns no truth: the book is the gateway's and the price the feed's. A new one is RESTORING until the gateway has told
    it levels and rules; what it forgets, or never hears, only delays it until the next message or reconcile period.
    Wholly synchronous: its mailbox is the lock of its slots.
    """

    def __init__(
        self,
        *,
        layout: SlotLayout,
        index: int,
        gateway: str,
        feed: str,
        outbox: Outbox,
        waker: Waker,
        clock: Clock,
        reconcile_ms: int = 10_000,
    ) -> None:
        self._name = layout.name(index)
        self._layout = layout
        self._remainders = layout.remainders(index)
        self._gateway = gateway
        self._feed = feed
        self._outbox = outbox
        self._waker = waker
        self._clock = clock
        self._reconcile_ms = reconcile_ms
        self._mailbox = Mailbox()
        self._setup: SymbolSetup | None = None
        self._group: SlotGroup | None = None
        self._reconcile_at_ms = 0
        self._ask_at_ms = 0
        self._appointed_ms: int | None = None
        self._intents = 0

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

    def explain(self) -> list[Explanation]:
        """Return why each level has, or lacks, an order; highest first. Empty while restoring."""
        return self._group.explain() if self._group is not None else []

    def snapshot(self) -> dict[str, Any]:
        """Return what observers see."""
        group = self._group
        return {
            "name": self._name,
            "symbol": self._layout.symbol,
            "phase": "restoring" if group is None else "serving",
            "waits_for": f"setup of {self._layout.symbol} from {self._gateway}" if group is None else "",
            "holds": group.standing.holds if group is not None else (),
            "halt_epoch": group.standing.halt_epoch if group is not None else None,
            "view": group.view if group is not None else None,
            "intents": self._intents,
            "arrivals": self._mailbox.counts,
        }

    def _handle(self, message: Message) -> None:
        if isinstance(message, SymbolSetup):
            self._on_setup(message)
            return
        group, now_ms = self._group, self._clock.now_ms()
        if group is None:
            return  # the answer to our own question brings all of it
        match message:
            case WindowChange():
                self._send(group.on_window(message, now_ms), message.quoted_ms)
            case Tellings():
                for told in message.told:
                    self._send(group.on_told(told, now_ms))
            case Standing() if message.symbol == self._layout.symbol:
                self._send(group.on_standing(message, now_ms))
            case _:
                pass

    def _on_setup(self, setup: SymbolSetup) -> None:
        if setup.generation.symbol != self._layout.symbol or setup == self._setup:
            return
        self._setup = setup
        self._group = SlotGroup(
            ladder=setup.generation.ladder(),
            policy=setup.policy,
            instrument=setup.instrument,
            remainders=self._remainders,
            modulus=self._layout.modulus,
            older=tuple(generation.ladder() for generation in setup.older),
        )
        self._reconcile_at_ms = self._clock.now_ms() + self._reconcile_ms
        self._want_price()

    def _send(self, requests: Requests, quoted_ms: int | None = None) -> None:
        if requests.intents:
            self._intents += len(requests.intents)
            self._outbox.post(self._gateway, Intents(intents=requests.intents, quoted_ms=quoted_ms))
        if requests.alarms:
            self._outbox.post(self._feed, Alarms(symbol=self._layout.symbol, alarms=requests.alarms))
        if requests.unknown_levels:
            self._outbox.post(self._gateway, SlotsWanted(receiver=self._name, keys=requests.unknown_levels))
        if requests.needs_price:
            self._want_price()

    def _wake(self) -> None:
        now_ms = self._clock.now_ms()
        group = self._group
        if group is None:
            if now_ms >= self._ask_at_ms:
                self._ask_setup(now_ms)
        elif now_ms >= self._reconcile_at_ms:
            self._reconcile_at_ms = now_ms + self._reconcile_ms
            if group.view is not None:  # without a price nothing is known to be out of reach
                group.forget_idle()
            self._send(group.on_time(now_ms, everything=True))
            self._want_price()
            self._tell_known(group)
        else:
            self._send(group.on_time(now_ms))
        self._wake_next()

    def _wake_next(self) -> None:
        now_ms = self._clock.now_ms()
        if self._group is None:
            at_ms = self._ask_at_ms
        else:
            due_ms = self._group.next_wake_ms()
            at_ms = self._reconcile_at_ms if due_ms is None else min(due_ms, self._reconcile_at_ms)
        if at_ms != self._appointed_ms:
            self._appointed_ms = at_ms
            self._waker.wake_in(max(at_ms - now_ms, WAKE_SOONEST_MS))

    def _ask_whole(self, sender: str) -> None:
        if sender == self._gateway:
            self._ask_setup(self._clock.now_ms())
        elif sender == self._feed:
            self._want_price()

    def _ask_setup(self, now_ms: int) -> None:
        self._ask_at_ms = now_ms + ASK_AGAIN_MS
        wanted = SetupWanted(
            receiver=self._name,
            symbol=self._layout.symbol,
            remainders=tuple(sorted(self._remainders)),
            modulus=self._layout.modulus,
        )
        self._outbox.post(self._gateway, wanted)

    def _tell_known(self, group: SlotGroup) -> None:
        """Tell the gateway what is known here: a word of its that was lost is missed for a reconcile period at most."""
        versions = group.versions()
        if versions:
            known = SlotsKnown(
                receiver=self._name,
                symbol=self._layout.symbol,
                remainders=tuple(sorted(self._remainders)),
                modulus=self._layout.modulus,
                halt_epoch=group.standing.halt_epoch,
                versions=versions,
            )
            self._outbox.post(self._gateway, known)

    def _want_price(self) -> None:
        self._outbox.post(self._feed, PriceWanted(receiver=self._name, symbol=self._layout.symbol))
