"""The engine's symbols as perpetual contracts: one step of base currency each, under the venue's own names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from exchanges.sim.instrument import SimInstrument
from exchanges.sim.refusal import Reason, Refused
from exchanges.sim.server.core import VenueCore
from exchanges.sim.server.text import plain

SUFFIX = "-PERPETUAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A symbol as the venue counts it: sizes are whole contracts, `multiplier` base currency each."""

    instrument: SimInstrument

    @property
    def symbol(self) -> str:
        return self.instrument.symbol

    @property
    def name(self) -> str:
        return f"{self.instrument.symbol}{SUFFIX}"

    @property
    def multiplier(self) -> Decimal:
        return self.instrument.step

    def price(self, ticks: int) -> str:
        return plain(self.instrument.price(ticks))


def symbol_of(name: str) -> str:
    """Return the engine's symbol of a name; empty where it is no name of a contract."""
    return name.removesuffix(SUFFIX) if name.endswith(SUFFIX) else ""


def contract(venue: VenueCore, name: str) -> Contract:
    symbol = symbol_of(name)
    if symbol not in venue.instruments():
        raise Refused(Reason.SYMBOL_UNKNOWN)
    return Contract(instrument=venue.instrument(symbol))


def of_symbol(venue: VenueCore, symbol: str) -> Contract:
    return Contract(instrument=venue.instrument(symbol))


def under_own_filters(instrument: SimInstrument) -> SimInstrument:
    """Return a symbol as this venue limits it: by size alone, and by no notional."""
    return replace(instrument, notional_min=Decimal(0))
