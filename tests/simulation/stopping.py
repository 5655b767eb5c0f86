"""One stop by the operator: said until it is heard, watched until it is done, judged by what rests at the venue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from actors.virtual.world import World
from exchanges.desk.events import CloseAsked, ClosingMode
from grid.order import Purpose
from tests.simulation.truth import Truth

LOOK_MS = 500


@dataclass(slots=True, kw_only=True)
class Stop:
    """`then` starts everything again, `pause_ms` after the end."""

    world: World
    truth: Truth
    mode: ClosingMode
    pause_ms: int
    complain: Callable[[str], None]
    then: Callable[[], None]
    is_done: bool = False
    asked_ms: int = 0
    had_exits: bool = False

    def begin(self) -> None:
        """Ask, and look again and again."""
        self.asked_ms = self.world.agenda.now_ms
        self.had_exits = any(order.reduce_only for order in self.truth.open.values())
        self._look()

    def _look(self) -> None:
        if self.is_done:
            return
        self.world.agenda.tick(LOOK_MS, "stop", self._look)
        gateway = self.world.gateway
        if gateway is None:
            return
        if gateway.desk.closing is None:
            # What asks for a stop says it again to a gateway that has come back.
            gateway.on_event(CloseAsked(mode=self.mode))
        elif gateway.desk.is_closed:
            self.is_done = True
            for breach in self._breaches():
                self.complain(f"a_stop_does_what_it_says: {self.mode.value}: {breach}")
            self.world.agenda.after(self.pause_ms, "operator", "start again", self.then)

    def _breaches(self) -> list[str]:
        found = []
        late = self.world.venue.late
        for client_id, order in self.truth.open.items():
            identity = self.truth.identity(client_id, order.symbol)
            is_entry = identity is not None and identity.purpose is Purpose.ENTRY
            if client_id not in late and (is_entry or self.mode is not ClosingMode.LEAVE_EXITS):
                found.append(f"{client_id} still rests")
        lots = [(book.symbol, key) for book in self.world.book.symbols.values() for key, _ in book.lots()]
        exits = [order for order in self.truth.open.values() if order.reduce_only]
        # An exit that has filled unheard leaves its lot in the book until the trades are read.
        is_known = not self.truth.unbooked
        if self.mode is ClosingMode.LEAVE_EXITS and self.had_exits and lots and not exits and is_known:
            found.append(f"{len(lots)} lots and none of their exits rests")
        if self.mode is ClosingMode.FLATTEN and lots and is_known and not self._was_given_up():
            found.append(f"{len(lots)} lots are left")
        return found

    def _was_given_up(self) -> bool:
        gateway = self.world.gateway
        return gateway is not None and any(notice.kind == "not_flat" for notice in gateway.notices)
