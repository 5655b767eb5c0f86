"""What the venue itself does to a position: liquidation, auto-deleveraging, settlement (trading rule 16)."""

from __future__ import annotations

from exchanges.desk.core import Core
from exchanges.desk.events import Instant
from exchanges.desk.standing import StandingHolds
from grid.holds import HoldCause
from grid.order import OrderUpdate

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
    """Holds entries of a symbol of which the venue itself closed something. People judge what it came to."""

    def __init__(self, core: Core, standing: StandingHolds) -> None:
        self._core = core
        self._standing = standing

    def on_update(self, update: OrderUpdate, now: Instant) -> None:
        """Look whose order it is; its fills are booked as any other foreign trade."""
        symbol, client_id = update.report.symbol, update.report.client_id
        decree = decree_of(client_id)
        if decree and symbol in self._core.symbols:
            reason = f"{symbol}: {decree} by the venue ({client_id}); only an operator lifts this"
            self._standing.put(HoldCause.VENUE_RULE, symbol, reason, now)
