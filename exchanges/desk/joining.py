"""Symbols that come and go while the desk trades the others."""

from __future__ import annotations

from exchanges.desk.closing import Closing
from exchanges.desk.core import Core
from exchanges.desk.events import Instant, RemoveAsked, SymbolAdded
from exchanges.desk.readings import Readings
from exchanges.desk.standing import StandingHolds
from grid.account_records import SymbolLeft
from grid.holds import HoldCause


class Joining:
    """Takes a symbol in behind a hold that two agreeing readings lift; has one closed that leaves."""

    def __init__(self, core: Core, standing: StandingHolds, readings: Readings, closing: Closing) -> None:
        self._core = core
        self._standing = standing
        self._readings = readings
        self._closing = closing

    def on_event(self, event: SymbolAdded | RemoveAsked, now: Instant) -> None:
        """Take the gateway's word."""
        match event:
            case SymbolAdded():
                self._add(event, now)
            case RemoveAsked(symbol=symbol, run=run, ladder=ladder, mode=mode):
                self._closing.leave(SymbolLeft(symbol=symbol, run=run, ladder=ladder, mode=mode.value), now)

    def _add(self, event: SymbolAdded, now: Instant) -> None:
        """Begin with a symbol: its records first, then the comparison with the venue, and only then entries."""
        core, name = self._core, event.symbol.symbol
        if core.closing is not None:
            core.notice("not_added", f"{name} is not added: a stop is under way", "warning")
            return
        core.symbols = {**core.symbols, name: event.symbol}
        core.foreign_orders.setdefault(name, set())
        core.record(event.joined)
        for record in event.records:
            core.record(record)
        self._standing.put(HoldCause.RECONCILE, name, "added: not compared with the venue yet", now)
        self._closing.rejoin(name)
        core.notice("added", f"{name} is added; it trades once book and venue agree")
        self._readings.start(now)
