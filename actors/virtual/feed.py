"""The price feed of a virtual world: the live feed's decisions behind the virtual venue's quotes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from actors.actor_names import SlotLayout
from actors.mail.mailbox import Mailbox
from actors.mail.messages import Alarms, Envelope, PriceWanted, Receipt, SetupWanted, SymbolSetup
from actors.mail.outbox import Outbox
from actors.symbol_feed import FeedPhase, SymbolFeed
from actors.virtual.agenda import Agenda
from actors.virtual.venue import VirtualVenue
from grid.order import Quote

TICK_MS = 200
ASK_AGAIN_MS = 1_000


class VirtualFeed:
    """One life of a feed."""

    def __init__(
        self,
        *,
        name: str,
        gateway: str,
        layouts: Sequence[SlotLayout],
        agenda: Agenda,
        venue: VirtualVenue,
        outbox: Outbox,
        is_alive: Callable[[], bool],
    ) -> None:
        self._name = name
        self._gateway = gateway
        self._agenda = agenda
        self._venue = venue
        self._outbox = outbox
        self._is_alive = is_alive
        self._mailbox = Mailbox()
        self._asked_ms: dict[str, int] = {}
        self.last_bids: dict[str, int] = {}
        """Of the last quotes that came."""
        self._decisions = {
            layout.symbol: SymbolFeed(layout=layout, gateway=gateway, outbox=outbox) for layout in layouts
        }

    def start(self) -> None:
        """Subscribe and ask for levels."""
        for symbol in self._decisions:
            self._venue.repeat_quote(symbol)
        self._tick()

    def on_quote(self, quote: Quote) -> None:
        """Take a quote of the stream."""
        self.last_bids[quote.symbol] = quote.bid
        self._decisions[quote.symbol].on_quote(quote, self._agenda.now_ms, self._agenda.wall_ms)

    def receive(self, envelope: Envelope) -> Receipt:
        """Take a message of another actor."""
        arrival = self._mailbox.accept(envelope)
        if arrival.needs_whole and envelope.sender == self._gateway:
            for symbol in self._decisions:
                self._ask(symbol)
        if arrival.is_fresh:
            match envelope.message:
                case SymbolSetup() as setup:
                    self._decisions[setup.generation.symbol].on_setup(setup, self._agenda.now_ms, self._agenda.wall_ms)
                case Alarms() as alarms:
                    self._decisions[alarms.symbol].on_alarms(alarms)
                case PriceWanted() as wanted:
                    self._decisions[wanted.symbol].on_price_wanted(wanted)
                case _:
                    pass
        return Receipt()

    def _tick(self) -> None:
        if not self._is_alive():
            return
        now_ms = self._agenda.now_ms
        for symbol, decisions in self._decisions.items():
            is_due = now_ms - self._asked_ms.get(symbol, -ASK_AGAIN_MS) >= ASK_AGAIN_MS
            if decisions.phase is FeedPhase.RESTORING and is_due:
                self._ask(symbol)
            if decisions.on_time(now_ms):
                self._venue.quote(symbol, partial(self._on_probe, decisions))
        self._agenda.tick(TICK_MS, self._name, self._tick)

    def _on_probe(self, decisions: SymbolFeed, quote: Quote | None) -> None:
        if self._is_alive():
            failure = "" if quote is not None else "no reply"
            decisions.on_probe(quote, failure, self._agenda.now_ms, self._agenda.wall_ms)

    def _ask(self, symbol: str) -> None:
        self._asked_ms[symbol] = self._agenda.now_ms
        self._outbox.post(self._gateway, SetupWanted(receiver=self._name, symbol=symbol))
