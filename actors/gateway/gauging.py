"""The gateway's numbers for Ray's metrics, taken from its picture once a second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from actors.gateway.keeper import DeskKeeper
from actors.outbox import Gauges
from grid.slot import Phase

CAUSES_SHOWN = ("operator", "risk", "price", "order_stream", "reconcile", "margin", "stop_loss", "lease", "venue_rule")


class Gauging:
    """Shows the present numbers and counts what grew since the last look."""

    def __init__(self, name: str, gauges: Gauges) -> None:
        self._name = name
        self._gauges = gauges
        self._counted: dict[tuple[str, str, str], int] = {}

    def show(self, picture: Mapping[str, Any], lanes: Mapping[str, int], keeper: DeskKeeper, depth: int) -> None:
        """Publish a picture, what left for the venue, and how much the loop and the journal have to do."""
        self._gauges.set("gridmesh_inner_queue", depth, actor=self._name)
        self._gauges.set("gridmesh_journal_us", keeper.take_longest_write_us())
        for (symbol, purpose), count in keeper.sent.items():
            self._grow("gridmesh_orders_sent", count, symbol=symbol, purpose=purpose)
        held = {(hold["cause"], hold["symbol"]) for hold in picture["holds"]}
        for cause in CAUSES_SHOWN:
            for symbol in ("", *picture["symbols"]):
                self._gauges.set("gridmesh_holds", (cause, symbol) in held, cause=cause, symbol=symbol)
        for lane, depth in lanes.items():
            self._gauges.set("gridmesh_lane_waiting", depth, lane=lane)
        for symbol, seen in picture["symbols"].items():
            self._gauges.set("gridmesh_own_orders", seen["entries"], symbol=symbol, purpose="entry")
            self._gauges.set("gridmesh_own_orders", seen["exits"], symbol=symbol, purpose="exit")
            self._gauges.set("gridmesh_lots", seen["lots"], symbol=symbol)
            self._grow("gridmesh_round_trips", seen["round_trips"], symbol=symbol)
            self._grow("gridmesh_fills", seen["entry_fills"], symbol=symbol, side="entry")
            self._grow("gridmesh_fills", seen["exit_fills"], symbol=symbol, side="exit")
            for name, count in seen["counts"].items():
                if name.startswith("refused_"):
                    self._grow("gridmesh_orders_refused", count, symbol=symbol, reason=name.removeprefix("refused_"))
            phases = Counter(level["phase"] for level in seen["levels"])
            for phase in Phase:
                self._gauges.set("gridmesh_slots", phases[phase.value], symbol=symbol, phase=phase.value)

    def _grow(self, name: str, total: int, **tags: str) -> None:
        key = (name, tags["symbol"], "".join(sorted(tags.values())))
        grown = total - self._counted.get(key, 0)
        self._counted[key] = total
        if grown > 0:
            self._gauges.count(name, grown, **tags)
