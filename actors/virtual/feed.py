"""The price feed of a virtual world: the live feed's decisions behind the virtual venue's quotes."""

from __future__ import annotations

from collections.abc import Callable

from actors.mail.mailbox import Mailbox
from actors.mail.messages import Alarms, Envelope, PriceWanted, Receipt, SetupWanted, SymbolSetup
from actors.mail.outbox import Outbox
from actors.symbol_feed import FeedPhase, SymbolFeed
from actors.virtual.agenda import Agenda
from actors.virtual.settings import GridPlan
from actors.virtual.venue import VirtualVenue
from grid.order import Quote

TICK_MS = 200
ASK_AGAIN_MS = 1_000


class VirtualFeed:
    """One life of a symbol's feed."""

    def __init__(
        self,
        *,
        name: str,
        gateway: str,
        plan: GridPlan,
        agenda: Agenda,
        venue: VirtualVenue,
        outbox: Outbox,
        is_alive: Callable[[], bool],
    ) -> None:
        self._name = name
        self._gateway = gateway
        self._symbol = plan.symbol
        self._agenda = agenda
        self._venue = venue
        self._outbox = outbox
        self._is_alive = is_alive
        self._mailbox = Mailbox()
        self._asked_ms: int | None = None
        self.last_bid: int | None = None
        """Of the last quote that came."""
        self.decisions = SymbolFeed(layout=plan.layout, gateway=gateway, outbox=outbox)

    def start(self) -> None:
        """Subscribe and ask for levels."""
        self._venue.repeat_quote(self._symbol)
        self._tick()

    def on_quote(self, quote: Quote) -> None:
        """Take a quote of the stream."""
        self.last_bid = quote.bid
        self.decisions.on_quote(quote, self._agenda.now_ms, self._agenda.wall_ms)

    def receive(self, envelope: Envelope) -> Receipt:
        """Take a message of another actor."""
        arrival = self._mailbox.accept(envelope)
        if arrival.needs_whole and envelope.sender == self._gateway:
            self._ask()
        if arrival.is_fresh:
            match envelope.message:
                case SymbolSetup() as setup:
                    self.decisions.on_setup(setup, self._agenda.now_ms, self._agenda.wall_ms)
                case Alarms() as alarms:
                    self.decisions.on_alarms(alarms)
                case PriceWanted() as wanted:
                    self.decisions.on_price_wanted(wanted)
                case _:
                    pass
        return Receipt()

    def _tick(self) -> None:
        if not self._is_alive():
            return
        now_ms = self._agenda.now_ms
        is_due = self._asked_ms is None or now_ms - self._asked_ms >= ASK_AGAIN_MS
        if self.decisions.phase is FeedPhase.RESTORING and is_due:
            self._ask()
        if self.decisions.on_time(now_ms):
            self._venue.quote(self._symbol, self._on_probe)
        self._agenda.tick(TICK_MS, self._name, self._tick)

    def _on_probe(self, quote: Quote | None) -> None:
        if self._is_alive():
            self.decisions.on_probe(
                quote, "" if quote is not None else "no reply", self._agenda.now_ms, self._agenda.wall_ms
            )

    def _ask(self) -> None:
        self._asked_ms = self._agenda.now_ms
        self._outbox.post(self._gateway, SetupWanted(receiver=self._name, symbol=self._symbol))
