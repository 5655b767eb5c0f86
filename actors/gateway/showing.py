"""The gateway's picture of itself: painted for `status` and the page, shown as figures for the metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actors.gateway.caller import VenueCaller
from actors.gateway.front import Front
from actors.gateway.gauging import Gauging
from actors.gateway.grids import Grid
from actors.gateway.keeper import DeskKeeper
from actors.gateway.membership import Membership
from actors.gateway.money import Money
from actors.gateway.owning import Owning
from actors.gateway.picture import Painter
from actors.journal.writer import Journal
from actors.mail.outbox import Gauges
from exchanges.port import MarketVenue, TradingVenue


class Showing:
    """Keeps the last picture, from which every question is answered."""

    def __init__(self, gauging: Gauging, gauges: Gauges, owning: Owning, membership: Membership, front: Front) -> None:
        self._painter = Painter()
        self._gauging = gauging
        self._gauges = gauges
        self._owning = owning
        self._membership = membership
        self._front = front
        self.picture: dict[str, Any] = {}

    def paint(self, keeper: DeskKeeper, caller: VenueCaller, money: Money | None, grids: Mapping[str, Grid]) -> None:
        """Paint it anew."""
        instruments = {name: grid.instrument for name, grid in grids.items()}
        picture = self._painter.paint(
            keeper.desk, instruments, self._front.references, money, keeper.counts, keeper.now()
        )
        picture["lanes"] = caller.depths()
        picture["ownership"] = self._owning.picture()
        picture["roster"] = self._membership.rows(keeper.desk.book)
        self.picture = picture

    def show(
        self,
        keeper: DeskKeeper,
        caller: VenueCaller,
        venue: TradingVenue,
        market: MarketVenue,
        journal: Journal,
        depth: int,
    ) -> None:
        """Set the figures by the last picture; `depth` is that of the loop's queue."""
        if self.picture:
            ages_s = {**venue.ages(), **market.ages()}
            self._gauging.show(self.picture, keeper, caller, journal, ages_s, depth)
            self._gauges.set("gridmesh_clock_offset_ms", venue.clock_offset_ms())
