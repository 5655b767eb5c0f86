"""The numbers that Ray's metrics export, declared in one place. Outside of Ray they go nowhere."""

from __future__ import annotations

from dataclasses import dataclass

import ray
from ray.util.metrics import Counter, Gauge


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One series: what it says, and the tags that tell its lines apart."""

    description: str
    tags: tuple[str, ...] = ()
    is_counter: bool = False


DECLARED: dict[str, Declared] = {
    "gridmesh_inner_queue": Declared(description="calls handed to an actor's loop and not run yet", tags=("actor",)),
    "gridmesh_unacknowledged": Declared(description="messages kept until their receiver has them", tags=("actor",)),
    "gridmesh_resends": Declared(description="messages sent again", tags=("actor", "receiver"), is_counter=True),
    "gridmesh_quote_age_ms": Declared(description="age of a symbol's last quote", tags=("symbol",)),
    "gridmesh_price_is_fresh": Declared(description="1 while the price may be traded on", tags=("symbol",)),
    "gridmesh_risk_go": Declared(description="1 while the risk supervisor says go"),
    "gridmesh_risk_changes": Declared(description="halts and resumptions", tags=("what",), is_counter=True),
    "gridmesh_holds": Declared(description="holds in force", tags=("cause", "symbol")),
    "gridmesh_own_orders": Declared(description="own orders live at the venue", tags=("symbol", "purpose")),
    "gridmesh_lots": Declared(description="lots held", tags=("symbol",)),
    "gridmesh_round_trips": Declared(description="lots bought and sold", tags=("symbol",), is_counter=True),
    "gridmesh_fills": Declared(description="fills booked", tags=("symbol", "side"), is_counter=True),
    "gridmesh_orders_sent": Declared(description="orders sent", tags=("symbol", "purpose"), is_counter=True),
    "gridmesh_orders_refused": Declared(description="orders refused", tags=("symbol", "reason"), is_counter=True),
    "gridmesh_lane_waiting": Declared(description="requests that wait for the limiter", tags=("lane",)),
    "gridmesh_journal_us": Declared(description="longest journal write of the last second in microseconds"),
    "gridmesh_slots": Declared(description="levels with an order or a lot, by their state", tags=("symbol", "phase")),
}


class RayGauges:
    """The `Gauges` of an actor process. A name that is not declared is a mistake of ours and raises `KeyError`."""

    def __init__(self) -> None:
        self._made: dict[str, Gauge | Counter] = {}

    def set(self, name: str, value: float, **tags: str) -> None:
        """Show the present value."""
        series = self._series(name)
        if isinstance(series, Gauge):
            series.set(value, tags)

    def count(self, name: str, by: int = 1, **tags: str) -> None:
        """Add to a counter."""
        series = self._series(name)
        if isinstance(series, Counter) and by > 0:
            series.inc(by, tags)

    def _series(self, name: str) -> Gauge | Counter | None:
        declared = DECLARED[name]
        if not ray.is_initialized():
            return None
        if name not in self._made:
            kind = Counter if declared.is_counter else Gauge
            self._made[name] = kind(name, description=declared.description, tag_keys=declared.tags)
        return self._made[name]
