"""The venue's own rules at the desk: read anew after a refusal by a filter, and taken over or held (rule 12)."""

from __future__ import annotations

from dataclasses import replace

from exchanges.desk.commands import ReadRules
from exchanges.desk.core import Chore, Core
from exchanges.desk.events import Instant, RulesRead
from exchanges.desk.standing import StandingHolds
from grid.holds import HoldCause
from grid.instrument import Instrument

PAUSE_MS = 10_000
"""Between two readings that refusals ask for: one says it all."""


class Rulings:
    """Prices and quantities are whole ticks and steps everywhere, so those two never change under a running book."""

    def __init__(self, core: Core, standing: StandingHolds) -> None:
        self._core = core
        self._standing = standing
        self._asked_ms: int | None = None

    def ask(self, now: Instant) -> None:
        """Have the rules read: a filter refused, so ours may be old."""
        if self._asked_ms is not None and now.mono_ms < self._asked_ms + PAUSE_MS:
            self._core.do_at(Chore.RULES, "", self._asked_ms + PAUSE_MS)
            return
        self._asked_ms = now.mono_ms
        self._core.command(ReadRules(reason="a filter refused an order"))

    def on_rules(self, read: RulesRead, now: Instant) -> None:
        """Take over what does no harm; hold entries of a symbol whose units changed or that trades no more."""
        for symbol, desk_symbol in self._core.symbols.items():
            known, told = desk_symbol.instrument, read.instruments.get(symbol)
            words = read.changes.get(symbol) or _harm(known, told)
            if words:
                self._standing.put(HoldCause.VENUE_RULE, symbol, words, now)
            elif told is not None and told != known:
                self._core.symbols = {**self._core.symbols, symbol: replace(desk_symbol, instrument=told)}
                self._core.notice("rules_changed", f"{symbol}: {_difference(known, told)}")


def _harm(known: Instrument, told: Instrument | None) -> str:
    if told is None:
        return f"{known.symbol} is no longer listed"
    if (told.tick, told.step) != (known.tick, known.step):
        return (
            f"{known.symbol} has tick {told.tick} and step {told.step}, "
            f"no longer {known.tick} and {known.step}: restart"
        )
    return "" if told.trading else f"{known.symbol} is closed for trading at the venue"


def _difference(known: Instrument, told: Instrument) -> str:
    names = [name for name in Instrument.__slots__ if getattr(known, name) != getattr(told, name)]
    return ", ".join(f"{name} is {getattr(told, name)}, was {getattr(known, name)}" for name in names)
