"""Hands other than the client's on the same account and venue: what a program must notice and survive."""

from __future__ import annotations

from exchanges.sim.instrument import SimInstrument
from exchanges.sim.orders import NewOrder
from exchanges.sim.venue_events import Placed, VenueEvent


class ForeignActor:
    """A person at the venue's own page, and the venue itself."""

    def place(self, account: str, order: NewOrder, now_ms: int) -> Placed:
        """Place a manual order: as `submit`, with a client id `web_...` of the venue's making."""
        raise NotImplementedError

    def move_position(self, account: str, symbol: str, quantity: int, now_ms: int, price: int = 0) -> list[VenueEvent]:
        """Trade `quantity` signed steps at once at `price` ticks (0: the touch), book or no book; client id `web_...`."""
        raise NotImplementedError

    def liquidate(self, account: str, symbol: str, now_ms: int) -> list[VenueEvent]:
        """Force liquidation of one position: open orders gone, then `autoclose-...`."""
        raise NotImplementedError

    def auto_deleverage(self, account: str, symbol: str, quantity: int, now_ms: int) -> list[VenueEvent]:
        """Close `quantity` steps (positive) of the position at mark against a bankrupt counterparty: `adl_autoclose`."""
        raise NotImplementedError

    def change_instrument(self, instrument: SimInstrument, now_ms: int) -> list[VenueEvent]:
        """Put other filters or fees in force; resting orders stay as they are. Tick and step cannot change."""
        raise NotImplementedError

    def delist(self, symbol: str, now_ms: int) -> list[VenueEvent]:
        """Settle the symbol: orders expire, positions close at mark (`settlement_autoclose-...`), status SETTLING."""
        raise NotImplementedError
