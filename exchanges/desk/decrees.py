"""What the venue itself does to a position: liquidation, auto-deleveraging, settlement (trading rule 16)."""

from __future__ import annotations

from collections import Counter

from exchanges.desk.commands import LookUp
from exchanges.desk.core import Chore, Core
from exchanges.desk.events import Accepted, Instant, OrderRead, Refused
from exchanges.desk.standing import StandingHolds
from exchanges.errors import Refusal
from grid.holds import HoldCause
from grid.order import Fill, OrderUpdate
from grid.records import ForeignNamed

ASK_FIRST_MS = 500
ASK_LAST_MS = 30_000
UNFOUND_MAX = 6
"""Denials after which an order that traded is taken to be one that the venue cannot tell of."""
TOLD_FOR_MS = 3 * 24 * 3600 * 1000
"""So long the venue surely tells of an order; an older one is not asked for any more."""

_BY_PREFIX = {
    "autoclose-": "liquidation",
    "adl_autoclose": "auto-deleveraging",
    "settlement_autoclose-": "settlement of the contract",
}
"""Client ids that the venue gives to its own orders."""


def decree_of(client_id: str) -> str:
    """Return what the venue did by the order of this client id, empty where it is not the venue's own."""
    return next((word for prefix, word in _BY_PREFIX.items() if client_id.startswith(prefix)), "")


class Decrees:
    """Holds entries of a symbol of which the venue itself closed something. People judge what it came to.

    The stream tells whose order traded. What happened while it was down is learnt from the account's trades. Where
    those name no client id, orders are looked up by the venue's own, over restarts too, until their owner is known.
    """

    def __init__(self, core: Core, standing: StandingHolds) -> None:
        self._core = core
        self._standing = standing
        self._denied: Counter[str] = Counter()

    def begin(self, now: Instant) -> None:
        """Go on asking for the orders that a former life could not name."""
        for symbol in self._core.symbols:
            for order_id, venue_ms in list(self._core.book.symbol(symbol).unnamed.items()):
                if now.venue_ms - venue_ms > TOLD_FOR_MS:
                    self._core.record(ForeignNamed(symbol=symbol, order_id=order_id, client_id=""))
                else:
                    self._core.do_at(Chore.NAME, f"{symbol} {order_id}", now.mono_ms)

    def on_update(self, update: OrderUpdate, now: Instant) -> None:
        """Look whose order it is; its fills are booked as any other foreign trade."""
        self._judge(update.report.symbol, update.report.client_id, now)

    def on_fill(self, fill: Fill, now: Instant) -> None:
        """Look whose fill it is that was just booked as foreign."""
        self._judge(fill.symbol, fill.client_id, now)

    def ask(self, subject: str, attempt: int, now: Instant) -> None:
        """An order is to be named."""
        symbol, _, order_id = subject.partition(" ")
        if order_id not in self._core.book.symbol(symbol).unnamed:
            return
        self._core.command(LookUp(symbol=symbol, client_id="", order_id=order_id))
        wait_ms = min(ASK_FIRST_MS << min(attempt, 8), ASK_LAST_MS)
        self._core.do_at(Chore.NAME, subject, now.mono_ms + wait_ms, attempt + 1)

    def on_named(self, read: OrderRead, now: Instant) -> None:
        """Take the answer; a failed call is asked again, and only a venue that keeps denying the order ends that."""
        subject = f"{read.symbol} {read.order_id}"
        if read.order_id not in self._core.book.symbol(read.symbol).unnamed:
            return
        match read.outcome:
            case Accepted(report=report):
                client_id = report.client_id
            case Refused(refusal=Refusal.UNKNOWN_ORDER):
                self._denied[subject] += 1
                if self._denied[subject] < UNFOUND_MAX:
                    return
                client_id = ""
                reason = f"{read.symbol}: order {read.order_id} traded, and the venue does not say whose it was"
                self._standing.put(HoldCause.VENUE_RULE, read.symbol, reason, now)
            case _:
                return
        self._denied.pop(subject, None)
        self._core.drop(Chore.NAME, subject)
        self._core.record(ForeignNamed(symbol=read.symbol, order_id=read.order_id, client_id=client_id))
        self._judge(read.symbol, client_id, now)

    def _judge(self, symbol: str, client_id: str, now: Instant) -> None:
        decree = decree_of(client_id)
        if decree and symbol in self._core.symbols:
            reason = f"{symbol}: {decree} by the venue ({client_id}); only an operator lifts this"
            self._standing.put(HoldCause.VENUE_RULE, symbol, reason, now)
