"""What the gateway tells slots and feeds: levels and rules, the book's word, the holds."""

from __future__ import annotations

from collections.abc import Callable

from actors.gateway.grids import Grid
from actors.gateway.membership import Membership
from actors.gateway.picture import Heard
from actors.gateway.teller import Teller
from actors.mail.desk_mail import states_missed, states_wanted
from actors.mail.messages import Envelope, FeedWord, SetupWanted, SlotsKnown, SymbolGone
from actors.mail.outbox import Outbox
from exchanges.desk.events import Event
from exchanges.order_desk import OrderDesk
from grid.intent import Standing, Told

EARLY_MAX = 1_000


class Front:
    """Answers those who ask, and passes on what the desk says. `grids` is the gateway's own, and changes with it."""

    def __init__(
        self, *, outbox: Outbox, membership: Membership, grids: dict[str, Grid], on_event: Callable[[Event], None]
    ) -> None:
        self._outbox = outbox
        self._teller = Teller(outbox.post)
        self._membership = membership
        self._grids = grids
        self._on_event = on_event
        self._early: list[SetupWanted] = []
        self._feeds: dict[str, str] = {}
        """By symbol: which actor told its price last."""
        self.references: dict[str, Heard] = {}
        """By symbol: the oriented price that it told."""

    def answer(self, asked: SetupWanted | SlotsKnown, desk: OrderDesk | None) -> None:
        """Answer who has (re)started, or may have missed something; before there is a desk a start's question waits."""
        if isinstance(asked, SetupWanted):
            self._set_up(asked, desk)
        elif desk is not None and asked.symbol in self._membership.roster.layouts and asked.symbol in self._grids:
            missed = states_missed(asked, desk.book)
            if missed is not None:
                self._on_event(missed)

    def _set_up(self, wanted: SetupWanted, desk: OrderDesk | None) -> None:
        if desk is None:
            self._early = [*self._early[1 - EARLY_MAX :], wanted]
            return
        if not wanted.symbol:
            self._outbox.post(wanted.receiver, desk.standing(""))
            return
        grid = self._grids.get(wanted.symbol)
        roster = self._membership.roster
        # A pack may not have heard yet that a symbol has left it, and trades elsewhere by now.
        if grid is None or wanted.symbol not in roster.layouts or wanted.receiver not in roster.serving(wanted.symbol):
            self._outbox.post(wanted.receiver, SymbolGone(symbol=wanted.symbol))
            return
        self._outbox.post(wanted.receiver, grid.setup())
        if wanted.modulus:
            book = desk.book.symbol(wanted.symbol)
            self._on_event(states_wanted(wanted, book, grid.generation.generation))

    def early(self) -> list[SetupWanted]:
        """Return, once, who asked too early."""
        early, self._early = self._early, []
        return early

    def tell(self, told: Told) -> None:
        """Pass on the book's word about a slot."""
        layout = self._membership.roster.layouts.get(told.state.key.symbol)
        if layout is not None:
            self._teller.tell(layout.name_of(told.state.key.level), told)

    def broadcast(self, standing: Standing) -> None:
        """Tell a symbol's slots which holds stand."""
        layout = self._membership.roster.layouts.get(standing.symbol)
        for slot in layout.names() if layout is not None else ():
            self._outbox.post(slot, standing)

    def note(self, envelope: Envelope, at_ms: int) -> None:
        """Take note of who tells a symbol's price; one that still tells it by the side that was left is set right."""
        word = envelope.message
        if not isinstance(word, FeedWord):
            return
        self._feeds[word.symbol], grid = envelope.sender, self._grids.get(word.symbol)
        if word.reference is None:
            return
        self.references[word.symbol] = Heard(word.reference, at_ms)
        if grid is not None and word.reference * grid.generation.side.sign < 0:
            self._outbox.post(envelope.sender, grid.setup())

    def turn(self, symbol: str, desk: OrderDesk) -> None:
        """A neutral grid works on its other side: its feed and its slots begin anew there."""
        grid = self._grids[symbol] = self._grids[symbol].facing(desk.book.symbol(symbol))
        if symbol in self._feeds:
            self._outbox.post(self._feeds[symbol], grid.setup())
        self.renew(grid)

    def renew(self, grid: Grid) -> None:
        """Tell a symbol's slots its new rules."""
        layout = self._membership.roster.layouts.get(grid.settings.symbol)
        for slot in layout.names() if layout is not None else ():
            self._outbox.post(slot, grid.setup())
